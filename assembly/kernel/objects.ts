// Records of host objects in a replicated table. An object that has no element left, or has expired, still knows stamps that
// what comes from other nodes must be compared with. So its record stays: a tombstone that keeps its handle (FLAG_OBJECT and
// FLAG_TOMBSTONE), which no reader sees. One that has expired keeps its expiry until the host has trimmed it.

import { nodeIndex, observeStamp } from "./clock";
import { entryObjectBytes, entryPut } from "./entries";
import { FLAG_OBJECT, FLAG_TOMBSTONE, recordExpiry, recordFlags, recordSetFlags, recordValueLength } from "./record";
import { isTooFarAhead } from "./ring/apply";
import { siphash } from "./siphash";
import {
  DATABASES,
  MARK_TOMBSTONE,
  MARK_VOLATILE,
  slotMarks,
  slotRecord,
  slotSet,
  tableFind,
  tableTombstones,
} from "./table";
import { SWEEP_SLOTS, tableSweep, tableSweepNext } from "./table-walk";

/** Objects have been hidden since the sweep began its round. */
let hasHidden: bool = false;
/** The sweep for hidden objects is in a round, and where. */
let sweeping: bool = false;
let sweepDatabase: u32 = 0;
let sweepHash: u32 = 0;

export function objectsInit(): void {
  hasHidden = false;
  sweeping = false;
}

/** Hides the object in a slot, which has expired. */
export function hideObject(database: u32, slot: u32): void {
  const record = slotRecord(slot);
  recordSetFlags(record, recordFlags(record) | FLAG_TOMBSTONE);
  slotSet(database, slot, record, MARK_TOMBSTONE);
  hasHidden = true;
}

/** The record of a key as it is, be it a tombstone or expired; 0 for none. */
export function hostPeek(database: u32, key: u32, length: u32): u32 {
  const slot = tableFind(database, siphash(key, length), key, length);
  return slot == 0 ? 0 : slotRecord(slot);
}

/**
 * Gives a key the record of the object `handle`, which takes `bytes` bytes on the host, or changes that record where it is the
 * key's already. `flags`: FLAG_TOMBSTONE or 0; stamp and `expiryAndNode` as in a record. Returns the record, 0 at the ceiling,
 * with nothing changed.
 */
export function hostInstall(
  database: u32,
  key: u32,
  length: u32,
  handle: u32,
  bytes: f64,
  flags: u32,
  stamp: u64,
  expiryAndNode: u64,
): u32 {
  const hash = siphash(key, length);
  const slot = tableFind(database, hash, key, length);
  let record = slot == 0 ? 0 : slotRecord(slot);
  let marks: u32 = expiryAndNode >> 16 != 0 ? MARK_VOLATILE : 0;
  if (flags & FLAG_TOMBSTONE) marks = MARK_TOMBSTONE;
  if (record != 0 && recordFlags(record) & FLAG_OBJECT && recordValueLength(record) == handle) {
    recordSetFlags(record, (recordFlags(record) & ~FLAG_TOMBSTONE) | flags);
    slotSet(database, slot, record, marks);
  } else {
    record = entryPut(database, slot, hash, key, length, handle, FLAG_OBJECT | flags, marks, 0);
    if (record == 0) return 0;
  }
  store<u64>(record, stamp, 8);
  store<u64>(record, expiryAndNode, 16);
  entryObjectBytes(record, bytes);
  return record;
}

/**
 * The record of an object that has expired and that the host has not trimmed yet (its expiry is not 0), among the next `slots`
 * slots; 0 for none.
 */
export function hostUntrimmed(slots: u32): u32 {
  for (let looked: u32 = 0; looked < slots; looked += SWEEP_SLOTS) {
    if (!sweeping && !beginSweep()) return 0;
    const first = tableSweep(sweepDatabase, sweepHash);
    if (first == 0) {
      // The database has been flushed meanwhile.
      nextDatabase(sweepDatabase + 1);
      continue;
    }
    for (let slot = first; slot < first + (SWEEP_SLOTS << 3); slot += 8) {
      if (slotMarks(slot) != MARK_TOMBSTONE) continue;
      const record = slotRecord(slot);
      if (recordFlags(record) & FLAG_OBJECT && recordExpiry(record) != 0) return record;
    }
    sweepHash = tableSweepNext(sweepDatabase, sweepHash);
    if (sweepHash == 0) nextDatabase(sweepDatabase + 1);
  }
  return 0;
}

function beginSweep(): bool {
  if (!hasHidden) return false;
  hasHidden = false;
  nextDatabase(0);
  return sweeping;
}

/** Goes to the first database from `database` on that has tombstones; behind the last one the round ends. */
function nextDatabase(database: u32): void {
  sweepHash = 0;
  sweepDatabase = database;
  while (sweepDatabase < DATABASES && tableTombstones(sweepDatabase) == 0) sweepDatabase++;
  sweeping = sweepDatabase < DATABASES;
}

/** Takes note of a stamp of another node: later ones are larger. False: it is too far ahead and was not taken over. */
export function hostObserve(stamp: u64): bool {
  if (isTooFarAhead(stamp)) return false;
  observeStamp(stamp);
  return true;
}

/** The index of this node in stamps. */
export function hostNode(): u32 {
  return nodeIndex;
}
