// Tokens: the place of a key on the ring. One algorithm a file in hash/; a new one is a file there and a line here.
//
//   token   u32 signum (0, 1, or 0xffffffff for a configured negative token)   u32 number of words
//           4 × u32 words, most significant first, unused ones 0

import { crc16 } from "./hash/crc16";
import { crc32a, crc32Memcached } from "./hash/crc32";
import { fnv1_32, fnv1_64, fnv1a_32, fnv1a_64 } from "./hash/fnv";
import { hsieh } from "./hash/hsieh";
import { jenkins } from "./hash/jenkins";
import { md5 } from "./hash/md5";
import { murmur } from "./hash/murmur";
import { murmur3 } from "./hash/murmur3";
import { murmur3x64 } from "./hash/murmur3-x64";
import { oneAtATime } from "./hash/one-at-a-time";

export const HASH_ONE_AT_A_TIME: u32 = 0;
export const HASH_MD5: u32 = 1;
export const HASH_CRC16: u32 = 2;
export const HASH_CRC32: u32 = 3;
export const HASH_CRC32A: u32 = 4;
export const HASH_FNV1_64: u32 = 5;
export const HASH_FNV1A_64: u32 = 6;
export const HASH_FNV1_32: u32 = 7;
export const HASH_FNV1A_32: u32 = 8;
export const HASH_HSIEH: u32 = 9;
export const HASH_MURMUR: u32 = 10;
export const HASH_JENKINS: u32 = 11;
export const HASH_MURMUR3: u32 = 12;
export const HASH_MURMUR3_X64_64: u32 = 13;

/** Size of a token in bytes. */
export const TOKEN_BYTES: u32 = 24;

/** Writes the token of the key of `length` bytes at `pointer` to `out`. An unknown kind is hashed as murmur. */
export function hashToken(kind: u32, pointer: u32, length: u32, out: u32): void {
  store<u64>(out, 0, 16);
  if (kind == HASH_MURMUR3) {
    murmur3(pointer, length, out + 8);
    store<u32>(out, <u32>((load<u64>(out, 8) | load<u64>(out, 16)) != 0));
    store<u32>(out, 4, 4);
    return;
  }
  if (kind == HASH_MURMUR3_X64_64) {
    const hash = murmur3x64(pointer, length);
    store<u32>(out, <u32>(hash != 0));
    store<u32>(out, 2, 4);
    store<u32>(out, <u32>(hash >> 32), 8);
    store<u32>(out, <u32>hash, 12);
    return;
  }
  const hash = hashWord(kind, pointer, length);
  store<u32>(out, <u32>(hash != 0));
  store<u32>(out, 1, 4);
  store<u64>(out, <u64>hash, 8);
}

/** Writes the tokens of `count` keys, given as pairs of u32 (address, length) at `keys`, one behind the other to `out`. */
export function hashTokens(kind: u32, keys: u32, count: u32, out: u32): void {
  const end = keys + (count << 3);
  while (keys < end) {
    hashToken(kind, load<u32>(keys), load<u32>(keys, 4), out);
    keys += 8;
    out += TOKEN_BYTES;
  }
}

/** The one word of a token of a 32-bit kind. */
export function hashWord(kind: u32, pointer: u32, length: u32): u32 {
  switch (kind) {
    case HASH_ONE_AT_A_TIME:
      return oneAtATime(pointer, length);
    case HASH_MD5:
      return md5(pointer, length);
    case HASH_CRC16:
      return crc16(pointer, length);
    case HASH_CRC32:
      return crc32Memcached(pointer, length);
    case HASH_CRC32A:
      return crc32a(pointer, length);
    case HASH_FNV1_64:
      return fnv1_64(pointer, length);
    case HASH_FNV1A_64:
      return fnv1a_64(pointer, length);
    case HASH_FNV1_32:
      return fnv1_32(pointer, length);
    case HASH_FNV1A_32:
      return fnv1a_32(pointer, length);
    case HASH_HSIEH:
      return hsieh(pointer, length);
    case HASH_JENKINS:
      return jenkins(pointer, length);
    default:
      return murmur(pointer, length);
  }
}
