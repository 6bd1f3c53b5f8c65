/** The hash with stamps: it is like any hash to a command, and merging is commutative, associative and idempotent. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { DEFAULT_HASH_LIMITS, HashObject } from "../../../../src/store/objects/hash.ts";
import {
  type HashState,
  type StampedField,
  StampedHashObject,
} from "../../../../src/store/objects/stamped-hash.ts";
import { after, compareStamps, OLDEST, type Stamp } from "../../../../src/store/stamp.ts";

const LIMITS = DEFAULT_HASH_LIMITS;

/** What one write did: what its stamp is says everything else, so that one stamp is one write. */
function writeAt(stamp: Stamp): HashState {
  const number = stamp.ms * 7 + stamp.tail;
  const fields: StampedField[] = [];
  let [deleted, expiry, expiryStamp] = [OLDEST, 0, OLDEST];
  switch (number % 8) {
    case 0:
      deleted = stamp;
      break;
    case 1:
      expiry = stamp.ms + 1 + (number % 40);
      expiryStamp = stamp;
      break;
    case 2:
      expiryStamp = stamp;
      break;
    case 3:
      for (const field of ["f", "g"]) fields.push({ field, stamp, value: undefined });
      break;
    default:
      for (const field of ["f", `g${number % 3}`]) {
        fields.push({ field, stamp, value: `${number}${field}` });
      }
  }
  return { newest: stamp, deleted, expiry, expiryStamp, fields };
}

const anyStamp: fc.Arbitrary<Stamp> = fc.record({
  ms: fc.integer({ min: 1, max: 40 }),
  tail: fc.integer({ min: 0, max: 3 }),
});
const anyWrites = fc.uniqueArray(anyStamp, {
  maxLength: 12,
  selector: ({ ms, tail }) => `${ms}.${tail}`,
});

/** A hash that has seen these writes, at a time. */
function hashOf(stamps: readonly Stamp[], now: number): StampedHashObject {
  const hash = new StampedHashObject();
  for (const stamp of stamps) hash.merge(writeAt(stamp), now, LIMITS);
  return hash;
}

function mergeAll(now: number, ...hashes: StampedHashObject[]): StampedHashObject {
  const result = new StampedHashObject();
  for (const hash of hashes) result.merge(hash.state(), now, LIMITS);
  return result;
}

/** Everything about a hash that must not depend on the order of what it has seen. */
function about(hash: StampedHashObject): unknown {
  const { fields, ...rest } = hash.state();
  return { ...rest, fields: [...fields].sort((a, b) => (a.field < b.field ? -1 : 1)) };
}

const NEVER = 0;

describe("merging", () => {
  test("gives the same in every order, however often", () => {
    fc.assert(
      fc.property(anyWrites, fc.infiniteStream(fc.nat()), (stamps, numbers) => {
        const once = hashOf(stamps, NEVER);
        const shuffled = [...stamps, ...stamps.slice(0, 4)].sort(
          () => (numbers.next().value % 3) - 1,
        );
        const other = hashOf(shuffled, NEVER);
        expect(about(other)).toEqual(about(once));
        expect(other.digest()).toBe(once.digest());
      }),
      { numRuns: 500 },
    );
  });

  test("is commutative, associative and idempotent for what replicas tell of themselves", () => {
    fc.assert(
      fc.property(anyWrites, anyWrites, anyWrites, (one, two, three) => {
        const [a, b, c] = [hashOf(one, NEVER), hashOf(two, NEVER), hashOf(three, NEVER)];
        const all = about(mergeAll(NEVER, a, b, c));
        expect(about(mergeAll(NEVER, c, b, a))).toEqual(all);
        expect(about(mergeAll(NEVER, mergeAll(NEVER, a, b), c))).toEqual(all);
        expect(about(mergeAll(NEVER, a, mergeAll(NEVER, c, b)))).toEqual(all);
        expect(about(mergeAll(NEVER, a, b, c, b, a))).toEqual(all);
        expect(about(hashOf([...one, ...two, ...three], NEVER))).toEqual(all);
      }),
      { numRuns: 300 },
    );
  });

  test("gives the same at a time when the hash has expired, in every order", () => {
    fc.assert(
      fc.property(anyWrites, fc.integer({ min: 41, max: 90 }), (stamps, now) => {
        const forth = hashOf(stamps, NEVER);
        forth.trim(now);
        const back = hashOf([...stamps].reverse(), NEVER);
        back.trim(now);
        expect(about(back)).toEqual(about(forth));
        // Whatever was there when the time came, what all replicas know together is the same.
        const late = hashOf(stamps, now);
        expect(about(mergeAll(now, late, forth))).toEqual(about(mergeAll(now, forth, late)));
      }),
      { numRuns: 500 },
    );
  });

  test("answers whether something of the write has been overtaken", () => {
    const [old, middle, recent] = [1, 2, 3].map((ms) => ({ ms, tail: 0 })) as [Stamp, Stamp, Stamp];
    const hash = new StampedHashObject();
    const set = (field: string, stamp: Stamp): HashState => ({
      newest: stamp,
      deleted: OLDEST,
      expiry: 0,
      expiryStamp: OLDEST,
      fields: [{ field, stamp, value: `${stamp.ms}` }],
    });
    expect(hash.merge(set("f", middle), 0, LIMITS)).toEqual({ changed: true, overtaken: false });
    expect(hash.merge(set("f", middle), 0, LIMITS)).toEqual({ changed: false, overtaken: false });
    expect(hash.merge(set("g", old), 0, LIMITS)).toEqual({ changed: true, overtaken: false });
    expect(hash.merge(set("f", old), 0, LIMITS)).toEqual({ changed: false, overtaken: true });
    hash.deleteOlder(recent);
    expect(hash.merge(set("h", middle), 0, LIMITS)).toEqual({ changed: false, overtaken: true });
    expect(hash.size).toBe(0);
  });

  test("refuses one stamp with two values, and changes nothing", () => {
    const stamp = { ms: 5, tail: 1 };
    const state = (value: string | Uint8Array | undefined): HashState => ({
      newest: stamp,
      deleted: OLDEST,
      expiry: 0,
      expiryStamp: OLDEST,
      fields: [
        { field: "new", stamp, value: "x" },
        { field: "f", stamp, value },
      ],
    });
    for (const [one, other] of [
      ["a", "b"],
      ["a", undefined],
      [undefined, "a"],
      [new Uint8Array(600), new Uint8Array(600).fill(1)],
    ] as const) {
      const hash = new StampedHashObject();
      hash.merge({ ...state(one), fields: state(one).fields.slice(1) }, 0, LIMITS);
      const before = about(hash);
      expect(() => hash.merge(state(other), 0, LIMITS)).toThrow(
        expect.objectContaining({ code: "STAMP_CONFLICT" }),
      );
      expect(about(hash)).toEqual(before);
    }
  });
});

describe("to commands", () => {
  test("it is what a hash without stamps is, and every change has the stamp of its write", () => {
    const field = fc.nat(45).map((n) => `field:${n}`);
    const change = fc.tuple(field, fc.option(fc.string({ maxLength: 5 }), { nil: undefined }));
    fc.assert(
      fc.property(fc.array(fc.array(change, { maxLength: 8 }), { maxLength: 60 }), (writes) => {
        const [stamped, plain] = [new StampedHashObject(), new HashObject()];
        const stamps = new Map<string, Stamp>();
        let stamp: Stamp = { ms: 10, tail: 0 };
        for (const changes of writes) {
          stamp = after(stamp);
          for (const [field, value] of changes) {
            const isChange =
              value === undefined
                ? stamped.delete(field)
                : stamped.set(field, value, LIMITS) || true;
            if (value === undefined) expect(plain.delete(field)).toBe(isChange);
            else plain.set(field, value, LIMITS);
            if (isChange) stamps.set(field, stamp);
          }
          stamped.seal(stamp, 0);
        }
        expect(stamped.size).toBe(plain.size);
        for (let place = 0; place < plain.size; place++) {
          expect(stamped.fieldAt(place)).toBe(plain.fieldAt(place));
          expect(stamped.valueAt(place)).toBe(plain.valueAt(place));
        }
        for (const [field, expected] of stamps) {
          expect(compareStamps(stamped.stampOf(field)!, expected)).toBe(0);
        }
        expect(stamped.state().fields).toHaveLength(stamps.size);
      }),
      { numRuns: 200 },
    );
  });

  test("removed fields count as bytes, not as fields, until something newer removes them", () => {
    const hash = new StampedHashObject();
    for (let i = 0; i < 100; i++) hash.set(`field:${i}`, "value", LIMITS);
    hash.seal({ ms: 1, tail: 0 }, 0);
    for (let i = 0; i < 100; i++) hash.delete(`field:${i}`);
    hash.seal({ ms: 2, tail: 0 }, 0);
    expect(hash.size).toBe(0);
    expect(hash.bytes).toBeGreaterThan(new StampedHashObject().bytes + 100 * 50);
    hash.deleteOlder({ ms: 3, tail: 0 });
    expect(hash.bytes).toBe(new StampedHashObject().bytes);
  });

  test("a clone has the fields and nothing of what was removed", () => {
    const hash = new StampedHashObject();
    hash.set("f", "1", LIMITS);
    hash.set("g", "2", LIMITS);
    hash.delete("g");
    hash.seal({ ms: 1, tail: 0 }, 0);
    const clone = hash.clone();
    clone.overwrite({ ms: 2, tail: 0 }, 0);
    expect(clone.state().fields).toEqual([{ field: "f", stamp: { ms: 2, tail: 0 }, value: "1" }]);
    hash.set("f", "changed", LIMITS);
    expect(clone.get("f")).toBe("1");
  });
});
