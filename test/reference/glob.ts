/**
 * Redis's glob patterns, by the book and slowly: a star tries every length. The check of src/store/commands/glob.ts. Bytes are
 * characters.
 */
export function matchesGlobSlowly(pattern: string, text: string): boolean {
  // Nothing but these fits an empty text: Redis does not look at a pattern then.
  if (text === "") return pattern === "" || pattern === "*";
  return fits(pattern, text);
}

function fits(pattern: string, text: string): boolean {
  if (pattern === "") return text === "";
  if (pattern[0] === "*") {
    for (let taken = 0; taken <= text.length; taken++) {
      if (fits(pattern.slice(1), text.slice(taken))) return true;
    }
    return false;
  }
  if (text === "") return false;
  const { accepts, rest } = firstOf(pattern);
  return accepts(text[0]!) && fits(rest, text.slice(1));
}

/** What the pattern begins with, which is no star, and what follows. */
function firstOf(pattern: string): { accepts: (character: string) => boolean; rest: string } {
  const [first, second] = [pattern[0]!, pattern[1]];
  if (first === "?") return { accepts: () => true, rest: pattern.slice(1) };
  if (first === "[") return classOf(pattern.slice(1));
  if (first === "\\" && second !== undefined) {
    return { accepts: (character) => character === second, rest: pattern.slice(2) };
  }
  return { accepts: (character) => character === first, rest: pattern.slice(1) };
}

/** A class, from behind its bracket. */
function classOf(pattern: string): { accepts: (character: string) => boolean; rest: string } {
  const negated = pattern[0] === "^";
  let rest = negated ? pattern.slice(1) : pattern;
  const ranges: [string, string][] = [];
  while (rest !== "" && rest[0] !== "]") {
    if (rest[0] === "\\" && rest.length >= 2) {
      ranges.push([rest[1]!, rest[1]!]);
      rest = rest.slice(2);
    } else if (rest[1] === "-" && rest.length >= 3) {
      ranges.push([rest[0]!, rest[2]!].sort() as [string, string]);
      rest = rest.slice(3);
    } else {
      ranges.push([rest[0]!, rest[0]!]);
      rest = rest.slice(1);
    }
  }
  const accepts = (character: string) =>
    ranges.some(([low, high]) => character >= low && character <= high) !== negated;
  return { accepts, rest: rest.slice(1) };
}
