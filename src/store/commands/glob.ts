// Redis's glob patterns: * ? [a-z] [^a-z] and \ before a character that is meant itself.

const STAR = 42;
const QUESTION = 63;
const OPEN = 91;
const BACKSLASH = 92;
const CLOSE = 93;
const CARET = 94;
const DASH = 45;

/**
 * Whether all of `text` fits `pattern`. Takes at most pattern × text steps, whatever the pattern. `ignoreCase`: for letters
 * of ASCII. As in Redis, nothing but an empty pattern and a single star fits an empty text, and nothing fits a pattern that
 * would need more than MAX_STARS stars for it.
 */
export function matchesGlob(pattern: Uint8Array, text: Uint8Array, ignoreCase = false): boolean {
  if (text.length === 0) {
    return pattern.length === 0 || (pattern.length === 1 && pattern[0] === STAR);
  }
  let p = 0;
  let t = 0;
  // Where to go on when what follows the last star does not fit: the star takes one more byte of the text.
  let afterStar = -1;
  let starTook = 0;
  let stars = 0;
  while (t < text.length) {
    if (p < pattern.length && pattern[p] === STAR) {
      while (pattern[p] === STAR) p++;
      if (p === pattern.length) return true;
      if (++stars > MAX_STARS) return false;
      afterStar = p;
      starTook = t;
      continue;
    }
    const next = p < pattern.length ? matchOne(pattern, p, text[t]!, ignoreCase) : -1;
    if (next >= 0) {
      p = next;
      t++;
      continue;
    }
    if (afterStar < 0) return false;
    p = afterStar;
    t = ++starTook;
  }
  while (p < pattern.length && pattern[p] === STAR) p++;
  return p === pattern.length;
}

/** Stars that a match may take, stars in a row counting once (Redis 7.2 nests no deeper). */
const MAX_STARS = 1000;

/** Matches one byte; returns where the pattern goes on, or -1. */
function matchOne(pattern: Uint8Array, at: number, byte: number, ignoreCase: boolean): number {
  const first = pattern[at]!;
  if (first === QUESTION) return at + 1;
  if (first === OPEN) return matchClass(pattern, at + 1, fold(byte, ignoreCase), ignoreCase);
  const literal = first === BACKSLASH && at + 1 < pattern.length ? at + 1 : at;
  return fold(pattern[literal]!, ignoreCase) === fold(byte, ignoreCase) ? literal + 1 : -1;
}

/** Matches a class, from behind its "["; one that is not closed ends with the pattern. */
function matchClass(pattern: Uint8Array, start: number, byte: number, ignoreCase: boolean): number {
  let at = start;
  const negated = pattern[at] === CARET;
  if (negated) at++;
  let found = false;
  while (at < pattern.length && pattern[at] !== CLOSE) {
    if (pattern[at] === BACKSLASH && at + 1 < pattern.length) {
      at++;
      if (fold(pattern[at]!, ignoreCase) === byte) found = true;
    } else if (pattern[at + 1] === DASH && at + 2 < pattern.length) {
      const one = fold(pattern[at]!, ignoreCase);
      const other = fold(pattern[at + 2]!, ignoreCase);
      if (byte >= Math.min(one, other) && byte <= Math.max(one, other)) found = true;
      at += 2;
    } else if (fold(pattern[at]!, ignoreCase) === byte) {
      found = true;
    }
    at++;
  }
  if (found === negated) return -1;
  return Math.min(at + 1, pattern.length);
}

/** A letter in lower case, when case does not matter. */
function fold(byte: number, ignoreCase: boolean): number {
  return ignoreCase && byte >= 65 && byte <= 90 ? byte + 32 : byte;
}
