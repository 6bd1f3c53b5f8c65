// Bits of a byte string, numbered from the highest bit of the first byte on. Whole words of 32 bits are looked at where it
// pays; ranges are of bits, both ends included, and lie within the bytes.

import type { Range } from "../parse.ts";

export function getBit(bytes: Uint8Array, bit: number): 0 | 1 {
  const byte = bytes[Math.floor(bit / 8)] ?? 0;
  return ((byte >> (7 - (bit % 8))) & 1) as 0 | 1;
}

export function setBit(bytes: Uint8Array, bit: number, value: 0 | 1): void {
  const at = Math.floor(bit / 8);
  const mask = 0x80 >> (bit % 8);
  const byte = bytes[at]!;
  bytes[at] = value === 1 ? byte | mask : byte & ~mask;
}

/** How many bits of a range are 1. */
export function countOnes(bytes: Uint8Array, range: Range): number {
  const { first, last } = byteRange(range);
  if (first === last) return onesOf(bytes[first]! & firstMask(range) & lastMask(range));
  const edges = onesOf(bytes[first]! & firstMask(range)) + onesOf(bytes[last]! & lastMask(range));
  return edges + countWhole(bytes, first + 1, last);
}

/** The first bit of a range that is `value`, or -1. */
export function findBit(bytes: Uint8Array, value: 0 | 1, range: Range): number {
  // Looks for a 1 in bytes that are turned over when a 0 is wanted.
  const flip = value === 1 ? 0 : 0xff;
  const { first, last } = byteRange(range);
  let byte = (bytes[first]! ^ flip) & firstMask(range);
  let at = first;
  if (byte === 0 && first !== last) {
    at = skipBytes(bytes, flip, first + 1, last);
    byte = bytes[at]! ^ flip;
  }
  if (at === last) byte &= lastMask(range);
  return byte === 0 ? -1 : at * 8 + Math.clz32(byte) - 24;
}

/** The first byte of start … end that is not `value`, or `end`. */
function skipBytes(bytes: Uint8Array, value: number, start: number, end: number): number {
  let at = start;
  const { from, to } = alignedPart(bytes, start, end);
  while (at < from && bytes[at] === value) at++;
  if (at < from) return at;
  const words = wordsOf(bytes, from, to);
  const same = value === 0 ? 0 : -1;
  let word = 0;
  while (word < words.length && words[word] === same) word++;
  at = from + word * 4;
  while (at < end && bytes[at] === value) at++;
  return at;
}

/** How many bits of the bytes start … end - 1 are 1. */
function countWhole(bytes: Uint8Array, start: number, end: number): number {
  const { from, to } = alignedPart(bytes, start, end);
  let count = 0;
  for (let at = start; at < from; at++) count += onesOf(bytes[at]!);
  const words = wordsOf(bytes, from, to);
  for (let i = 0; i < words.length; i++) count += onesOf(words[i]!);
  for (let at = to; at < end; at++) count += onesOf(bytes[at]!);
  return count;
}

/** How many bits of a 32-bit word are 1: in pairs, in fours, in bytes, and all. */
function onesOf(word: number): number {
  const pairs = word - ((word >>> 1) & 0x55555555);
  const fours = (pairs & 0x33333333) + ((pairs >>> 2) & 0x33333333);
  return Math.imul((fours + (fours >>> 4)) & 0x0f0f0f0f, 0x01010101) >>> 24;
}

/** The part of start … end that is whole words of memory; from = to when there is none. */
function alignedPart(bytes: Uint8Array, start: number, end: number): { from: number; to: number } {
  const from = Math.min(end, start + (-(bytes.byteOffset + start) & 3));
  return { from, to: end - ((end - from) & 3) };
}

function wordsOf(bytes: Uint8Array, from: number, to: number): Int32Array {
  // A part without a word may not begin where words do.
  if (from === to) return NO_WORDS;
  return new Int32Array(bytes.buffer, bytes.byteOffset + from, (to - from) >>> 2);
}

const NO_WORDS = new Int32Array(0);

/** The bytes that a range of bits touches. */
function byteRange({ first, last }: Range): Range {
  return { first: Math.floor(first / 8), last: Math.floor(last / 8) };
}

/** The bits of a range's first byte that are in it, as if it went on to its end; and of its last byte. */
const firstMask = ({ first }: Range): number => 0xff >> (first % 8);
const lastMask = ({ last }: Range): number => (0xff80 >> (last % 8)) & 0xff;
