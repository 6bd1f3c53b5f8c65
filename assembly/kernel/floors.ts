// Floors: one stamp per database (FLUSHALL, FLUSHDB in a ring). What is at or below it is gone, and what comes later at or below
// it, from a repair or a peer that was away, is refused. Setting one removes at once what it covers, so nothing that looks
// entries up, walks or counts needs to know of floors.
//
//   per database   0 u64 stamp   8 u64 node

import { drop } from "./entries";
import { recordNode, recordStamp } from "./record";
import { isNewer } from "./ring/frames";
import { DATABASES, slotRecord, SWEEP_SLOTS, tableDrop, tableEntries, tableSweep, tableSweepNext } from "./table";

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

/** Raises the floor of a database, and removes every entry and tombstone at or below it. A lower one changes nothing. */
export function setFloor(database: u32, stamp: u64, node: u32): void {
  if (database >= DATABASES || !isNewer(stamp, node, floorStamp(database), floorNode(database))) return;
  store<u64>(floors + database * FLOOR_BYTES, stamp);
  store<u64>(floors + database * FLOOR_BYTES, <u64>node, 8);
  if (tableEntries(database) == 0) return;
  let hash: u32 = 0;
  do {
    const first = tableSweep(database, hash);
    let slot = first;
    while (slot < first + (SWEEP_SLOTS << 3)) {
      const record = slotRecord(slot);
      // Removing moves another entry into this slot: look again.
      if (record != 0 && !isNewer(recordStamp(record), recordNode(record), stamp, node)) drop(database, slot);
      else slot += 8;
    }
    hash = tableSweepNext(database, hash);
  } while (hash != 0);
  if (tableEntries(database) == 0) tableDrop(database);
}
