// DEL, UNLINK, EXPIRE and its kind, TTL, PTTL, PERSIST: what concerns a key whatever its type.

import { now } from "../clock";
import { entryBuryMissing, entryRemove, entrySetExpiry, foundSlot, noteHit } from "../entries";
import { parsedInteger, parseInteger } from "../number";
import { recordExpiry } from "../record";
import { NOT_AN_INTEGER, OUT_OF_MEMORY, replyError, replyErrorWith, replyInteger } from "../reply";
import { argument, argumentLength, database, DONE, findKey, hashOf } from "./command";
import { MAX_EXPIRY } from "./set";

export function commandDel(argv: u32, argc: u32): i32 {
  let removed: u32 = 0;
  for (let i: u32 = 1; i < argc; i++) {
    const hash = hashOf(argv, i);
    if (findKey(argv, i, hash) != 0) {
      entryRemove(database, foundSlot);
      removed++;
    } else if (!entryBuryMissing(database, hash, argument(argv, i), argumentLength(argv, i))) {
      replyError(OUT_OF_MEMORY);
      return DONE;
    }
  }
  replyInteger(removed);
  return DONE;
}

/** EXPIRE (unit 1000), PEXPIRE (1), and with `absolute` EXPIREAT, PEXPIREAT; without options. */
export function commandExpire(argv: u32, hash: u32, unit: i64, absolute: bool): i32 {
  if (!parseInteger(argument(argv, 2), argumentLength(argv, 2))) {
    replyError(NOT_AN_INTEGER);
    return DONE;
  }
  const value = parsedInteger;
  const base: i64 = absolute ? 0 : <i64>now;
  if (value > i64.MAX_VALUE / unit || value < i64.MIN_VALUE / unit || value * unit > i64.MAX_VALUE - base) {
    replyErrorWith("ERR invalid expire time in '", argument(argv, 0), argumentLength(argv, 0), "' command");
    return DONE;
  }
  if (findKey(argv, 1, hash) == 0) {
    replyInteger(0);
    return DONE;
  }
  const expiry = value * unit + base;
  // A time that has passed removes the key now; one beyond what an entry can hold becomes the last one.
  if (expiry <= <i64>now) entryRemove(database, foundSlot);
  else entrySetExpiry(database, foundSlot, expiry < <i64>MAX_EXPIRY ? <u64>expiry : MAX_EXPIRY);
  replyInteger(1);
  return DONE;
}

/** TTL (unit 1000) and PTTL (1): -2 without the key, -1 without an expiry. */
export function commandTtl(argv: u32, hash: u32, unit: u64): i32 {
  const record = findKey(argv, 1, hash);
  noteHit(record);
  if (record == 0) {
    replyInteger(-2);
    return DONE;
  }
  const expiry = recordExpiry(record);
  if (expiry == 0) replyInteger(-1);
  else replyInteger(<i64>((expiry - now + (unit >> 1)) / unit));
  return DONE;
}

export function commandPersist(argv: u32, hash: u32): i32 {
  const record = findKey(argv, 1, hash);
  if (record == 0 || recordExpiry(record) == 0) {
    replyInteger(0);
    return DONE;
  }
  entrySetExpiry(database, foundSlot, 0);
  replyInteger(1);
  return DONE;
}
