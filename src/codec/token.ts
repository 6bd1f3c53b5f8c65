/** Tokens as values: their order, and reading them from configuration. */
import { CodecError } from "./codec-error.ts";

/** A place on the ring. */
export interface Token {
  /** 0, 1, or 0xffffffff for a configured token with a minus sign. */
  readonly signum: number;
  /** One to four unsigned 32-bit words, most significant first. */
  readonly words: readonly number[];
}

/** What the C engine stores as the sign of a negative token. It compares signs as unsigned numbers. */
export const NEGATIVE_SIGNUM = 0xffffffff;

/** Most digits of a configured one-word token. */
const MAX_WORD_DIGITS = 10;

/**
 * The order of the ring, as the C engine has it: by signum as an unsigned number (two of signum 0 are equal whatever their words),
 * then by the number of words, then by the words, most significant first. Returns -1, 0 or 1.
 */
export function compareTokens(a: Token, b: Token): -1 | 0 | 1 {
  if (a.signum !== b.signum) return a.signum > b.signum ? 1 : -1;
  if (a.signum === 0) return 0;
  if (a.words.length !== b.words.length) return a.words.length > b.words.length ? 1 : -1;
  for (let i = 0; i < a.words.length; i++) {
    const left = a.words[i]!;
    const right = b.words[i]!;
    if (left !== right) return left > right ? 1 : -1;
  }
  return 0;
}

/** Reads a decimal token of `wordCount` words; see `HashFace.parseToken` for the rules and errors. */
export function parseToken(text: string, wordCount: number): Token {
  const negative = text.startsWith("-");
  const digits = negative ? text.slice(1) : text;
  const shown = JSON.stringify(text.length > 60 ? `${text.slice(0, 60)}…` : text);
  if (digits === "") {
    throw new CodecError("TOKEN_EMPTY", `token ${shown} has no digits: write a decimal number`);
  }
  if (!/^[0-9]+$/.test(digits)) {
    throw new CodecError(
      "TOKEN_NOT_DECIMAL",
      `token ${shown} is not a decimal number: use the digits 0 to 9 only`,
    );
  }
  return wordCount === 1
    ? parseWord(digits, negative, shown)
    : parseWords(digits, negative, wordCount, shown);
}

function parseWord(digits: string, negative: boolean, shown: string): Token {
  if (digits.length > MAX_WORD_DIGITS) {
    throw new CodecError(
      "TOKEN_TOO_LONG",
      `token ${shown} has more than ${MAX_WORD_DIGITS} digits: tokens of this hash function are numbers from 0 to 4294967295`,
    );
  }
  const words = [Number(digits) % 2 ** 32];
  if (negative) return { signum: NEGATIVE_SIGNUM, words };
  return { signum: digits === "0" ? 0 : 1, words };
}

function parseWords(digits: string, negative: boolean, wordCount: number, shown: string): Token {
  if (negative) {
    throw new CodecError(
      "TOKEN_SIGN",
      `token ${shown} is negative: tokens of this hash function have no sign`,
    );
  }
  const significant = digits.replace(/^0+(?=[0-9])/, "");
  const bits = 32 * wordCount;
  // The length is checked first, so that a hostile text is never turned into a large number.
  const value = significant.length > 39 ? undefined : BigInt(significant);
  if (value === undefined || value >> BigInt(bits) !== 0n) {
    throw new CodecError(
      "TOKEN_TOO_LARGE",
      `token ${shown} needs more than ${bits} bits: use a number below 2^${bits}`,
    );
  }
  const words: number[] = [];
  for (let shift = bits - 32; shift >= 0; shift -= 32) {
    words.push(Number((value >> BigInt(shift)) & 0xffffffffn));
  }
  return { signum: value === 0n ? 0 : 1, words };
}
