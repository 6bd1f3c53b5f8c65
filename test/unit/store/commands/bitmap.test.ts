/** The bitmap family, command by command, and against slow versions of the same over text of "0" and "1". */
import fc from "fast-check";
import { beforeEach, describe, expect, test } from "vitest";
import { type Argument, Harness } from "../harness.ts";

const WRONG_TYPE = { error: "WRONGTYPE Operation against a key holding the wrong kind of value" };
const NOT_AN_INTEGER = { error: "ERR value is not an integer or out of range" };
const NOT_AN_OFFSET = { error: "ERR bit offset is not an integer or out of range" };
const NOT_A_BIT = { error: "ERR bit is not an integer or out of range" };
const SYNTAX = { error: "ERR syntax error" };
const NOT_A_TYPE = {
  error:
    "ERR Invalid bitfield type. Use something like i16 u8. Note that u64 is not supported but i64 is.",
};

const MIB = 1024 * 1024;

let db: Harness;
const run: Harness["run"] = (...words) => db.run(...words);

beforeEach(() => {
  db = new Harness({ maxBulkBytes: MIB });
  db.setHash("hash");
});

describe("SETBIT and GETBIT", () => {
  test("count bits from the highest of the first byte on", () => {
    expect(run("setbit", "k", 1, 1)).toBe(0);
    expect(run("setbit", "k", 23, 1)).toBe(0);
    expect(run("get", "k")).toBe("\x40\0\x01");
    expect([run("getbit", "k", 1), run("getbit", "k", 2), run("getbit", "k", 99)]).toEqual([
      1, 0, 0,
    ]);
    expect([run("setbit", "k", 1, 0), run("get", "k")]).toEqual([1, "\0\0\x01"]);
    expect(run("getbit", "none", 0)).toBe(0);
  });

  test("make the string long enough even for a 0, and keep its expiry", () => {
    expect([run("setbit", "k", 15, 0), run("get", "k")]).toEqual([0, "\0\0"]);
    run("set", "k", "a", "pxat", 9_999_999_999_999);
    run("setbit", "k", 80_000, 1);
    expect(run("strlen", "k")).toBe(10_001);
    expect(db.database.expiry(db.find("k"))).toBe(9_999_999_999_999);
  });

  test("write nothing where nothing changes", () => {
    run("setbit", "k", 7, 1);
    const before = db.database.stamp(db.find("k"));
    expect(run("setbit", "k", 7, 1)).toBe(1);
    expect(db.database.stamp(db.find("k"))).toBe(before);
    run("setbit", "k", 7, 0);
    expect(db.database.stamp(db.find("k"))).toBeGreaterThan(before);
  });

  test("say what is wrong", () => {
    for (const offset of ["-1", "x", "", "1.0", "#1", MIB * 8, "9223372036854775808"]) {
      expect(run("setbit", "hash", offset, "x")).toEqual(NOT_AN_OFFSET);
      expect(run("getbit", "hash", offset)).toEqual(NOT_AN_OFFSET);
    }
    for (const bit of ["2", "-1", "x", "4294967296", "4294967297"]) {
      expect(run("setbit", "hash", 0, bit)).toEqual(NOT_A_BIT);
    }
    expect(run("setbit", "hash", 0, 1)).toEqual(WRONG_TYPE);
    expect(run("getbit", "hash", 0)).toEqual(WRONG_TYPE);
    expect(run("setbit", "k", MIB * 8 - 1, 1)).toBe(0);
    expect(run("strlen", "k")).toBe(MIB);
  });
});

describe("BITCOUNT", () => {
  test("counts in all of the string, or in a part of it", () => {
    run("set", "k", "foobar");
    expect(run("bitcount", "k")).toBe(26);
    expect(run("bitcount", "k", 0, 0)).toBe(4);
    expect(run("bitcount", "k", 1, 1, "byte")).toBe(6);
    expect(run("bitcount", "k", 5, 30, "BIT")).toBe(17);
    expect(run("bitcount", "k", -2, -5)).toBe(0);
    expect(run("bitcount", "none")).toBe(0);
  });

  test("says what is wrong, but of a missing key", () => {
    run("set", "k", "foobar");
    expect(run("bitcount", "k", 0)).toEqual(SYNTAX);
    expect(run("bitcount", "k", 0, 1, "bits")).toEqual(SYNTAX);
    expect(run("bitcount", "k", 0, 1, "bit", "bit")).toEqual(SYNTAX);
    expect(run("bitcount", "k", 0, "x", "bits")).toEqual(NOT_AN_INTEGER);
    expect(run("bitcount", "none", "x")).toBe(0);
    expect(run("bitcount", "hash")).toEqual(WRONG_TYPE);
  });
});

describe("BITPOS", () => {
  test("finds the first bit of its kind", () => {
    run("set", "k", "\xff\xf0\0");
    expect([run("bitpos", "k", 0), run("bitpos", "k", 1)]).toEqual([12, 0]);
    expect(run("bitpos", "k", 1, 2)).toBe(-1);
    expect(run("bitpos", "k", 0, 0, 0)).toBe(-1);
    expect(run("bitpos", "k", 0, 7, 15, "bit")).toBe(12);
    expect(run("bitpos", "k", 1, 11, 15, "bit")).toBe(11);
  });

  test("finds a 0 behind a string of ones only where no end was set", () => {
    run("set", "k", "\xff\xff");
    expect(run("bitpos", "k", 0)).toBe(16);
    expect(run("bitpos", "k", 0, 1)).toBe(16);
    expect(run("bitpos", "k", 0, 0, -1)).toBe(-1);
    expect(run("bitpos", "k", 0, 2)).toBe(-1);
    expect([run("bitpos", "none", 0), run("bitpos", "none", 1)]).toEqual([0, -1]);
    run("set", "k", "");
    expect([run("bitpos", "k", 0), run("bitpos", "k", 1)]).toEqual([-1, -1]);
  });

  test("says what is wrong", () => {
    run("set", "k", "a");
    expect(run("bitpos", "hash", 2)).toEqual({ error: "ERR The bit argument must be 1 or 0." });
    expect(run("bitpos", "hash", "x")).toEqual(NOT_AN_INTEGER);
    expect(run("bitpos", "hash", 1, "x")).toEqual(WRONG_TYPE);
    expect(run("bitpos", "k", 1, 0, 1, "bits")).toEqual(SYNTAX);
    expect(run("bitpos", "k", 1, 0, 1, "bit", 1)).toEqual(SYNTAX);
    expect(run("bitpos", "k", 1, 0, "x")).toEqual(NOT_AN_INTEGER);
  });
});

describe("BITOP", () => {
  test("combines strings as if the short ones ended in zeros", () => {
    run("mset", "a", "\x0f\xff\x33", "b", "\x3c");
    expect([run("bitop", "and", "k", "a", "b"), run("get", "k")]).toEqual([3, "\x0c\0\0"]);
    expect([run("bitop", "or", "k", "a", "b"), run("get", "k")]).toEqual([3, "\x3f\xff\x33"]);
    expect([run("bitop", "xor", "k", "a", "b"), run("get", "k")]).toEqual([3, "\x33\xff\x33"]);
    expect([run("bitop", "NOT", "k", "a"), run("get", "k")]).toEqual([3, "\xf0\0\xcc"]);
    expect([run("bitop", "or", "k", "none", "b"), run("get", "k")]).toEqual([1, "\x3c"]);
  });

  test("combines strings of any length", () => {
    run("mset", "a", "\x0f".repeat(100_001), "b", "\x33".repeat(40_000));
    expect(run("bitop", "xor", "b", "b", "a")).toBe(100_001);
    expect(run("get", "b")).toBe("\x3c".repeat(40_000) + "\x0f".repeat(60_001));
  });

  test("may write to one of its sources, and forgets its expiry", () => {
    run("mset", "a", "\x0f\x01", "b", "\x3c");
    run("set", "b", "\x3c", "ex", 10);
    expect([run("bitop", "xor", "b", "a", "b", "b", "b"), run("get", "b")]).toEqual([
      2,
      "\x33\x01",
    ]);
    expect(db.database.expiry(db.find("b"))).toBe(0);
    expect([run("bitop", "xor", "b", "b", "b"), run("get", "b")]).toEqual([2, "\0\0"]);
  });

  test("removes the destination when there is nothing to combine", () => {
    run("mset", "k", "value", "empty", "");
    expect([run("bitop", "and", "k", "none", "empty"), run("get", "k")]).toEqual([0, null]);
    expect([run("bitop", "not", "hash", "none"), db.find("hash")]).toEqual([0, 0]);
  });

  test("says what is wrong", () => {
    expect(run("bitop", "nand", "k", "hash")).toEqual(SYNTAX);
    expect(run("bitop", "not", "k", "a", "hash")).toEqual({
      error: "ERR BITOP NOT must be called with a single source key.",
    });
    expect(run("bitop", "and", "k", "a", "hash")).toEqual(WRONG_TYPE);
  });
});

describe("BITFIELD", () => {
  test("reads, sets and increases", () => {
    expect(run("bitfield", "k", "set", "i8", 0, -3, "get", "u8", 0, "get", "i8", 0)).toEqual([
      0, 253, -3,
    ]);
    expect(run("bitfield", "k", "incrby", "u4", "#2", 5, "get", "u64", 0)).toEqual(NOT_A_TYPE);
    expect(run("bitfield", "k", "incrby", "u4", "#2", 5, "get", "i64", 0)).toEqual([
      5,
      BigInt.asIntN(64, 0xfd50000000000000n),
    ]);
    expect(run("bitfield", "none", "get", "i64", 100)).toEqual([0]);
    expect(run("bitfield", "none")).toEqual([]);
    expect(db.find("none")).toBe(0);
  });

  test("wraps, saturates or fails, from each OVERFLOW on", () => {
    const add = (...words: Argument[]) => run("bitfield", "k", ...words, "incrby", "u2", 100, 1);
    expect([add(), add(), add(), add()]).toEqual([[1], [2], [3], [0]]);
    run("bitfield", "k", "set", "u2", 100, 3);
    expect(add("overflow", "SAT")).toEqual([3]);
    expect(add("overflow", "fail")).toEqual([null]);
    expect(
      run(
        "bitfield",
        "k",
        "set",
        "i8",
        0,
        200,
        "overflow",
        "sat",
        "set",
        "i8",
        0,
        200,
        "get",
        "i8",
        0,
      ),
    ).toEqual([0, -56, 127]);
    expect(run("bitfield", "k", "overflow", "sat", "set", "u8", 0, -1, "get", "u8", 0)).toEqual([
      127, 255,
    ]);
    expect(run("bitfield", "k", "overflow", "sat", "incrby", "u8", 0, -300)).toEqual([0]);
  });

  test("makes the string long enough even where it fails", () => {
    expect(run("bitfield", "k", "overflow", "fail", "set", "u8", 12, 256)).toEqual([null]);
    expect(run("get", "k")).toBe("\0\0\0");
  });

  test("saturates at the near end", () => {
    // redis-server takes it for too large: an overflow of its own.
    const min = "-9223372036854775808";
    expect(run("bitfield", "k", "overflow", "sat", "set", "i8", 0, min, "get", "i8", 0)).toEqual([
      0, -128,
    ]);
  });

  test("says what is wrong, and then does nothing at all", () => {
    const set = ["bitfield", "k", "set", "u8", 0, 1];
    for (const type of ["u64", "i65", "u0", "i", "I8", "i08", "f8", "", "i123456"]) {
      expect(run(...set, "get", type, 0)).toEqual(NOT_A_TYPE);
    }
    expect(run(...set, "get", "u8")).toEqual(SYNTAX);
    expect(run(...set, "put", "u8", 0)).toEqual(SYNTAX);
    expect(run(...set, "get", "u8", "#")).toEqual(NOT_AN_OFFSET);
    expect(run(...set, "get", "u8", -1)).toEqual(NOT_AN_OFFSET);
    expect(run(...set, "get", "u8", `#${MIB}`)).toEqual(NOT_AN_OFFSET);
    expect(run(...set, "get", "u4", "#4611686018427387904")).toEqual(NOT_AN_OFFSET);
    expect(run(...set, "set", "u8", 0, "x")).toEqual(NOT_AN_INTEGER);
    expect(run(...set, "overflow", "none")).toEqual({
      error: "ERR Invalid OVERFLOW type specified",
    });
    expect(db.find("k")).toBe(0);
    expect(run("bitfield", "hash", "get", "u8", 0)).toEqual(WRONG_TYPE);
    expect(run("bitfield", "hash", "set", "u8", 0, 1)).toEqual(WRONG_TYPE);
  });

  test("BITFIELD_RO only reads", () => {
    run("set", "k", "\x81");
    expect(run("bitfield_ro", "k", "get", "u4", 4, "overflow", "sat", "get", "i1", 0)).toEqual([
      1, -1,
    ]);
    expect(run("bitfield_ro", "hash", "set", "u8", 0, 1)).toEqual({
      error: "ERR BITFIELD_RO only supports the GET subcommand",
    });
  });
});

describe("against text of 0 and 1", () => {
  /** Long enough for whole words, mostly of equal bytes; keys of different lengths put values at every alignment. */
  const bytes = fc
    .array(
      fc.tuple(
        fc.constantFrom("\0", "\xff", "\x01", "\x80", "\x5a"),
        fc.integer({ min: 0, max: 20 }),
      ),
      { maxLength: 4 },
    )
    .map((parts) => parts.map(([byte, times]) => byte.repeat(times)).join(""));
  const key = fc.string({ unit: fc.constantFrom("k"), minLength: 1, maxLength: 5 });
  const place = fc.integer({ min: -700, max: 700 });
  const bit = fc.constantFrom("0", "1");

  const bitsOf = (text: string): string =>
    Array.from(text, (byte) => byte.charCodeAt(0).toString(2).padStart(8, "0")).join("");

  /** The part of `bits` that two places mean; undefined for none. */
  function part(
    bits: string,
    start: number,
    end: number,
  ): { bits: string; from: number } | undefined {
    const at = (index: number) => Math.max(0, index < 0 ? index + bits.length : index);
    const cut = bits.slice(at(start), at(end) + 1);
    return cut === "" ? undefined : { bits: cut, from: at(start) };
  }

  test("BITCOUNT and BITPOS look at the same bits", () => {
    fc.assert(
      fc.property(key, bytes, bit, place, place, (key, value, bit, start, end) => {
        run("set", key, value);
        const range = part(bitsOf(value), start, end);
        const ones = [...(range?.bits ?? "")].filter((one) => one === "1").length;
        const reversed = start < 0 && end < 0 && start > end;
        expect(run("bitcount", key, start, end, "bit")).toBe(reversed ? 0 : ones);
        const found = range?.bits.indexOf(bit) ?? -1;
        expect(run("bitpos", key, bit, start, end, "bit")).toBe(
          found < 0 ? -1 : found + range!.from,
        );
      }),
      { numRuns: 1000 },
    );
  });

  test("BITOP combines the same bits", () => {
    const operation = fc.constantFrom("and", "or", "xor");
    fc.assert(
      fc.property(
        key,
        operation,
        fc.array(bytes, { minLength: 1, maxLength: 3 }),
        (key, name, values) => {
          const length = Math.max(...values.map((value) => value.length));
          const numbers = values.map((value) => BigInt(`0b0${bitsOf(value.padEnd(length, "\0"))}`));
          const combined = numbers.reduce((a, b) =>
            name === "and" ? a & b : name === "or" ? a | b : a ^ b,
          );
          for (const [i, value] of values.entries()) run("set", `${key}${i}`, value);
          run("bitop", name, `${key}0`, ...values.map((_, i) => `${key}${i}`));
          const result = (run("get", `${key}0`) ?? "") as string;
          expect(BigInt(`0b0${bitsOf(result)}`)).toBe(combined);
          expect(result.length).toBe(length);
        },
      ),
      { numRuns: 500 },
    );
  });

  test("BITFIELD reads and writes the same bits", () => {
    const width = fc.integer({ min: 1, max: 63 });
    const offset = fc.integer({ min: 0, max: 300 });
    const number = fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n });
    fc.assert(
      fc.property(
        bytes,
        width,
        offset,
        fc.boolean(),
        number,
        (value, width, offset, signed, number) => {
          run("set", "k", value);
          const type = `${signed ? "i" : "u"}${width}`;
          const bits = bitsOf(value).padEnd(offset + width, "0");
          const read = BigInt(`0b${bits.slice(offset, offset + width)}`);
          const before = signed ? BigInt.asIntN(width, read) : read;
          const sum = signed
            ? BigInt.asIntN(width, before + number)
            : BigInt.asUintN(width, before + number);
          const replies = run("bitfield", "k", "get", type, offset, "incrby", type, offset, number);
          expect((replies as number[]).map(BigInt)).toEqual([before, sum]);
          const field = BigInt.asUintN(width, sum).toString(2).padStart(width, "0");
          const after = bits.slice(0, offset) + field + bits.slice(offset + width);
          const whole = after.padEnd(Math.ceil(after.length / 8) * 8, "0");
          expect(bitsOf(run("get", "k") as string)).toBe(whole);
        },
      ),
      { numRuns: 1000 },
    );
  });
});
