/**
 * Places on the ring as one unsigned number of 128 bits, which orders tokens as compareTokens() does: its words, most significant
 * first, to the right; the lowest word alone for hash functions of 32 bits. Configured tokens with a minus sign lie behind
 * all others, where no key does.
 */
import { type HashName, wordsOf } from "../codec/hash.ts";
import { NEGATIVE_SIGNUM, type Token } from "../codec/token.ts";

/** Where configured tokens with a minus sign begin. */
const NEGATIVE = 1n << 127n;

export function ringPosition({ signum, words }: Token): bigint {
  const value = words.reduce((sum, word) => (sum << 32n) | BigInt(word), 0n);
  return signum === NEGATIVE_SIGNUM ? NEGATIVE | value : value;
}

/** The highest position that a key can have. */
export function lastPosition(hash: HashName): bigint {
  return (1n << BigInt(32 * wordsOf(hash))) - 1n;
}
