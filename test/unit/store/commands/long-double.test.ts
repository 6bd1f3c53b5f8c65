/** Floats of 80 bits. The expected texts are what redis-server 7.0 on x86-64 answers to INCRBYFLOAT. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  addLongDoubles,
  formatLongDouble,
  isInfinite,
  type LongDouble,
  parseLongDouble,
} from "../../../../src/store/commands/long-double.ts";

function parsed(text: string): LongDouble {
  const value = parseLongDouble(text);
  if (value === undefined) throw new Error(`no float: ${text}`);
  return value;
}

const sum = (a: string, b: string): string =>
  formatLongDouble(addLongDoubles(parsed(a), parsed(b)));

describe("a sum", () => {
  test.each([
    ["10.5", "0.1", "10.6"],
    ["3.0e3", "2e2", "3200"],
    ["5.0e3", "-5000", "0"],
    ["0.1", "0.2", "0.3"],
    ["100000.1", "0", "100000.10000000000000142"],
    ["60000.1", "0", "60000.10000000000000142"],
    ["600000.123", "0", "600000.12299999999999045"],
    ["-50000000.7", "0", "-50000000.7000000000007276"],
    ["12345678901234567.1", "0", "12345678901234567.099609375"],
    ["18446744073709551615", "1", "18446744073709551616"],
    ["18446744073709551616", "1", "18446744073709551616"],
    ["18446744073709551616", "3", "18446744073709551620"],
    ["-1e-30", "0", "0"],
    ["0x10", "0x1p-3", "16.125"],
    ["1e20", "0", "100000000000000000000"],
  ])("of %s and %s is %s", (a, b, expected) => {
    expect(sum(a, b)).toBe(expected);
  });

  test("has up to 4,933 digits", () => {
    expect(sum("1e4000", "1")).toMatch(/^9999999999999999999965463873\d{3972}$/);
  });

  test("may be infinite", () => {
    const largest = parsed("1.18973149535723176502e4932");
    expect(isInfinite(addLongDoubles(largest, largest))).toBe(true);
    expect(isInfinite(addLongDoubles(parsed("-inf"), parsed("1")))).toBe(true);
    expect(isInfinite(addLongDoubles(parsed("1"), parsed("Infinity")))).toBe(true);
  });

  test("of integers below 2^63 is exact", () => {
    const integer = fc.bigInt({ min: -(2n ** 62n), max: 2n ** 62n });
    fc.assert(
      fc.property(integer, integer, (a, b) => {
        expect(sum(String(a), String(b))).toBe(String(a + b));
      }),
    );
  });

  test("of short decimals is exact", () => {
    const thousandths = fc.integer({ min: -9999, max: 9999 });
    const text = (value: number): string => String(value / 1000);
    fc.assert(
      fc.property(thousandths, thousandths, (a, b) => {
        expect(sum(text(a), text(b))).toBe(text(a + b));
      }),
    );
  });

  test("is at least as near as a double's", () => {
    const near = fc.double({ noNaN: true, min: -1000, max: 1000 });
    fc.assert(
      fc.property(near, near, (a, b) => {
        expect(Number(sum(String(a), String(b)))).toBeCloseTo(a + b, 10);
      }),
    );
  });
});

describe("a float", () => {
  test.each([
    "1.",
    ".5",
    "+1",
    "-0",
    "1e5",
    "1E+5",
    "0X1P4",
    "0x.8",
    "inf",
    "-INFINITY",
    "0e999999999999",
  ])("may be written %s", (text) => {
    expect(parseLongDouble(text)).toBeDefined();
  });

  test.each([
    ...["", ".", "-", "e5", "1e", "1e+", "0x", "0x.", "0x1p", "1 ", " 1", "1,5", "1_0", "--1"],
    ...["nan", "-nan", "infinit", "ten", "1\0", "1e5000", "1e99999999999999999999", "1e-4960"],
  ])("is not written %j", (text) => {
    expect(parseLongDouble(text)).toBeUndefined();
  });

  test("keeps the smallest number, and not what is half of it", () => {
    expect(parsed("0x1p-16445")).toEqual({ mantissa: 1n, exponent: -16445 });
    expect(parseLongDouble("0x1p-16446")).toBeUndefined();
    expect(parsed("0x1.8p-16446")).toEqual({ mantissa: 1n, exponent: -16445 });
  });

  test("is rounded to 64 bits, ties to even", () => {
    expect(formatLongDouble(parsed("0xffffffffffffffff7p0"))).toBe("295147905179352825840");
    expect(formatLongDouble(parsed("0xffffffffffffffff8p0"))).toBe("295147905179352825856");
    expect(formatLongDouble(parsed("0x80000000000000008p0"))).toBe("147573952589676412928");
    expect(formatLongDouble(parsed("0x80000000000000018p0"))).toBe("147573952589676412960");
  });

  test("shows 17 decimals, rounded, ties to even", () => {
    expect(formatLongDouble(parsed("0x1p-17"))).toBe("0.00000762939453125");
    expect(formatLongDouble(parsed("0x1p-18"))).toBe("0.00000381469726562");
    expect(formatLongDouble(parsed("0x3p-18"))).toBe("0.00001144409179688");
  });
});
