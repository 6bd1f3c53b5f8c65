// murmur: MurmurHash2 (A. Appleby), 32 bits, seeded with 0xdeadbeef times the length. The default of the C engine.

import { tail32 } from "./tail";

const SEED: u32 = 0xdeadbeef;
const MULTIPLIER: u32 = 0x5bd1e995;

export function murmur(pointer: u32, length: u32): u32 {
  let hash = (SEED * length) ^ length;
  const end = pointer + (length & ~3);
  while (pointer < end) {
    let word = load<u32>(pointer) * MULTIPLIER;
    word ^= word >> 24;
    hash = (hash * MULTIPLIER) ^ (word * MULTIPLIER);
    pointer += 4;
  }
  const left = length & 3;
  if (left != 0) hash = (hash ^ tail32(pointer, left)) * MULTIPLIER;
  hash = (hash ^ (hash >> 13)) * MULTIPLIER;
  return hash ^ (hash >> 15);
}
