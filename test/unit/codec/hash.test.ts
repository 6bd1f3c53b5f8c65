import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  javascriptHashes,
  murmur3 as javascriptMurmur3,
} from "../../../bench/javascript-hashes.ts";
import type { HashExports, HashName } from "../../../src/codec/hash.ts";
import { murmur3x64, murmur3x86 } from "../../reference/murmur3.ts";
import { bareExports, codec, codeOf, placeAtEnd } from "./codec-under-test.ts";

interface Vector {
  label: string;
  key: string;
  tokens: Record<string, number | number[] | null>;
}

const vectors: Vector[] = JSON.parse(
  readFileSync(new URL("../../fixtures/hash-vectors.json", import.meta.url), "utf8"),
).keys;
const bytesOf = (hex: string) => Uint8Array.from(Buffer.from(hex, "hex"));
const wordKinds = codec.hashNames.filter((name) => !name.startsWith("murmur3"));

describe("tokens of the C engine", () => {
  it.each(wordKinds)("%s agrees on every key of the vectors", (name) => {
    expect(vectors.length).toBe(60);
    for (const { label, key, tokens } of vectors) {
      const word = (tokens[name] as number | null) ?? 0;
      const token = codec.hashKey(name, bytesOf(key));
      expect({ label, ...token }).toEqual({ label, signum: word === 0 ? 0 : 1, words: [word] });
    }
  });

  it("covers the twelve one-word kinds and the two wide ones", () => {
    expect(wordKinds.length).toBe(12);
    expect(codec.hashNames.length).toBe(14);
  });

  it("gives hsieh and jenkins of an empty key the token zero", () => {
    for (const name of ["hsieh", "jenkins"] as const) {
      expect(codec.hashKey(name, "")).toEqual({ signum: 0, words: [0] });
    }
  });
});

describe("the one-word kinds", () => {
  it.each(Object.keys(javascriptHashes))(
    "%s agrees with plain JavaScript for any bytes and length",
    (name) => {
      fc.assert(
        fc.property(fc.uint8Array({ maxLength: 64 }), (key) => {
          const [word] = codec.hashKey(name as HashName, key).words;
          expect(word).toBe(javascriptHashes[name]!(key));
        }),
        { numRuns: 300 },
      );
    },
  );

  it("hsieh reads a third byte left over as signed, as the C engine does, and a first one as unsigned", () => {
    // The vectors hold no such key of 4n + 3 bytes. With two zero bytes before it, the sum is still 0 when 0x80 << 18 comes in.
    const finish = (x: number) => {
      let hash = x;
      hash ^= hash << 3;
      hash = (hash + (hash >>> 5)) | 0;
      hash ^= hash << 4;
      hash = (hash + (hash >>> 17)) | 0;
      hash ^= hash << 25;
      return (hash + (hash >>> 6)) >>> 0;
    };
    const signed = -0x80 << 18;
    expect(codec.hashKey("hsieh", Uint8Array.of(0, 0, 0x80)).words).toEqual([
      finish((signed + (signed >>> 11)) | 0),
    ]);
    const unsigned = 0x80 ^ (0x80 << 10);
    expect(codec.hashKey("hsieh", Uint8Array.of(0x80)).words).toEqual([
      finish((unsigned + (unsigned >>> 1)) | 0),
    ]);
  });
});

describe("MurmurHash3", () => {
  it("x86_128 agrees with the vectors, most significant word first", () => {
    for (const { label, key, tokens } of vectors) {
      const token = codec.hashKey("murmur3", bytesOf(key));
      expect({ label, ...token }).toEqual({ label, signum: 1, words: tokens.murmur3 });
    }
  });

  it("the slow x64_128 agrees with published digests", () => {
    // From the algorithm's own verification: seed 0, "The quick brown fox jumps over the lazy dog" and the empty key.
    const fox = new TextEncoder().encode("The quick brown fox jumps over the lazy dog");
    expect(murmur3x64(fox, 0n)).toEqual([0xe34bbc7bbc071b6cn, 0x7a433ca9c49a9347n]);
    expect(murmur3x64(new Uint8Array(), 0n)).toEqual([0n, 0n]);
  });

  it("both kinds agree with the slow twins for keys of any bytes and length", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 100 }), (key) => {
        expect(codec.hashKey("murmur3", key).words).toEqual(
          murmur3x86(key, 0xc0a1e5cen).map(Number),
        );
        expect(codec.hashKey("murmur3", key).words).toEqual(javascriptMurmur3(key));
        const [half] = murmur3x64(key, 0xc0a1e5cen);
        expect(codec.hashKey("murmur3_x64_64", key)).toEqual({
          signum: 1,
          words: [Number(half >> 32n), Number(half & 0xffffffffn)],
        });
      }),
      { numRuns: 500 },
    );
  });
});

describe("hashKey and hashKeys", () => {
  it("md5 agrees with OpenSSL around every block boundary", () => {
    for (let length = 0; length <= 200; length++) {
      const key = Uint8Array.from({ length }, (_, i) => (i * 37 + length) & 0xff);
      const expected = createHash("md5").update(key).digest().readUInt32LE(0);
      expect(codec.hashKey("md5", key).words).toEqual([expected]);
    }
  });

  it("take a string as UTF-8", () => {
    for (const name of codec.hashNames) {
      expect(codec.hashKey(name, "schlüssel-鍵")).toEqual(
        codec.hashKey(name, new TextEncoder().encode("schlüssel-鍵")),
      );
    }
  });

  it("a batch equals the keys one by one, in order, for every kind", () => {
    fc.assert(
      fc.property(
        fc.array(fc.uint8Array({ maxLength: 70 }), { maxLength: 40 }),
        fc.constantFrom(...codec.hashNames),
        (keys, name) => {
          expect(codec.hashKeys(name, keys)).toEqual(keys.map((key) => codec.hashKey(name, key)));
        },
      ),
      { numRuns: 300 },
    );
  });

  it("refuse a name they do not know and list those they do", () => {
    expect(codeOf(() => codec.hashKey("md4" as HashName, "a"))).toBe("HASH_UNKNOWN");
    expect(codeOf(() => codec.hashKeys("toString" as HashName, ["a"]))).toBe("HASH_UNKNOWN");
    expect(() => codec.parseToken("" as HashName, "1")).toThrow(/one_at_a_time, md5/);
  });

  it("never read behind the key: one that ends with the memory is hashed like any other", () => {
    const { memory, reserve, hashToken } = bareExports<HashExports>();
    const out = reserve(64);
    for (let kind = 0; kind < codec.hashNames.length; kind++) {
      for (let length = 0; length <= 80; length++) {
        const key = Uint8Array.from({ length }, (_, i) => 255 - i);
        hashToken(kind, placeAtEnd(memory, key), length, out);
        const { words } = codec.hashKey(codec.hashNames[kind]!, key);
        expect([...new Uint32Array(memory.buffer, out + 8, words.length)]).toEqual(words);
      }
    }
  });
});
