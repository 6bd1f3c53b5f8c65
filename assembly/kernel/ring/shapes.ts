// Whether bytes are a frame of the kernel's: every length in it is checked before anything of it is used.

import { TAG_BYTES } from "../record";
import {
  ACKS_BYTES,
  FAIL_BYTES,
  FLOOR_BYTES,
  FRAME_ACKS,
  FRAME_BATCH,
  FRAME_FAIL,
  FRAME_FIRST,
  FRAME_FLOOR,
  FRAME_HEADER_BYTES,
  FRAME_HOST,
  FRAME_NEWER,
  FRAME_OBJECT,
  FRAME_OLDER,
  FRAME_PRIOR,
  FRAME_READ,
  FRAME_STALE,
  FRAME_TAGGED,
  FRAME_TOMBSTONE,
  FRAME_WRITE,
  frameFlags,
  frameKeyLength,
  frameLength,
  frameType,
  KEY_HEADER_BYTES,
  PRIOR_BYTES,
  STALE_HEADER_BYTES,
  WRITE_SEEN_BYTES,
} from "./frames";

/** Whether a frame of this type can have this length: all that can be said of one that is not whole. */
export function fitsType(type: u32, length: u32): bool {
  if (type < FRAME_FIRST || type >= FRAME_HOST) return length >= FRAME_HEADER_BYTES;
  switch (type) {
    case FRAME_WRITE:
    case FRAME_NEWER:
    case FRAME_READ:
    case FRAME_OLDER:
    case FRAME_BATCH:
      return length >= KEY_HEADER_BYTES;
    case FRAME_STALE:
      return length >= STALE_HEADER_BYTES + KEY_HEADER_BYTES;
    case FRAME_FLOOR:
      return length == FLOOR_BYTES;
    case FRAME_ACKS:
      return length == ACKS_BYTES;
    case FRAME_FAIL:
      return length == FAIL_BYTES;
    case FRAME_PRIOR:
      return length == PRIOR_BYTES;
  }
  return false;
}

/** Whether a whole frame, whose length fits its type, is well-formed. */
// @ts-ignore: decorator
@inline
export function isWellFormed(frame: u32): bool {
  const type = frameType(frame);
  if (type == FRAME_WRITE) return isRecord(frame, WRITE_SEEN_BYTES);
  return type < FRAME_FIRST || type >= FRAME_HOST || isOtherWellFormed(frame, type);
}

function isOtherWellFormed(frame: u32, type: u32): bool {
  switch (type) {
    case FRAME_NEWER:
      return isRecord(frame, 0);
    case FRAME_READ:
      return frameKeyLength(frame) <= frameLength(frame) - KEY_HEADER_BYTES;
    case FRAME_OLDER:
      return frameKeyLength(frame) == frameLength(frame) - KEY_HEADER_BYTES;
    case FRAME_STALE:
      return isWrite(frame + STALE_HEADER_BYTES, frameLength(frame) - STALE_HEADER_BYTES);
    case FRAME_BATCH:
      return isBatch(frame);
  }
  return true;
}

/** A WRITE or NEWER: the key within it, nothing in `aux`, a tag where it says so, and no value of a tombstone but one of `seen` bytes. */
// @ts-ignore: decorator
@inline
function isRecord(frame: u32, seen: u32): bool {
  const behindHeader = frameLength(frame) - KEY_HEADER_BYTES;
  const keyLength = frameKeyLength(frame);
  if (keyLength > behindHeader || load<u16>(frame, 6) != 0) return false;
  const flags = frameFlags(frame);
  const behindKey = behindHeader - keyLength;
  if (flags & FRAME_TAGGED && (flags & (FRAME_TOMBSTONE | FRAME_OBJECT) || behindKey < TAG_BYTES)) return false;
  return !(flags & FRAME_TOMBSTONE) || behindKey == 0 || behindKey == seen;
}

/** Whether `length` bytes (KEY_HEADER_BYTES at least) are one WRITE. */
function isWrite(frame: u32, length: u32): bool {
  return frameLength(frame) == length && frameType(frame) == FRAME_WRITE && isRecord(frame, WRITE_SEEN_BYTES);
}

function isBatch(batch: u32): bool {
  const end = batch + frameLength(batch);
  let count = load<u32>(batch, 24);
  let frame = batch + KEY_HEADER_BYTES;
  while (count != 0) {
    if (end - frame < KEY_HEADER_BYTES) return false;
    const length = frameLength(frame);
    if (length < KEY_HEADER_BYTES || length > end - frame || !isWrite(frame, length)) return false;
    frame += length;
    count--;
  }
  return frame == end;
}
