// INCR and its kind, APPEND: writes whose result depends on the value that is there.

import { copyBytes, entryChanged, entryWrite } from "../entries";
import { integerLength, parsedInteger, parseInteger, writeInteger } from "../number";
import {
  FLAG_RAW,
  RECORD_HEADER_BYTES,
  recordBytes,
  recordExpiry,
  recordFlags,
  recordSetFlags,
  recordSetValueLength,
  recordSize,
  recordValue,
  recordValueLength,
} from "../record";
import { NOT_AN_INTEGER, OUT_OF_MEMORY, replyError, replyInteger, STRING_TOO_LONG, WRONG_TYPE } from "../reply";
import { makeRoom } from "../room";
import { argument, argumentLength, database, DONE, findKey, isObject, maxValueBytes } from "./command";

/** Bytes that APPEND keeps free behind a value that grows: as many as it has, at most this. */
const MAX_SLACK_BYTES: u32 = 1024 * 1024;

/** INCRBY and DECRBY: the increment is argv[2]. */
export function commandIncrby(argv: u32, hash: u32, negated: bool): i32 {
  if (!parseInteger(argument(argv, 2), argumentLength(argv, 2))) {
    replyError(NOT_AN_INTEGER);
    return DONE;
  }
  if (negated && parsedInteger == i64.MIN_VALUE) {
    replyError("ERR decrement would overflow");
    return DONE;
  }
  return incrementBy(argv, hash, negated ? -parsedInteger : parsedInteger);
}

export function incrementBy(argv: u32, hash: u32, by: i64): i32 {
  const keyLength = argumentLength(argv, 1);
  if (!makeRoom(recordBytes(keyLength, 24))) {
    replyError(OUT_OF_MEMORY);
    return DONE;
  }
  const record = findKey(argv, 1, hash);
  let value: i64 = 0;
  let expiry: u64 = 0;
  if (record != 0) {
    if (isObject(record)) {
      replyError(WRONG_TYPE);
      return DONE;
    }
    if (!parseInteger(recordValue(record), recordValueLength(record))) {
      replyError(NOT_AN_INTEGER);
      return DONE;
    }
    value = parsedInteger;
    expiry = recordExpiry(record);
  }
  if ((by > 0 && value > i64.MAX_VALUE - by) || (by < 0 && value < i64.MIN_VALUE - by)) {
    replyError("ERR increment or decrement would overflow");
    return DONE;
  }
  value += by;
  const written = entryWrite(database, hash, argument(argv, 1), keyLength, integerLength(value), 0, expiry, 0);
  if (written == 0) {
    replyError(OUT_OF_MEMORY);
    return DONE;
  }
  writeInteger(recordValue(written), value);
  replyInteger(value);
  return DONE;
}

export function commandAppend(argv: u32, hash: u32): i32 {
  const keyLength = argumentLength(argv, 1);
  const added = argumentLength(argv, 2);
  let record = findKey(argv, 1, hash);
  if (record != 0 && isObject(record)) {
    replyError(WRONG_TYPE);
    return DONE;
  }
  let before: u32 = record == 0 ? 0 : recordValueLength(record);
  if (<u64>before + <u64>added > <u64>maxValueBytes) {
    replyError(STRING_TOO_LONG);
    return DONE;
  }
  let length = before + added;
  const slack: u32 = record == 0 ? 0 : length < MAX_SLACK_BYTES ? length : MAX_SLACK_BYTES;
  if (!makeRoom(recordBytes(keyLength, length + slack))) {
    replyError(OUT_OF_MEMORY);
    return DONE;
  }
  // Making room may have moved the entry, or removed it.
  record = findKey(argv, 1, hash);
  if (record == 0) {
    before = 0;
    length = added;
  }
  if (record != 0 && recordSize(record) >= RECORD_HEADER_BYTES + keyLength + length) {
    copyBytes(recordValue(record) + before, argument(argv, 2), added);
    recordSetValueLength(record, length);
    recordSetFlags(record, recordFlags(record) | FLAG_RAW);
    entryChanged(record);
    replyInteger(length);
    return DONE;
  }
  const expiry: u64 = record == 0 ? 0 : recordExpiry(record);
  const old = record;
  const flags: u32 = record == 0 ? 0 : FLAG_RAW;
  const written = entryWrite(database, hash, argument(argv, 1), keyLength, length, flags, expiry, slack);
  if (written == 0) {
    replyError(OUT_OF_MEMORY);
    return DONE;
  }
  const value = recordValue(written);
  if (old != 0) copyBytes(value, recordValue(old), before);
  copyBytes(value + (old == 0 ? 0 : before), argument(argv, 2), added);
  replyInteger(length);
  return DONE;
}
