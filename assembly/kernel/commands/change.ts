// INCR and its kind, APPEND: writes whose result depends on the value that is there.

import { copyBytes, entryChanged, entryWrite } from "../entries";
import { integerLength, parsedInteger, parseInteger, writeInteger } from "../number";
import {
  FLAG_RAW,
  FLAG_TAGGED,
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
import { argument, argumentLength, database, DONE, findKey, isObject, maxValueBytes, touch } from "./command";

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
  let old = findKey(argv, 1, hash);
  if (old != 0 && isObject(old)) {
    replyError(WRONG_TYPE);
    return DONE;
  }
  let before: u32 = old == 0 ? 0 : recordValueLength(old);
  if (<u64>before + <u64>added > <u64>maxValueBytes) {
    replyError(STRING_TOO_LONG);
    return DONE;
  }
  if (old != 0 && recordSize(old) >= RECORD_HEADER_BYTES + keyLength + before + added) {
    // The bytes behind the value are the record's already: they need no room.
    copyBytes(recordValue(old) + before, argument(argv, 2), added);
    recordSetValueLength(old, before + added);
    recordSetFlags(old, (recordFlags(old) & ~FLAG_TAGGED) | FLAG_RAW);
    entryChanged(old);
    touch(old);
    replyInteger(before + added);
    return DONE;
  }
  let slack: u32 = 0;
  if (old != 0) slack = before + added < MAX_SLACK_BYTES ? before + added : MAX_SLACK_BYTES;
  if (!makeRoom(recordBytes(keyLength, before + added + slack))) {
    replyError(OUT_OF_MEMORY);
    return DONE;
  }
  // Making room may have moved the entry, or removed it.
  old = findKey(argv, 1, hash);
  if (old == 0) before = 0;
  const length = before + added;
  const expiry: u64 = old == 0 ? 0 : recordExpiry(old);
  const flags: u32 = old == 0 ? 0 : FLAG_RAW;
  const written = entryWrite(database, hash, argument(argv, 1), keyLength, length, flags, expiry, slack);
  if (written == 0) {
    replyError(OUT_OF_MEMORY);
    return DONE;
  }
  if (old != 0) copyBytes(recordValue(written), recordValue(old), before);
  copyBytes(recordValue(written) + before, argument(argv, 2), added);
  replyInteger(length);
  return DONE;
}
