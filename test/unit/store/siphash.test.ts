/** The hash of the table against a second implementation. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { siphash } from "../../reference/siphash.ts";
import { openStore, SECRET } from "./store-under-test.ts";

describe("the reference", () => {
  test("agrees with the vector of the SipHash paper", () => {
    const input = Uint8Array.from({ length: 15 }, (_, index) => index);
    expect(siphash(SECRET, input, 2, 4)).toBe(0xa129ca6149be45e5n);
  });
});

describe("the hash of the table", () => {
  const store = openStore();
  const database = store.databases[0]!;

  /** The hash that the kernel has written into the record of a key. */
  function hashOf(key: Uint8Array): number {
    const at = store.place(key);
    database.set(at, new Uint8Array(0));
    return store.memory.words[database.find(at) >>> 2]!;
  }

  function expected(key: Uint8Array): number {
    return Number(siphash(SECRET, key, 1, 3) >> 32n);
  }

  test("is the upper half of SipHash-1-3 for every length up to 70", () => {
    for (let length = 0; length <= 70; length++) {
      const key = Uint8Array.from({ length }, (_, index) => (index * 37 + length) & 0xff);
      expect(hashOf(key)).toBe(expected(key));
    }
  });

  test("is the upper half of SipHash-1-3 for any key", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 600 }), (key) => {
        expect(hashOf(key)).toBe(expected(key));
      }),
      { numRuns: 500 },
    );
  });

  test("does not depend on what lies behind the key", () => {
    const key = Uint8Array.of(1, 2, 3);
    const at = store.place(Uint8Array.of(...key, 9, 9, 9, 9, 9, 9));
    database.set({ pointer: at.pointer, length: 3 }, new Uint8Array(0));
    const found = database.find({ pointer: at.pointer, length: 3 });
    expect(store.memory.words[found >>> 2]).toBe(expected(key));
  });
});
