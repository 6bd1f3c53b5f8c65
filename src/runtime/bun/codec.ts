/** `ringlet/codec` on Bun: the module from disk, and its node:crypto, which overtakes the kernel's AES at 64 bytes. */
import { type Codec, createCodec } from "../../codec/codec.ts";
import { nodeAes } from "../node/aes.ts";
import { readModule } from "../node/wasm-file.ts";

export * from "../../codec/exports.ts";

/**
 * Makes a codec, synchronously. Each call makes an instance of its own.
 *
 * @param moduleOrBytes `codec.wasm`, compiled or as bytes; the package's own by default.
 */
export function loadCodec(moduleOrBytes?: WebAssembly.Module | BufferSource): Codec {
  return createCodec(moduleOrBytes ?? readModule("codec"), { aes: { ...nodeAes, fromBytes: 64 } });
}
