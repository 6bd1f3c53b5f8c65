// Quorums that the host asks for: it has changed a record, or needs to know whether others hold something newer. Each opens a slot
// of the host, whose decision comes as an event.

import { FLAG_OBJECT, recordBodyLength, recordFlags } from "../record";
import { siphash } from "../siphash";
import { slotRecord, tableFind } from "../table";
import { MAX_RECORD_BYTES, NO_ROOM, readableLinks, sendRead, sendRecord, writableLinks } from "./fan-out";
import { NO_SLOT } from "./links";
import { writeBytes } from "./outbox";
import { routeMembers } from "./route";
import { slotExpects, slotOpen, slotSeal } from "./slots";

/** The host must do it by itself: an object, too long, nothing there, or too many slots. */
const QUORUM_LEFT: i32 = 0;
/** The frames are in the outboxes; the event follows. */
const QUORUM_SENT: i32 = 1;
/** An outbox lacks the room: flush them all and call again. */
const QUORUM_NO_ROOM: i32 = 2;

/**
 * Sends the record of a key, or its tombstone, to its other replicas, as after a write; `need` acknowledgements of local ones
 * decide, and so do those that hold something newer. `age`: see slotOpen(). Returns a QUORUM_.
 */
export function replicate(database: u32, key: u32, length: u32, tag: u32, need: u32, age: u32): i32 {
  const set = routeMembers(key, length);
  const slot = tableFind(database, siphash(key, length), key, length);
  if (slot == 0) return QUORUM_LEFT;
  const record = slotRecord(slot);
  if (recordFlags(record) & FLAG_OBJECT) return QUORUM_LEFT;
  const valueLength = recordBodyLength(record);
  if (length > MAX_RECORD_BYTES || valueLength > MAX_RECORD_BYTES - length) return QUORUM_LEFT;
  if (writableLinks(set, writeBytes(length, valueLength)) == NO_ROOM) return QUORUM_NO_ROOM;
  const handle = slotOpen(tag, need, age, true);
  if (handle == NO_SLOT) return QUORUM_LEFT;
  slotExpects(handle, sendRecord(set, handle, database, record, key, length, 0));
  slotSeal(handle);
  return QUORUM_SENT;
}

/**
 * Asks the other local replicas for something newer than the record of a key, which is merged as it comes; `need` answers decide.
 * `age`: see slotOpen(). Returns a QUORUM_.
 */
export function readAround(database: u32, key: u32, length: u32, tag: u32, need: u32, age: u32): i32 {
  if (length > MAX_RECORD_BYTES) return QUORUM_LEFT;
  const hash = siphash(key, length);
  const slot = tableFind(database, hash, key, length);
  // Objects of one stamp may differ in older elements: the host asks with their digest.
  if (slot != 0 && recordFlags(slotRecord(slot)) & FLAG_OBJECT) return QUORUM_LEFT;
  const set = routeMembers(key, length);
  if (readableLinks(set, writeBytes(length, 0)) == NO_ROOM) return QUORUM_NO_ROOM;
  const handle = slotOpen(tag, need, age, false);
  if (handle == NO_SLOT) return QUORUM_LEFT;
  slotExpects(handle, sendRead(set, handle, database, hash, key, length));
  slotSeal(handle);
  return QUORUM_SENT;
}
