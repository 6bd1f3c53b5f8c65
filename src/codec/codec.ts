/**
 * `codec.wasm` with a typed face: one flat object, put together from one face per topic.
 *
 * The codec is pure. It keeps no state between calls, so one instance serves everything in a thread.
 */
import { instantiateSync } from "@assemblyscript/loader";
import {
  type CapabilitiesExports,
  type CapabilitiesFace,
  capabilitiesFace,
} from "./capabilities.ts";
import { type Crc32Exports, type Crc32Face, crc32Face } from "./crc32.ts";
import { type HashExports, type HashFace, hashFace } from "./hash.ts";
import { CodecInstance } from "./instance.ts";

/** What `loadCodec()` returns; each part is described where it is declared. */
export interface Codec extends HashFace, Crc32Face, CapabilitiesFace {}

interface CodecExports extends HashExports, Crc32Exports, CapabilitiesExports {}

/** What a runtime may lend to the codec. */
// biome-ignore lint/suspicious/noEmptyInterface: filled by the AES face
export interface CodecOptions {}

/**
 * Makes a codec of `codec.wasm`, given as a compiled module or as its bytes, synchronously.
 *
 * workerd compiles no bytes at run time: give it a module there. Throws WebAssembly.CompileError for bytes that are no module.
 */
export function createCodec(
  source: WebAssembly.Module | BufferSource,
  _options: CodecOptions = {},
): Codec {
  // The exports as they are: the loader's own wrapping adds a call to each of them.
  const exports = instantiateSync(source).instance.exports as unknown as CodecExports;
  const instance = new CodecInstance<CodecExports>(exports);
  return {
    ...hashFace(instance),
    ...crc32Face(instance),
    ...capabilitiesFace(instance),
  };
}
