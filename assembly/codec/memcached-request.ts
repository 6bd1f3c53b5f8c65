// Requests of the memcached text protocol (memcached, doc/protocol.txt), the classic commands and the meta commands.
//
//   set <key> <flags> <exptime> <bytes> [noreply] CR LF <data> CR LF          mg <key> <flags>* CR LF
//
// A line ends with LF, with or without CR. memcachedRequest() reads one request and writes what it found as a record:
//
//   0 words of this record   1 command (its place in COMMANDS); a line in error: IN_ERROR | status   2 1: noreply
//   3 client flags, or the level of verbosity   4, 5 exptime or delay (low, high word)   6, 7 cas or delta (low, high word)
//   8 offset of the data block   9 its length   10 words of the line   11… per word: offset, length
//
// The words are those behind the command name: keys first, then (meta commands, stats) whatever followed. Numbers that were
// read, and noreply, are not among them.

import { decimal, findByte, findWord, MAX_LINE_BYTES, readDecimal, readSigned, signed } from "./text";

/** Status of memcachedRequest(): a whole request was read. */
export const MEMCACHED_COMPLETE: i32 = 0;
/** The request goes on behind `end`; at least `memcachedWanted` more bytes are needed. */
export const MEMCACHED_INCOMPLETE: i32 = 1;
/** "ERROR": no such command, or too few or too many words for it. */
export const MEMCACHED_BAD_COMMAND: i32 = 2;
/** "CLIENT_ERROR bad command line format" */
export const MEMCACHED_BAD_LINE: i32 = 3;
/** The same, for a key that is too long or has control characters. */
export const MEMCACHED_BAD_KEY: i32 = 4;
/** "CLIENT_ERROR bad command line format.  Usage: delete <key> [noreply]" */
export const MEMCACHED_BAD_DELETE: i32 = 5;
/** "CLIENT_ERROR invalid numeric delta argument" */
export const MEMCACHED_BAD_DELTA: i32 = 6;
/** "CLIENT_ERROR invalid exptime argument" */
export const MEMCACHED_BAD_EXPTIME: i32 = 7;
/** "CLIENT_ERROR bad data chunk": the data block is not followed by CR LF. */
export const MEMCACHED_BAD_CHUNK: i32 = 8;
/** "SERVER_ERROR object too large for cache"; `memcachedDiscard` bytes behind the line are the data block. */
export const MEMCACHED_TOO_LARGE: i32 = 9;
/** A line is longer than MAX_LINE_BYTES: the connection cannot go on. */
export const MEMCACHED_LONG_LINE: i32 = 10;
/** No room for the record. */
export const MEMCACHED_RECORD_FULL: i32 = 11;

/** Longest key, in bytes. */
export const MAX_MEMCACHED_KEY_BYTES: u32 = 250;

/** First byte behind the request; after an error that is confined to its line, where the next one begins. */
export let memcachedPos: u32 = 0;
/** With MEMCACHED_INCOMPLETE: how many bytes behind `end` are needed at least. */
export let memcachedWanted: u32 = 0;
/** With MEMCACHED_TOO_LARGE: how many bytes from `memcachedPos` on belong to the refused data block. */
export let memcachedDiscard: u64 = 0;
/** Of the line that was read last: the place of its command in COMMANDS, */
export let memcachedCommand: i32 = 0;
/** whether it says noreply, */
export let memcachedNoreply: bool = false;
/** the words behind the command that are no numbers (keys, flags of meta commands), */
export let memcachedWords: u32 = 0;
/** the first byte behind its line feed, */
export let memcachedLineEnd: u32 = 0;
/** and the length of its data block, -1 where it has none. */
export let memcachedDataBytes: i64 = 0;

/** Bytes of a record before its words. */
const RECORD_BYTES: u32 = 44;
/** Set in the command word of a line in error. */
const IN_ERROR: u32 = 0x80;

const COMMAND_COUNT: i32 = 25;

/** Names, filled up to 16 bytes. Their order is that of the kinds below and of the names in src/codec/memcached.ts. */
const COMMANDS: usize = memory.data<u8>([
  103, 101, 116, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, // get
  103, 101, 116, 115, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, // gets
  103, 97, 116, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, // gat
  103, 97, 116, 115, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, // gats
  115, 101, 116, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, // set
  97, 100, 100, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, // add
  114, 101, 112, 108, 97, 99, 101, 0, 0, 0, 0, 0, 0, 0, 0, 0, // replace
  97, 112, 112, 101, 110, 100, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, // append
  112, 114, 101, 112, 101, 110, 100, 0, 0, 0, 0, 0, 0, 0, 0, 0, // prepend
  99, 97, 115, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, // cas
  105, 110, 99, 114, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, // incr
  100, 101, 99, 114, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, // decr
  116, 111, 117, 99, 104, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, // touch
  100, 101, 108, 101, 116, 101, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, // delete
  102, 108, 117, 115, 104, 95, 97, 108, 108, 0, 0, 0, 0, 0, 0, 0, // flush_all
  118, 101, 114, 115, 105, 111, 110, 0, 0, 0, 0, 0, 0, 0, 0, 0, // version
  118, 101, 114, 98, 111, 115, 105, 116, 121, 0, 0, 0, 0, 0, 0, 0, // verbosity
  115, 116, 97, 116, 115, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, // stats
  113, 117, 105, 116, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, // quit
  109, 103, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, // mg
  109, 115, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, // ms
  109, 100, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, // md
  109, 97, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, // ma
  109, 101, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, // me
  109, 110, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, // mn
]);

/**
 * What the words of a command must be, eight bytes per command: one letter per word, read from left to right.
 *
 *   k key   K one or more keys   f client flags   b length of the data   c cas   d delta   l level   0 the digit 0
 *   x exptime or delay   X the same where a mistake is a bad line   * anything, any number of words
 *   ? the next one may be left out   n noreply may stand here
 */
const SHAPES: usize = memory.data<u8>([
  75, 0, 0, 0, 0, 0, 0, 0, // get K
  75, 0, 0, 0, 0, 0, 0, 0, // gets K
  120, 75, 0, 0, 0, 0, 0, 0, // gat xK
  120, 75, 0, 0, 0, 0, 0, 0, // gats xK
  107, 102, 88, 98, 110, 0, 0, 0, // set kfXbn
  107, 102, 88, 98, 110, 0, 0, 0, // add kfXbn
  107, 102, 88, 98, 110, 0, 0, 0, // replace kfXbn
  107, 102, 88, 98, 110, 0, 0, 0, // append kfXbn
  107, 102, 88, 98, 110, 0, 0, 0, // prepend kfXbn
  107, 102, 88, 98, 99, 110, 0, 0, // cas kfXbcn
  107, 100, 110, 0, 0, 0, 0, 0, // incr kdn
  107, 100, 110, 0, 0, 0, 0, 0, // decr kdn
  107, 120, 110, 0, 0, 0, 0, 0, // touch kxn
  107, 63, 48, 110, 0, 0, 0, 0, // delete k?0n
  63, 120, 110, 0, 0, 0, 0, 0, // flush_all ?xn
  42, 0, 0, 0, 0, 0, 0, 0, // version *
  108, 110, 0, 0, 0, 0, 0, 0, // verbosity ln
  42, 0, 0, 0, 0, 0, 0, 0, // stats *
  42, 0, 0, 0, 0, 0, 0, 0, // quit *
  107, 42, 0, 0, 0, 0, 0, 0, // mg k*
  107, 98, 42, 0, 0, 0, 0, 0, // ms kb*
  107, 42, 0, 0, 0, 0, 0, 0, // md k*
  107, 42, 0, 0, 0, 0, 0, 0, // ma k*
  107, 42, 0, 0, 0, 0, 0, 0, // me k*
  42, 0, 0, 0, 0, 0, 0, 0, // mn *
]);

/** Most bytes of a data block that a line may announce, as in memcached: more is a bad line. */
const MAX_ANNOUNCED_BYTES: u64 = 0x7ffffffd;
/** Highest exptime, in seconds, of either sign: what a JavaScript number holds exactly. */
const MAX_EXPTIME: i64 = 0x1fffffffffffff;

/**
 * Reads one request from `pos` to `end` and returns a MEMCACHED_ status. The record goes to `out` (0: none is written), where
 * nothing is written at or behind `outEnd`; its offsets are relative to `base`. A data block above `maxBytes` is refused.
 */
export function memcachedRequest(pos: u32, end: u32, maxBytes: u32, out: u32, outEnd: u32, base: u32): i32 {
  memcachedNoreply = false;
  memcachedDataBytes = -1;
  const limit = end - pos > MAX_LINE_BYTES ? pos + MAX_LINE_BYTES + 1 : end;
  const lineFeed = findByte(pos, limit, 10);
  if (lineFeed == limit) {
    if (limit - pos > MAX_LINE_BYTES) return MEMCACHED_LONG_LINE;
    memcachedWanted = 1;
    return MEMCACHED_INCOMPLETE;
  }
  const lineEnd = lineFeed > pos && load<u8>(lineFeed - 1) == 13 ? lineFeed - 1 : lineFeed;
  memcachedPos = lineFeed + 1;
  memcachedLineEnd = memcachedPos;
  if (out != 0) {
    if (out + RECORD_BYTES > outEnd) return MEMCACHED_RECORD_FULL;
    memory.fill(out, 0, RECORD_BYTES);
  }

  let word = skipSpaces(pos, lineEnd);
  let wordEnd = findSpace(word, lineEnd);
  const command = findWord(word, wordEnd, COMMANDS, COMMAND_COUNT);
  if (command < 0) return MEMCACHED_BAD_COMMAND;
  let shape = SHAPES + (<usize>command << 3);
  let words: u32 = 0;
  memcachedCommand = command;
  while (true) {
    word = skipSpaces(wordEnd, lineEnd);
    if (word == lineEnd) break;
    wordEnd = findSpace(word, lineEnd);
    let letter = <u32>load<u8>(shape);
    if (letter == 63 /* ? */) {
      letter = <u32>load<u8>(shape, 1);
      shape++;
      if (isNoreply(word, wordEnd)) {
        shape++;
        letter = 110;
      }
    }
    switch (letter) {
      case 107 /* k */:
      case 75 /* K */:
      case 42 /* * */: {
        if (!isPrintable(word, wordEnd)) return letter == 42 ? MEMCACHED_BAD_LINE : MEMCACHED_BAD_KEY;
        if (letter != 42 && wordEnd - word > MAX_MEMCACHED_KEY_BYTES) return MEMCACHED_BAD_KEY;
        if (letter != 107) shape--;
        if (out != 0) {
          const entry = out + RECORD_BYTES + (words << 3);
          if (entry + 8 > outEnd) return MEMCACHED_RECORD_FULL;
          store<u32>(entry, word - base);
          store<u32>(entry, wordEnd - word, 4);
        }
        words++;
        break;
      }
      case 102 /* f */:
      case 108 /* l */:
        if (!readDecimal(word, wordEnd, 0xffffffff)) return MEMCACHED_BAD_LINE;
        if (out != 0) store<u32>(out, <u32>decimal, 12);
        break;
      case 120 /* x */:
      case 88 /* X */:
        if (!readSigned(word, wordEnd, false) || signed > MAX_EXPTIME || signed < -MAX_EXPTIME) {
          return letter == 120 ? MEMCACHED_BAD_EXPTIME : MEMCACHED_BAD_LINE;
        }
        if (out != 0) store<i64>(out, signed, 16);
        break;
      case 98 /* b */:
        if (!readDecimal(word, wordEnd, MAX_ANNOUNCED_BYTES)) return MEMCACHED_BAD_LINE;
        memcachedDataBytes = <i64>decimal;
        break;
      case 99 /* c */:
      case 100 /* d */:
        if (!readDecimal(word, wordEnd, 0xffffffffffffffff)) return letter == 100 ? MEMCACHED_BAD_DELTA : MEMCACHED_BAD_LINE;
        if (out != 0) store<u64>(out, decimal, 24);
        break;
      case 48 /* 0 */:
        if (wordEnd - word != 1 || load<u8>(word) != 48) return MEMCACHED_BAD_DELETE;
        break;
      case 110 /* n */:
        if (!isNoreply(word, wordEnd)) return MEMCACHED_BAD_COMMAND;
        memcachedNoreply = true;
        if (out != 0) store<u32>(out, 1, 8);
        break;
      default:
        return MEMCACHED_BAD_COMMAND;
    }
    shape++;
  }
  const missing = <u32>load<u8>(shape);
  if (missing != 0 && missing != 63 && missing != 42 && missing != 110 && !(missing == 75 && words != 0)) {
    return MEMCACHED_BAD_COMMAND;
  }

  memcachedWords = words;
  if (memcachedDataBytes >= 0) {
    const data = memcachedPos;
    const length = <u32>memcachedDataBytes;
    if (length > maxBytes) {
      memcachedDiscard = <u64>length + 2;
      return MEMCACHED_TOO_LARGE;
    }
    const have = end - data;
    if (have < length + 2) {
      memcachedWanted = length + 2 - have;
      return MEMCACHED_INCOMPLETE;
    }
    memcachedPos = data + length + 2;
    if (load<u16>(data + length) != 0x0a0d) return MEMCACHED_BAD_CHUNK;
    if (out != 0) {
      store<u32>(out, data - base, 32);
      store<u32>(out, length, 36);
    }
  }
  if (out != 0) {
    store<u32>(out, (RECORD_BYTES >> 2) + (words << 1));
    store<u32>(out, command, 4);
    store<u32>(out, words, 40);
  }
  return MEMCACHED_COMPLETE;
}

function skipSpaces(pos: u32, end: u32): u32 {
  while (pos < end && load<u8>(pos) == 32) pos++;
  return pos;
}

function findSpace(pos: u32, end: u32): u32 {
  while (pos < end && load<u8>(pos) != 32) pos++;
  return pos;
}

/** Whether [pos, end) has no control character. */
function isPrintable(pos: u32, end: u32): bool {
  for (; pos < end; pos++) {
    const byte = <u32>load<u8>(pos);
    if (byte < 32 || byte == 127) return false;
  }
  return true;
}

function isNoreply(pos: u32, end: u32): bool {
  return end - pos == 7 && load<u32>(pos) == 0x65726f6e && load<u32>(pos, 3) == 0x796c7065;
}

// ---- A whole chunk in one call ------------------------------------------------------------------------------------

/**
 * Writes a record per whole request among the `length` bytes at `input`, one for each line in error too. `out` (`capacity` words):
 *
 *   0 status (MEMCACHED_COMPLETE, MEMCACHED_INCOMPLETE, MEMCACHED_LONG_LINE or MEMCACHED_RECORD_FULL)   1 bytes of the whole requests
 *   2 records   3 bytes wanted   4 words used   5 bytes to be passed over behind `length`: the rest of a refused data block
 *   6… the records
 */
export function memcachedIndex(input: u32, length: u32, maxBytes: u32, most: u32, out: u32, capacity: u32): i32 {
  const end = input + length;
  const outEnd = out + (capacity << 2);
  let pos = input;
  let record = out + 24;
  let records: u32 = 0;
  let discard: u32 = 0;
  let status = MEMCACHED_COMPLETE;
  while (pos < end && records < most) {
    status = memcachedRequest(pos, end, maxBytes, record, outEnd, input);
    if (status == MEMCACHED_INCOMPLETE || status >= MEMCACHED_LONG_LINE) break;
    pos = memcachedPos;
    if (status != MEMCACHED_COMPLETE) {
      store<u32>(record, RECORD_BYTES >> 2);
      store<u32>(record, IN_ERROR | status, 4);
      store<u32>(record, 0, 40);
      if (status == MEMCACHED_TOO_LARGE) {
        const have = <u64>(end - pos);
        discard = memcachedDiscard > have ? <u32>(memcachedDiscard - have) : 0;
        pos = discard != 0 ? end : pos + <u32>memcachedDiscard;
      }
      status = MEMCACHED_COMPLETE;
    }
    record += load<u32>(record) << 2;
    records++;
  }
  store<u32>(out, status);
  store<u32>(out, pos - input, 4);
  store<u32>(out, records, 8);
  store<u32>(out, status == MEMCACHED_INCOMPLETE ? memcachedWanted : 0, 12);
  store<u32>(out, (record - out) >> 2, 16);
  store<u32>(out, discard, 20);
  return status;
}
