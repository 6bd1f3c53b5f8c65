import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Token } from "../../../src/codec/token.ts";
import { codec, codeOf } from "./codec-under-test.ts";

const u32 = fc.nat({ max: 0xffffffff });
const token: fc.Arbitrary<Token> = fc.record({
  signum: fc.constantFrom(0, 1, 0xffffffff),
  words: fc.array(fc.oneof(u32, fc.constantFrom(0, 1, 0xffffffff)), { minLength: 1, maxLength: 4 }),
});
const one = (word: number, signum = 1): Token => ({ signum, words: [word] });

describe("compareTokens", () => {
  it("orders by signum as an unsigned number first, so a negative token sorts above all others", () => {
    expect(codec.compareTokens(one(5, 0xffffffff), one(0xffffffff))).toBe(1);
    expect(codec.compareTokens(one(0, 0), one(1))).toBe(-1);
    expect(codec.compareTokens({ signum: 1, words: [1, 2, 3, 4] }, one(1, 0xffffffff))).toBe(-1);
  });

  it("takes any two tokens of signum 0 as equal", () => {
    expect(codec.compareTokens(one(7, 0), { signum: 0, words: [1, 2] })).toBe(0);
  });

  it("orders by length before words, and by words most significant first, unsigned", () => {
    expect(codec.compareTokens({ signum: 1, words: [0, 1] }, one(0xffffffff))).toBe(1);
    expect(
      codec.compareTokens({ signum: 1, words: [0x80000000, 0] }, { signum: 1, words: [1, 9] }),
    ).toBe(1);
    expect(codec.compareTokens({ signum: 1, words: [1, 8] }, { signum: 1, words: [1, 9] })).toBe(
      -1,
    );
    expect(codec.compareTokens(one(9), one(9))).toBe(0);
  });

  it("is antisymmetric and transitive", () => {
    fc.assert(
      fc.property(token, token, token, (a, b, c) => {
        expect(codec.compareTokens(a, b) + codec.compareTokens(b, a)).toBe(0);
        const sorted = [a, b, c].sort(codec.compareTokens);
        expect(codec.compareTokens(sorted[0]!, sorted[2]!)).toBeLessThanOrEqual(0);
      }),
    );
  });
});

describe("parseToken", () => {
  it("reads one-word tokens as the C engine does", () => {
    const cases: [string, Token][] = [
      ["0", one(0, 0)],
      ["1", one(1)],
      ["4294967295", one(0xffffffff)],
      // Up to ten digits: the value modulo 2^32.
      ["4294967296", one(0)],
      ["9999999999", one(9999999999 % 2 ** 32)],
      // Only the text "0" has signum 0.
      ["00", one(0)],
      ["0000000007", one(7)],
      ["-5", one(5, 0xffffffff)],
      ["-0", one(0, 0xffffffff)],
    ];
    for (const [text, expected] of cases)
      expect(codec.parseToken("murmur", text)).toEqual(expected);
  });

  it("widens the decimals of the two murmur3 kinds with leading zero words", () => {
    expect(codec.parseToken("murmur3", "1")).toEqual({ signum: 1, words: [0, 0, 0, 1] });
    expect(codec.parseToken("murmur3", "0")).toEqual({ signum: 0, words: [0, 0, 0, 0] });
    expect(codec.parseToken("murmur3_x64_64", "000")).toEqual({ signum: 0, words: [0, 0] });
    expect(codec.parseToken("murmur3_x64_64", "18446744073709551615")).toEqual({
      signum: 1,
      words: [0xffffffff, 0xffffffff],
    });
    expect(codec.parseToken("murmur3", "340282366920938463463374607431768211455").words).toEqual([
      0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff,
    ]);
  });

  it("gives back every value written as a decimal", () => {
    fc.assert(
      fc.property(
        fc.bigInt({ min: 0n, max: 2n ** 128n - 1n }),
        fc.nat({ max: 9 }),
        (value, zeros) => {
          const { words } = codec.parseToken("murmur3", "0".repeat(zeros) + value);
          expect(words.reduce((sum, word) => (sum << 32n) | BigInt(word), 0n)).toBe(value);
        },
      ),
    );
  });

  it("refuses everything else with a code of its own", () => {
    const cases: [Parameters<typeof codec.parseToken>, string][] = [
      [["murmur", ""], "TOKEN_EMPTY"],
      [["murmur", "-"], "TOKEN_EMPTY"],
      [["murmur", "+1"], "TOKEN_NOT_DECIMAL"],
      [["murmur", " 1"], "TOKEN_NOT_DECIMAL"],
      [["murmur", "1\n"], "TOKEN_NOT_DECIMAL"],
      [["murmur", "0x10"], "TOKEN_NOT_DECIMAL"],
      [["murmur3", "1e3"], "TOKEN_NOT_DECIMAL"],
      [["murmur", "12345678901"], "TOKEN_TOO_LONG"],
      [["murmur", "00000000001"], "TOKEN_TOO_LONG"],
      [["murmur3", "-1"], "TOKEN_SIGN"],
      [["murmur3", "340282366920938463463374607431768211456"], "TOKEN_TOO_LARGE"],
      [["murmur3_x64_64", "18446744073709551616"], "TOKEN_TOO_LARGE"],
      [["murmur3", "9".repeat(1_000_000)], "TOKEN_TOO_LARGE"],
    ];
    for (const [args, code] of cases) expect(codeOf(() => codec.parseToken(...args))).toBe(code);
  });
});
