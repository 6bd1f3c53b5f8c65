/** `ringlet/codec` on Node.js: the module from disk, node:crypto for long AES input. */
import { type Codec, createCodec } from "../../codec/codec.ts";
import { nodeAes } from "./aes.ts";
import { readModule } from "./wasm-file.ts";

export * from "../../codec/exports.ts";

/**
 * Makes a codec, synchronously. Each call makes an instance of its own.
 *
 * @param moduleOrBytes `codec.wasm`, compiled or as bytes; the package's own by default.
 */
export function loadCodec(moduleOrBytes?: WebAssembly.Module | BufferSource): Codec {
  return createCodec(moduleOrBytes ?? readModule("codec"), { aes: nodeAes });
}
