// Indexes that a flush has taken away from their databases, with all that is in them: nobody finds, walks or counts it any more, and
// it is freed a few thousand entries at a time, when there is time or when room is needed. Each has an index number behind those of
// the databases; only compaction still looks records up in them, since it moves those too.

import { drop } from "./entries";
import { recordDatabase, recordHash, recordNode, recordStamp } from "./record";
import { isNewer } from "./ring/frames";
import { DATABASES, DETACHED, slotMarks, slotRecord, tableEntries, tableRemove, tableReplace } from "./table";
import { tableDrop, tableHandOver, tableInsert, tableReserve } from "./table-grow";
import { SWEEP_SLOTS, tableSweep, tableSweepNext } from "./table-walk";

/** Slots that one call of freeDetached() looks at: those of a segment. */
const SLICE_SLOTS: u32 = 8192;

// Per index: u32 database that it was of, u32 hash to go on from.
const detached: usize = memory.data(64 * 8, 16);
/** Where the oldest is, and how many there are. */
let oldest: u32 = 0;
let count: u32 = 0;

export function detachedInit(): void {
  oldest = 0;
  count = 0;
}

/** The index number of the one that came `i` after the oldest. */
// @ts-ignore: decorator
@inline
function indexAt(i: u32): u32 {
  return DATABASES + ((oldest + i) & (DETACHED - 1));
}
// @ts-ignore: decorator
@inline
function entryOf(index: u32): u32 {
  return <u32>detached + ((index - DATABASES) << 3);
}

/** Empties a database. What was in it is freed later; of a small one at once. */
export function detach(database: u32): void {
  if (tableEntries(database) == 0) tableDrop(database);
  else freeSlice(takeAway(database));
}

/** The same with all that is not newer than a stamp. */
export function detachOlder(database: u32, stamp: u64, node: u32): void {
  const index = takeAway(database);
  if (bringNewer(index, database, stamp, node)) {
    freeSlice(index);
    return;
  }
  // At the ceiling there are no pages for another index: back, and everything that is older goes at once.
  bringBack(database, index);
  count--;
  dropOlder(database, stamp, node);
}

/** Gives the index of a database another number, which it returns; the database has none then. */
function takeAway(database: u32): u32 {
  while (count == DETACHED) freeSlice(indexAt(0));
  const index = indexAt(count++);
  tableHandOver(database, index);
  store<u32>(entryOf(index), database);
  store<u32>(entryOf(index), 0, 4);
  return index;
}

/** Moves what is newer than a stamp from a detached index into that of the database; false where there is no room for it. */
function bringNewer(index: u32, database: u32, stamp: u64, node: u32): bool {
  let hash: u32 = 0;
  do {
    const first = tableSweep(index, hash);
    let slot = first;
    while (slot < first + (SWEEP_SLOTS << 3)) {
      const record = slotRecord(slot);
      if (record == 0 || !isNewer(recordStamp(record), recordNode(record), stamp, node)) {
        slot += 8;
        continue;
      }
      if (!tableReserve(database, recordHash(record))) return false;
      tableInsert(database, recordHash(record), record, slotMarks(slot));
      // Removing moves another entry into this slot: look again.
      tableRemove(index, slot);
    }
    hash = tableSweepNext(index, hash);
  } while (hash != 0);
  return true;
}

/** Undoes bringNewer() and takeAway(). */
function bringBack(database: u32, index: u32): void {
  if (tableEntries(database) != 0) {
    let hash: u32 = 0;
    do {
      const first = tableSweep(database, hash);
      for (let slot = first; slot < first + (SWEEP_SLOTS << 3); slot += 8) {
        const record = slotRecord(slot);
        if (record != 0) tableInsert(index, recordHash(record), record, slotMarks(slot));
      }
      hash = tableSweepNext(database, hash);
    } while (hash != 0);
  }
  tableDrop(database);
  tableHandOver(index, database);
}

function dropOlder(database: u32, stamp: u64, node: u32): void {
  let hash: u32 = 0;
  do {
    const first = tableSweep(database, hash);
    let slot = first;
    while (slot < first + (SWEEP_SLOTS << 3)) {
      const record = slotRecord(slot);
      if (record != 0 && !isNewer(recordStamp(record), recordNode(record), stamp, node)) drop(database, slot);
      else slot += 8;
    }
    hash = tableSweepNext(database, hash);
  } while (hash != 0);
}

/** Frees some of what flushes have taken away; whether there was anything. */
export function freeDetached(): bool {
  if (count == 0) return false;
  freeSlice(indexAt(0));
  return true;
}

/** Whether freeDetached() has something to do. */
export function hasDetached(): bool {
  return count != 0;
}

/** Frees a slice of the oldest index or of the newest, and forgets it when it is empty. */
function freeSlice(index: u32): void {
  let hash = load<u32>(entryOf(index), 4);
  for (let looked: u32 = 0; looked < SLICE_SLOTS; looked += SWEEP_SLOTS) {
    const first = tableSweep(index, hash);
    let slot = first;
    while (slot < first + (SWEEP_SLOTS << 3)) {
      if (slotRecord(slot) != 0) drop(index, slot);
      else slot += 8;
    }
    hash = tableSweepNext(index, hash);
    if (hash == 0) {
      tableDrop(index);
      if (index == indexAt(0)) oldest = (oldest + 1) & (DETACHED - 1);
      count--;
      return;
    }
  }
  store<u32>(entryOf(index), hash, 4);
}

/** Puts the new address of a record that has moved into its slot, in whichever index of its database that is. */
export function recordMoved(from: u32, to: u32): void {
  const database = recordDatabase(to);
  if (tableReplace(database, from, to)) return;
  for (let i: u32 = 0; i < count; i++) {
    const index = indexAt(i);
    if (load<u32>(entryOf(index)) == database && tableReplace(index, from, to)) return;
  }
}
