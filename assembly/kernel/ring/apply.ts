// Applying records of other nodes by stamp: the newer of two wins, whichever comes first, so that replicas that have seen the same
// records hold the same. Tombstones and floors count as records.

import { arenaHasRoom } from "../arena";
import { noteChange, now } from "../clock";
import { copyBytes, entryBury, entryOverwrite, entryPut } from "../entries";
import { floorNode, floorStamp } from "../floors";
import {
  FLAG_OBJECT,
  FLAG_TAGGED,
  FLAG_TOMBSTONE,
  recordBytes,
  recordExpiry,
  recordFlags,
  recordNode,
  recordStamp,
  recordValue,
  TAG_BYTES,
} from "../record";
import { hasRoom, makeRoom } from "../room";
import { MARK_TOMBSTONE, MARK_VOLATILE, slotMarks, slotRecord, tableFind, tableFindAt } from "../table";
import { FRAME_OBJECT, FRAME_TAGGED, FRAME_TOMBSTONE, isNewer } from "./frames";
import { maxStampAheadMs } from "./limits";

/** The record is in the table now. */
export const APPLY_APPLIED: i32 = 0;
/** The table holds it already. */
export const APPLY_EQUAL: i32 = 1;
/** The table holds a newer one, or its floor is not below: see heldStamp. */
export const APPLY_STALE: i32 = 2;
/** There is no memory for it. */
export const APPLY_NO_MEMORY: i32 = 3;
/** Its stamp is too far ahead of this node's clock. */
export const APPLY_TOO_FAR_AHEAD: i32 = 4;
/** The host must apply it: an encoded object, or one that is older than an object of the host, which may lose elements by it. */
export const APPLY_OBJECT: i32 = 5;

/**
 * Of what was stale, and of a tombstone: stamp and node of what was held for the key (a floor included, where that is newer), 0 and
 * 0 for nothing.
 */
export let heldStamp: u64 = 0;
export let heldNode: u32 = 0;
/** Whether a tombstone that was applied removed something that was alive. */
export let heldAlive: bool = false;

/** Whether a stamp is so far ahead of this node's clock that it must not be taken over. */
// @ts-ignore: decorator
@inline
export function isTooFarAhead(stamp: u64): bool {
  return stamp >> 16 > now + maxStampAheadMs;
}

/**
 * Applies a record by stamp. `expiryAndNode` as in a record; `flags`: FRAME_TOMBSTONE (no value), FRAME_OBJECT (always
 * APPLY_OBJECT), FRAME_TAGGED. One that has expired already becomes a tombstone with its stamp. The stamp must not be too far ahead, and has
 * been observed. Returns an APPLY_.
 */
export function entryApply(
  database: u32,
  hash: u32,
  key: u32,
  keyLength: u32,
  value: u32,
  valueLength: u32,
  stamp: u64,
  expiryAndNode: u64,
  flags: u32,
): i32 {
  return entryApplyAt(0, database, hash, key, keyLength, value, valueLength, stamp, expiryAndNode, flags);
}

/** The same with the slot that tableFindAt() may try first. */
// @ts-ignore: decorator
@inline
export function entryApplyAt(
  hint: u32,
  database: u32,
  hash: u32,
  key: u32,
  keyLength: u32,
  value: u32,
  valueLength: u32,
  stamp: u64,
  expiryAndNode: u64,
  flags: u32,
): i32 {
  if (flags & FRAME_OBJECT) return APPLY_OBJECT;
  const node = <u32>expiryAndNode & 0xffff;
  let beforeStamp = floorStamp(database);
  let beforeNode = floorNode(database);
  if (!isNewer(stamp, node, beforeStamp, beforeNode)) return stale(beforeStamp, beforeNode);
  let slot = tableFindAt(hint, database, hash, key, keyLength);
  if (slot != 0) {
    const record = slotRecord(slot);
    beforeStamp = recordStamp(record);
    beforeNode = recordNode(record);
    if (!isNewer(stamp, node, beforeStamp, beforeNode)) {
      if (stamp == beforeStamp && node == beforeNode) return APPLY_EQUAL;
      return recordFlags(record) & FLAG_OBJECT ? APPLY_OBJECT : stale(beforeStamp, beforeNode);
    }
  }
  const expiry = expiryAndNode >> 16;
  if (flags & FRAME_TOMBSTONE || (expiry != 0 && expiry <= now)) {
    stale(beforeStamp, beforeNode);
    return bury(database, slot, hash, key, keyLength, stamp, node);
  }
  const bytes = recordBytes(keyLength, valueLength);
  if (!hasRoom(bytes)) {
    if (!makeRoom(bytes)) return APPLY_NO_MEMORY;
    slot = tableFind(database, hash, key, keyLength);
  }
  const marks: u32 = expiry != 0 ? MARK_VOLATILE : 0;
  const tagged = (flags & FRAME_TAGGED) != 0;
  const length = tagged ? valueLength - TAG_BYTES : valueLength;
  const record = entryPut(database, slot, hash, key, keyLength, length, tagged ? FLAG_TAGGED : 0, marks, 0);
  if (record == 0) return APPLY_NO_MEMORY;
  store<u64>(record, stamp, 8);
  store<u64>(record, expiryAndNode, 16);
  copyBytes(recordValue(record), value, valueLength);
  noteChange();
  return APPLY_APPLIED;
}

/** Notes what is held. */
function stale(stamp: u64, node: u32): i32 {
  heldStamp = stamp;
  heldNode = node;
  return APPLY_STALE;
}

/**
 * As entryApplyAt() for a plain value, where all that it does is to overwrite one that is older: the common case. False, with
 * nothing done, when entryApplyAt() must look closer.
 */
// @ts-ignore: decorator
@inline
export function applyOver(
  slot: u32,
  database: u32,
  key: u32,
  keyLength: u32,
  value: u32,
  valueLength: u32,
  stamp: u64,
  node: u64,
): bool {
  if (stamp <= recordStamp(slotRecord(slot)) || stamp <= floorStamp(database) || !hasRoom(recordBytes(keyLength, valueLength))) return false;
  const record = entryOverwrite(slot, database, key, keyLength, value, valueLength);
  if (record == 0) return false;
  store<u64>(record, stamp, 8);
  store<u64>(record, node, 16);
  noteChange();
  return true;
}

function bury(database: u32, slot: u32, hash: u32, key: u32, keyLength: u32, stamp: u64, node: u32): i32 {
  heldAlive = slot != 0 && isAlive(slot);
  const bytes = recordBytes(keyLength, 0);
  // Deletions go through at the memory limit; only the ceiling stops those that need a new record.
  const needsRecord = slot == 0 || (recordFlags(slotRecord(slot)) & FLAG_OBJECT) != 0;
  if (needsRecord && !arenaHasRoom(bytes)) {
    if (!makeRoom(bytes)) return APPLY_NO_MEMORY;
    slot = tableFind(database, hash, key, keyLength);
  }
  if (slot != 0) {
    entryBury(database, slot, stamp, node);
  } else {
    const record = entryPut(database, 0, hash, key, keyLength, 0, FLAG_TOMBSTONE, MARK_TOMBSTONE, 0);
    if (record == 0) return APPLY_NO_MEMORY;
    store<u64>(record, stamp, 8);
    store<u64>(record, <u64>node, 16);
  }
  noteChange();
  return APPLY_APPLIED;
}

/** Whether the entry in a slot is neither a tombstone nor expired. */
function isAlive(slot: u32): bool {
  const marks = slotMarks(slot);
  if (marks & MARK_TOMBSTONE) return false;
  return !(marks & MARK_VOLATILE) || recordExpiry(slotRecord(slot)) > now;
}
