// What the host's own commands use: one entry at a time, by the key's bytes in linear memory. Addresses of records hold until
// the next hostWrite, hostRemove, hostRename or resume().

import { arenaMaintain, compact } from "./arena";
import { now } from "./clock";
import { detach, freeDetached, hasDetached } from "./detached";
import {
  entriesCount,
  entryBuryMissing,
  entryChanged,
  entryExpire,
  entryFind,
  entryObjectBytes,
  entryRemove,
  entryRename,
  entrySetExpiry,
  entryWrite,
  expireSome,
  foundSlot,
} from "./entries";
import { random } from "./random";
import { FLAG_TOMBSTONE, recordExpiry, recordFlags, recordTouch } from "./record";
import { accessClock } from "./clock";
import { siphash } from "./siphash";
import { MARK_TOMBSTONE, slotMarks, slotRecord } from "./table";
import { tableDraw, tableNext, tableWalk, walkCount } from "./table-walk";

/** The live record of a key or 0; `touch`: it counts as an access. */
export function hostFind(database: u32, key: u32, length: u32, touch: u32): u32 {
  const record = entryFind(database, siphash(key, length), key, length);
  if (record != 0 && touch != 0) recordTouch(record, accessClock);
  return record;
}

/**
 * Makes or overwrites an entry: see entryWrite(). `expiry` in ms since the epoch, 0 for none. For a host object (FLAG_OBJECT)
 * `valueLength` is its handle. Returns the record, 0 at the ceiling.
 */
export function hostWrite(
  database: u32,
  key: u32,
  length: u32,
  valueLength: u32,
  flags: u32,
  expiry: f64,
  slack: u32,
): u32 {
  return entryWrite(database, siphash(key, length), key, length, valueLength, flags, <u64>expiry, slack);
}

/** Removes a key; whether it was there. Where tombstones are kept, a missing key gets one too. */
export function hostRemove(database: u32, key: u32, length: u32): bool {
  const hash = siphash(key, length);
  if (entryFind(database, hash, key, length) == 0) {
    entryBuryMissing(database, hash, key, length);
    return false;
  }
  entryRemove(database, foundSlot);
  return true;
}

/**
 * Moves the entry of a key to `toKey` of `toDatabase`, which must not be the same: 1, 0 when there is none, -1 at the ceiling.
 */
export function hostRename(database: u32, key: u32, length: u32, toDatabase: u32, toKey: u32, toLength: u32): i32 {
  if (entryFind(database, siphash(key, length), key, length) == 0) return 0;
  return entryRename(database, foundSlot, toDatabase, siphash(toKey, toLength), toKey, toLength) ? 1 : -1;
}

/** Sets the expiry of a key that is there, in ms since the epoch, 0 for none; whether it was there. */
export function hostSetExpiry(database: u32, key: u32, length: u32, expiry: f64): bool {
  if (entryFind(database, siphash(key, length), key, length) == 0) return false;
  entrySetExpiry(database, foundSlot, <u64>expiry);
  return true;
}

/** A number from 0 to `bound` - 1, each with nearly the same chance; not for secrets. */
export function randomBelow(bound: u32): u32 {
  return <u32>(random() % <u64>bound);
}

/** Notes that the host has changed a record's value in place. */
export function hostChanged(record: u32): void {
  entryChanged(record);
}

/** Notes how many bytes the object of a record takes now. */
export function hostObjectBytes(record: u32, bytes: f64): void {
  entryObjectBytes(record, bytes);
}

/**
 * Walks on through a database: writes the records of live entries to `out` (room for 8,192) and returns the cursor to go on
 * from, 0 at the end. Entries are those of 16 home slots, in the order of hashes; walkedCount() tells how many.
 */
export function hostWalk(database: u32, cursor: u32, out: u32): u32 {
  const next = tableWalk(database, cursor, out);
  live = 0;
  for (let i: u32 = 0; i < walkCount; i++) {
    const record = load<u32>(out + (i << 2));
    if (recordFlags(record) & FLAG_TOMBSTONE) continue;
    const expiry = recordExpiry(record);
    if (expiry != 0 && expiry <= now) continue;
    store<u32>(out + (live << 2), record);
    live++;
  }
  return next;
}

let live: u32 = 0;

/** Entries that the last hostWalk() wrote. */
export function walkedCount(): u32 {
  return live;
}

/**
 * A live record at random, each with the same chance, or 0 when there is none. Where `tries` draws meet nothing but empty
 * slots, it is the next one behind a random place.
 */
export function hostRandom(database: u32, tries: u32): u32 {
  if (entriesCount(database) == 0) return 0;
  for (let i: u32 = 0; i < tries; i++) {
    const slot = tableDraw(database, random());
    if (slot == 0 || slotMarks(slot) & MARK_TOMBSTONE) continue;
    if (!entryExpire(database, slot)) return slotRecord(slot);
  }
  while (true) {
    const slot = tableNext(database, <u32>random(), MARK_TOMBSTONE, 0);
    if (slot == 0) return 0;
    if (!entryExpire(database, slot)) return slotRecord(slot);
  }
}

export function hostCount(database: u32): u32 {
  return entriesCount(database);
}

/** Removes every entry of a database, tombstones too. */
export function hostFlush(database: u32): void {
  detach(database);
}

/** Frees a few thousand entries of what flushes have removed; whether there are more. */
export function hostFree(): bool {
  return freeDetached() && hasDetached();
}

/** After a command of the host: compacts what its writes have earned. */
export function hostMaintain(): void {
  arenaMaintain();
}

/**
 * The work of a quiet moment: expires among `slots` slots, frees a few thousand entries of what flushes have removed, compacts up to
 * `bytes`. Returns how many entries it expired.
 */
export function tick(slots: u32, bytes: u32): u32 {
  freeDetached();
  const expired = expireSome(slots);
  compact(bytes);
  return expired;
}
