import { crc32 as zlibCrc32 } from "node:zlib";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Crc32Exports } from "../../../src/codec/crc32.ts";
import { SLICE_BYTES } from "../../../src/codec/slices.ts";
import { bareExports, codec, placeAtEnd } from "./codec-under-test.ts";

/** Bit by bit, from the definition. */
function slowCrc32(bytes: Iterable<number>): number {
  let crc = 0xffffffff;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (crc & 1 ? 0xedb88320 : 0);
  }
  return ~crc >>> 0;
}

const text = (value: string) => new TextEncoder().encode(value);
const lower = (byte: number) => (byte >= 65 && byte <= 90 ? byte + 32 : byte);

describe("crc32", () => {
  it("gives the check value of the catalogue", () => {
    expect(codec.crc32(text("123456789"))).toBe(0xcbf43926);
    expect(codec.crc32(new Uint8Array())).toBe(0);
  });

  it("agrees with the definition", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        expect(codec.crc32(bytes)).toBe(slowCrc32(bytes));
        expect(codec.crc32Lowercase(bytes)).toBe(slowCrc32(bytes.map(lower)));
      }),
      { numRuns: 500 },
    );
  });

  it("lower-cases all 256 bytes as C's tolower does, in the eight-byte steps and in the rest", () => {
    for (let byte = 0; byte < 256; byte++) {
      for (const length of [1, 7, 8, 9]) {
        const bytes = new Uint8Array(length).fill(byte);
        expect(codec.crc32Lowercase(bytes)).toBe(slowCrc32(bytes.map(lower)));
      }
    }
  });

  it("ignores ASCII case only in the lower-case variant", () => {
    expect(codec.crc32Lowercase(text("$3\r\nABC\r\n"))).toBe(
      codec.crc32Lowercase(text("$3\r\nabc\r\n")),
    );
    expect(codec.crc32(text("ABC"))).not.toBe(codec.crc32(text("abc")));
    expect(codec.crc32Lowercase(text("É"))).not.toBe(codec.crc32Lowercase(text("é")));
  });

  it("goes on from the checksum of the bytes before, at every cut", () => {
    const bytes = text("The quick brown fox jumps over the lazy dog");
    for (let cut = 0; cut <= bytes.length; cut++) {
      const first = codec.crc32(bytes.subarray(0, cut));
      expect(codec.crc32(bytes.subarray(cut), first)).toBe(0x414fa339);
    }
  });

  it("takes input longer than one slice", () => {
    const bytes = Uint8Array.from({ length: 2 * SLICE_BYTES + 5 }, (_, i) => (i * 31) >> 3);
    expect(codec.crc32(bytes)).toBe(slowCrc32(bytes));
    if (zlibCrc32) expect(codec.crc32(bytes)).toBe(zlibCrc32(bytes));
  });

  it("never reads behind the input", () => {
    const { memory, crc32 } = bareExports<Crc32Exports>();
    for (let length = 0; length <= 40; length++) {
      const bytes = Uint8Array.from({ length }, (_, i) => i + 1);
      expect(crc32(placeAtEnd(memory, bytes), length, 0) >>> 0).toBe(slowCrc32(bytes));
    }
  });
});
