// AES-128-CBC (FIPS 197; NIST SP 800-38A, section 6.2) with PKCS#7 padding (RFC 5652, section 6.3), by vector permute: every table
// is one register and every look-up one swizzle, so that no branch and no memory index depends on key or data (the idea is
// M. Hamburg's, "Accelerating AES with Vector Permute Instructions", 2009; how the tables come about: test/reference/aes-tables.ts).
//
// ShiftRows is never carried out: the rotations of MixColumns and the round keys are permuted instead, and the last round makes up
// for all of them at once.

import { expandDecryptionKey, expandEncryptionKey, ROUND_KEYS } from "./key-schedule";
import { high, low, pOf, qOf, times } from "./lookup";
import {
  A_OVER,
  DEC_9,
  DEC_B,
  DEC_D,
  DEC_E,
  DEC_IN,
  DEC_OUT,
  DEC_ROTATE,
  ENC_1,
  ENC_2,
  ENC_IN,
  ENC_OUT,
  ENC_ROTATE,
  INVERSE,
  NIBBLE,
  SHIFT_ROWS,
} from "./tables";

export const BLOCK_BYTES: u32 = 16;

/**
 * Pads and encrypts `length` bytes at `pointer` in place; up to 16 bytes behind them are written. `key` and `iv` are addresses
 * of 16 bytes. Returns the length of the cipher text.
 */
export function aesCbcEncrypt(key: u32, iv: u32, pointer: u32, length: u32): u32 {
  const padding = BLOCK_BYTES - (length & (BLOCK_BYTES - 1));
  memory.fill(pointer + length, <u8>padding, padding);
  aesCbcEncryptBlocks(key, iv, pointer, length + padding);
  return length + padding;
}

/**
 * Decrypts `length` bytes at `pointer` in place and returns the length without padding, or -1 for everything that is wrong: a
 * length that is no positive multiple of 16, or wrong padding. Which of its bytes are wrong makes no difference in time.
 */
export function aesCbcDecrypt(key: u32, iv: u32, pointer: u32, length: u32): i32 {
  if (length == 0 || (length & (BLOCK_BYTES - 1)) != 0) return -1;
  aesCbcDecryptBlocks(key, iv, pointer, length);
  const padding = paddingOf(pointer + length - BLOCK_BYTES);
  return padding < 0 ? -1 : <i32>length - padding;
}

/** Length of the padding, 1 to 16, of the last block of a plain text; -1 when it is wrong. */
function paddingOf(block: u32): i32 {
  const bytes = v128.load(block);
  const last = i8x16.extract_lane_u(bytes, 15);
  // Distance of each byte from the end, 1 to 16: those up to `last` must be equal to it.
  const distance = i8x16(16, 15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1);
  const counted = i8x16.le_u(distance, i8x16.splat(last));
  const wrong = v128.and(i8x16.ne(bytes, i8x16.splat(last)), counted);
  const bad = <i32>v128.any_true(wrong) | <i32>(<u32>last - 1 > 15);
  return <i32>last | -bad;
}

/** Encrypts whole blocks in place, without padding. The last cipher block is left at `iv`, so that more can follow. */
export function aesCbcEncryptBlocks(key: u32, iv: u32, pointer: u32, length: u32): void {
  expandEncryptionKey(key);
  const nibble = v128.load(NIBBLE);
  const inverse = v128.load(INVERSE);
  const aOver = v128.load(A_OVER);
  const end = pointer + length;
  let previous = v128.load(iv);
  for (; pointer < end; pointer += BLOCK_BYTES) {
    let x = v128.xor(v128.load(pointer), previous);
    x = v128.xor(times(ENC_IN, low(x, nibble), high(x, nibble)), v128.load(ROUND_KEYS));
    let p: v128;
    let q: v128;
    let roundKey = ROUND_KEYS + 16;
    let rotate: u32 = 0;
    while (true) {
      p = pOf(x, nibble, inverse, aOver);
      q = qOf(x, nibble, inverse, aOver);
      if (roundKey == ROUND_KEYS + 160) break;
      // MixColumns: with y = 2·s + (s turned by 1), the sum of y, y turned by 1, and s turned by 3.
      const one = times(ENC_1, p, q);
      const turn = v128.load(ENC_ROTATE + rotate);
      const y = v128.xor(times(ENC_2, p, q), i8x16.swizzle(one, turn));
      const z = v128.xor(i8x16.swizzle(one, v128.load(ENC_ROTATE + rotate, 16)), v128.load(roundKey));
      x = v128.xor(v128.xor(y, i8x16.swizzle(y, turn)), z);
      rotate = (rotate + 32) & 96;
      roundKey += 16;
    }
    previous = v128.xor(i8x16.swizzle(times(ENC_OUT, p, q), v128.load(SHIFT_ROWS, 32)), v128.load(ROUND_KEYS, 160));
    v128.store(pointer, previous);
  }
  v128.store(iv, previous);
}

/** Decrypts whole blocks in place, padding and all. The last cipher block is left at `iv`, so that more can follow. */
export function aesCbcDecryptBlocks(key: u32, iv: u32, pointer: u32, length: u32): void {
  expandDecryptionKey(key);
  const end = pointer + length;
  let previous = v128.load(iv);
  const nibble = v128.load(NIBBLE);
  const inverse = v128.load(INVERSE);
  const aOver = v128.load(A_OVER);
  // Two blocks at a time: neither has to wait for the other.
  for (; pointer < end; pointer += 2 * BLOCK_BYTES) {
    const cipherA = v128.load(pointer);
    const single = pointer + BLOCK_BYTES == end;
    const cipherB = single ? cipherA : v128.load(pointer, 16);
    const first = v128.load(ROUND_KEYS);
    let a = v128.xor(times(DEC_IN, low(cipherA, nibble), high(cipherA, nibble)), first);
    let b = v128.xor(times(DEC_IN, low(cipherB, nibble), high(cipherB, nibble)), first);
    let pA: v128;
    let qA: v128;
    let pB: v128;
    let qB: v128;
    let roundKey = ROUND_KEYS + 16;
    let rotate: u32 = 0;
    while (true) {
      pA = pOf(a, nibble, inverse, aOver);
      pB = pOf(b, nibble, inverse, aOver);
      qA = qOf(a, nibble, inverse, aOver);
      qB = qOf(b, nibble, inverse, aOver);
      if (roundKey == ROUND_KEYS + 160) break;
      // InvMixColumns: 9·s, turned and 13·s added, turned and 11·s added, turned and 14·s added.
      const turn = v128.load(DEC_ROTATE + rotate);
      a = times(DEC_9, pA, qA);
      b = times(DEC_9, pB, qB);
      a = v128.xor(i8x16.swizzle(a, turn), times(DEC_D, pA, qA));
      b = v128.xor(i8x16.swizzle(b, turn), times(DEC_D, pB, qB));
      a = v128.xor(i8x16.swizzle(a, turn), times(DEC_B, pA, qA));
      b = v128.xor(i8x16.swizzle(b, turn), times(DEC_B, pB, qB));
      a = v128.xor(i8x16.swizzle(a, turn), v128.xor(times(DEC_E, pA, qA), v128.load(roundKey)));
      b = v128.xor(i8x16.swizzle(b, turn), v128.xor(times(DEC_E, pB, qB), v128.load(roundKey)));
      rotate = (rotate + 16) & 48;
      roundKey += 16;
    }
    const undo = v128.load(SHIFT_ROWS, 32);
    const last = v128.load(ROUND_KEYS, 160);
    a = v128.xor(i8x16.swizzle(times(DEC_OUT, pA, qA), undo), last);
    b = v128.xor(i8x16.swizzle(times(DEC_OUT, pB, qB), undo), last);
    v128.store(pointer, v128.xor(a, previous));
    if (!single) v128.store(pointer, v128.xor(b, cipherA), 16);
    previous = cipherB;
  }
  v128.store(iv, previous);
}
