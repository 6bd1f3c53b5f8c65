// murmur3_x64_64: the first 64 bits of MurmurHash3 x64_128 (A. Appleby), two words.

import { MURMUR3_SEED } from "./murmur3";
import { tail64 } from "./tail";

const C1: u64 = 0x87c37b91114253d5;
const C2: u64 = 0x4cf5ad432745937f;

/** The first of the two 64-bit halves of the hash. */
export function murmur3x64(pointer: u32, length: u32): u64 {
  let h1: u64 = MURMUR3_SEED;
  let h2 = h1;
  const end = pointer + (length & ~15);
  while (pointer < end) {
    h1 = (rotl<u64>(h1 ^ mix1(load<u64>(pointer)), 27) + h2) * 5 + 0x52dce729;
    h2 = (rotl<u64>(h2 ^ mix2(load<u64>(pointer, 8)), 31) + h1) * 5 + 0x38495ab5;
    pointer += 16;
  }
  const left = length & 15;
  if (left > 8) h2 ^= mix2(tail64(pointer + 8, left - 8));
  if (left > 0) h1 ^= mix1(tail64(pointer, left));
  h1 ^= length;
  h2 ^= length;
  h1 += h2;
  h2 += h1;
  return finish(h1) + finish(h2);
}

// @ts-ignore: decorator
@inline
function mix1(word: u64): u64 {
  return rotl<u64>(word * C1, 31) * C2;
}

// @ts-ignore: decorator
@inline
function mix2(word: u64): u64 {
  return rotl<u64>(word * C2, 33) * C1;
}

// @ts-ignore: decorator
@inline
function finish(hash: u64): u64 {
  hash = (hash ^ (hash >> 33)) * 0xff51afd7ed558ccd;
  hash = (hash ^ (hash >> 33)) * 0xc4ceb9fe1a85ec53;
  return hash ^ (hash >> 33);
}
