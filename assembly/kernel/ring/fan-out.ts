// Sending to the replicas of a set: who is up, whether their outboxes have the room, and the frames. Room is asked for before
// anything is done, so that nothing has to be taken back.

import { copyBytes } from "../entries";
import { FLAG_TOMBSTONE, recordBodyLength, recordFlags, recordKey, recordNode, recordStamp } from "../record";
import { slotRecord, tableFindHinted } from "../table";
import { countFigure, FRAMES_OUT } from "./figures";
import {
  FRAME_FIRST,
  FRAME_READ,
  FRAME_SPREAD,
  FRAME_TOMBSTONE,
  FRAME_WRITE,
  KEY_HEADER_BYTES,
  putHeader,
  tagFlag,
  WRITE_SEEN_BYTES,
} from "./frames";
import { linkExpectAt, linkIsThere, NO_SLOT } from "./links";
import { outboxRoomAt, outboxTake, putRecord, writeBytes } from "./outbox";
import { setLocal, setPosition } from "./route";
import { allShut, allSpare, allWriters, gather, localWriters, noteMissed, writer } from "./targets";

/** Longest key and value together that the kernel sends: an outbox always takes a few of them. */
export const MAX_RECORD_BYTES: u32 = 64 * 1024;
/** Most bytes of all frames of one command on a link. */
export const MAX_COMMAND_BYTES: u32 = 128 * 1024;

/** Instead of a number of links: an outbox lacks the room. */
export const NO_ROOM: u32 = 0xffffffff;

/** How many other local replicas take a write of `bytes`; NO_ROOM when an outbox, of another datacenter too, lacks the room. */
// @ts-ignore: decorator
@inline
export function writableLinks(set: u32, bytes: u32): u32 {
  gather(set);
  const all = allWriters;
  for (let i: u32 = 0; i < all; i++) if (!outboxRoomAt(writer(i), bytes)) return NO_ROOM;
  return withSpare(bytes);
}

/** How many local links take a request of `bytes` that a slot waits for, full ones among them; NO_ROOM when one of those lacks it. */
// @ts-ignore: decorator
@inline
function withSpare(bytes: u32): u32 {
  const spare = allSpare;
  for (let i: u32 = 0; i < spare; i++) if (!outboxRoomAt(writer(allWriters + i), bytes)) return NO_ROOM;
  return localWriters + spare;
}

/**
 * How many other local replicas can be asked to read by `bytes`; NO_ROOM when an outbox lacks the room. One that is fenced
 * counts: whether it is, only itself knows for certain, and it refuses then.
 */
// @ts-ignore: decorator
@inline
export function readableLinks(set: u32, bytes: u32): u32 {
  gather(set);
  const local = localWriters;
  for (let i: u32 = 0; i < local; i++) if (!outboxRoomAt(writer(i), bytes)) return NO_ROOM;
  return withSpare(bytes);
}

/**
 * Whether this node, a replica of the set and not fenced, is the first of its fixed order that is there. One whose link takes no
 * requests is there: a key has one executor, however busy the links are.
 */
export function isExecutor(set: u32): bool {
  const before = setPosition(set);
  for (let i: u32 = 0; i < before; i++) if (linkIsThere(setLocal(set, i))) return false;
  return true;
}

/** Frames that the last sendRecord() or sendWrite() wrote, those to other datacenters included. */
export let framesSent: u32 = 0;

/**
 * Sends a record, or a tombstone with `seen` (0: none) in it, to the other replicas of its set, and to other datacenters; `handle`
 * waits for the local ones. How many those are.
 */
export function sendRecord(set: u32, handle: u32, database: u32, record: u32, key: u32, keyLength: u32, seen: u32): u32 {
  const dead = (recordFlags(record) & FLAG_TOMBSTONE) != 0;
  const stamp = recordStamp(record);
  const expiryAndNode = load<u64>(record, 16);
  if (dead && seen != 0) {
    return sendWrite(set, handle, database, FRAME_TOMBSTONE, stamp, expiryAndNode, key, keyLength, seen, WRITE_SEEN_BYTES);
  }
  gather(set);
  const local = localWriters;
  const all = allWriters;
  const spare = spareFor(handle);
  framesSent = all + spare;
  if (allShut != 0) noteMissed(stamp, spare);
  // Key, value and tag lie in a record as in a frame; a tombstone has no value.
  const length = keyLength + recordBodyLength(record);
  const bytes = writeBytes(length, 0);
  const flags = database | (dead ? FRAME_TOMBSTONE : tagFlag(record));
  for (let i: u32 = 0; i < framesSent; i++) {
    const at = writer(i);
    const isLocal = i < local || i >= all;
    linkExpectAt(at, isLocal ? handle : NO_SLOT);
    const frame = outboxTake(at, bytes);
    putHeader(frame, bytes, FRAME_WRITE, isLocal ? flags : flags | FRAME_SPREAD);
    store<u64>(frame, stamp, 8);
    store<u64>(frame, expiryAndNode, 16);
    store<u32>(frame, keyLength, 24);
    copyBytes(frame + KEY_HEADER_BYTES, recordKey(record), length);
  }
  countFigure(FRAMES_OUT + FRAME_WRITE - FRAME_FIRST, framesSent);
  return local + spare;
}

/** How many links that are full are sent something for which `handle` waits: nobody's is not worth exceeding their bound. */
// @ts-ignore: decorator
@inline
function spareFor(handle: u32): u32 {
  return handle == NO_SLOT ? 0 : allSpare;
}

/** As sendRecord(), with the fields of the frame. */
export function sendWrite(
  set: u32,
  handle: u32,
  database: u32,
  flags: u32,
  stamp: u64,
  expiryAndNode: u64,
  key: u32,
  keyLength: u32,
  value: u32,
  length: u32,
): u32 {
  gather(set);
  const local = localWriters;
  const all = allWriters;
  const spare = spareFor(handle);
  framesSent = all + spare;
  if (allShut != 0) noteMissed(stamp, spare);
  if (framesSent == 0) return 0;
  const bytes = writeBytes(keyLength, length);
  let first: u32 = 0;
  for (let i: u32 = 0; i < framesSent; i++) {
    const at = writer(i);
    const isLocal = i < local || i >= all;
    linkExpectAt(at, isLocal ? handle : NO_SLOT);
    const frame = outboxTake(at, bytes);
    if (first == 0) {
      putRecord(frame, bytes, FRAME_WRITE, flags | database, stamp, expiryAndNode, key, keyLength, value, length);
      first = frame;
    } else {
      copyFrame(frame, first, bytes);
    }
    if (!isLocal) store<u8>(frame, <u8>(flags | database | FRAME_SPREAD), 5);
  }
  countFigure(FRAMES_OUT + FRAME_WRITE - FRAME_FIRST, framesSent);
  return local + spare;
}

/** Copies a frame from one outbox to another. Behind the bytes that an outbox hands out are more than 15 that are its own. */
// @ts-ignore: decorator
@inline
function copyFrame(to: u32, from: u32, bytes: u32): void {
  if (bytes > 256) {
    memory.copy(to, from, bytes);
    return;
  }
  for (let at: u32 = 0; at < bytes; at += 16) v128.store(to + at, v128.load(from + at));
}

/** Asks the other local replicas for something newer than what is held here; how many. */
// @ts-ignore: decorator
@inline
export function sendRead(set: u32, handle: u32, database: u32, hash: u32, key: u32, keyLength: u32): u32 {
  const slot = tableFindHinted(database, hash, key, keyLength);
  let stamp: u64 = 0;
  let node: u32 = 0;
  if (slot != 0) {
    stamp = recordStamp(slotRecord(slot));
    node = recordNode(slotRecord(slot));
  }
  return sendReadOf(set, handle, database, stamp, node, key, keyLength);
}

/** Asks the other local replicas for something newer than a stamp; how many. */
export function sendReadOf(
  set: u32,
  handle: u32,
  database: u32,
  stamp: u64,
  node: u32,
  key: u32,
  keyLength: u32,
): u32 {
  gather(set);
  const local = localWriters;
  const asked = local + allSpare;
  const bytes = writeBytes(keyLength, 0);
  let first: u32 = 0;
  for (let i: u32 = 0; i < asked; i++) {
    const at = writer(i < local ? i : i - local + allWriters);
    linkExpectAt(at, handle);
    const frame = outboxTake(at, bytes);
    if (first == 0) {
      putRecord(frame, bytes, FRAME_READ, database, stamp, <u64>node, key, keyLength, 0, 0);
      first = frame;
    } else {
      copyFrame(frame, first, bytes);
    }
  }
  countFigure(FRAMES_OUT + FRAME_READ - FRAME_FIRST, asked);
  return asked;
}
