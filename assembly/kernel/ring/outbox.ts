// The outbox of a link: frames are appended to it within a turn; the host seals it, sends it and says that it was flushed.
// Acknowledgements are only counted; the run of them is written where another answer follows, and when the outbox is sealed.
// Room for two runs is always kept, so acknowledging never fails.

import { copyBytes } from "../entries";
import { siphash } from "../siphash";
import {
  FLAG_OBJECT,
  FLAG_TOMBSTONE,
  recordBodyLength,
  recordFlags,
  recordKey,
  recordKeyLength,
} from "../record";
import { slotRecord, tableFind } from "../table";
import {
  ACKS_BYTES,
  FAIL_BYTES,
  FRAME_ACKS,
  FRAME_FAIL,
  FRAME_NEWER,
  FRAME_OBJECT,
  FRAME_PRIOR,
  FRAME_READ,
  FRAME_STALE,
  FRAME_TOMBSTONE,
  FRAME_WRITE,
  frameLength,
  frameType,
  KEY_HEADER_BYTES,
  PRIOR_BYTES,
  putHeader,
  STALE_HEADER_BYTES,
  tagFlag,
} from "./frames";
import { ACKS_SENT, countFigure, FRAMES_OUT, REPAIRS_SENT } from "./figures";
import { OUTBOX_BYTES } from "./limits";
import {
  LINK_ACKS,
  LINK_OUT_LENGTH,
  LINK_OUTBOX,
  linkAddress,
  linkExpect,
  linkIsOpen,
  linkIsUp,
  linkTakesAwaited,
  NO_SLOT,
} from "./links";

/** Most bytes of frames that an outbox takes. */
export const OUTBOX_ROOM: u32 = OUTBOX_BYTES - 2 * ACKS_BYTES;

/** Whether the outbox of an open link takes so many bytes more. */
// @ts-ignore: decorator
@inline
export function outboxRoom(link: u32, bytes: u32): bool {
  return outboxRoomAt(linkAddress(link), bytes);
}

/** As outboxRoom(), for the address of the link. */
// @ts-ignore: decorator
@inline
export function outboxRoomAt(at: u32, bytes: u32): bool {
  return <u64>load<u32>(at, LINK_OUT_LENGTH) + bytes <= OUTBOX_ROOM;
}

/** Takes the next `bytes` of an outbox, by the address of its link, that has room for them; they are not counted as a frame. */
// @ts-ignore: decorator
@inline
export function outboxTake(at: u32, bytes: u32): u32 {
  const length = load<u32>(at, LINK_OUT_LENGTH);
  store<u32>(at, length + bytes, LINK_OUT_LENGTH);
  return load<u32>(at, LINK_OUTBOX) + length;
}

/** Takes the next `bytes` of an outbox that has room for them, and counts the frame. */
// @ts-ignore: decorator
@inline
function take(link: u32, bytes: u32, type: u32): u32 {
  countFigure(FRAMES_OUT + type - FRAME_WRITE, 1);
  return outboxTake(linkAddress(link), bytes);
}

// ---- Requests: outboxRoom() must have been true, and linkExpect() ----------------------------------------------------

/** Bytes of a WRITE or NEWER frame. */
// @ts-ignore: decorator
@inline
export function writeBytes(keyLength: u32, valueLength: u32): u32 {
  return KEY_HEADER_BYTES + keyLength + valueLength;
}

/** Appends a WRITE. `flags`: FRAME_ flags. */
// @ts-ignore: decorator
@inline
export function frameWrite(
  link: u32,
  database: u32,
  flags: u32,
  stamp: u64,
  expiryAndNode: u64,
  key: u32,
  keyLength: u32,
  value: u32,
  valueLength: u32,
): void {
  const bytes = writeBytes(keyLength, valueLength);
  const at = take(link, bytes, FRAME_WRITE);
  putRecord(at, bytes, FRAME_WRITE, flags | database, stamp, expiryAndNode, key, keyLength, value, valueLength);
}

/** Appends a READ: `stamp` and `node` of what the asker holds, 0 and 0 for nothing. */
// @ts-ignore: decorator
@inline
export function frameRead(link: u32, database: u32, stamp: u64, node: u32, key: u32, keyLength: u32): void {
  takeKey(link, FRAME_READ, database, stamp, node, key, keyLength);
}

/** Appends a frame of `type` with a key and no value. */
// @ts-ignore: decorator
@inline
function takeKey(link: u32, type: u32, flags: u32, stamp: u64, node: u32, key: u32, keyLength: u32): void {
  const bytes = writeBytes(keyLength, 0);
  putRecord(take(link, bytes, type), bytes, type, flags, stamp, <u64>node, key, keyLength, 0, 0);
}

/** Appends bytes that are whole frames, of one type as far as the figures go. */
export function frameCopy(link: u32, frame: u32, length: u32): void {
  memory.copy(take(link, length, frameType(frame)), frame, length);
}

// @ts-ignore: decorator
@inline
export function putRecord(
  at: u32,
  bytes: u32,
  type: u32,
  flags: u32,
  stamp: u64,
  expiryAndNode: u64,
  key: u32,
  keyLength: u32,
  value: u32,
  valueLength: u32,
): void {
  putHeader(at, bytes, type, flags);
  store<u64>(at, stamp, 8);
  store<u64>(at, expiryAndNode, 16);
  store<u32>(at, keyLength, 24);
  copyBytes(at + KEY_HEADER_BYTES, key, keyLength);
  copyBytes(at + KEY_HEADER_BYTES + keyLength, value, valueLength);
}

/** Writes a record of the table as a frame of `bytes` bytes, which may end before its value. */
export function putHeld(at: u32, bytes: u32, type: u32, flags: u32, record: u32): void {
  putHeader(at, bytes, type, flags);
  // Stamp, expiry and node, and the key's length lie in a record as in a frame; so do key and value.
  memory.copy(at + 8, record + 8, 20);
  copyBytes(at + KEY_HEADER_BYTES, recordKey(record), bytes - KEY_HEADER_BYTES);
}

// ---- Answers --------------------------------------------------------------------------------------------------------

/** Whether the outbox of an open link takes an answer of so many bytes. */
// @ts-ignore: decorator
@inline
export function answerRoom(link: u32, bytes: u32): bool {
  return outboxRoom(link, bytes + ACKS_BYTES);
}

/** Whether an answer of so many bytes fits into an outbox that is empty. */
// @ts-ignore: decorator
@inline
export function answerFits(bytes: u32): bool {
  return bytes <= OUTBOX_ROOM - ACKS_BYTES;
}

/** Counts one acknowledgement. */
// @ts-ignore: decorator
@inline
export function answerAck(link: u32): void {
  const at = linkAddress(link);
  store<u32>(at, load<u32>(at, LINK_ACKS) + 1, LINK_ACKS);
}

/** Writes the run of acknowledgements that is owed. */
function putAcks(link: u32): void {
  const at = linkAddress(link);
  const count = load<u32>(at, LINK_ACKS);
  if (count == 0) return;
  const frame = take(link, ACKS_BYTES, FRAME_ACKS);
  putHeader(frame, ACKS_BYTES, FRAME_ACKS, 0);
  store<u32>(frame, count, 8);
  store<u32>(at, 0, LINK_ACKS);
  countFigure(ACKS_SENT, count);
}

/** Answers FAIL; answerRoom() must have been true for FAIL_BYTES, as for the others here. */
export function answerFail(link: u32, code: u32): void {
  putAcks(link);
  const frame = take(link, FAIL_BYTES, FRAME_FAIL);
  putHeader(frame, FAIL_BYTES, FRAME_FAIL, 0);
  store<u32>(frame, code, 8);
}

/** Answers a WRITE that is older than what is held: `stamp`, `node`. Takes STALE_HEADER_BYTES and the frame. */
export function answerStale(link: u32, stamp: u64, node: u32, refused: u32): void {
  putAcks(link);
  const length = frameLength(refused);
  const frame = take(link, STALE_HEADER_BYTES + length, FRAME_STALE);
  putHeader(frame, STALE_HEADER_BYTES + length, FRAME_STALE, 0);
  store<u64>(frame, stamp, 8);
  store<u64>(frame, <u64>node, 16);
  memory.copy(frame + STALE_HEADER_BYTES, refused, length);
}

/** Answers a READ with a newer record of the table that is alive. Takes writeBytes(). */
export function answerRecord(link: u32, database: u32, record: u32): void {
  putAcks(link);
  const bytes = writeBytes(recordKeyLength(record), recordBodyLength(record));
  putHeld(take(link, bytes, FRAME_NEWER), bytes, FRAME_NEWER, database | tagFlag(record), record);
}

/**
 * Answers a READ without a value: FRAME_NEWER with FRAME_TOMBSTONE in `flags`, or FRAME_OLDER where the asker holds something newer
 * than `stamp` and `node`. Takes writeBytes() without a value.
 */
export function answerKey(link: u32, type: u32, flags: u32, stamp: u64, node: u32, key: u32, keyLength: u32): void {
  putAcks(link);
  takeKey(link, type, flags, stamp, node, key, keyLength);
}

/** Answers a DEL that came upon something newer than its coordinator saw. Takes PRIOR_BYTES. */
export function answerPrior(link: u32, stamp: u64, node: u32, alive: bool): void {
  putAcks(link);
  const frame = take(link, PRIOR_BYTES, FRAME_PRIOR);
  putHeader(frame, PRIOR_BYTES, FRAME_PRIOR, 0);
  store<u64>(frame, stamp, 8);
  store<u64>(frame, <u64>node, 16);
  store<u32>(frame, alive ? 1 : 0, 24);
}

/** Answers with the bytes of a whole frame. */
export function answerFrame(link: u32, frame: u32, length: u32): void {
  putAcks(link);
  frameCopy(link, frame, length);
}

/** Completes the outbox of a link, the acknowledgements that are owed included; its length. */
export function linkSeal(link: u32): u32 {
  if (!linkIsOpen(link)) return 0;
  putAcks(link);
  return load<u32>(linkAddress(link), LINK_OUT_LENGTH);
}

// ---- Repairs --------------------------------------------------------------------------------------------------------

/** The record was sent. */
export const REPAIR_SENT: i32 = 0;
/** The outbox of the link lacks room now. */
export const REPAIR_NO_ROOM: i32 = 1;
/** The host must send it: an object, or too large for an outbox. */
export const REPAIR_HOST: i32 = 2;
/** There is nothing to send any more, or the link does not take it. */
export const REPAIR_NONE: i32 = 3;

/**
 * Sends the record that the table holds for a key, or its tombstone, to one replica; `slot` (or NO_SLOT) waits for the answer.
 * Returns a REPAIR_.
 */
export function repairTo(link: u32, database: u32, key: u32, keyLength: u32, slot: u32): i32 {
  if (!(slot == NO_SLOT ? linkIsUp(link) : linkTakesAwaited(link))) return REPAIR_NONE;
  const place = tableFind(database, siphash(key, keyLength), key, keyLength);
  if (place == 0) return REPAIR_NONE;
  const record = slotRecord(place);
  const flags = recordFlags(record);
  if (flags & FLAG_OBJECT) return REPAIR_HOST;
  const bytes = writeBytes(keyLength, recordBodyLength(record));
  if (!outboxRoom(link, bytes)) return bytes > OUTBOX_ROOM ? REPAIR_HOST : REPAIR_NO_ROOM;
  linkExpect(link, slot);
  const frameFlags = flags & FLAG_TOMBSTONE ? FRAME_TOMBSTONE : tagFlag(record);
  putHeld(take(link, bytes, FRAME_WRITE), bytes, FRAME_WRITE, database | frameFlags, record);
  countFigure(REPAIRS_SENT, 1);
  return REPAIR_SENT;
}
