// RESP passed on as it came, for a node that has a server behind it: how many whole commands or replies a chunk holds, and where
// they end. Nothing is taken apart but the name of a command, because some commands cannot go the common way.
//
// The names that stop a run are noted once with relayName(). A result is RESULT_WORDS words at relayResult():
//
//   commandRun()   0 status   1 bytes of the run   2 its commands that are answered   3 bytes wanted
//                  4 RELAY_NAMED: the number of the name   5 RELAY_NAMED: bytes up to the end of that command
//                  6, 7 REQUEST_INCOMPLETE: where the command in progress is to be read on, and how many arguments it lacks
//   replyRun()     0 status   1 bytes of the whole replies   2 whole replies   3, 4 bytes read, those of a reply in progress included
//
// Name table: NAME_SLOTS slots of 24 bytes: 16 bytes of the name in lower case with zeros behind it, u32 length (0: free), u32 number.

import { REPLY_COMPLETE, REPLY_INCOMPLETE, REPLY_STATE_BYTES, replyPos, scanReply } from "./resp-reply";
import {
  parseRequest,
  REQUEST_COMPLETE,
  REQUEST_INCOMPLETE,
  requestArgc,
  requestLeft,
  requestPos,
  requestResume,
  requestWanted,
} from "./resp-request";

/** Status of commandRun(): the run ends in front of a whole command that goes another way. */
export const RELAY_NAMED: i32 = 32;

/** Number of a command that has no name of the table, where each command is stopped at. */
export const NAME_NONE: u32 = 0;
/** Number of a command that came inline. */
export const NAME_INLINE: u32 = 0xff;

/** Longest name that the table takes, in bytes. */
export const MAX_NAME_BYTES: u32 = 16;
/** A power of two, some times the number of names. */
export const NAME_SLOTS: u32 = 256;

const SLOT_BYTES: u32 = 24;
const NAMES: usize = memory.data(6144, 16);
const RESULT: usize = memory.data(32, 16);
const STATE: usize = memory.data(272, 16);

/** Where the result of the last call is. */
export function relayResult(): u32 {
  return <u32>RESULT;
}

/** Where the state of the reply in progress is: REPLY_STATE_BYTES bytes, all zero between two replies. */
export function relayState(): u32 {
  return <u32>STATE;
}

export function relayStateBytes(): u32 {
  return REPLY_STATE_BYTES;
}

let low: u64 = 0;
let high: u64 = 0;

/** Reads a name of at most MAX_NAME_BYTES into `low` and `high`, in lower case. Up to 16 bytes from `at` on are read. */
// @ts-ignore: decorator
@inline
function readName(at: u32, length: u32): void {
  const first = load<u64>(at) | 0x2020202020202020;
  if (length <= 8) {
    low = first & (<u64>-1 >> (<u64>(8 - length) << 3));
    high = 0;
    return;
  }
  low = first;
  high = (load<u64>(at, 8) | 0x2020202020202020) & (<u64>-1 >> (<u64>(16 - length) << 3));
}

// @ts-ignore: decorator
@inline
function firstSlot(length: u32): u32 {
  return <u32>(((low ^ (high << 7) ^ <u64>length) * 0x9e3779b97f4a7c15) >> 56) & (NAME_SLOTS - 1);
}

/** Notes a name of 1 to 16 bytes under a number from 1 to 254; noting it again changes its number. */
export function relayName(name: u32, length: u32, number: u32): void {
  readName(name, length);
  let slot = firstSlot(length);
  while (true) {
    const entry = <u32>NAMES + slot * SLOT_BYTES;
    const held = load<u32>(entry, 16);
    if (held == 0 || (held == length && load<u64>(entry) == low && load<u64>(entry, 8) == high)) {
      store<u64>(entry, low);
      store<u64>(entry, high, 8);
      store<u32>(entry, length, 16);
      store<u32>(entry, number, 20);
      return;
    }
    slot = (slot + 1) & (NAME_SLOTS - 1);
  }
}

/** The number of a name, or NAME_NONE. */
// @ts-ignore: decorator
@inline
function numberOf(at: u32, length: u32): u32 {
  if (length - 1 >= MAX_NAME_BYTES) return NAME_NONE;
  readName(at, length);
  let slot = firstSlot(length);
  while (true) {
    const entry = <u32>NAMES + slot * SLOT_BYTES;
    const held = load<u32>(entry, 16);
    if (held == 0) return NAME_NONE;
    if (held == length && load<u64>(entry) == low && load<u64>(entry, 8) == high) return load<u32>(entry, 20);
    slot = (slot + 1) & (NAME_SLOTS - 1);
  }
}

/** The number of the command that begins at `at`, an array of one argument at least whose first is whole. */
function commandNumber(at: u32): u32 {
  // "*" digits CR LF "$": the two lines are well formed, or parseRequest() had said so.
  let pos = at + 2;
  while (load<u8>(pos) != 10) pos++;
  pos += 2;
  let length = 0;
  while (true) {
    const digit = <u32>load<u8>(pos) - 48;
    if (digit > 9) break;
    length = length * 10 + digit;
    pos++;
  }
  return numberOf(pos + 2, length);
}

/** The number of the command whose first bytes, its whole name among them or more than MAX_NAME_BYTES of it, are at `input`. */
export function relayNumber(input: u32): u32 {
  return commandNumber(input);
}

/**
 * Reads whole commands of the `length` bytes at `input` up to the first one that has a name of the table, or came inline; with
 * `each` up to the first one at all. 16 bytes behind the input are read too. Returns the status: REQUEST_COMPLETE when all was
 * read, REQUEST_INCOMPLETE, RELAY_NAMED, or the error of a command, which begins behind the run.
 */
export function commandRun(input: u32, length: u32, each: bool, unauthenticated: bool): i32 {
  const end = input + length;
  let at = input;
  let commands: u32 = 0;
  let status = REQUEST_COMPLETE;
  const result = <u32>RESULT;
  while (at < end) {
    const inline = load<u8>(at) != 42 /* * */;
    requestResume(at, 0);
    status = parseRequest(end, 0, 0, unauthenticated);
    if (status != REQUEST_COMPLETE) break;
    if (requestArgc != 0) {
      const number = inline ? NAME_INLINE : commandNumber(at);
      if (each || number != NAME_NONE) {
        store<u32>(result, number, 16);
        store<u32>(result, requestPos - input, 20);
        status = RELAY_NAMED;
        break;
      }
      commands++;
    } else if (inline) {
      // An empty line: nothing answers it, and nothing needs to pass it on.
      store<u32>(result, NAME_INLINE, 16);
      store<u32>(result, requestPos - input, 20);
      status = RELAY_NAMED;
      break;
    }
    at = requestPos;
  }
  store<u32>(result, status);
  store<u32>(result, at - input, 4);
  store<u32>(result, commands, 8);
  if (status == REQUEST_INCOMPLETE) {
    store<u32>(result, requestWanted, 12);
    store<u32>(result, requestPos - input, 24);
    store<u32>(result, requestLeft, 28);
  }
  return status;
}

/** Reads on in a command that lacks `left` arguments, the next of which begins at `input`. The words are those of commandRun(). */
export function commandRest(input: u32, length: u32, left: u32): i32 {
  const result = <u32>RESULT;
  requestResume(input, left);
  const status = parseRequest(input + length, 0, 0, false);
  store<u32>(result, status);
  store<u32>(result, requestPos - input, 4);
  store<u32>(result, requestWanted, 12);
  store<u32>(result, requestPos - input, 24);
  store<u32>(result, requestLeft, 28);
  return status;
}

/**
 * Reads at most `most` replies of the `length` bytes at `input`, the first being the one that the state belongs to. On
 * REPLY_INCOMPLETE bytes behind what was read (of a line that is cut) must be given again.
 */
export function replyRun(input: u32, length: u32, most: u32): i32 {
  const state = <u32>STATE;
  const end = input + length;
  let at = input;
  let replies: u32 = 0;
  let read = input;
  let status = REPLY_COMPLETE;
  while (at < end && replies < most) {
    status = scanReply(at, end, state, 0, 0, 0);
    if (status != REPLY_COMPLETE) {
      if (status == REPLY_INCOMPLETE) read = replyPos;
      break;
    }
    at = replyPos;
    read = at;
    replies++;
  }
  const result = <u32>RESULT;
  store<u32>(result, status);
  store<u32>(result, at - input, 4);
  store<u32>(result, replies, 8);
  store<u32>(result, read - input, 12);
  store<u32>(result, read - input, 16);
  return status;
}
