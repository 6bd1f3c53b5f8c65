/** AES-128 as FIPS 197 writes it, over the S-box computed from its definition: the slow twin of the kernel's. */
import { sbox } from "./aes-tables.ts";

const SBOX = Array.from({ length: 256 }, (_, byte) => sbox(byte));
const INVERSE_SBOX = SBOX.map((_, byte) => SBOX.indexOf(byte));

const double = (x: number) => ((x << 1) ^ (x & 0x80 ? 0x11b : 0)) & 0xff;
/** x times y in GF(256). */
function times(x: number, y: number): number {
  let product = 0;
  for (let bit = 0, power = x; bit < 8; bit++, power = double(power)) {
    if ((y >> bit) & 1) product ^= power;
  }
  return product;
}

/** Eleven round keys of sixteen bytes (section 5.2). */
function expandKey(key: Uint8Array): number[][] {
  const words = [0, 4, 8, 12].map((at) => [...key.subarray(at, at + 4)]);
  let factor = 1;
  for (let i = 4; i < 44; i++) {
    let word = words[i - 1]!;
    if (i % 4 === 0) {
      word = [1, 2, 3, 0].map((at) => SBOX[word[at]!]!);
      word[0]! ^= factor;
      factor = double(factor);
    }
    words.push(word.map((byte, at) => byte ^ words[i - 4]![at]!));
  }
  return Array.from({ length: 11 }, (_, round) => words.slice(4 * round, 4 * round + 4).flat());
}

const add = (state: number[], other: ArrayLike<number>) => state.map((byte, i) => byte ^ other[i]!);
const shiftRows = (state: number[]) => state.map((_, i) => state[(i + 4 * (i % 4)) % 16]!);
const inverseShiftRows = (state: number[]) => state.map((_, i) => state[(i + 12 * (i % 4)) % 16]!);
const mixColumns = (state: number[], row: number[]) =>
  state.map((_, i) =>
    row.reduce((sum, factor, k) => sum ^ times(state[(i & 12) + ((i + k) & 3)]!, factor), 0),
  );

export function encryptBlock(key: Uint8Array, block: ArrayLike<number>): number[] {
  const keys = expandKey(key);
  let state = add(keys[0]!, block);
  for (let round = 1; round <= 10; round++) {
    state = shiftRows(state.map((byte) => SBOX[byte]!));
    if (round < 10) state = mixColumns(state, [2, 3, 1, 1]);
    state = add(state, keys[round]!);
  }
  return state;
}

export function decryptBlock(key: Uint8Array, block: ArrayLike<number>): number[] {
  const keys = expandKey(key);
  let state = add(keys[10]!, block);
  for (let round = 9; round >= 0; round--) {
    state = inverseShiftRows(state).map((byte) => INVERSE_SBOX[byte]!);
    state = add(state, keys[round]!);
    if (round > 0) state = mixColumns(state, [14, 11, 13, 9]);
  }
  return state;
}

export function encryptCbc(key: Uint8Array, iv: Uint8Array, bytes: Uint8Array): Uint8Array {
  const padding = 16 - (bytes.length % 16);
  const padded = [...bytes, ...Array<number>(padding).fill(padding)];
  const sealed: number[] = [];
  let previous = [...iv];
  for (let at = 0; at < padded.length; at += 16) {
    previous = encryptBlock(key, add(previous, padded.slice(at, at + 16)));
    sealed.push(...previous);
  }
  return Uint8Array.from(sealed);
}
