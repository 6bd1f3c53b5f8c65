// RESP replies of both versions (redis-specifications, protocol/RESP2.md and RESP3.md).
//
//   line    +text  -error  :integer  ,double  (big number  #t  #f  _            each with CR LF
//   bulk    $length  !length  =length         CR LF bytes CR LF                 $-1: null
//   chunks  $? CR LF  ;length CR LF bytes CR LF …  ;0 CR LF
//   many    *count  ~count  %pairs  >count  |pairs  CR LF values                *-1: null; ? as the count of * ~ %: until . CR LF
//
// scanReply() finds the end of one reply. What it must know to go on later stands in a state of REPLY_STATE_BYTES bytes, all
// zero before a reply and again behind it: a reply may be cut anywhere, and no byte but those of a cut line is read twice.
//
//   0 bytes still to come of a bulk, its CR LF counted   4 open aggregates   8 flags   12 unused
//   16… per open aggregate: elements left (of a streamed one: 1 after an odd number of them), its first byte | STREAMED
//
// With an `out` it also writes a token of three u32 per value, in the order of the bytes (offsets are relative to `base`):
//
//   + - , ( $ ! = ;   offset, length       :   low, high word       #   1 or 0       _   1 for a null array, else 0
//   * ~ % > |         count as sent        $ * ~ % with STREAMED set: open until a ; of length 0, or a .

import { decimal, findLineBreak, MAX_LINE_BYTES, readDecimal, readSigned, signed } from "./text";

/** Status of scanReply(): a whole reply was read. */
export const REPLY_COMPLETE: i32 = 0;
/** The reply goes on behind `end`; at least `replyWanted` more bytes are needed. */
export const REPLY_INCOMPLETE: i32 = 1;
/** No type begins with this byte. */
export const REPLY_BAD_TYPE: i32 = 2;
/** A line has a CR or an LF without the other. */
export const REPLY_BAD_LINE: i32 = 3;
/** A line is longer than MAX_LINE_BYTES. */
export const REPLY_LONG_LINE: i32 = 4;
/** An integer that is none, or needs more than 64 bits. */
export const REPLY_BAD_INTEGER: i32 = 5;
export const REPLY_BAD_DOUBLE: i32 = 6;
export const REPLY_BAD_BIG_NUMBER: i32 = 7;
export const REPLY_BAD_BOOLEAN: i32 = 8;
export const REPLY_BAD_NULL: i32 = 9;
/** The length of a bulk is no number. */
export const REPLY_BAD_LENGTH: i32 = 10;
/** A bulk is longer than MAX_REPLY_BULK_BYTES. */
export const REPLY_LONG_BULK: i32 = 11;
/** The count of an aggregate is no number. */
export const REPLY_BAD_COUNT: i32 = 12;
/** An aggregate has more than MAX_REPLY_ELEMENTS elements. */
export const REPLY_LONG_COUNT: i32 = 13;
/** More than MAX_REPLY_DEPTH aggregates are open. */
export const REPLY_TOO_DEEP: i32 = 14;
/** A bulk is not followed by CR LF. */
export const REPLY_NO_CRLF: i32 = 15;
/** A verbatim string without its three letters and colon. */
export const REPLY_BAD_VERBATIM: i32 = 16;
/** A chunk outside of a streamed string, or anything else inside of one. */
export const REPLY_BAD_CHUNK: i32 = 17;
/** An end without its beginning, behind a map's key, or behind an attribute. */
export const REPLY_BAD_END: i32 = 18;
/** A push inside of another value. */
export const REPLY_NESTED_PUSH: i32 = 19;
/** No room for the next token. */
export const REPLY_TOKENS_FULL: i32 = 20;

/** Longest bulk string, error or chunk, in bytes. */
export const MAX_REPLY_BULK_BYTES: u32 = 512 * 1024 * 1024;
/** Highest count of an aggregate. */
export const MAX_REPLY_ELEMENTS: u32 = 16 * 1024 * 1024;
/** Most aggregates inside one another. */
export const MAX_REPLY_DEPTH: u32 = 32;

/** Size of the state of scanReply(). */
export const REPLY_STATE_BYTES: u32 = 16 + 8 * MAX_REPLY_DEPTH;
/** Set in the first word of a token of unknown length. */
export const STREAMED: u32 = 0x100;

/** Where scanReply() goes on, or on REPLY_COMPLETE the first byte behind the reply. */
export let replyPos: u32 = 0;
/** With REPLY_INCOMPLETE: how many bytes behind `end` are needed at least. */
export let replyWanted: u32 = 0;
/** First byte behind the last token. */
export let replyOut: u32 = 0;

const DEPTH: usize = 4;
const FLAGS: usize = 8;
const STACK: u32 = 16;

/** Flag: a streamed string is open. */
const IN_CHUNKS: u32 = 1;
/** Flag: an attribute is read, and what it describes has not begun. */
const AFTER_ATTRIBUTE: u32 = 2;

/** The first bytes of a value as bits: ! # $ % ( * + , - . : ; = > in the first word, _ | ~ in the second. */
const TYPES_BELOW_64: u64 = 0x6c007d3a00000000;
const TYPES_ABOVE_63: u64 = 0x5000000080000000;

/**
 * Reads on in the reply that `state` belongs to, from `pos` to `end`, and returns a REPLY_ status. Nothing at `out` (0: writes
 * no tokens) is written at or behind `outEnd`. After an error the state means nothing.
 */
export function scanReply(pos: u32, end: u32, state: u32, out: u32, outEnd: u32, base: u32): i32 {
  let need = load<u32>(state);
  let depth = load<u32>(state, DEPTH);
  let flags = load<u32>(state, FLAGS);
  while (true) {
    if (need == 0) {
      // ---- The line that a value begins with --------------------------------------------------------------------
      if (pos >= end) return pause(state, pos, 0, depth, flags, 1);
      const type = <u32>load<u8>(pos);
      if (type > 127 || (((type < 64 ? TYPES_BELOW_64 : TYPES_ABOVE_63) >> (type & 63)) & 1) == 0) return REPLY_BAD_TYPE;
      if ((type == 59 /* ; */) != ((flags & IN_CHUNKS) != 0)) return REPLY_BAD_CHUNK;
      const first = pos + 1;
      const limit = end - first > MAX_LINE_BYTES ? first + MAX_LINE_BYTES + 1 : end;
      const last = findLineBreak(first, limit);
      if (last == limit) {
        if (limit - first > MAX_LINE_BYTES) return REPLY_LONG_LINE;
        return pause(state, pos, 0, depth, flags, 1);
      }
      if (load<u8>(last) != 13) return REPLY_BAD_LINE;
      if (last + 1 == end) return pause(state, pos, 0, depth, flags, 1);
      if (load<u8>(last + 1) != 10) return REPLY_BAD_LINE;
      let next = last + 2;
      let a = first - base;
      let b = last - first;
      let kind = type;
      let ends = true;
      switch (type) {
        case 43 /* + */:
        case 45 /* - */:
          break;
        case 58 /* : */:
          if (!readSigned(first, last, true)) return REPLY_BAD_INTEGER;
          a = <u32>signed;
          b = <u32>(signed >> 32);
          break;
        case 44 /* , */:
          if (!isDouble(first, last)) return REPLY_BAD_DOUBLE;
          break;
        case 40 /* ( */:
          if (skipDigits(skipSign(first, last), last, last) != last) return REPLY_BAD_BIG_NUMBER;
          break;
        case 35 /* # */:
          a = <u32>load<u8>(first);
          if (b != 1 || (a != 116 && a != 102)) return REPLY_BAD_BOOLEAN;
          a = <u32>(a == 116);
          b = 0;
          break;
        case 95 /* _ */:
          if (b != 0) return REPLY_BAD_NULL;
          a = 0;
          break;
        case 36 /* $ */:
        case 33 /* ! */:
        case 61 /* = */:
        case 59 /* ; */: {
          const size = readSize(first, last);
          if (size >= 0) {
            if (size > <i64>MAX_REPLY_BULK_BYTES) return REPLY_LONG_BULK;
            a = next - base;
            b = <u32>size;
            if (type == 59 && b == 0) {
              flags &= ~IN_CHUNKS;
              break;
            }
            if (type == 61) {
              if (b < 4) return REPLY_BAD_VERBATIM;
              // The letters and their colon are read together with the line: no state for them.
              if (end - next < 4) return pause(state, pos, 0, depth, flags, next + b + 2 - end);
              if (load<u8>(next + 3) != 58 /* : */) return REPLY_BAD_VERBATIM;
            }
            need = b + 2;
          } else if (type == 36 && size == SIZE_OPEN) {
            flags |= IN_CHUNKS;
            kind |= STREAMED;
            a = 0;
            b = 0;
            ends = false;
          } else if (type == 36 && size == SIZE_NULL) {
            kind = 95;
            a = 0;
            b = 0;
          } else {
            return REPLY_BAD_LENGTH;
          }
          break;
        }
        case 46 /* . */: {
          if (b != 0 || depth == 0 || (flags & AFTER_ATTRIBUTE) != 0) return REPLY_BAD_END;
          const entry = state + STACK + ((depth - 1) << 3);
          const open = load<u32>(entry, 4);
          if ((open & STREAMED) == 0 || (open == (37 | STREAMED) && load<u32>(entry) != 0)) return REPLY_BAD_END;
          depth--;
          a = 0;
          break;
        }
        default: {
          // * ~ % > |
          const size = readSize(first, last);
          const pairs = type == 37 || type == 124;
          if (size == SIZE_NULL && type == 42) {
            kind = 95;
            a = 1;
            b = 0;
            break;
          }
          if (size < 0 && !(size == SIZE_OPEN && (type == 42 || type == 126 || type == 37))) return REPLY_BAD_COUNT;
          if (size > <i64>MAX_REPLY_ELEMENTS) return REPLY_LONG_COUNT;
          if (type == 62 && depth != 0) return REPLY_NESTED_PUSH;
          if (depth == MAX_REPLY_DEPTH) return REPLY_TOO_DEEP;
          a = <u32>size;
          b = 0;
          if (size == 0) {
            ends = type != 124;
            break;
          }
          ends = false;
          if (size < 0) {
            kind |= STREAMED;
            a = 0;
          }
          const entry = state + STACK + (depth << 3);
          store<u32>(entry, pairs ? a << 1 : a);
          store<u32>(entry, kind, 4);
          depth++;
          break;
        }
      }
      if (out != 0) {
        if (out + 12 > outEnd) return REPLY_TOKENS_FULL;
        store<u32>(out, kind);
        store<u32>(out, a, 4);
        store<u32>(out, b, 8);
        out += 12;
      }
      pos = next;
      flags &= ~AFTER_ATTRIBUTE;
      if (type == 124) {
        if (a == 0) flags |= AFTER_ATTRIBUTE;
        continue;
      }
      if (!ends) continue;
    }
    // ---- The bytes of a bulk ------------------------------------------------------------------------------------
    if (need != 0) {
      const have = end - pos;
      if (have < need) {
        // The CR may have come without its LF.
        if (have == need - 1 && have != 0 && load<u8>(end - 1) != 13) return REPLY_NO_CRLF;
        return pause(state, end, need - have, depth, flags, need - have);
      }
      pos += need;
      if (load<u8>(pos - 1) != 10 || (need > 1 && load<u8>(pos - 2) != 13)) return REPLY_NO_CRLF;
      need = 0;
      if ((flags & IN_CHUNKS) != 0) continue;
    }
    // ---- A value ends, and with it what it was the last element of -------------------------------------------------
    while (depth != 0) {
      const entry = state + STACK + ((depth - 1) << 3);
      const open = load<u32>(entry, 4);
      if ((open & STREAMED) != 0) {
        store<u32>(entry, load<u32>(entry) ^ 1);
        break;
      }
      const left = load<u32>(entry) - 1;
      store<u32>(entry, left);
      if (left != 0) break;
      depth--;
      if (open == 124) {
        flags |= AFTER_ATTRIBUTE;
        break;
      }
    }
    if (depth == 0 && (flags & AFTER_ATTRIBUTE) == 0) {
      pause(state, pos, 0, 0, 0, 0);
      replyOut = out;
      break;
    }
  }
  return REPLY_COMPLETE;
}

/** Keeps what scanReply() needs to go on. */
function pause(state: u32, pos: u32, need: u32, depth: u32, flags: u32, wanted: u32): i32 {
  store<u32>(state, need);
  store<u32>(state, depth, DEPTH);
  store<u32>(state, flags, FLAGS);
  replyPos = pos;
  replyWanted = wanted;
  return REPLY_INCOMPLETE;
}

const SIZE_BAD: i64 = -3;
const SIZE_OPEN: i64 = -2;
const SIZE_NULL: i64 = -1;

/** Reads a length or count: decimal without leading zeros; or one of SIZE_NULL for -1, SIZE_OPEN for ?, SIZE_BAD. */
function readSize(first: u32, last: u32): i64 {
  const length = last - first;
  if (length == 1) {
    const digit = <u32>load<u8>(first) - 48;
    if (digit < 10) return digit;
    return digit == 15 /* ? */ ? SIZE_OPEN : SIZE_BAD;
  }
  if (length == 2 && load<u16>(first) == 0x312d /* -1 */) return SIZE_NULL;
  if (length == 0 || load<u8>(first) == 48 || !readDecimal(first, last, 0x7fffffffffffffff)) return SIZE_BAD;
  return <i64>decimal;
}

function skipSign(pos: u32, end: u32): u32 {
  if (pos >= end) return pos;
  const byte = <u32>load<u8>(pos);
  return byte == 43 || byte == 45 ? pos + 1 : pos;
}

/** Address behind the digits at `pos`, or `none` where there is not one. */
function skipDigits(pos: u32, end: u32, none: u32): u32 {
  const first = pos;
  while (pos < end && <u32>load<u8>(pos) - 48 < 10) pos++;
  return pos == first ? none + 1 : pos;
}

/** Whether the letters at `pos` are the three of `word`, in either case. */
function isWord(pos: u32, end: u32, word: u32): bool {
  return end - pos >= 3 && ((<u32>load<u16>(pos) | ((<u32>load<u8>(pos, 2)) << 16)) | 0x202020) == word;
}

/** [sign] digits [. digits] [e [sign] digits], inf, or nan as C libraries write it: any case, a sign, (characters) behind it. */
function isDouble(pos: u32, end: u32): bool {
  pos = skipSign(pos, end);
  if (isWord(pos, end, 0x666e69 /* inf */)) return end - pos == 3;
  if (isWord(pos, end, 0x6e616e /* nan */)) {
    return end - pos == 3 || (end - pos > 4 && load<u8>(pos + 3) == 40 && load<u8>(end - 1) == 41);
  }
  pos = skipDigits(pos, end, end);
  if (pos < end && load<u8>(pos) == 46 /* . */) pos = skipDigits(pos + 1, end, end);
  if (pos < end && (load<u8>(pos) | 32) == 101 /* e */) pos = skipDigits(skipSign(pos + 1, end), end, end);
  return pos == end;
}

// ---- A whole chunk in one call ------------------------------------------------------------------------------------

const INDEX_STATE: usize = memory.data(272, 16);

/**
 * Writes the tokens of the whole replies among the `length` bytes at `input`, `most` replies at most. `out` (`capacity` words):
 *
 *   0 status (REPLY_COMPLETE: nothing left over or `most` reached; REPLY_INCOMPLETE; an error)   1 bytes of the whole replies
 *   2 replies   3 bytes wanted   4 words used   5… the tokens
 */
export function replyIndex(input: u32, length: u32, out: u32, capacity: u32, most: u32): i32 {
  const state = <u32>INDEX_STATE;
  const end = input + length;
  const outEnd = out + (capacity << 2);
  let consumed = input;
  let token = out + 20;
  let replies: u32 = 0;
  let status = REPLY_COMPLETE;
  replyWanted = 0;
  while (consumed < end && replies < most) {
    memory.fill(state, 0, 16);
    status = scanReply(consumed, end, state, token, outEnd, input);
    if (status != REPLY_COMPLETE) break;
    consumed = replyPos;
    token = replyOut;
    replies++;
  }
  store<u32>(out, status);
  store<u32>(out, consumed - input, 4);
  store<u32>(out, replies, 8);
  store<u32>(out, status == REPLY_INCOMPLETE ? replyWanted : 0, 12);
  store<u32>(out, (token - out) >> 2, 16);
  return status;
}
