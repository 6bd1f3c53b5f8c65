/** Token hashing (typed face of assembly/codec/token.ts): where a key lies on the ring. */
import { CodecError } from "./codec-error.ts";
import type { CodecInstance, CodecMemoryExports } from "./instance.ts";
import { compareTokens, parseToken, type Token } from "./token.ts";

/** The hash functions by the names that configuration files use. The index is the kind that the kernel knows it by. */
export const HASH_NAMES = [
  "one_at_a_time",
  "md5",
  "crc16",
  "crc32",
  "crc32a",
  "fnv1_64",
  "fnv1a_64",
  "fnv1_32",
  "fnv1a_32",
  "hsieh",
  "murmur",
  "jenkins",
  "murmur3",
  "murmur3_x64_64",
] as const;

export type HashName = (typeof HASH_NAMES)[number];

/** A token in the kernel's memory: signum, number of words, four words. */
const TOKEN_WORDS = 6;
const TOKEN_BYTES = 4 * TOKEN_WORDS;
const ALIGNMENT = 8;

export interface HashFace {
  /** Names that `hashKey`, `hashKeys` and `parseToken` take; `murmur` is the default of configuration files. */
  readonly hashNames: readonly HashName[];
  /**
   * The token of one key, given as bytes or as a string (taken as UTF-8).
   *
   * The 32-bit kinds give one word, equal to the C engine's, also where that differs from the published algorithm (`crc16` is not
   * masked to 16 bits, `one_at_a_time` and `hsieh` read signed bytes). `murmur3` gives the four words of MurmurHash3 x86_128, and
   * `murmur3_x64_64` the first 64 bits of MurmurHash3 x64_128, both seeded with 0xc0a1e5ce; the C engine's own `murmur3` is a stub
   * that sends every key to the lowest token, so no ring of C nodes can be joined with it. `hsieh` and `jenkins` of an empty key
   * are `{ signum: 0, words: [0] }`.
   *
   * Throws CodecError `HASH_UNKNOWN` for a name that is not in `hashNames`.
   *
   * @example
   * codec.hashKey("murmur", "user:1"); // { signum: 1, words: [3587224931] }
   */
  hashKey(name: HashName, key: Uint8Array | string): Token;
  /** The tokens of many keys, in their order, with one call into the kernel. Throws as `hashKey`. */
  hashKeys(name: HashName, keys: readonly (Uint8Array | string)[]): Token[];
  /** {@inheritDoc compareTokens} */
  compareTokens(a: Token, b: Token): -1 | 0 | 1;
  /**
   * A token as configuration files write it: a decimal.
   *
   * 32-bit kinds follow the C engine: up to ten digits, the value modulo 2^32 in one word; a leading `-` gives signum 0xffffffff,
   * which sorts above every other token; signum is 0 for `0` alone. `murmur3` takes values below 2^128 as four words and
   * `murmur3_x64_64` below 2^64 as two, padded with leading zero words, signum 1 unless the value is 0, and no sign.
   *
   * Throws CodecError `HASH_UNKNOWN`, `TOKEN_EMPTY`, `TOKEN_NOT_DECIMAL`, `TOKEN_SIGN`, `TOKEN_TOO_LONG` (more than ten digits:
   * the C engine computes something else than the number there) or `TOKEN_TOO_LARGE`.
   */
  parseToken(name: HashName, text: string): Token;
}

export interface HashExports extends CodecMemoryExports {
  hashWord(kind: number, pointer: number, length: number): number;
  hashToken(kind: number, pointer: number, length: number, out: number): void;
  hashTokens(kind: number, keys: number, count: number, out: number): void;
}

export function hashFace(instance: CodecInstance<HashExports>): HashFace {
  const { hashWord, hashToken, hashTokens } = instance.exports;
  const encoder = new TextEncoder();

  const bytesOf = (key: Uint8Array | string): Uint8Array =>
    typeof key === "string" ? encoder.encode(key) : key;

  return {
    hashNames: HASH_NAMES,
    hashKey(name, key) {
      const kind = kindOf(name);
      const bytes = bytesOf(key);
      const out = instance.place(bytes, ALIGNMENT + TOKEN_BYTES);
      const words = wordsOf(name);
      if (words === 1) return oneWord(hashWord(kind, out, bytes.length) >>> 0);
      const token = aligned(out + bytes.length);
      hashToken(kind, out, bytes.length, token);
      return tokenAt(new Uint32Array(instance.bytes.buffer, token, TOKEN_WORDS), 0, words);
    },
    hashKeys(name, keys) {
      const kind = kindOf(name);
      const all = keys.map(bytesOf);
      const total = all.reduce((sum, bytes) => sum + bytes.length, 0);
      const index = instance.reserve(all.length * (8 + TOKEN_BYTES) + total);
      const tokens = index + all.length * 8;
      const { bytes: memory } = instance;
      const table = new Uint32Array(memory.buffer, index, all.length * (2 + TOKEN_WORDS));
      let pointer = tokens + all.length * TOKEN_BYTES;
      let entry = 0;
      for (const bytes of all) {
        memory.set(bytes, pointer);
        table[entry++] = pointer;
        table[entry++] = bytes.length;
        pointer += bytes.length;
      }
      hashTokens(kind, index, all.length, tokens);
      const words = wordsOf(name);
      return all.map((_, i) => tokenAt(table, all.length * 2 + i * TOKEN_WORDS, words));
    },
    compareTokens,
    parseToken(name, text) {
      kindOf(name);
      return parseToken(text, wordsOf(name));
    },
  };
}

/** Reads the token that begins at word `at`: signum, number of words, words. */
function tokenAt(table: Uint32Array, at: number, words: number): Token {
  if (words === 1) return oneWord(table[at + 2]!);
  const list = [table[at + 2]!, table[at + 3]!];
  if (words === 4) list.push(table[at + 4]!, table[at + 5]!);
  return { signum: table[at]!, words: list };
}

function oneWord(word: number): Token {
  return { signum: word === 0 ? 0 : 1, words: [word] };
}

function aligned(pointer: number): number {
  return (pointer + ALIGNMENT - 1) & -ALIGNMENT;
}

function kindOf(name: HashName): number {
  const kind = HASH_NAMES.indexOf(name);
  if (kind < 0) {
    throw new CodecError(
      "HASH_UNKNOWN",
      `no hash function is called ${JSON.stringify(name)}: use one of ${HASH_NAMES.join(", ")}`,
    );
  }
  return kind;
}

/** Words of a token of a hash function. */
export function wordsOf(name: HashName): number {
  if (name === "murmur3") return 4;
  return name === "murmur3_x64_64" ? 2 : 1;
}
