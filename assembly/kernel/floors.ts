// Floors: one stamp per database (FLUSHALL, FLUSHDB in a ring). What is at or below it is gone, and what comes later at or below
// it, from a repair or a peer that was away, is refused. Setting one takes what it covers out of the table at once, and has it freed
// later, so nothing that looks entries up, walks or counts needs to know of floors.
//
//   per database   0 u64 stamp   8 u64 node

import { lastStamp, observeStamp } from "./clock";
import { detach, detachOlder } from "./detached";
import { isNewer } from "./ring/frames";
import { DATABASES, tableEntries } from "./table";

const FLOOR_BYTES: u32 = 16;

const floors: usize = memory.data(16 * 16, 16);

export function floorsInit(): void {
  memory.fill(floors, 0, DATABASES * FLOOR_BYTES);
}

/** Stamp of a database's floor, 0 for none. */
// @ts-ignore: decorator
@inline
export function floorStamp(database: u32): u64 {
  return load<u64>(floors + database * FLOOR_BYTES);
}
/** Node that minted it. */
// @ts-ignore: decorator
@inline
export function floorNode(database: u32): u32 {
  return load<u32>(floors + database * FLOOR_BYTES, 8);
}

/** Stamp of a database's floor for the host, 0 for none. */
export function floorOf(database: u32): u64 {
  return database < DATABASES ? floorStamp(database) : 0;
}

export function floorNodeOf(database: u32): u32 {
  return database < DATABASES ? floorNode(database) : 0;
}

/**
 * Raises the floor of a database, and removes every entry and tombstone at or below it. A lower one changes nothing. Takes note of
 * the stamp: later ones are larger.
 */
export function setFloor(database: u32, stamp: u64, node: u32): void {
  if (database >= DATABASES || !isNewer(stamp, node, floorStamp(database), floorNode(database))) return;
  store<u64>(floors + database * FLOOR_BYTES, stamp);
  store<u64>(floors + database * FLOOR_BYTES, <u64>node, 8);
  const newest = lastStamp;
  observeStamp(stamp);
  if (tableEntries(database) == 0) return;
  // What is in the database has no stamp above the newest that was seen.
  if (newest < stamp) detach(database);
  else detachOlder(database, stamp, node);
}
