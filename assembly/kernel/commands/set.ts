// SET with every option, SETNX, SETEX, PSETEX, GETSET, MSET: writing string values.

import { mintStamp, nodeIndex, now } from "../clock";
import { copyBytes, entryOverwrite, entryWrite } from "../entries";
import { parsedInteger, parseInteger } from "../number";
import { recordBytes, recordExpiry, recordValue, recordValueLength } from "../record";
import {
  NOT_AN_INTEGER,
  OUT_OF_MEMORY,
  outEnd,
  outNext,
  replyBulk,
  replyError,
  replyErrorWith,
  replyInteger,
  replyNull,
  replyOk,
  setOutput,
  SYNTAX_ERROR,
  WRONG_TYPE,
} from "../reply";
import { hasRoom, makeRoom } from "../room";
import { CHARGED_SLOT_BYTES, hintedSlot } from "../table";
import {
  argument,
  argumentLength,
  database,
  DONE,
  findKey,
  FULL,
  hashOf,
  HOST,
  isObject,
  WORD_EX,
  WORD_EXAT,
  WORD_GET,
  WORD_KEEPTTL,
  WORD_NX,
  WORD_PX,
  WORD_PXAT,
  WORD_XX,
  word,
} from "./command";
import { roomFor } from "./get";

const OPTION_NX: u32 = 1;
const OPTION_XX: u32 = 2;
const OPTION_GET: u32 = 4;
const OPTION_KEEPTTL: u32 = 8;

// The forms of an expiry.
const FORM_EX: i32 = 4;
const FORM_PX: i32 = 5;
const FORM_EXAT: i32 = 6;
const FORM_PXAT: i32 = 7;

/** Largest expiry time, in ms since the epoch, that an entry can hold. */
export const MAX_EXPIRY: u64 = 0xffffffffffff;

/** Writes argv[value] under argv[key]; false at the ceiling. */
// @ts-ignore: decorator
@inline
function write(argv: u32, key: u32, hash: u32, value: u32, expiry: u64): bool {
  const length = argumentLength(argv, value);
  const record = entryWrite(database, hash, argument(argv, key), argumentLength(argv, key), length, 0, expiry, 0);
  if (record == 0) return false;
  copyBytes(recordValue(record), argument(argv, value), length);
  return true;
}

/** Writes argv[2] under argv[1] where it only overwrites an older value; false, with nothing done, when write() must look closer. */
// @ts-ignore: decorator
@inline
function overwrite(argv: u32): bool {
  const slot = hintedSlot();
  const keyLength = argumentLength(argv, 1);
  const length = argumentLength(argv, 2);
  if (slot == 0 || !hasRoom(recordBytes(keyLength, length))) return false;
  const record = entryOverwrite(slot, database, argument(argv, 1), keyLength, argument(argv, 2), length);
  if (record == 0) return false;
  store<u64>(record, mintStamp(), 8);
  store<u64>(record, <u64>nodeIndex, 16);
  return true;
}

/** Room for the entry of argv[key] with argv[value]. */
// @ts-ignore: decorator
@inline
function roomToWrite(argv: u32, key: u32, value: u32): bool {
  return makeRoom(recordBytes(argumentLength(argv, key), argumentLength(argv, value)));
}

function outOfMemory(): i32 {
  replyError(OUT_OF_MEMORY);
  return DONE;
}

function refuseSyntax(): bool {
  replyError(SYNTAX_ERROR);
  return false;
}

/** What readExpiry() read: milliseconds since the epoch. */
export let expiryRead: u64 = 0;

/**
 * Reads an expiry in `unit` ms, relative to now or absolute; one beyond MAX_EXPIRY becomes that. False when it has written the
 * error: not an integer, not positive, or more than 64 bits of milliseconds.
 */
function readExpiry(argv: u32, index: u32, unit: i64, absolute: bool): bool {
  if (!parseInteger(argument(argv, index), argumentLength(argv, index))) {
    replyError(NOT_AN_INTEGER);
    return false;
  }
  const base: i64 = absolute ? 0 : <i64>now;
  if (parsedInteger <= 0 || parsedInteger > (i64.MAX_VALUE - base) / unit) {
    replyErrorWith("ERR invalid expire time in '", argument(argv, 0), argumentLength(argv, 0), "' command");
    return false;
  }
  const expiry = <u64>(parsedInteger * unit + base);
  expiryRead = expiry < MAX_EXPIRY ? expiry : MAX_EXPIRY;
  return true;
}

export function commandSet(argv: u32, argc: u32, hash: u32): i32 {
  if (argc == 3) {
    if (overwrite(argv)) {
      replyOk();
      return DONE;
    }
    if (!roomToWrite(argv, 1, 2) || !write(argv, 1, hash, 2, 0)) return outOfMemory();
    replyOk();
    return DONE;
  }
  if (!readSetOptions(argv, argc)) return DONE;
  return setWith(argv, hash, 2, optionsRead, expiryRead);
}

/** The options that readSetOptions() read. */
let optionsRead: u32 = 0;

/** Reads the options of SET, and its expiry; false when it has written the error. */
function readSetOptions(argv: u32, argc: u32): bool {
  let options: u32 = 0;
  let form: i32 = 0;
  let expiryAt: u32 = 0;
  for (let i: u32 = 3; i < argc; i++) {
    const index = wordIndex(word(argument(argv, i), argumentLength(argv, i)));
    if (index >= FORM_EX) {
      // One form of expiry at most, which may be given again, and none with KEEPTTL.
      i++;
      if ((options & OPTION_KEEPTTL) != 0 || (form != 0 && form != index) || i == argc) return refuseSyntax();
      form = index;
      expiryAt = i;
      continue;
    }
    if (index < 0) return refuseSyntax();
    const option: u32 = 1 << index;
    const excluded =
      (option == OPTION_NX && (options & OPTION_XX) != 0) ||
      (option == OPTION_XX && (options & OPTION_NX) != 0) ||
      (option == OPTION_KEEPTTL && form != 0);
    if (excluded) return refuseSyntax();
    options |= option;
  }
  optionsRead = options;
  expiryRead = 0;
  if (form == 0) return true;
  const unit: i64 = form == FORM_EX || form == FORM_EXAT ? 1000 : 1;
  return readExpiry(argv, expiryAt, unit, form >= FORM_EXAT);
}

/** Whether a SET depends on nothing that is there: it has no option but an expiry. */
export function isBlindSet(argv: u32, argc: u32): bool {
  for (let i: u32 = 3; i < argc; i++) {
    const index = wordIndex(word(argument(argv, i), argumentLength(argv, i)));
    if (index >= 0 && index < FORM_EX) return false;
  }
  return true;
}

/**
 * Reads the expiry of a blind SET, or of SETEX (`unit` 1000) or PSETEX (1) (`unit` 0: SET), for a write that is not applied
 * here: ms since the epoch, 0 for none, in `expiryRead`. False when it has written the error.
 */
export function readBlindExpiry(argv: u32, argc: u32, unit: i64): bool {
  if (unit != 0) return readExpiry(argv, 2, unit, false);
  expiryRead = 0;
  return argc == 3 || readSetOptions(argv, argc);
}

/** Which option of SET a word is: the number of the bit of its OPTION_, its FORM_, or -1. */
function wordIndex(option: u64): i32 {
  if (option == WORD_NX) return 0;
  if (option == WORD_XX) return 1;
  if (option == WORD_GET) return 2;
  if (option == WORD_KEEPTTL) return 3;
  if (option == WORD_EX) return FORM_EX;
  if (option == WORD_PX) return FORM_PX;
  if (option == WORD_EXAT) return FORM_EXAT;
  if (option == WORD_PXAT) return FORM_PXAT;
  return -1;
}

/** SET with options read: writes argv[value] under argv[1] when they allow it. */
function setWith(argv: u32, hash: u32, value: u32, options: u32, expiry: u64): i32 {
  const getting = (options & OPTION_GET) != 0;
  let record = findKey(argv, 1, hash);
  if (getting && record != 0 && isObject(record)) {
    replyError(WRONG_TYPE);
    return DONE;
  }
  if (getting && record != 0) {
    const room = roomFor(recordValueLength(record));
    // A value that only the host can send goes through its path, which reads before it writes.
    if (room != DONE) return room == FULL ? FULL : HOST;
  }
  const writes = !((options & OPTION_NX && record != 0) || (options & OPTION_XX && record == 0));
  if (writes && !roomToWrite(argv, 1, value)) return outOfMemory();
  // Making room may have removed or moved the entry.
  record = findKey(argv, 1, hash);
  const before = outNext;
  if (getting) {
    if (record == 0) replyNull();
    else replyBulk(recordValue(record), recordValueLength(record));
  }
  if (!writes) {
    if (!getting) replyNull();
    return DONE;
  }
  if (options & OPTION_KEEPTTL && record != 0) expiry = recordExpiry(record);
  if (!write(argv, 1, hash, value, expiry)) {
    setOutput(before, outEnd);
    return outOfMemory();
  }
  if (!getting) replyOk();
  return DONE;
}

export function commandSetnx(argv: u32, hash: u32): i32 {
  if (findKey(argv, 1, hash) != 0) {
    replyInteger(0);
    return DONE;
  }
  if (!roomToWrite(argv, 1, 2) || !write(argv, 1, hash, 2, 0)) return outOfMemory();
  replyInteger(1);
  return DONE;
}

/** SETEX (unit 1000) and PSETEX (unit 1): key, time, value. */
export function commandSetex(argv: u32, hash: u32, unit: i64): i32 {
  if (!readExpiry(argv, 2, unit, false)) return DONE;
  return setWith(argv, hash, 3, 0, expiryRead);
}

export function commandGetset(argv: u32, hash: u32): i32 {
  return setWith(argv, hash, 2, OPTION_GET, 0);
}

export function commandMset(argv: u32, argc: u32): i32 {
  let needed: u64 = 0;
  for (let i: u32 = 1; i < argc; i += 2) needed += recordBytes(argumentLength(argv, i), argumentLength(argv, i + 1)) + CHARGED_SLOT_BYTES;
  if (needed > 0xffffffff || !makeRoom(<u32>needed)) return outOfMemory();
  for (let i: u32 = 1; i < argc; i += 2) {
    if (!write(argv, i, hashOf(argv, i), i + 1, 0)) return outOfMemory();
  }
  replyOk();
  return DONE;
}
