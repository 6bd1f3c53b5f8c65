// FNV-1 and FNV-1a (G. Fowler, L. C. Noll, K.-P. Vo). Of the 64-bit hashes the C engine keeps the low 32 bits, for which
// 32-bit arithmetic is enough: the upper part of the prime, 2^40, does not reach them.

const BASIS_32: u32 = 0x811c9dc5;
const PRIME_32: u32 = 0x01000193;
/** Low words of the basis 0xcbf29ce484222325 and of the prime 0x100000001b3. */
const BASIS_64: u32 = 0x84222325;
const PRIME_64: u32 = 0x1b3;

export function fnv1_32(pointer: u32, length: u32): u32 {
  return fnv1(pointer, length, BASIS_32, PRIME_32);
}

export function fnv1a_32(pointer: u32, length: u32): u32 {
  return fnv1a(pointer, length, BASIS_32, PRIME_32);
}

export function fnv1_64(pointer: u32, length: u32): u32 {
  return fnv1(pointer, length, BASIS_64, PRIME_64);
}

export function fnv1a_64(pointer: u32, length: u32): u32 {
  return fnv1a(pointer, length, BASIS_64, PRIME_64);
}

// @ts-ignore: decorator
@inline
function fnv1(pointer: u32, length: u32, basis: u32, prime: u32): u32 {
  const end = pointer + length;
  let hash = basis;
  while (pointer < end) hash = (hash * prime) ^ <u32>load<u8>(pointer++);
  return hash;
}

// @ts-ignore: decorator
@inline
function fnv1a(pointer: u32, length: u32, basis: u32, prime: u32): u32 {
  const end = pointer + length;
  let hash = basis;
  while (pointer < end) hash = (hash ^ <u32>load<u8>(pointer++)) * prime;
  return hash;
}
