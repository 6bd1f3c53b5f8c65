// Replies of the memcached text protocol (memcached, doc/protocol.txt).
//
//   VALUE <key> <flags> <bytes> [<cas>] CR LF <data> CR LF … END CR LF      STAT <name> <value> CR LF … END CR LF
//   VA <bytes> <flags>* CR LF <data> CR LF                                  any other line, and a number: one line
//
// A line ends with LF, with or without CR. memcachedReply() reads one reply, that is up to END after a VALUE or a STAT. It holds
// no state but what its caller gives back to it: where it stopped and whether it stands behind a VALUE or a STAT. Per line it
// writes a record of 8 words:
//
//   0 word (its place in WORDS, or NUMBER)   1 offset of the text: the key of a VALUE, else what follows the word   2 its length
//   3 offset of the data   4 its length   5 client flags   6, 7 cas, or the number (low, high word)
//
// A cas that was not sent is 0, which memcached never gives out.

import { decimal, findByte, findWord, MAX_LINE_BYTES, readDecimal } from "./text";

/** Status of memcachedReply(): a whole reply was read. */
export const MEMCACHED_REPLY_COMPLETE: i32 = 0;
/** The reply goes on behind `end`; at least `memcachedReplyWanted` more bytes are needed. */
export const MEMCACHED_REPLY_INCOMPLETE: i32 = 1;
/** No reply begins with this word, or not here. */
export const MEMCACHED_REPLY_BAD_WORD: i32 = 2;
/** A VALUE, VA or number line that does not read as one. */
export const MEMCACHED_REPLY_BAD_LINE: i32 = 3;
/** A data block is not followed by CR LF. */
export const MEMCACHED_REPLY_NO_CRLF: i32 = 4;
/** A data block above the limit. */
export const MEMCACHED_REPLY_TOO_LARGE: i32 = 5;
/** A line is longer than MAX_LINE_BYTES. */
export const MEMCACHED_REPLY_LONG_LINE: i32 = 6;
/** No room for the next record. */
export const MEMCACHED_REPLY_FULL: i32 = 7;

/** Where memcachedReply() goes on, or the first byte behind the reply. */
export let memcachedReplyPos: u32 = 0;
/** VALUE or STAT when the reply goes on after one of them, else 0. */
export let memcachedReplyGroup: i32 = 0;
/** With MEMCACHED_REPLY_INCOMPLETE: how many bytes behind `end` are needed at least. */
export let memcachedReplyWanted: u32 = 0;
/** First byte behind the last record. */
export let memcachedReplyOut: u32 = 0;

const RECORD_BYTES: u32 = 32;

const VALUE: i32 = 1;
const STAT: i32 = 2;
const END: i32 = 3;
const VA: i32 = 4;
/** Replies that are their word alone are those from here on to LAST_BARE. */
const FIRST_BARE: i32 = 5;
const LAST_BARE: i32 = 13;
const CLIENT_ERROR: i32 = 15;
const SERVER_ERROR: i32 = 16;
const WORD_COUNT: i32 = 24;
/** A reply that is a number. */
const NUMBER: i32 = 25;

/** Filled up to 16 bytes; the first one is number 1. Their order is that of the names in src/codec/memcached.ts. */
const WORDS: usize = memory.data<u8>([
  86, 65, 76, 85, 69, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, // VALUE
  83, 84, 65, 84, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, // STAT
  69, 78, 68, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, // END
  86, 65, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, // VA
  83, 84, 79, 82, 69, 68, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, // STORED
  78, 79, 84, 95, 83, 84, 79, 82, 69, 68, 0, 0, 0, 0, 0, 0, // NOT_STORED
  69, 88, 73, 83, 84, 83, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, // EXISTS
  78, 79, 84, 95, 70, 79, 85, 78, 68, 0, 0, 0, 0, 0, 0, 0, // NOT_FOUND
  68, 69, 76, 69, 84, 69, 68, 0, 0, 0, 0, 0, 0, 0, 0, 0, // DELETED
  84, 79, 85, 67, 72, 69, 68, 0, 0, 0, 0, 0, 0, 0, 0, 0, // TOUCHED
  79, 75, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, // OK
  82, 69, 83, 69, 84, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, // RESET
  77, 78, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, // MN
  69, 82, 82, 79, 82, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, // ERROR
  67, 76, 73, 69, 78, 84, 95, 69, 82, 82, 79, 82, 0, 0, 0, 0, // CLIENT_ERROR
  83, 69, 82, 86, 69, 82, 95, 69, 82, 82, 79, 82, 0, 0, 0, 0, // SERVER_ERROR
  86, 69, 82, 83, 73, 79, 78, 0, 0, 0, 0, 0, 0, 0, 0, 0, // VERSION
  72, 68, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, // HD
  69, 78, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, // EN
  78, 70, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, // NF
  78, 83, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, // NS
  69, 88, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, // EX
  77, 69, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, // ME
  69, 82, 82, 79, 82, 58, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, // ERROR:
]);

/**
 * Reads one reply from `pos` to `end` and returns a MEMCACHED_REPLY_ status. `group` is 0 at its beginning, else what
 * `memcachedReplyGroup` was. Records go to `out` (0: none are written), where nothing is written at or behind `outEnd`; their
 * offsets are relative to `base`. A data block above `maxBytes` is an error.
 */
export function memcachedReply(pos: u32, end: u32, group: i32, maxBytes: u32, out: u32, outEnd: u32, base: u32): i32 {
  while (true) {
    memcachedReplyPos = pos;
    memcachedReplyGroup = group;
    const limit = end - pos > MAX_LINE_BYTES ? pos + MAX_LINE_BYTES + 1 : end;
    const lineFeed = findByte(pos, limit, 10);
    if (lineFeed == limit) {
      if (limit - pos > MAX_LINE_BYTES) return MEMCACHED_REPLY_LONG_LINE;
      memcachedReplyWanted = 1;
      return MEMCACHED_REPLY_INCOMPLETE;
    }
    const lineEnd = lineFeed > pos && load<u8>(lineFeed - 1) == 13 ? lineFeed - 1 : lineFeed;
    const wordEnd = findByte(pos, lineEnd, 32);
    let text = wordEnd < lineEnd ? wordEnd + 1 : lineEnd;
    let textEnd = lineEnd;
    let data: u32 = lineFeed + 1;
    let length: u32 = 0;
    let flags: u32 = 0;
    let number: u64 = 0;
    pos = data;

    let word = findWord(memcachedReplyPos, wordEnd, WORDS, WORD_COUNT) + 1;
    if (word == 0) {
      // incr and decr answer with the number, which may be filled up with spaces.
      if (group != 0 || memcachedReplyPos == wordEnd || <u32>load<u8>(memcachedReplyPos) - 48 > 9) return MEMCACHED_REPLY_BAD_WORD;
      if (!readDecimal(memcachedReplyPos, wordEnd, 0xffffffffffffffff)) return MEMCACHED_REPLY_BAD_LINE;
      while (text < lineEnd && load<u8>(text) == 32) text++;
      if (text < lineEnd) return MEMCACHED_REPLY_BAD_LINE;
      number = decimal;
      word = NUMBER;
    } else if (word == VALUE || word == VA) {
      if (group != 0 && group != word) return MEMCACHED_REPLY_BAD_WORD;
      let field = text;
      if (word == VALUE) {
        textEnd = findByte(text, lineEnd, 32);
        field = textEnd + 1;
        if (textEnd == text || textEnd == lineEnd) return MEMCACHED_REPLY_BAD_LINE;
        const flagsEnd = findByte(field, lineEnd, 32);
        if (!readDecimal(field, flagsEnd, 0xffffffff) || flagsEnd == lineEnd) return MEMCACHED_REPLY_BAD_LINE;
        flags = <u32>decimal;
        field = flagsEnd + 1;
      }
      const sizeEnd = findByte(field, lineEnd, 32);
      if (!readDecimal(field, sizeEnd, 0xffffffff)) return MEMCACHED_REPLY_BAD_LINE;
      if (decimal > <u64>maxBytes) return MEMCACHED_REPLY_TOO_LARGE;
      length = <u32>decimal;
      if (sizeEnd < lineEnd) {
        if (word == VA) {
          text = sizeEnd + 1;
        } else {
          if (!readDecimal(sizeEnd + 1, lineEnd, 0xffffffffffffffff)) return MEMCACHED_REPLY_BAD_LINE;
          number = decimal;
        }
      } else if (word == VA) {
        text = lineEnd;
      }
      const have = <u64>(end - data);
      if (have < <u64>length + 2) {
        memcachedReplyWanted = length + 2 - <u32>have;
        return MEMCACHED_REPLY_INCOMPLETE;
      }
      if (load<u16>(data + length) != 0x0a0d) return MEMCACHED_REPLY_NO_CRLF;
      pos = data + length + 2;
    } else if (group != 0 && word != END && word != SERVER_ERROR && !(word == STAT && group == STAT)) {
      return MEMCACHED_REPLY_BAD_WORD;
    } else if (word >= FIRST_BARE && word <= LAST_BARE && wordEnd != lineEnd) {
      return MEMCACHED_REPLY_BAD_LINE;
    }

    if (out != 0) {
      if (out + RECORD_BYTES > outEnd) return MEMCACHED_REPLY_FULL;
      store<u32>(out, word);
      store<u32>(out, text - base, 4);
      store<u32>(out, textEnd - text, 8);
      store<u32>(out, data - base, 12);
      store<u32>(out, length, 16);
      store<u32>(out, flags, 20);
      store<u64>(out, number, 24);
      out += RECORD_BYTES;
    }
    if (word == VALUE || word == STAT) {
      group = word;
      continue;
    }
    memcachedReplyPos = pos;
    memcachedReplyGroup = 0;
    memcachedReplyOut = out;
    return MEMCACHED_REPLY_COMPLETE;
  }
}

// ---- A whole chunk in one call ------------------------------------------------------------------------------------

/**
 * Writes the records of the whole replies among the `length` bytes at `input`, `most` replies at most. `out` (`capacity` words):
 *
 *   0 status (MEMCACHED_REPLY_COMPLETE: nothing left over or `most` reached; MEMCACHED_REPLY_INCOMPLETE; an error)
 *   1 bytes of the whole replies   2 replies   3 bytes wanted   4 words used   5… the records
 */
export function memcachedReplyIndex(input: u32, length: u32, maxBytes: u32, most: u32, out: u32, capacity: u32): i32 {
  const end = input + length;
  const outEnd = out + (capacity << 2);
  let pos = input;
  let record = out + 20;
  let replies: u32 = 0;
  let status = MEMCACHED_REPLY_COMPLETE;
  while (pos < end && replies < most) {
    status = memcachedReply(pos, end, 0, maxBytes, record, outEnd, input);
    if (status != MEMCACHED_REPLY_COMPLETE) break;
    pos = memcachedReplyPos;
    record = memcachedReplyOut;
    replies++;
  }
  store<u32>(out, status);
  store<u32>(out, pos - input, 4);
  store<u32>(out, replies, 8);
  store<u32>(out, status == MEMCACHED_REPLY_INCOMPLETE ? memcachedReplyWanted : 0, 12);
  store<u32>(out, (record - out) >> 2, 16);
  return status;
}
