// Frames between nodes, version 2: what a data frame looks like. The numbers are those of src/link/frame.ts.
//
//   every frame   0 u32 length of all of it   4 u8 type   5 u8 flags (upper 4 bits), database (lower 4)   6 u16 aux
//
//   WRITE 0x10    8 u64 stamp   16 u64 expiry << 16 | node   24 u32 key length   28 key, value (FRAME_TAGGED: its tag last)
//   READ  0x11    8 u64 stamp   16 u64 node (of what the asker holds, 0 and 0: nothing)   24 u32 key length   28 key
//   BATCH 0x12    8 u64 stamp   16 u64 node   24 u32 count   28 that many WRITE frames
//   FLOOR 0x13    8 u64 stamp   16 u64 node
//   ACKS  0x18    8 u32 count: the next so many requests are acknowledged
//   STALE 0x19    8 u64 stamp   16 u64 node (of what the replica holds, or has held)   24 the WRITE frame that it refuses
//   NEWER 0x1a    as WRITE: the replica's newer record
//   OLDER 0x1b    8 u64 stamp   16 u64 node (of what the replica holds, 0 and 0: nothing)   24 u32 key length   28 key
//   FAIL  0x1c    8 u32 code
//   PRIOR 0x1d    8 u64 stamp   16 u64 node   24 u32 1: it was alive, 0: a tombstone. An acknowledgement of a DEL, by a replica
//                 that held this, newer than what the coordinator saw: see WRITE_SEEN_BYTES
//
// Stamps compare as (stamp, node), both unsigned. Requests (0x10–0x17) have no ids: the n-th answer of a link is that of the
// n-th request. Types 0x00–0x0f are the link's, 0x30 and above the host's.

import { recordIsTagged, TAG_BYTES } from "../record";

export const FRAME_WRITE: u32 = 0x10;
export const FRAME_READ: u32 = 0x11;
export const FRAME_BATCH: u32 = 0x12;
export const FRAME_FLOOR: u32 = 0x13;
export const FRAME_ACKS: u32 = 0x18;
export const FRAME_STALE: u32 = 0x19;
export const FRAME_NEWER: u32 = 0x1a;
export const FRAME_OLDER: u32 = 0x1b;
export const FRAME_FAIL: u32 = 0x1c;
export const FRAME_PRIOR: u32 = 0x1d;
/** The first type of the kernel's, and the first of the host's. */
export const FRAME_FIRST: u32 = 0x10;
export const FRAME_HOST: u32 = 0x30;

/**
 * Flags of WRITE and NEWER: a deleted key, pass it on to the other racks of this datacenter, the value is an encoded object, the last
 * TAG_BYTES of the value are its tag.
 */
export const FRAME_TOMBSTONE: u32 = 0x10;
export const FRAME_SPREAD: u32 = 0x20;
export const FRAME_OBJECT: u32 = 0x40;
export const FRAME_TAGGED: u32 = 0x80;
export const FRAME_FLAGS: u32 = 0xf0;
export const FRAME_DATABASE: u32 = 0x0f;

/** Bytes in front of the key of WRITE, READ, NEWER and OLDER, and in front of the first frame of a BATCH. */
export const KEY_HEADER_BYTES: u32 = 28;
/** Bytes of frames of one size, and in front of the echo in STALE. */
export const FRAME_HEADER_BYTES: u32 = 8;
export const ACKS_BYTES: u32 = 12;
export const FAIL_BYTES: u32 = 12;
export const FLOOR_BYTES: u32 = 24;
export const STALE_HEADER_BYTES: u32 = 24;
export const PRIOR_BYTES: u32 = 28;
/**
 * A WRITE with TOMBSTONE has no value, or one of this many bytes: u64 stamp, u16 node of what the coordinator of a DEL saw (0 and
 * 0: nothing). A replica that held something newer than that says so by PRIOR, so that the count is that of the newest.
 */
export const WRITE_SEEN_BYTES: u32 = 10;

/** Codes of FAIL. */
export const FAIL_FENCED: u32 = 1;
export const FAIL_NO_MEMORY: u32 = 2;
export const FAIL_TOO_FAR_AHEAD: u32 = 3;
export const FAIL_NOT_A_REPLICA: u32 = 4;
export const FAIL_INTERNAL: u32 = 5;
/** The answer may be long, and would come too late: so much waits for the asker already. */
export const FAIL_BEHIND: u32 = 6;
/** Given to slotFailed() for a link that is gone; never sent. */
export const FAIL_LINK_DOWN: u32 = 0;

// @ts-ignore: decorator
@inline
export function frameLength(frame: u32): u32 {
  return load<u32>(frame);
}
// @ts-ignore: decorator
@inline
export function frameType(frame: u32): u32 {
  return <u32>load<u8>(frame, 4);
}
// @ts-ignore: decorator
@inline
export function frameFlags(frame: u32): u32 {
  return <u32>load<u8>(frame, 5) & FRAME_FLAGS;
}
// @ts-ignore: decorator
@inline
export function frameDatabase(frame: u32): u32 {
  return <u32>load<u8>(frame, 5) & FRAME_DATABASE;
}
// @ts-ignore: decorator
@inline
export function frameStamp(frame: u32): u64 {
  return load<u64>(frame, 8);
}
/** Of WRITE and NEWER: expiry and node, as in a record. */
// @ts-ignore: decorator
@inline
export function frameExpiryAndNode(frame: u32): u64 {
  return load<u64>(frame, 16);
}
// @ts-ignore: decorator
@inline
export function frameNode(frame: u32): u32 {
  return <u32>load<u16>(frame, 16);
}
// @ts-ignore: decorator
@inline
export function frameKeyLength(frame: u32): u32 {
  return load<u32>(frame, 24);
}
// @ts-ignore: decorator
@inline
export function frameKey(frame: u32): u32 {
  return frame + KEY_HEADER_BYTES;
}
/** Of WRITE and NEWER. */
// @ts-ignore: decorator
@inline
export function frameValue(frame: u32): u32 {
  return frame + KEY_HEADER_BYTES + load<u32>(frame, 24);
}
// @ts-ignore: decorator
@inline
export function frameValueLength(frame: u32): u32 {
  return load<u32>(frame) - KEY_HEADER_BYTES - load<u32>(frame, 24);
}

/** Of WRITE and NEWER with a string: without its tag. */
// @ts-ignore: decorator
@inline
export function frameStringLength(frame: u32): u32 {
  return frameValueLength(frame) - (frameFlags(frame) & FRAME_TAGGED ? TAG_BYTES : 0);
}

/** The flag that the frame of a record has for the tag of its value. */
// @ts-ignore: decorator
@inline
export function tagFlag(record: u32): u32 {
  return recordIsTagged(record) ? FRAME_TAGGED : 0;
}

/** Whether (stamp, node) is newer than (otherStamp, otherNode). */
// @ts-ignore: decorator
@inline
export function isNewer(stamp: u64, node: u32, otherStamp: u64, otherNode: u32): bool {
  return stamp > otherStamp || (stamp == otherStamp && node > otherNode);
}

/** Writes the header of every frame. `flags`: with the database in the lower 4 bits. */
// @ts-ignore: decorator
@inline
export function putHeader(at: u32, length: u32, type: u32, flags: u32): void {
  store<u32>(at, length);
  store<u32>(at, type | (flags << 8), 4);
}
