/** The codec as Node loads it, and views of its memory for tests that care where input lies. */
import { instantiateSync } from "@assemblyscript/loader";
import { loadCodec } from "../../../src/runtime/node/codec.ts";
import { readModule } from "../../../src/runtime/node/wasm-file.ts";

export const codec = loadCodec();

/** The bare exports of a new instance of codec.wasm. */
export function bareExports<Exports>(): Exports & {
  memory: WebAssembly.Memory;
  reserve(bytes: number): number;
} {
  return instantiateSync(readModule("codec")).instance.exports as never;
}

/** Writes `bytes` so that the last of them is the last byte of the memory, and returns their address. */
export function placeAtEnd(memory: WebAssembly.Memory, bytes: Uint8Array): number {
  const pointer = memory.buffer.byteLength - bytes.length;
  new Uint8Array(memory.buffer).set(bytes, pointer);
  return pointer;
}

/** The code of the error that `call` throws, or "none". */
export function codeOf(call: () => unknown): string {
  try {
    call();
  } catch (error) {
    return (error as { code?: string }).code ?? `${error}`;
  }
  return "none";
}
