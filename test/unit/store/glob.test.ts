// Redis's glob patterns.
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { fromLatin1 } from "../../../src/store/arguments.ts";
import { matchesGlob } from "../../../src/store/commands/glob.ts";

const matches = (pattern: string, text: string, ignoreCase = false) =>
  matchesGlob(fromLatin1(pattern), fromLatin1(text), ignoreCase);

describe("a pattern", () => {
  it.each<[pattern: string, fits: string[], not: string[]]>([
    ["", [""], ["a"]],
    ["*", ["", "a", "anything"], []],
    ["abc", ["abc"], ["ab", "abcd", "ABC"]],
    ["a*", ["a", "ab"], ["", "ba"]],
    ["*a", ["a", "ba", "aaa"], ["ab"]],
    ["a*c*e", ["ace", "abcde", "aceace"], ["aec", "ac"]],
    ["a?c", ["abc", "a?c"], ["ac", "abbc"]],
    ["h[ae]llo", ["hallo", "hello"], ["hillo", "hllo"]],
    ["h[^e]llo", ["hallo"], ["hello", "hllo"]],
    ["h[a-b]llo", ["hallo", "hbllo"], ["hcllo", "h-llo"]],
    ["h[b-a]llo", ["hallo", "hbllo"], ["hcllo"]],
    ["[a\\]b]", ["a", "]", "b"], ["\\", "c"]],
    ["[]", [], ["", "a", "[]"]],
    ["[^]", ["a"], [""]],
    ["[abc", ["a", "c"], ["d", "[abc"]],
    ["a\\*c", ["a*c"], ["abc"]],
    ["a\\", ["a\\"], ["a"]],
    ["**a**", ["a", "bab"], ["b"]],
    ["\x00\xff*", ["\x00\xff", "\x00\xffx"], ["\x00"]],
  ])("%j fits %j and not %j", (pattern, fits, not) => {
    for (const text of fits) expect([text, matches(pattern, text)]).toEqual([text, true]);
    for (const text of not) expect([text, matches(pattern, text)]).toEqual([text, false]);
  });

  it("can ignore the case of letters", () => {
    expect(matches("MaX*[M-P]?", "maxclienTNx", true)).toBe(true);
    expect(matches("MaX*[M-P]?", "maxclienTNx")).toBe(false);
    expect(matches("\\A", "a", true)).toBe(true);
  });

  it("takes no longer than pattern times text, however many stars it has", () => {
    expect(matches("a*".repeat(2000), "a".repeat(2000))).toBe(true);
    expect(matches(`${"a*".repeat(1000)}b`, "a".repeat(5000))).toBe(false);
    expect(matches("*?".repeat(50_000), "a".repeat(50_000))).toBe(true);
  });

  it("agrees with a regular expression", () => {
    const piece = fc.constantFrom("*", "?", "a", "b", "[ab]", "[^a]", "[a-c]", "\\a", "\\*");
    const text = fc.string({ unit: fc.constantFrom("a", "b", "c", "*"), maxLength: 12 });
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 8 }), text, (pieces, subject) => {
        const source = pieces.map((each) => AS_EXPRESSION[each] ?? each).join("");
        const expected = new RegExp(`^${source}$`, "s").test(subject);
        expect(matches(pieces.join(""), subject)).toBe(expected);
      }),
      { numRuns: 2000 },
    );
  });
});

const AS_EXPRESSION: Readonly<Record<string, string>> = { "*": ".*", "?": ".", "\\a": "a" };
