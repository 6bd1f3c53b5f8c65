// The memcached text protocol passed on as it came, for a node that has a memcached server behind it: how many whole requests or
// replies a chunk holds, and where they end.
//
// Replies have no number, so what comes back must be told apart by counting. Of some requests nobody can say before how many replies
// they get: those with noreply and with the meta flag q may get none, or an error all the same, and stats answers in lines of many
// kinds. A run with such a request in it is *marked*: a "version" is sent behind it, and what comes up to the answer to that is the
// run's. Nothing may be sent that the server frames otherwise than we do, because the rest of it would be taken for requests: such a
// request stops the run.
//
// A result is words at memcachedRelayResult():
//
//   memcachedRun()       0 status   1 bytes of the run   2 its requests that want an answer   3 bytes wanted
//                        4 MEMCACHED_STOP: why   5 MEMCACHED_STOP: bytes up to the end of that request, which may be behind the input
//                        6 requests of the run that are "version"   7 1: the run is to be marked
//                        MEMCACHED_INCOMPLETE in a data block, of the request in progress:
//                        8 1: it wants an answer   9 1: it is to be marked   10 1: all but its data block has been read
//   memcachedReplyRun()  0 status   1 bytes of the whole replies   2 whole replies, or marks   3 bytes read, those of a reply in
//                        progress included   4 bytes that are the reply's: all that were read but the last mark
//
// State of a reply in progress: u32 bytes of its data block that are missing, CR LF included; u32 1: it ends behind the block;
// u32 1: a line of it has been read.

import { MEMCACHED_REPLY_COMPLETE, MEMCACHED_REPLY_INCOMPLETE, MEMCACHED_REPLY_LONG_LINE } from "./memcached-reply";
import {
  MEMCACHED_COMPLETE,
  MEMCACHED_INCOMPLETE,
  MEMCACHED_LONG_LINE,
  memcachedCommand,
  memcachedDataBytes,
  memcachedDiscard,
  memcachedLineEnd,
  memcachedNoreply,
  memcachedPos,
  memcachedRequest,
  memcachedWanted,
  memcachedWords,
} from "./memcached-request";
import { decimal, findByte, MAX_LINE_BYTES, readDecimal } from "./text";

/** Status of memcachedRun(): behind the run is a request that cannot be passed on. */
export const MEMCACHED_STOP: i32 = 32;

/** Reasons to stop, beside the errors of memcachedRequest(): quit. */
const STOP_QUIT: u32 = 33;
/** A line that the server may close the connection on. */
const STOP_SERVER_LINE: u32 = 34;
/** An ms whose flags are so many that the server takes its data for requests. */
const STOP_MANY_FLAGS: u32 = 35;
/** gat or gats in such a line: it can go in parts. */
const STOP_LONG_GAT: u32 = 36;

/** Longest line, its line end included, of other requests than get and gets that memcached reads however it comes. */
const MAX_SERVER_LINE_BYTES: u32 = 2048;
/** Most flags of ms that memcached takes; above, it reads the data as requests. */
const MAX_MS_FLAGS: u32 = 16;

/** Places of COMMANDS in memcached-request.ts. */
const GETS: i32 = 1;
const GATS: i32 = 3;
const VERSION: i32 = 15;
const STATS: i32 = 17;
const QUIT: i32 = 18;
const FIRST_META: i32 = 19;
const MS: i32 = 20;

const RESULT: usize = memory.data(44, 16);
const STATE: usize = memory.data(12, 16);

export function memcachedRelayResult(): u32 {
  return <u32>RESULT;
}

/** Where the state of the reply in progress is: all zero between two replies. */
export function memcachedReplyState(): u32 {
  return <u32>STATE;
}

/** Whether the line from `pos` on has a word that begins with q. */
function hasQuietFlag(pos: u32, end: u32): bool {
  while (pos < end) {
    pos = findByte(pos, end, 32) + 1;
    if (pos < end && load<u8>(pos) == 113) return true;
  }
  return false;
}

/** Why the request that begins at `pos` and was read last cannot be passed on; 0: it can. */
function reasonToStop(pos: u32): u32 {
  const command = memcachedCommand;
  if (command == QUIT) return STOP_QUIT;
  if (memcachedLineEnd - pos > MAX_SERVER_LINE_BYTES && (command > GETS || load<u8>(pos) != 103)) {
    return command > GETS && command <= GATS ? STOP_LONG_GAT : STOP_SERVER_LINE;
  }
  return command == MS && memcachedWords - 1 > MAX_MS_FLAGS ? STOP_MANY_FLAGS : 0;
}

/** Whether the request that begins at `pos` and was read last may get any number of replies. */
function isUnsure(pos: u32): bool {
  const command = memcachedCommand;
  return memcachedNoreply || command == STATS || (command >= FIRST_META && hasQuietFlag(pos, memcachedLineEnd));
}

/**
 * Reads whole requests of the `length` bytes at `input` up to the first one that is not passed on. Returns the status:
 * MEMCACHED_COMPLETE when all was read, MEMCACHED_INCOMPLETE, or MEMCACHED_STOP. A data block above `maxBytes` is not passed on.
 */
export function memcachedRun(input: u32, length: u32, maxBytes: u32): i32 {
  const end = input + length;
  const result = <u32>RESULT;
  let at = input;
  let answered: u32 = 0;
  let versions: u32 = 0;
  let unsure: u32 = 0;
  let status = MEMCACHED_COMPLETE;
  let reason: u32 = 0;
  let stopEnd: u64 = 0;
  store<u32>(result, 0, 40);
  while (at < end) {
    status = memcachedRequest(at, end, maxBytes, 0, 0, 0);
    if (status == MEMCACHED_INCOMPLETE && memcachedDataBytes < 0) break;
    if (status == MEMCACHED_COMPLETE || status == MEMCACHED_INCOMPLETE) {
      reason = reasonToStop(at);
      stopEnd = reason == STOP_MANY_FLAGS ? memcachedLineEnd : memcachedPos;
      if (reason == 0 && status == MEMCACHED_INCOMPLETE) {
        store<u32>(result, memcachedNoreply ? 0 : 1, 32);
        store<u32>(result, isUnsure(at) ? 1 : 0, 36);
        store<u32>(result, 1, 40);
        break;
      }
      // A long line with a data block ends the connection: where the block ends does not matter.
    } else {
      reason = <u32>status;
      stopEnd = <u64>memcachedPos + (status == 9 /* MEMCACHED_TOO_LARGE */ ? memcachedDiscard : 0);
      if (status == MEMCACHED_LONG_LINE) stopEnd = end;
    }
    if (reason != 0) {
      status = MEMCACHED_STOP;
      store<u32>(result, reason, 16);
      store<u32>(result, <u32>(stopEnd - input), 20);
      break;
    }
    if (!memcachedNoreply) answered++;
    if (memcachedCommand == VERSION) versions++;
    if (isUnsure(at)) unsure = 1;
    at = memcachedPos;
  }
  store<u32>(result, status);
  store<u32>(result, at - input, 4);
  store<u32>(result, answered, 8);
  store<u32>(result, status == MEMCACHED_INCOMPLETE ? memcachedWanted : 0, 12);
  store<u32>(result, versions, 24);
  store<u32>(result, unsure, 28);
  return status;
}

/** "VALUE " and "VERSION " as little-endian words. */
const VALUE_: u64 = 0x2045554c4156;
const VERSION_: u64 = 0x204e4f4953524556;
const SIX_BYTES: u64 = 0xffffffffffff;

/** Bytes of the data block that the VALUE or VA line announces, CR LF included; 0: the line does not read as one. */
function blockOf(pos: u32, lineEnd: u32, fields: i32): u32 {
  for (; fields > 0; fields--) {
    pos = findByte(pos, lineEnd, 32) + 1;
    if (pos >= lineEnd) return 0;
  }
  return readDecimal(pos, findByte(pos, lineEnd, 32), 0xfffffffd) ? <u32>decimal + 2 : 0;
}

/**
 * Reads at most `most` replies of the `length` bytes at `input`, the first being the one that the state belongs to; with `most`
 * below 0, the replies up to the -most-th answer to "version". 8 bytes behind the input are read too. On
 * MEMCACHED_REPLY_INCOMPLETE bytes behind what was read (of a line that is cut) must be given again.
 */
export function memcachedReplyRun(input: u32, length: u32, most: i32): i32 {
  const state = <u32>STATE;
  const end = input + length;
  const isMarked = most < 0;
  const wanted: u32 = isMarked ? -most : most;
  let need = load<u32>(state);
  let endsBehind = load<u32>(state, 4) != 0;
  let isBegun = load<u32>(state, 8) != 0;
  let at = input;
  let whole = input;
  let given = input;
  let replies: u32 = 0;
  let status = MEMCACHED_REPLY_COMPLETE;
  while (at < end && replies < wanted) {
    if (need != 0) {
      const part = min(need, end - at);
      need -= part;
      at += part;
      if (need == 0 && endsBehind) {
        endsBehind = false;
        isBegun = false;
        if (!isMarked) {
          replies++;
          whole = at;
        }
      }
      given = at;
      continue;
    }
    const limit = end - at > MAX_LINE_BYTES ? at + MAX_LINE_BYTES + 1 : end;
    const lineFeed = findByte(at, limit, 10);
    if (lineFeed == limit) {
      status = limit - at > MAX_LINE_BYTES ? MEMCACHED_REPLY_LONG_LINE : MEMCACHED_REPLY_INCOMPLETE;
      break;
    }
    const first = <u32>load<u8>(at);
    const word = load<u64>(at);
    const isValue = (word & SIX_BYTES) == VALUE_;
    if (isValue || (first == 86 && (word >> 8 & 0xffff) == 0x2041) /* VA */) {
      need = isValue ? blockOf(at + 6, lineFeed - 1, 2) : blockOf(at + 3, lineFeed - 1, 0);
      if (need == 0 || load<u8>(lineFeed - 1) != 13) {
        status = MEMCACHED_REPLY_LONG_LINE;
        break;
      }
      endsBehind = !isValue;
      isBegun = true;
    } else if (first - 48 > 9 && first - 65 > 25) {
      status = MEMCACHED_REPLY_LONG_LINE;
      break;
    } else if (isMarked) {
      isBegun = false;
      if (word == VERSION_ && ++replies == wanted) {
        at = lineFeed + 1;
        whole = at;
        break;
      }
    } else {
      isBegun = false;
      replies++;
    }
    at = lineFeed + 1;
    given = at;
    if (!isMarked && !isBegun) whole = at;
  }
  if (status == MEMCACHED_REPLY_COMPLETE && replies < wanted && (isMarked || isBegun)) status = MEMCACHED_REPLY_INCOMPLETE;
  store<u32>(state, need);
  store<u32>(state, endsBehind ? 1 : 0, 4);
  store<u32>(state, isBegun ? 1 : 0, 8);
  const result = <u32>RESULT;
  store<u32>(result, status);
  store<u32>(result, whole - input, 4);
  store<u32>(result, replies, 8);
  store<u32>(result, at - input, 12);
  store<u32>(result, given - input, 16);
  return status;
}
