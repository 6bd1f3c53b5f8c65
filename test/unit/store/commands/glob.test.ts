/** Glob patterns against a slow reference, and against what would take for ever. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { fromLatin1 } from "../../../../src/store/arguments.ts";
import { matchesGlob } from "../../../../src/store/commands/glob.ts";
import { matchesGlobSlowly } from "../../../reference/glob.ts";

const matches = (pattern: string, text: string, ignoreCase = false) =>
  matchesGlob(fromLatin1(pattern), fromLatin1(text), ignoreCase);

describe("a pattern", () => {
  test.each([
    ["*", "anything", true],
    ["h?llo", "hallo", true],
    ["h?llo", "hllo", false],
    ["h*llo", "heeeello", true],
    ["h[ae]llo", "hallo", true],
    ["h[^e]llo", "hello", false],
    ["h[a-b]llo", "hbllo", true],
    ["h[b-a]llo", "hallo", true],
    ["h\\*llo", "h*llo", true],
    ["h\\*llo", "hello", false],
    ["[\\]]", "]", true],
    ["[]]", "]", false],
    ["[^]", "x", true],
    ["[ab", "b", true],
    ["\\", "\\", true],
    ["a**c", "abc", true],
    ["", "", true],
    ["*", "", true],
    ["**", "", false],
    ["?", "", false],
    ["\xff[\x00-\x10]", "\xff\x05", true],
  ] as const)("%j on %j: %s", (pattern, text, expected) => {
    expect(matches(pattern, text)).toBe(expected);
    expect(matchesGlobSlowly(pattern, text)).toBe(expected);
  });

  test("takes letters of either case when case does not matter", () => {
    expect(matches("MAX[a-z]*", "maxMemory", true)).toBe(true);
    expect(matches("MAX[a-z]*", "maxMemory")).toBe(false);
  });

  test("agrees with the reference, whatever it is made of", () => {
    const part = fc.constantFrom("*", "?", "[", "]", "^", "-", "\\", "a", "b", "c", "\xff", "\0");
    const text = fc.string({
      unit: fc.constantFrom("a", "b", "c", "]", "-", "\xff"),
      maxLength: 8,
    });
    fc.assert(
      fc.property(fc.string({ unit: part, maxLength: 9 }), text, (pattern, text) => {
        expect(matches(pattern, text)).toBe(matchesGlobSlowly(pattern, text));
      }),
      { numRuns: 20_000 },
    );
  });

  test("with more than a thousand stars fits nothing, as in Redis", () => {
    const text = "a".repeat(2000);
    expect(matches("*?".repeat(1000), text)).toBe(true);
    expect(matches("*?".repeat(1001), text)).toBe(false);
    expect(matches("*?".repeat(1000) + "*".repeat(1000), text)).toBe(true);
  });

  test("with many stars ends soon", () => {
    const text = "a".repeat(10_000);
    expect(matches(`${"a*".repeat(50)}b`, text)).toBe(false);
    expect(matches(`${"*a".repeat(50)}`, text)).toBe(true);
    expect(matches(`${"*?[a]".repeat(50)}b*`, text)).toBe(false);
  });
});
