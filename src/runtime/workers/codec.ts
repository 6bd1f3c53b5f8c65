/** `ringlet/codec` on workerd, which compiles no bytes at run time: the module comes by static import. */

import { type Codec, createCodec } from "../../codec/codec.ts";
import module from "../../codec.wasm";

export * from "../../codec/exports.ts";

/**
 * Makes a codec, synchronously. Each call makes an instance of its own.
 *
 * @param compiled `codec.wasm` as a compiled module; the package's own by default. Bytes cannot be compiled here.
 */
export function loadCodec(compiled?: WebAssembly.Module | BufferSource): Codec {
  return createCodec(compiled ?? module);
}
