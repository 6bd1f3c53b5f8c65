// GET, GETDEL, STRLEN, MGET: reading string values.

import { entryRemove, foundSlot, noteHit } from "../entries";
import { accessClock } from "../clock";
import { recordTouch, recordValue, recordValueLength } from "../record";
import {
  BULK_OVERHEAD,
  MIN_ROOM,
  outEnd,
  outNext,
  replyArray,
  replyBulk,
  replyError,
  replyInteger,
  replyNull,
  WRONG_TYPE,
} from "../reply";
import { argument, database, DONE, findKey, FULL, hashOf, HOST, isObject, LARGE, setLarge, touch } from "./command";

/** Bytes of an output region; a reply that is larger never fits. */
export const OUTPUT_BYTES: u32 = 256 * 1024;

/** FULL or LARGE when a bulk of `length` bytes does not fit, else DONE. */
// @ts-ignore: decorator
@inline
export function roomFor(length: u32): i32 {
  if (outEnd - outNext >= length + BULK_OVERHEAD) return DONE;
  return length + BULK_OVERHEAD > OUTPUT_BYTES ? LARGE : FULL;
}

export function commandGet(argv: u32, hash: u32): i32 {
  const record = findKey(argv, 1, hash);
  if (record == 0) {
    noteHit(0);
    replyNull();
    return DONE;
  }
  if (isObject(record)) {
    replyError(WRONG_TYPE);
    return DONE;
  }
  const length = recordValueLength(record);
  const value = recordValue(record);
  const room = roomFor(length);
  if (room != DONE) {
    if (room == FULL) return FULL;
    noteHit(record);
    touch(record);
    setLarge(value, length);
    return LARGE;
  }
  noteHit(record);
  touch(record);
  replyBulk(value, length);
  return DONE;
}

export function commandGetDel(argv: u32, hash: u32): i32 {
  const record = findKey(argv, 1, hash);
  if (record != 0 && !isObject(record)) {
    const room = roomFor(recordValueLength(record));
    // The value must have been copied before the entry goes: the host does that for a large one.
    if (room != DONE) return room == FULL ? FULL : HOST;
  }
  const status = commandGet(argv, hash);
  if (record != 0 && !isObject(record)) entryRemove(database, foundSlot);
  return status;
}

export function commandStrlen(argv: u32, hash: u32): i32 {
  const record = findKey(argv, 1, hash);
  noteHit(record);
  if (record != 0 && isObject(record)) {
    replyError(WRONG_TYPE);
    return DONE;
  }
  if (record != 0) touch(record);
  replyInteger(record == 0 ? 0 : recordValueLength(record));
  return DONE;
}

export function commandMget(argv: u32, argc: u32): i32 {
  // What all the values take decides whether the kernel can answer.
  let needed: u64 = MIN_ROOM;
  for (let i: u32 = 1; i < argc; i++) {
    const record = findKey(argv, i, hashOf(argv, i));
    needed += record == 0 || isObject(record) ? 8 : recordValueLength(record) + BULK_OVERHEAD;
    if (needed > OUTPUT_BYTES) return HOST;
  }
  if (needed > outEnd - outNext) return FULL;
  replyArray(argc - 1);
  for (let i: u32 = 1; i < argc; i++) {
    const record = findKey(argv, i, hashOf(argv, i));
    noteHit(record);
    if (record == 0 || isObject(record)) {
      replyNull();
      continue;
    }
    touch(record);
    replyBulk(recordValue(record), recordValueLength(record));
  }
  return DONE;
}

/** The number of the keys in argv[1…] that are there; each time they are named. */
export function commandExists(argv: u32, argc: u32, touching: bool): i32 {
  let found: u32 = 0;
  for (let i: u32 = 1; i < argc; i++) {
    const record = findKey(argv, i, hashOf(argv, i));
    noteHit(record);
    if (record == 0) continue;
    found++;
    // TOUCH means it, whatever CLIENT NO-TOUCH says.
    if (touching) recordTouch(record, accessClock);
  }
  replyInteger(found);
  return DONE;
}

/** PING, ECHO: the argument, or PONG. */
export function commandEcho(argv: u32, length: u32): i32 {
  const room = roomFor(length);
  if (room != DONE) return room == FULL ? FULL : HOST;
  replyBulk(argument(argv, 1), length);
  return DONE;
}
