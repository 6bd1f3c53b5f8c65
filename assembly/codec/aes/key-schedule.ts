// AES-128 key expansion (FIPS 197, section 5.2), without secret-dependent branch or memory index, straight into the form in which
// cbc.ts wants its round keys: in the kernel's form of bytes, with SubBytes' constant 0x63 in them, and with the ShiftRows undone
// that the state of that round still lacks.

import { high, low, pOf, qOf, times } from "./lookup";
import { A_OVER, DEC_IN, ENC_IN, ENC_OUT, INVERSE, NIBBLE, SHIFT_ROWS } from "./tables";

/** The eleven round keys, in the order of their use. */
export const ROUND_KEYS: u32 = <u32>memory.data(11 * 16, 16);

const AFFINE: u8 = 0x63;

/** Round keys for encryption from the 16 bytes at `key`. */
export function expandEncryptionKey(key: u32): void {
  const constant = i8x16.splat(AFFINE);
  let round = v128.load(key);
  let factor: i32 = 1;
  v128.store(ROUND_KEYS, map(ENC_IN, round));
  for (let n: u32 = 1; n < 10; n++) {
    round = nextKey(round, factor);
    factor = nextFactor(factor);
    v128.store(ROUND_KEYS + (n << 4), shifted(map(ENC_IN, v128.xor(round, constant)), 0 - n));
  }
  v128.store(ROUND_KEYS, v128.xor(nextKey(round, factor), constant), 160);
}

/** Round keys for decryption by the equivalent inverse cipher (FIPS 197, section 5.3.5) from the 16 bytes at `key`. */
export function expandDecryptionKey(key: u32): void {
  const constant = i8x16.splat(AFFINE);
  let round = v128.load(key);
  let factor: i32 = 1;
  v128.store(ROUND_KEYS, round, 160);
  for (let n: u32 = 9; n > 0; n--) {
    round = nextKey(round, factor);
    factor = nextFactor(factor);
    v128.store(ROUND_KEYS + (n << 4), shifted(map(DEC_IN, v128.xor(inverseMixColumns(round), constant)), n));
  }
  v128.store(ROUND_KEYS, map(DEC_IN, v128.xor(nextKey(round, factor), constant)));
}

function nextKey(key: v128, factor: i32): v128 {
  const zero = i32x4.splat(0);
  // Every word becomes SubWord(RotWord(last word)) + factor.
  const bytes = v128.xor(substituted(key), i8x16.splat(AFFINE));
  const word = i8x16.shuffle(bytes, bytes, 13, 14, 15, 12, 13, 14, 15, 12, 13, 14, 15, 12, 13, 14, 15, 12);
  // Every word of the key becomes the sum of itself and those before it.
  let sum = v128.xor(key, i8x16.shuffle(zero, key, 0, 0, 0, 0, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27));
  sum = v128.xor(sum, i8x16.shuffle(zero, sum, 0, 0, 0, 0, 0, 0, 0, 0, 16, 17, 18, 19, 20, 21, 22, 23));
  return v128.xor(v128.xor(sum, word), i32x4.splat(factor));
}

/** x times two in GF(256). */
// @ts-ignore: decorator
@inline
function nextFactor(factor: i32): i32 {
  return (factor << 1) ^ (0x11b & -(factor >> 7));
}

/** SubBytes without its constant. */
function substituted(bytes: v128): v128 {
  const nibble = v128.load(NIBBLE);
  const inverse = v128.load(INVERSE);
  const aOver = v128.load(A_OVER);
  const x = map(ENC_IN, bytes);
  return times(ENC_OUT, pOf(x, nibble, inverse, aOver), qOf(x, nibble, inverse, aOver));
}

/** A linear map of bytes: the table for the low nibble, and the one behind it for the high nibble. */
function map(table: u32, bytes: v128): v128 {
  const nibble = v128.load(NIBBLE);
  return times(table, low(bytes, nibble), high(bytes, nibble));
}

// @ts-ignore: decorator
@inline
function shifted(key: v128, times: u32): v128 {
  return i8x16.swizzle(key, v128.load(SHIFT_ROWS + ((times & 3) << 4)));
}

/** InvMixColumns as MixColumns of v + 4·(v + v turned by two rows). */
function inverseMixColumns(v: v128): v128 {
  const u = twice(twice(v128.xor(v, turned2(v))));
  const w = v128.xor(v, u);
  const w1 = i8x16.shuffle(w, w, 1, 2, 3, 0, 5, 6, 7, 4, 9, 10, 11, 8, 13, 14, 15, 12);
  return v128.xor(v128.xor(twice(v128.xor(w, w1)), w1), turned2(v128.xor(w, w1)));
}

// @ts-ignore: decorator
@inline
function turned2(v: v128): v128 {
  return v128.or(i32x4.shl(v, 16), i32x4.shr_u(v, 16));
}

// @ts-ignore: decorator
@inline
function twice(v: v128): v128 {
  const carry = v128.and(i8x16.lt_s(v, i8x16.splat(0)), i8x16.splat(0x1b));
  return v128.xor(i8x16.add(v, v), carry);
}
