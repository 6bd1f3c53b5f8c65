/** `ringlet/codec` on Deno: the module from disk. Its node:crypto is no faster than the kernel's AES, so it is not lent. */
import { type Codec, createCodec } from "../../codec/codec.ts";
import { readModule } from "../node/wasm-file.ts";

export * from "../../codec/exports.ts";

/**
 * Makes a codec, synchronously. Each call makes an instance of its own.
 *
 * @param moduleOrBytes `codec.wasm`, compiled or as bytes; the package's own by default.
 */
export function loadCodec(moduleOrBytes?: WebAssembly.Module | BufferSource): Codec {
  return createCodec(moduleOrBytes ?? readModule("codec"));
}
