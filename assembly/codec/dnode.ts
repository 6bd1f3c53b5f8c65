// dnode frames, framing version 1: what nodes of the C engine say to each other.
//
//   "   $2014$ " id SP type SP flags SP version SP same_dc SP "*" data_length SP data SP "*" payload_length CR LF payload
//
// Numbers are decimal. Exactly one space stands between the fields up to the data; the star before data_length may be missing,
// and before the second star there may be any number of spaces up to MAX_SPACES. A reader passes over everything in front of
// the magic, and over a header that does not read as one. Three spaces in front of the magic belong to the frame.
//
// The stated payload length of a plain REQ, REQ_FORWARD or RES is not used: the C engine states a wrong one when it relays a
// frame. There the payload's end is that of the request or reply in it. It is used for all other frames.
//
// What parseDnode() must know to go on later stands in a state of DNODE_STATE_BYTES bytes, all zero on a new connection.
// Offsets count from the first byte of the frame, so the bytes may move between two calls.
//
//   0 phase   4 bytes passed over in front of this frame   8 id (u64)   16 type   20 flags   24 version   28 same_dc (1 or 0)
//   32 offset of the data   36 its length   40 stated payload length   44 offset of the payload   48 length of the frame
//   52 offset of the next byte to read   56 arguments left, or the memcached group   60 status of the payload's own parser
//   64… state of scanReply()

import { memcachedReply, memcachedReplyGroup, memcachedReplyPos, memcachedReplyWanted, MEMCACHED_REPLY_TOO_LARGE } from "./memcached-reply";
import { memcachedPos, memcachedRequest, memcachedWanted, MEMCACHED_TOO_LARGE } from "./memcached-request";
import { replyPos, replyWanted, REPLY_STATE_BYTES, scanReply } from "./resp-reply";
import { parseRequest, requestArgc, requestLeft, requestPos, requestResume, requestWanted } from "./resp-request";
import { decimal, findByte, readDecimal } from "./text";

/** Status of parseDnode(): a whole frame was read. */
export const DNODE_COMPLETE: i32 = 0;
/** The frame goes on behind `end`; at least `dnodeWanted` more bytes are needed. */
export const DNODE_INCOMPLETE: i32 = 1;
/** The data field is longer than MAX_DNODE_DATA_BYTES. */
export const DNODE_LONG_DATA: i32 = 2;
/** The payload is longer than allowed. */
export const DNODE_LONG_PAYLOAD: i32 = 3;
/** The payload of a plain request or response is none; its parser's status is at 60 in the state. */
export const DNODE_BAD_PAYLOAD: i32 = 4;

/** Payload of plain requests and responses: RESP. */
export const DNODE_REDIS: i32 = 0;
/** Payload of plain requests and responses: the memcached text protocol. */
export const DNODE_MEMCACHED: i32 = 1;

export const DNODE_REQ: u32 = 3;
export const DNODE_REQ_FORWARD: u32 = 4;
export const DNODE_RES: u32 = 5;

/** Longest data field, in bytes. */
export const MAX_DNODE_DATA_BYTES: u32 = 64 * 1024;
/** Most digits of a number of the header, and most spaces in front of the second star. */
const MAX_DIGITS: u32 = 20;
const MAX_SPACES: u32 = 20;

/** Size of the state of parseDnode(). */
export const DNODE_STATE_BYTES: u32 = 64 + REPLY_STATE_BYTES;

/** First byte of the frame: what lies in front of it is not needed any more. */
export let dnodeStart: u32 = 0;
/** With DNODE_INCOMPLETE: how many bytes behind `end` are needed at least. */
export let dnodeWanted: u32 = 0;

const SEEKING: u32 = 0;
const IN_PAYLOAD: u32 = 1;
const DONE: u32 = 2;

/** "$2014$" */
const MAGIC_BYTES: u32 = 6;
const MAGIC: u64 = 0x243431303224;

const SKIPPED: usize = 4;
const ID: usize = 8;
const TYPE: usize = 16;
const FLAGS: usize = 20;
const VERSION: usize = 24;
const SAME_DC: usize = 28;
const DATA: usize = 32;
const DATA_BYTES: usize = 36;
const STATED: usize = 40;
const PAYLOAD: usize = 44;
const FRAME_BYTES: usize = 48;
const READ: usize = 52;
const LEFT: usize = 56;
const REASON: usize = 60;
const REPLY: u32 = 64;

/**
 * Reads one frame from `start` to `end` and returns a DNODE_ status. `start` is where the last frame ended, or `dnodeStart` of the
 * last call on the same bytes. `kind` is DNODE_REDIS or DNODE_MEMCACHED. After an error the state means nothing.
 */
export function parseDnode(start: u32, end: u32, state: u32, kind: i32, maxPayloadBytes: u32): i32 {
  let phase = load<u32>(state);
  if (phase == DONE) {
    store<u32>(state, 0, SKIPPED);
    phase = SEEKING;
  }
  dnodeStart = start;
  if (phase == SEEKING) {
    let search = start;
    while (true) {
      const status = findMagic(search, end, start);
      store<u32>(state, load<u32>(state, SKIPPED) + (dnodeStart - start), SKIPPED);
      start = dnodeStart;
      if (status != DNODE_COMPLETE) {
        store<u32>(state, SEEKING);
        dnodeWanted = 1;
        return DNODE_INCOMPLETE;
      }
      const header = readHeader(state, end);
      if (header == DNODE_COMPLETE) break;
      if (header != HEADER_BAD) {
        store<u32>(state, SEEKING);
        return header;
      }
      search = magicAt + 1;
    }
    store<u32>(state, IN_PAYLOAD);
    store<u32>(state, load<u32>(state, PAYLOAD), READ);
    store<u32>(state, 0, LEFT);
    store<u32>(state, 0, REASON);
    memory.fill(state + REPLY, 0, 16);
  }
  const type = load<u32>(state, TYPE);
  const payload = start + load<u32>(state, PAYLOAD);
  let status: i32;
  if (load<u32>(state, FLAGS) == 1 || type - DNODE_REQ > 2) {
    const stated = load<u32>(state, STATED);
    if (stated > maxPayloadBytes) return DNODE_LONG_PAYLOAD;
    if (end - payload < stated) {
      dnodeWanted = stated - (end - payload);
      return DNODE_INCOMPLETE;
    }
    status = DNODE_COMPLETE;
    readEnd = payload + stated;
  } else {
    // Nothing behind the longest payload is looked at, so that the answer does not depend on what has come.
    const limit = end - payload > maxPayloadBytes ? payload + maxPayloadBytes : end;
    status =
      kind == DNODE_REDIS
        ? readRedis(start + load<u32>(state, READ), limit, state, type, payload)
        : readMemcached(start + load<u32>(state, READ), limit, state, type, maxPayloadBytes);
    if (status == DNODE_INCOMPLETE) {
      if (<u64>(limit - payload) + <u64>dnodeWanted > <u64>maxPayloadBytes) return DNODE_LONG_PAYLOAD;
      store<u32>(state, readEnd - start, READ);
    }
  }
  if (status == DNODE_COMPLETE) {
    store<u32>(state, DONE);
    store<u32>(state, readEnd - start, FRAME_BYTES);
  }
  return status;
}

// ---- The header ---------------------------------------------------------------------------------------------------

let magicAt: u32 = 0;

/** Finds the magic from `pos` on and sets magicAt, and dnodeStart to what is kept: at most three spaces, `from` at the lowest. */
function findMagic(pos: u32, end: u32, from: u32): i32 {
  while (true) {
    pos = findByte(pos, end, 36 /* $ */);
    let have = end - pos;
    if (have > MAGIC_BYTES) have = MAGIC_BYTES;
    let same: u32 = 0;
    while (same < have && <u64>load<u8>(pos + same) == ((MAGIC >> (<u64>same << 3)) & 0xff)) same++;
    if (same == have) {
      // Either the magic, or its beginning at the end of the bytes, or nothing at all.
      magicAt = pos;
      let kept = pos;
      while (kept > from && pos - kept < 3 && load<u8>(kept - 1) == 32) kept--;
      dnodeStart = kept;
      return have == MAGIC_BYTES ? DNODE_COMPLETE : DNODE_INCOMPLETE;
    }
    pos++;
  }
}

const HEADER_BAD: i32 = -1;

let fieldEnd: u32 = 0;

/** Reads the header whose magic is at magicAt. Returns DNODE_COMPLETE, DNODE_INCOMPLETE, DNODE_LONG_DATA or HEADER_BAD. */
function readHeader(state: u32, end: u32): i32 {
  const start = dnodeStart;
  let pos = magicAt + MAGIC_BYTES;
  dnodeWanted = 1;
  if (pos == end) return DNODE_INCOMPLETE;
  if (load<u8>(pos) != 32) return HEADER_BAD;
  pos++;

  let status = readField(pos, end, 32, 0xffffffffffffffff);
  if (status != 0) return status;
  store<u64>(state, decimal, ID);
  for (let field = state + <u32>TYPE; field <= state + <u32>SAME_DC; field += 4) {
    status = readField(fieldEnd, end, 32, 255);
    if (status != 0) return status;
    store<u32>(field, <u32>decimal);
  }
  store<u32>(state, load<u32>(state, FLAGS) & 15, FLAGS);
  store<u32>(state, <u32>(load<u32>(state, SAME_DC) != 0), SAME_DC);

  pos = fieldEnd;
  if (pos == end) return DNODE_INCOMPLETE;
  if (load<u8>(pos) == 42 /* * */) pos++;
  status = readField(pos, end, 32, 0xffffffff);
  if (status != 0) return status;
  const length = <u32>decimal;
  // The C engine never ends a frame without data.
  if (length == 0) return HEADER_BAD;
  if (length > MAX_DNODE_DATA_BYTES) return DNODE_LONG_DATA;
  store<u32>(state, fieldEnd - start, DATA);
  store<u32>(state, length, DATA_BYTES);
  if (end - fieldEnd < length) {
    dnodeWanted = length - (end - fieldEnd);
    return DNODE_INCOMPLETE;
  }

  pos = fieldEnd + length;
  const spaces = pos;
  while (pos < end && load<u8>(pos) == 32) {
    pos++;
    if (pos - spaces > MAX_SPACES) return HEADER_BAD;
  }
  if (pos == end) return DNODE_INCOMPLETE;
  if (load<u8>(pos) != 42) return HEADER_BAD;
  status = readField(pos + 1, end, 13, 0xffffffff);
  if (status != 0) return status;
  if (fieldEnd == end) return DNODE_INCOMPLETE;
  if (load<u8>(fieldEnd) != 10) return HEADER_BAD;
  store<u32>(state, <u32>decimal, STATED);
  store<u32>(state, fieldEnd + 1 - start, PAYLOAD);
  return DNODE_COMPLETE;
}

/** Reads digits and the byte `behind` them into `decimal` and fieldEnd. Returns 0, DNODE_INCOMPLETE or HEADER_BAD. */
function readField(pos: u32, end: u32, behind: u32, max: u64): i32 {
  const first = pos;
  while (pos < end && <u32>load<u8>(pos) - 48 < 10) {
    pos++;
    if (pos - first > MAX_DIGITS) return HEADER_BAD;
  }
  if (pos == end) return DNODE_INCOMPLETE;
  if (load<u8>(pos) != behind || !readDecimal(first, pos, max)) return HEADER_BAD;
  fieldEnd = pos + 1;
  return 0;
}

// ---- The payload --------------------------------------------------------------------------------------------------

/** Where the payload's parser stopped. */
let readEnd: u32 = 0;

function readRedis(pos: u32, end: u32, state: u32, type: u32, payload: u32): i32 {
  if (type == DNODE_RES) {
    const status = scanReply(pos, end, state + REPLY, 0, 0, 0);
    readEnd = replyPos;
    dnodeWanted = replyWanted;
    return outcome(status, state);
  }
  if (payload == end) {
    readEnd = pos;
    dnodeWanted = 1;
    return DNODE_INCOMPLETE;
  }
  // Of the inline commands only PING goes between nodes: anything else that is no array is a broken stream.
  const inline = load<u8>(payload) != 42;
  if (inline && !beginsPing(payload, end)) return DNODE_BAD_PAYLOAD;
  requestResume(pos, load<u32>(state, LEFT));
  const status = parseRequest(end, 0, 0, false);
  readEnd = requestPos;
  dnodeWanted = requestWanted;
  if (status == DNODE_INCOMPLETE) store<u32>(state, requestLeft, LEFT);
  // A count below 1, or an empty line, is a request to nobody: it would never be answered.
  if (status == DNODE_COMPLETE && requestArgc == 0 && load<u32>(state, LEFT) == 0) return DNODE_BAD_PAYLOAD;
  return outcome(status, state);
}

/** Whether what there is of [pos, end) begins as PING in either case, with white space behind it. */
function beginsPing(pos: u32, end: u32): bool {
  let have = end - pos;
  if (have > 4) {
    if (load<u8>(pos + 4) > 32) return false;
    have = 4;
  }
  for (let i: u32 = 0; i < have; i++) {
    if (<u32>(load<u8>(pos + i) | 32) != ((0x676e6970 >> (i << 3)) & 0xff)) return false;
  }
  return true;
}

function readMemcached(pos: u32, end: u32, state: u32, type: u32, maxBytes: u32): i32 {
  if (type == DNODE_RES) {
    const status = memcachedReply(pos, end, load<u32>(state, LEFT), maxBytes, 0, 0, 0);
    readEnd = memcachedReplyPos;
    dnodeWanted = memcachedReplyWanted;
    store<u32>(state, memcachedReplyGroup, LEFT);
    if (status == MEMCACHED_REPLY_TOO_LARGE) return DNODE_LONG_PAYLOAD;
    return outcome(status, state);
  }
  const status = memcachedRequest(pos, end, maxBytes, 0, 0, 0);
  readEnd = status == DNODE_COMPLETE ? memcachedPos : pos;
  dnodeWanted = memcachedWanted;
  if (status == MEMCACHED_TOO_LARGE) return DNODE_LONG_PAYLOAD;
  return outcome(status, state);
}

/** A payload parser's status as one of this one: 0 and 1 mean the same in all of them. */
function outcome(status: i32, state: u32): i32 {
  if (status <= DNODE_INCOMPLETE) return status;
  store<u32>(state, status, REASON);
  return DNODE_BAD_PAYLOAD;
}

// ---- Writing ------------------------------------------------------------------------------------------------------

/** Most bytes that writeDnodeHeader() writes beside the data. */
export const MAX_DNODE_HEADER_BYTES: u32 = 96;

/** Writes the header of a frame to `out` and returns the address behind it. The data are copied from `data`. */
export function writeDnodeHeader(
  out: u32,
  id: u64,
  type: u32,
  flags: u32,
  version: u32,
  sameDc: bool,
  data: u32,
  dataLength: u32,
  payloadLength: u32,
): u32 {
  // "   $2014$ "
  store<u64>(out, 0x3431303224202020);
  store<u16>(out, 0x2024, 8);
  out = writeDecimal(out + 10, id, 32);
  out = writeDecimal(out, type, 32);
  out = writeDecimal(out, flags, 32);
  out = writeDecimal(out, version, 32);
  out = writeDecimal(out, <u64>sameDc, 32);
  store<u8>(out++, 42);
  out = writeDecimal(out, dataLength, 32);
  memory.copy(out, data, dataLength);
  out += dataLength;
  store<u16>(out, 0x2a20);
  out = writeDecimal(out + 2, payloadLength, 13);
  store<u8>(out, 10);
  return out + 1;
}

/** Writes `value` and the byte `behind` it; returns the address behind both. */
function writeDecimal(out: u32, value: u64, behind: u32): u32 {
  let digits: u32 = 1;
  for (let rest = value; rest > 9; rest /= 10) digits++;
  for (let i = digits; i > 0; i--) {
    store<u8>(out + i - 1, 48 + <u32>(value % 10));
    value /= 10;
  }
  store<u8>(out + digits, behind);
  return out + digits + 1;
}
