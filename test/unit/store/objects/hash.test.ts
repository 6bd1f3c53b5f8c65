/** The hash object against a Map: what it holds, what it counts, its encoding, and that a scan misses nothing. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  DEFAULT_HASH_LIMITS,
  HashObject,
  type HashValue,
  LONG_VALUE_BYTES,
} from "../../../../src/store/objects/hash.ts";
import { RandomSource } from "../random-source.ts";

const LIMITS = DEFAULT_HASH_LIMITS;

describe("a hash", () => {
  test("holds what a Map holds, in every small history", () => {
    const field = fc.nat(60).map((n) => `field:${n}`);
    const value = fc.oneof(
      fc.string({ unit: "binary", maxLength: 20 }).map((text) => text.replace(/[^\0-\xff]/g, "x")),
      fc.uint8Array({ minLength: LONG_VALUE_BYTES, maxLength: LONG_VALUE_BYTES + 10 }),
    );
    const operation = fc.oneof(
      { weight: 3, arbitrary: fc.tuple(field, value) },
      { weight: 1, arbitrary: fc.tuple(field) },
    );
    fc.assert(
      fc.property(fc.array(operation, { maxLength: 300 }), (operations) => {
        const hash = new HashObject();
        const model = new Map<string, HashValue>();
        for (const [field, value] of operations) {
          if (value === undefined) {
            expect(hash.delete(field)).toBe(model.delete(field));
          } else {
            expect(hash.set(field, value, LIMITS)).toBe(!model.has(field));
            model.set(field, value);
          }
        }
        compare(hash, model);
        compare(hash.clone() as HashObject, model);
      }),
      { numRuns: 300 },
    );
  });

  test("holds what a Map holds, through 300,000 changes of many fields", () => {
    const random = new RandomSource(20);
    const hash = new HashObject();
    const model = new Map<string, HashValue>();
    for (let i = 0; i < 300_000; i++) {
      const field = `field:${random.below(50_000)}`;
      if (random.chance(0.3)) {
        if (hash.delete(field) !== model.delete(field)) throw new Error(`delete of ${field}`);
      } else {
        const isNew = hash.set(field, `${i}`, LIMITS);
        if (isNew === model.has(field)) throw new Error(`set of ${field}`);
        model.set(field, `${i}`);
      }
    }
    compare(hash, model);
    for (const field of model.keys()) hash.delete(field);
    expect([hash.size, hash.bytes]).toEqual([0, new HashObject().bytes]);
  });

  test("keeps its fields in order while it is small", () => {
    const hash = new HashObject();
    for (const field of ["c", "a", "d", "b"]) hash.set(field, "", LIMITS);
    hash.delete("a");
    hash.set("c", "again", LIMITS);
    expect(fieldsOf(hash)).toEqual(["c", "d", "b"]);
  });

  test("counts more bytes the more it holds, and fewer again", () => {
    const hash = new HashObject();
    const empty = hash.bytes;
    hash.set("field", "x".repeat(100), LIMITS);
    const text = hash.bytes;
    expect(text).toBeGreaterThan(empty + 100);
    hash.set("field", new Uint8Array(10_000), LIMITS);
    expect(hash.bytes).toBeGreaterThan(text + 9000);
    hash.set("field", "x".repeat(100), LIMITS);
    expect(hash.bytes).toBe(text);
    hash.delete("field");
    expect(hash.bytes).toBe(empty);
  });

  test("does not share long values with its clone", () => {
    const hash = new HashObject();
    const value = new Uint8Array(LONG_VALUE_BYTES);
    hash.set("field", value, LIMITS);
    const clone = hash.clone();
    value[0] = 1;
    expect(clone.get("field")).toEqual(new Uint8Array(LONG_VALUE_BYTES));
  });
});

describe("the encoding", () => {
  test("is listpack up to the limits, and never again beyond them", () => {
    const hash = new HashObject();
    for (let i = 0; i < LIMITS.entries; i++) hash.set(`${i}`, "x".repeat(64), LIMITS);
    expect(hash.encoding()).toBe("listpack");
    hash.set("one more", "", LIMITS);
    expect(hash.encoding()).toBe("hashtable");
    for (let i = 0; i < LIMITS.entries; i++) hash.delete(`${i}`);
    expect([hash.size, hash.encoding(), hash.clone().encoding()]).toEqual([
      1,
      "hashtable",
      "hashtable",
    ]);
  });

  test("is hashtable with one long field or value", () => {
    for (const [field, value] of [
      ["x".repeat(65), ""],
      ["", "x".repeat(65)],
    ] as const) {
      const hash = new HashObject();
      hash.set(field, value, LIMITS);
      expect(hash.encoding()).toBe("hashtable");
      hash.set(field, "", LIMITS);
      expect(hash.encoding()).toBe("hashtable");
    }
  });

  test("goes by the limits of the moment", () => {
    const hash = new HashObject();
    hash.set("a", "1", { entries: 1, valueBytes: 1 });
    expect(hash.encoding()).toBe("listpack");
    hash.set("b", "2", { entries: 1, valueBytes: 1 });
    expect(hash.encoding()).toBe("hashtable");
  });
});

describe("going through a hash from its last place to its first", () => {
  test("meets every field that is there all the time, whatever comes and goes", () => {
    const random = new RandomSource(21);
    for (let round = 0; round < 200; round++) {
      const hash = new HashObject();
      const steady = 1 + random.below(300);
      for (let i = 0; i < steady; i++) hash.set(`steady:${i}`, "", LIMITS);
      for (let i = 0; i < 200; i++) hash.set(`fleeting:${i}`, "", LIMITS);
      const met = new Set<string>();
      let cursor = hash.size;
      while (cursor > 0) {
        const next = Math.max(0, Math.min(cursor, hash.size) - 1 - random.below(10));
        for (let place = next; place < Math.min(cursor, hash.size); place++) {
          met.add(hash.fieldAt(place));
        }
        cursor = next;
        for (let i = random.below(6); i > 0; i--) hash.delete(`fleeting:${random.below(200)}`);
        for (let i = random.below(6); i > 0; i--) {
          hash.set(`fleeting:${random.below(200)}`, "", LIMITS);
        }
      }
      for (let i = 0; i < steady; i++) expect(met.has(`steady:${i}`)).toBe(true);
    }
  });
});

function fieldsOf(hash: HashObject): string[] {
  return Array.from({ length: hash.size }, (_, place) => hash.fieldAt(place));
}

function compare(hash: HashObject, model: ReadonlyMap<string, HashValue>): void {
  expect(hash.size).toBe(model.size);
  for (let place = 0; place < hash.size; place++) {
    const field = hash.fieldAt(place);
    if (hash.valueAt(place) !== model.get(field))
      expect(hash.valueAt(place)).toEqual(model.get(field));
  }
  for (const [field, value] of model) {
    if (hash.get(field) !== value) expect(hash.get(field)).toEqual(value);
  }
  expect(new Set(fieldsOf(hash)).size).toBe(model.size);
}
