// What the kernel's commands share: their arguments, the words they understand, and what they answer to feed().

import { entryFind } from "../entries";
import { FLAG_OBJECT, recordFlags, recordTouch } from "../record";
import { accessClock } from "../clock";
import { siphash } from "../siphash";

/** The command is done; its reply is in the output. */
export const DONE: i32 = 0;
/** The host must run this command. */
export const HOST: i32 = 1;
/** The reply does not fit behind what is in the output: it must leave first, then the command runs. */
export const FULL: i32 = 2;
/** The reply is one value that is larger than the output region; see largeValue. */
export const LARGE: i32 = 3;

/** With LARGE: address and length of the value to reply. */
export let largePointer: u32 = 0;
export let largeLength: u32 = 0;

export function setLarge(pointer: u32, length: u32): void {
  largePointer = pointer;
  largeLength = length;
}

/** Database of the connection, and whether its look-ups leave the access clock alone (CLIENT NO-TOUCH). */
export let database: u32 = 0;
export let noTouch: bool = false;
/** Longest string value in bytes. */
export let maxValueBytes: u32 = 512 * 1024 * 1024;

export function setDatabase(index: u32, untouched: bool): void {
  database = index;
  noTouch = untouched;
}

export function setMaxValueBytes(bytes: u32): void {
  maxValueBytes = bytes;
}

// @ts-ignore: decorator
@inline
export function argument(argv: u32, index: u32): u32 {
  return load<u32>(argv + (index << 3));
}
// @ts-ignore: decorator
@inline
export function argumentLength(argv: u32, index: u32): u32 {
  return load<u32>(argv + (index << 3), 4);
}

// @ts-ignore: decorator
@inline
export function hashOf(argv: u32, index: u32): u32 {
  return siphash(argument(argv, index), argumentLength(argv, index));
}

/** The live record of an argument that is a key. */
// @ts-ignore: decorator
@inline
export function findKey(argv: u32, index: u32, hash: u32): u32 {
  return entryFind(database, hash, argument(argv, index), argumentLength(argv, index));
}

// @ts-ignore: decorator
@inline
export function touch(record: u32): void {
  if (!noTouch) recordTouch(record, accessClock);
}

// @ts-ignore: decorator
@inline
export function isObject(record: u32): bool {
  return (recordFlags(record) & FLAG_OBJECT) != 0;
}

/** Up to eight letters in lower case as one number, 0 for longer words; equal for equal words whatever their case. */
// @ts-ignore: decorator
@inline
export function word(pointer: u32, length: u32): u64 {
  if (length - 1 > 7) return 0;
  const shift = (8 - length) << 3;
  return ((load<u64>(pointer) | 0x2020202020202020) << shift) >> shift;
}

// Words of up to eight letters, first letter lowest.
export const WORD_NX: u64 = 0x786e;
export const WORD_XX: u64 = 0x7878;
export const WORD_EX: u64 = 0x7865;
export const WORD_PX: u64 = 0x7870;
export const WORD_GET: u64 = 0x746567;
export const WORD_EXAT: u64 = 0x74617865;
export const WORD_PXAT: u64 = 0x74617870;
export const WORD_KEEPTTL: u64 = 0x6c74747065656b;
