/** `ringlet/codec` in a browser, and wherever no other condition matches: the module inlined in the code. */
import { type Codec, createCodec } from "../../codec/codec.ts";
import { codecBase64 } from "./codec-base64.ts";

export * from "../../codec/exports.ts";

/**
 * Makes a codec, synchronously. Each call makes an instance of its own.
 *
 * @param moduleOrBytes `codec.wasm`, compiled or as bytes; the package's own by default.
 */
export function loadCodec(moduleOrBytes?: WebAssembly.Module | BufferSource): Codec {
  return createCodec(moduleOrBytes ?? fromBase64(codecBase64));
}

function fromBase64(text: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
}
