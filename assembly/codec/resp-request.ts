// RESP requests: an array of bulk strings, or an inline command (RESP specification, "Sending commands to a Redis server").
//
//   *2 CR LF $3 CR LF GET CR LF $3 CR LF key CR LF          GET key CR LF
//
// parseRequest() reads one command. It holds no state between calls but what its caller gives back to it, so a command may be
// cut at any byte: a caller that has only a part of a long command keeps `requestPos` (as a distance) and `requestLeft`, and
// goes on from there when more has come, instead of reading it all again.
//
// An index entry is 8 bytes: u32 address of the argument, u32 its length. Arguments are not copied. Only the arguments of an
// inline command are rewritten, in place and never growing, and only once it is certain that the command is returned: whatever
// else the answer is, the bytes are as they were, so that the command can be read again.

import { findByte } from "./text";

/** Status of parseRequest(): a whole command was read. */
export const REQUEST_COMPLETE: i32 = 0;
/** The command goes on behind `end`; at least `requestWanted` more bytes are needed. */
export const REQUEST_INCOMPLETE: i32 = 1;
/** "Protocol error: invalid multibulk length" */
export const REQUEST_BAD_COUNT: i32 = 2;
/** "Protocol error: too big mbulk count string" */
export const REQUEST_LONG_COUNT: i32 = 3;
/** "Protocol error: expected '$', got '…'"; the byte is in `requestByte`. */
export const REQUEST_NO_DOLLAR: i32 = 4;
/** "Protocol error: invalid bulk length" */
export const REQUEST_BAD_LENGTH: i32 = 5;
/** "Protocol error: too big bulk count string" */
export const REQUEST_LONG_LENGTH: i32 = 6;
/** "Protocol error: too big inline request" */
export const REQUEST_LONG_INLINE: i32 = 7;
/** "Protocol error: unbalanced quotes in request" */
export const REQUEST_QUOTES: i32 = 8;
/** A bulk string is not followed by CR LF. */
export const REQUEST_NO_CRLF: i32 = 9;
/** "Protocol error: unauthenticated multibulk length" */
export const REQUEST_UNAUTHENTICATED_COUNT: i32 = 10;
/** "Protocol error: unauthenticated bulk length" */
export const REQUEST_UNAUTHENTICATED_LENGTH: i32 = 11;
/** The index is full; `requestArgc` entries are needed. */
export const REQUEST_INDEX_FULL: i32 = 12;

/** Most arguments of one command. */
export const MAX_ARGUMENTS: u32 = 1024 * 1024;
/** Longest inline command, and longest header line, in bytes, the line end not counted. */
export const MAX_INLINE_BYTES: u32 = 64 * 1024;
/** Most arguments before AUTH where a password is set. */
export const MAX_UNAUTHENTICATED_ARGUMENTS: u32 = 10;
/** Longest argument, in bytes, before AUTH where a password is set. */
export const MAX_UNAUTHENTICATED_BYTES: u32 = 16384;

/** Where the next byte to read lies (in and out). */
export let requestPos: u32 = 0;
/** Arguments still to come of the command in progress; 0 at the beginning of a command (in and out). */
export let requestLeft: u32 = 0;
/** Arguments read in this call. */
export let requestArgc: u32 = 0;
/** With REQUEST_INCOMPLETE: how many bytes behind `end` are needed at least. */
export let requestWanted: u32 = 0;
/** With REQUEST_NO_DOLLAR: the byte found. */
export let requestByte: u32 = 0;

/** The limit of maxBulkBytes that Redis has too. */
const DEFAULT_MAX_BULK_BYTES: u32 = 512 * 1024 * 1024;
/** Longest argument, in bytes; larger ones are REQUEST_BAD_LENGTH. */
let maxBulkBytes: u32 = DEFAULT_MAX_BULK_BYTES;

/** Highest limit of an argument's length: an address that many bytes further on, and two more, still fits into 32 bits. */
const HIGHEST_BULK_LIMIT: u32 = 0x7fffffff;

/** Sets the longest argument, in bytes; at most 2 GiB - 1. */
export function setMaxBulkBytes(bytes: u32): void {
  maxBulkBytes = bytes < HIGHEST_BULK_LIMIT ? bytes : HIGHEST_BULK_LIMIT;
}

/** Sets where parseRequest() goes on: at `pos`, with `left` arguments missing (0: a new command). */
// @ts-ignore: decorator
@inline
export function requestResume(pos: u32, left: u32): void {
  requestPos = pos;
  requestLeft = left;
}

// @ts-ignore: decorator
@inline
const CR: u32 = 13;
// @ts-ignore: decorator
@inline
const LF: u32 = 10;
// @ts-ignore: decorator
@inline
const STAR: u32 = 42;
// @ts-ignore: decorator
@inline
const DOLLAR: u32 = 36;

/**
 * Reads one command from `requestPos` (see requestResume) up to `end`, and writes its arguments to `index`
 * (`capacity` entries; 0 as `index`: reads on without writing). Returns a REQUEST_ status; on REQUEST_COMPLETE
 * `requestPos` is behind the command and `requestArgc` counts its arguments (0: nothing to execute).
 */
export function parseRequest(end: u32, index: u32, capacity: u32, unauthenticated: bool): i32 {
  let pos = requestPos;
  let left = requestLeft;
  requestArgc = 0;
  if (left == 0) {
    if (pos >= end) return incomplete(pos, 0, 1);
    const count = pos + 4 <= end ? shortHeader(load<u32>(pos), STAR) : NO_DIGIT;
    if (count - 1 < 9) {
      pos += 4;
      left = count;
    } else {
      if (load<u8>(pos) != STAR) return parseInline(pos, end, index, capacity);
      const status = readLength(pos + 1, end, <i64>MAX_ARGUMENTS);
      if (status != 0) {
        if (status == LENGTH_INCOMPLETE) return incomplete(pos, 0, 1);
        return status == LENGTH_LONG ? REQUEST_LONG_COUNT : REQUEST_BAD_COUNT;
      }
      pos = lengthEnd;
      if (lengthValue <= 0) {
        requestPos = pos;
        return REQUEST_COMPLETE;
      }
      left = <u32>lengthValue;
      if (unauthenticated && left > MAX_UNAUTHENTICATED_ARGUMENTS) return REQUEST_UNAUTHENTICATED_COUNT;
    }
  }
  let entry = index;
  let argc: u32 = 0;
  while (left > 0) {
    let length: u32 = NO_DIGIT;
    let start: u32 = 0;
    // One digit, and two: the length of nearly every argument.
    if (pos + 8 <= end) {
      const head = load<u64>(pos);
      length = shortHeader(<u32>head, DOLLAR);
      start = pos + 4;
      if (length > 9) {
        length = twoDigits(head);
        start = pos + 5;
      }
    }
    if (length > maxBulkBytes) {
      if (pos >= end) return incomplete(pos, left, 1);
      if (load<u8>(pos) != DOLLAR) {
        requestByte = load<u8>(pos);
        return REQUEST_NO_DOLLAR;
      }
      // Before AUTH what is too long for that is told before what is too long for the limit.
      const longest = unauthenticated ? max(maxBulkBytes, DEFAULT_MAX_BULK_BYTES) : maxBulkBytes;
      const status = readLength(pos + 1, end, <i64>longest);
      if (status != 0) {
        if (status == LENGTH_INCOMPLETE) return incomplete(pos, left, 1);
        return status == LENGTH_LONG ? REQUEST_LONG_LENGTH : REQUEST_BAD_LENGTH;
      }
      if (lengthValue < 0) return REQUEST_BAD_LENGTH;
      length = <u32>lengthValue;
      if (unauthenticated && length > MAX_UNAUTHENTICATED_BYTES) return REQUEST_UNAUTHENTICATED_LENGTH;
      start = lengthEnd;
    }
    const have = end - start;
    if (have < length + 2) return incomplete(pos, left, length + 2 - have);
    if (load<u16>(start + length) != 0x0a0d) return REQUEST_NO_CRLF;
    if (index != 0) {
      if (argc >= capacity) {
        requestArgc = argc + left;
        return REQUEST_INDEX_FULL;
      }
      store<u32>(entry, start);
      store<u32>(entry, length, 4);
      entry += 8;
    }
    argc++;
    pos = start + length + 2;
    left--;
  }
  requestPos = pos;
  requestLeft = 0;
  requestArgc = argc;
  return REQUEST_COMPLETE;
}

// @ts-ignore: decorator
@inline
function incomplete(pos: u32, left: u32, wanted: u32): i32 {
  requestPos = pos;
  requestLeft = left;
  requestWanted = wanted;
  return REQUEST_INCOMPLETE;
}

// ---- A decimal length and its CR LF -------------------------------------------------------------------------------

/** What shortHeader() and twoDigits() return for other headers. */
const NO_DIGIT: u32 = 0xffffffff;

const LENGTH_INCOMPLETE: i32 = 1;
const LENGTH_LONG: i32 = 2;
const LENGTH_BAD: i32 = 3;

let lengthValue: i64 = 0;
let lengthEnd: u32 = 0;

/** The digit of a header of one (`*3` CR LF), whose first four bytes are `head`; more than 9 for any other header. */
// @ts-ignore: decorator
@inline
function shortHeader(head: u32, first: u32): u32 {
  return (head & 0xffff00ff) == (0x0a0d0000 | first) ? ((head >> 8) & 0xff) - 48 : NO_DIGIT;
}

/** The number of an argument's header of two digits (`$16` CR LF), the first not 0; NO_DIGIT for any other header. */
// @ts-ignore: decorator
@inline
function twoDigits(head: u64): u32 {
  const tens = (<u32>head >> 8 & 0xff) - 49;
  const ones = (<u32>head >> 16 & 0xff) - 48;
  const isShort = (head & 0xff_ff00_00ff) == 0x0a_0d00_0024;
  return isShort && tens <= 8 && ones <= 9 ? tens * 10 + 10 + ones : NO_DIGIT;
}

/** Reads a decimal of at most `max` (or any negative one) and CR LF from `pos` on into lengthValue and lengthEnd. */
function readLength(pos: u32, end: u32, max: i64): i32 {
  const start = pos;
  if (pos >= end) return LENGTH_INCOMPLETE;
  const negative = load<u8>(pos) == 45;
  if (negative) pos++;
  let value: u64 = 0;
  const digits = pos;
  while (pos < end) {
    const digit = <u32>load<u8>(pos) - 48;
    if (digit > 9) break;
    // No leading zeros, and nothing that 64 bits with a sign do not hold, as Redis's own reader has it.
    if (pos > digits && value == 0) return findEnd(pos, end, start);
    if (value >= 922337203685477580 && (value > 922337203685477580 || digit > 7 + <u32>negative)) return findEnd(pos, end, start);
    value = value * 10 + <u64>digit;
    pos++;
  }
  if (pos == end) return LENGTH_INCOMPLETE;
  if (pos == digits || load<u8>(pos) != CR) return findEnd(pos, end, start);
  if (pos + 1 >= end) return LENGTH_INCOMPLETE;
  if (load<u8>(pos + 1) != LF) return LENGTH_BAD;
  if (negative && value == 0) return LENGTH_BAD;
  if (!negative && value > <u64>max) return LENGTH_BAD;
  // Of a negative number only the sign matters.
  lengthValue = negative ? -1 : <i64>value;
  lengthEnd = pos + 2;
  return 0;
}

/** A header that is no number: it is bad as soon as its line ends, and too long if it does not within the limit. */
function findEnd(pos: u32, end: u32, start: u32): i32 {
  while (pos < end) {
    if (load<u8>(pos) == CR) return LENGTH_BAD;
    pos++;
    if (pos - start >= MAX_INLINE_BYTES) return LENGTH_LONG;
  }
  return LENGTH_INCOMPLETE;
}

// ---- Inline commands ----------------------------------------------------------------------------------------------

/** What separates arguments. */
// @ts-ignore: decorator
@inline
function isSpace(byte: u32): bool {
  return byte == 32 || byte - 9 < 5;
}

/** What ends an argument outside quotes: not the vertical tab and the form feed, which only separate. */
// @ts-ignore: decorator
@inline
function endsWord(byte: u32): bool {
  return isSpace(byte) && byte != 11 && byte != 12;
}

function hexValue(byte: u32): i32 {
  if (byte - 48 < 10) return byte - 48;
  const letter = byte | 32;
  return letter - 97 < 6 ? letter - 87 : -1;
}

/** Reads one line: counts its arguments first, and rewrites and indexes them only when all is well. */
function parseInline(start: u32, end: u32, index: u32, capacity: u32): i32 {
  const limit = end - start > MAX_INLINE_BYTES ? start + MAX_INLINE_BYTES + 1 : end;
  const lineFeed = findByte(start, limit, LF);
  if (lineFeed == limit) {
    return limit - start > MAX_INLINE_BYTES ? REQUEST_LONG_INLINE : incomplete(start, 0, 1);
  }
  // As in Redis, a NUL ends the command, and what follows it on the line is passed over.
  let stop = findByte(start, lineFeed, 0);
  if (stop == lineFeed && stop > start && load<u8>(stop - 1) == CR) stop--;
  const argc = splitLine(start, stop, 0);
  if (argc < 0) return REQUEST_QUOTES;
  requestArgc = argc;
  if (index != 0) {
    if (<u32>argc > capacity) return REQUEST_INDEX_FULL;
    splitLine(start, stop, index);
  }
  requestPos = lineFeed + 1;
  requestLeft = 0;
  return REQUEST_COMPLETE;
}

/**
 * Splits a line at white space; double and single quotes and their escapes as redis-cli writes them. Returns the number of
 * arguments, or -1 for unbalanced quotes. `index` 0: counts only, and writes nothing.
 */
function splitLine(pos: u32, stop: u32, index: u32): i32 {
  let argc: u32 = 0;
  while (true) {
    while (pos < stop && isSpace(load<u8>(pos))) pos++;
    if (pos >= stop) break;
    const first = pos;
    let write = pos;
    let quote: u32 = 0;
    while (true) {
      if (pos >= stop) {
        if (quote != 0) return -1;
        break;
      }
      let byte = <u32>load<u8>(pos);
      if (quote == 0) {
        if (endsWord(byte)) break;
        pos++;
        if (byte == 34 || byte == 39) {
          quote = byte;
          continue;
        }
      } else if (byte == quote) {
        pos++;
        if (pos < stop && !isSpace(load<u8>(pos))) return -1;
        break;
      } else if (byte == 92 && pos + 1 < stop) {
        const next = <u32>load<u8>(pos + 1);
        if (quote == 39) {
          if (next == 39) {
            byte = 39;
            pos++;
          }
          pos++;
        } else if (next == 120 && pos + 3 < stop && hexValue(load<u8>(pos + 2)) >= 0 && hexValue(load<u8>(pos + 3)) >= 0) {
          byte = (hexValue(load<u8>(pos + 2)) << 4) | hexValue(load<u8>(pos + 3));
          pos += 4;
        } else {
          byte = unescape(next);
          pos += 2;
        }
      } else {
        pos++;
      }
      if (index != 0) store<u8>(write, byte);
      write++;
    }
    if (index != 0) {
      store<u32>(index + (argc << 3), first);
      store<u32>(index + (argc << 3), write - first, 4);
    }
    argc++;
  }
  return argc;
}

function unescape(byte: u32): u32 {
  switch (byte) {
    case 110:
      return 10;
    case 114:
      return 13;
    case 116:
      return 9;
    case 98:
      return 8;
    case 97:
      return 7;
    default:
      return byte;
  }
}

// ---- A whole chunk in one call ------------------------------------------------------------------------------------

/** Set in the argc word of a command that came inline: its arguments stand rewritten in the input. */
const INLINE: u32 = 0x80000000;

/**
 * Indexes every whole command of `length` bytes at `input`. Writes to `out` (`capacity` u32 words):
 *
 *   0 status (REQUEST_COMPLETE: nothing left over; REQUEST_INCOMPLETE; or an error)   1 bytes consumed by whole commands
 *   2 commands   3 bytes wanted   4 offending byte, or with REQUEST_INDEX_FULL the arguments of the next command
 *   5 words used   6… per command: argc (its top bit set for an inline command), then argc × (offset, length)
 *
 * Offsets are relative to `input`. Stops with REQUEST_INDEX_FULL when the next command does not fit into `out`.
 */
export function respIndex(input: u32, length: u32, out: u32, capacity: u32, unauthenticated: bool): i32 {
  const end = input + length;
  const outEnd = out + (capacity << 2);
  let word = out + 24;
  let commands: u32 = 0;
  let consumed = input;
  let status = REQUEST_COMPLETE;
  requestWanted = 0;
  requestByte = 0;
  while (consumed < end) {
    if (word + 4 > outEnd) {
      status = REQUEST_INDEX_FULL;
      break;
    }
    const inline = load<u8>(consumed) == 42 ? 0 : INLINE;
    requestResume(consumed, 0);
    const entries = word + 4;
    status = parseRequest(end, entries, (outEnd - entries) >> 3, unauthenticated);
    if (status != REQUEST_COMPLETE) {
      if (status == REQUEST_INDEX_FULL) requestByte = requestArgc;
      break;
    }
    consumed = requestPos;
    store<u32>(word, requestArgc | inline);
    for (let i: u32 = 0; i < requestArgc; i++) {
      const entry = entries + (i << 3);
      store<u32>(entry, load<u32>(entry) - input);
    }
    word = entries + (requestArgc << 3);
    commands++;
  }
  store<u32>(out, status);
  store<u32>(out, consumed - input, 4);
  store<u32>(out, commands, 8);
  store<u32>(out, status == REQUEST_INCOMPLETE ? requestWanted : 0, 12);
  store<u32>(out, requestByte, 16);
  store<u32>(out, (word - out) >> 2, 20);
  return status;
}
