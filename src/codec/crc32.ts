/** CRC-32, and the variant that ignores ASCII case (typed face of assembly/codec/crc32.ts). */
import type { CodecInstance, CodecMemoryExports } from "./instance.ts";
import { eachSlice } from "./slices.ts";

export interface Crc32Face {
  /**
   * CRC-32 of `bytes` (ISO 3309, reflected polynomial 0xEDB88320, as zlib's), unsigned.
   * `previous` is the checksum of the bytes before them, for input that comes in pieces.
   */
  crc32(bytes: Uint8Array, previous?: number): number;
  /**
   * CRC-32 with every byte taken through C's `tolower()` first, so that replies that differ only in ASCII case agree.
   * The C engine compares the replies of a quorum by it.
   */
  crc32Lowercase(bytes: Uint8Array, previous?: number): number;
}

export interface Crc32Exports extends CodecMemoryExports {
  crc32(pointer: number, length: number, previous: number): number;
  crc32Lowercase(pointer: number, length: number, previous: number): number;
}

export function crc32Face(instance: CodecInstance<Crc32Exports>): Crc32Face {
  const { crc32, crc32Lowercase } = instance.exports;
  function run(call: typeof crc32, bytes: Uint8Array, previous: number): number {
    let crc = previous;
    eachSlice(bytes, (slice) => {
      crc = call(instance.place(slice), slice.length, crc);
    });
    return crc >>> 0;
  }
  return {
    crc32: (bytes, previous = 0) => run(crc32, bytes, previous),
    crc32Lowercase: (bytes, previous = 0) => run(crc32Lowercase, bytes, previous),
  };
}
