// murmur3: MurmurHash3 x86_128 (A. Appleby), four words. The C engine offers it by name but leaves its tokens empty,
// so nothing can be compatible with it; the seed is the one that engine's source intends.

import { tail32 } from "./tail";

export const MURMUR3_SEED: u32 = 0xc0a1e5ce;

const C1: u32 = 0x239b961b;
const C2: u32 = 0xab0e9789;
const C3: u32 = 0x38b34ae5;
const C4: u32 = 0xa1e38b93;

/** Writes the four words of the hash, most significant first, to `out`. */
export function murmur3(pointer: u32, length: u32, out: u32): void {
  let h1 = MURMUR3_SEED;
  let h2 = h1;
  let h3 = h1;
  let h4 = h1;
  const end = pointer + (length & ~15);
  while (pointer < end) {
    h1 = (rotl<u32>(h1 ^ mix(load<u32>(pointer), C1, 15, C2), 19) + h2) * 5 + 0x561ccd1b;
    h2 = (rotl<u32>(h2 ^ mix(load<u32>(pointer, 4), C2, 16, C3), 17) + h3) * 5 + 0x0bcaa747;
    h3 = (rotl<u32>(h3 ^ mix(load<u32>(pointer, 8), C3, 17, C4), 15) + h4) * 5 + 0x96cd1c35;
    h4 = (rotl<u32>(h4 ^ mix(load<u32>(pointer, 12), C4, 18, C1), 13) + h1) * 5 + 0x32ac3b17;
    pointer += 16;
  }
  const left = length & 15;
  if (left > 12) h4 ^= mix(tail32(pointer + 12, left - 12), C4, 18, C1);
  if (left > 8) h3 ^= mix(tail32(pointer + 8, left - 8), C3, 17, C4);
  if (left > 4) h2 ^= mix(tail32(pointer + 4, left - 4), C2, 16, C3);
  if (left > 0) h1 ^= mix(tail32(pointer, left), C1, 15, C2);
  h1 ^= length;
  h2 ^= length;
  h3 ^= length;
  h4 ^= length;
  h1 += h2 + h3 + h4;
  h2 += h1;
  h3 += h1;
  h4 += h1;
  h1 = finish(h1);
  h2 = finish(h2);
  h3 = finish(h3);
  h4 = finish(h4);
  h1 += h2 + h3 + h4;
  store<u32>(out, h1);
  store<u32>(out, h2 + h1, 4);
  store<u32>(out, h3 + h1, 8);
  store<u32>(out, h4 + h1, 12);
}

// @ts-ignore: decorator
@inline
function mix(word: u32, before: u32, turn: u32, after: u32): u32 {
  return rotl<u32>(word * before, turn) * after;
}

function finish(hash: u32): u32 {
  hash = (hash ^ (hash >> 16)) * 0x85ebca6b;
  hash = (hash ^ (hash >> 13)) * 0xc2b2ae35;
  return hash ^ (hash >> 16);
}
