// Entries: what the commands do to the table. Looking up with expiry, writing in place or anew, removing, tombstones, and the
// records of host objects, which are released only when the host has let go of the object.
//
// Addresses of records and slots hold until the next call of entryWrite(), entryRemove() or a look-up that may expire.

import { arenaFree, arenaTake } from "./arena";
import { mintStamp, nodeIndex, noteChange, now, accessClock } from "./clock";
import {
  FLAG_OBJECT,
  FLAG_RAW,
  FLAG_RELEASED,
  FLAG_TAGGED,
  FLAG_TOMBSTONE,
  OBJECT_BODY_BYTES,
  recordBodyLength,
  recordBytes,
  recordExpiry,
  recordFlags,
  recordHash,
  recordKey,
  recordNode,
  recordKeyLength,
  recordSetExpiry,
  recordSetFlags,
  recordSetStamp,
  recordSetValueLength,
  recordSize,
  recordStamp,
  recordValue,
  recordValueLength,
  TAG_BYTES,
} from "./record";
import { hideObject, objectsInit } from "./objects";
import { addHostBytes } from "./room";
import {
  DATABASES,
  isKey,
  MARK_TOMBSTONE,
  MARK_VOLATILE,
  slotMarks,
  slotRecord,
  slotSet,
  tableEntries,
  tableFind,
  tableFindHinted,
  tableRemove,
  tableTombstones,
  tableVolatile,
} from "./table";
import { tableInsert, tableReserve } from "./table-grow";
import { SWEEP_SLOTS, tableSweep, tableSweepNext } from "./table-walk";

/** Most bytes that a value may leave unused in its place before it is written anew. */
const MAX_WASTE_BYTES: u32 = 64;

/** Whether removals leave tombstones (a replicated table) or nothing (a single node). */
let keepTombstones: bool = false;

/** Entries that have expired, and look-ups that found something or nothing. */
export let expiredEntries: u64 = 0;
export let hits: u64 = 0;
export let misses: u64 = 0;

/** The record that was written, changed or buried last; 0 where no tombstone could be left. */
export let writtenRecord: u32 = 0;

/** The slot that entryFind() found its record in. */
export let foundSlot: u32 = 0;

/** Records of host objects that wait for the host: the first one; each links the next at offset 8, the one before at 12. */
let releasedHead: u32 = 0;

export function entriesInit(tombstones: bool): void {
  keepTombstones = tombstones;
  releasedHead = 0;
  expiryHeld = false;
  sweepDatabase = 0;
  sweepHash = 0;
  expiredEntries = 0;
  hits = 0;
  misses = 0;
  objectsInit();
}

// @ts-ignore: decorator
@inline
export function noteHit(record: u32): void {
  if (record != 0) hits++;
  else misses++;
}

/** The live record of a key, or 0; expires it if its time has come. Leaves its slot in `foundSlot`. */
export function entryFind(database: u32, hash: u32, key: u32, length: u32): u32 {
  const slot = tableFindHinted(database, hash, key, length);
  if (slot == 0) return 0;
  const marks = slotMarks(slot);
  const record = slotRecord(slot);
  if (marks != 0) {
    if (marks & MARK_TOMBSTONE) return 0;
    if (entryExpire(database, slot)) return 0;
  }
  foundSlot = slot;
  return record;
}

/**
 * Makes the entry of a key anew, or overwrites it in place where it fits: `valueLength` bytes for the caller to fill (for a
 * host object the handle), `flags` (FLAG_OBJECT, FLAG_RAW, FLAG_TAGGED), `expiry` in ms since the epoch or 0, and a stamp minted now.
 * The old value's bytes stay readable until the next call. `slack`: bytes to keep free behind the value. Returns the record,
 * 0 at the ceiling, with nothing changed.
 */
export function entryWrite(
  database: u32,
  hash: u32,
  key: u32,
  keyLength: u32,
  valueLength: u32,
  flags: u32,
  expiry: u64,
  slack: u32,
): u32 {
  const slot = tableFindHinted(database, hash, key, keyLength);
  const marks: u32 = expiry != 0 ? MARK_VOLATILE : 0;
  const record = entryPut(database, slot, hash, key, keyLength, valueLength, flags, marks, slack);
  if (record == 0) return 0;
  store<u64>(record, mintStamp(), 8);
  store<u64>(record, (expiry << 16) | <u64>nodeIndex, 16);
  return record;
}

/**
 * Gives the key whose slot is `slot` (0: it has none) a record for `valueLength` bytes with `flags`, and the slot `marks`; see
 * entryWrite(). The caller fills in stamp, expiry, node and value. Returns the record, 0 at the ceiling, with nothing changed.
 */
// @ts-ignore: decorator
@inline
export function entryPut(
  database: u32,
  slot: u32,
  hash: u32,
  key: u32,
  keyLength: u32,
  valueLength: u32,
  flags: u32,
  marks: u32,
  slack: u32,
): u32 {
  const bodyLength = flags & FLAG_OBJECT ? OBJECT_BODY_BYTES : valueLength + (flags & FLAG_TAGGED ? TAG_BYTES : 0);
  const needed = recordBytes(keyLength, bodyLength);
  const old = slot == 0 ? 0 : slotRecord(slot);
  if (old != 0 && fitsInPlace(old, needed, slack)) {
    fill(old, database, valueLength, flags);
    if (slotMarks(slot) != marks) slotSet(database, slot, old, marks);
    return old;
  }
  if (old == 0 && !tableReserve(database, hash)) return 0;
  const record = arenaTake((needed + slack + 7) & ~7);
  if (record == 0) return 0;
  store<u32>(record, hash);
  store<u32>(record, keyLength, 24);
  copyBytes(recordKey(record), key, keyLength);
  fill(record, database, valueLength, flags);
  if (old == 0) {
    tableInsert(database, hash, record, marks);
  } else {
    slotSet(database, slot, record, marks);
    discard(old);
  }
  return record;
}

/**
 * Overwrites the value of a key whose record is most likely in `slot`, where that changes nothing but value, stamp and access: of a
 * string that does not expire, by one that fits. The caller fills in stamp, expiry (none) and node, and has made sure of the room.
 * Returns the record; 0, with nothing changed, when entryPut() must look closer.
 */
// @ts-ignore: decorator
@inline
export function entryOverwrite(
  slot: u32,
  database: u32,
  key: u32,
  keyLength: u32,
  value: u32,
  valueLength: u32,
): u32 {
  if (slotMarks(slot) != 0) return 0;
  const record = slotRecord(slot);
  if (recordFlags(record) != database || !isKey(record, key, keyLength)) return 0;
  if (recordSize(record) - recordBytes(keyLength, valueLength) > MAX_WASTE_BYTES) return 0;
  fill(record, database, valueLength, 0);
  copyBytes(recordKey(record) + keyLength, value, valueLength);
  return record;
}

/** Whether a record may take a value that needs `needed` bytes in all, without leaving too many unused. */
// @ts-ignore: decorator
@inline
function fitsInPlace(record: u32, needed: u32, slack: u32): bool {
  const size = recordSize(record);
  if (size < needed || recordFlags(record) & FLAG_OBJECT) return false;
  return slack != 0 || size - needed <= MAX_WASTE_BYTES;
}

// @ts-ignore: decorator
@inline
function fill(record: u32, database: u32, valueLength: u32, flags: u32): void {
  writtenRecord = record;
  store<u32>(record, valueLength, 28);
  store<u32>(record, (accessClock << 8) | flags | database, 32);
  if (flags & FLAG_OBJECT) store<f64>(recordValue(record), 0);
}

/** Copies `length` bytes, up to 32 of them without a call; the two places do not overlap. */
// @ts-ignore: decorator
@inline
export function copyBytes(to: u32, from: u32, length: u32): void {
  // From both ends, which may meet.
  if (length > 16) {
    if (length > 32) {
      memory.copy(to, from, length);
      return;
    }
    v128.store(to, v128.load(from));
    v128.store(to + length - 16, v128.load(from + length - 16));
  } else if (length >= 8) {
    store<u64>(to, load<u64>(from));
    store<u64>(to + length - 8, load<u64>(from + length - 8));
  } else if (length >= 4) {
    store<u32>(to, load<u32>(from));
    store<u32>(to + length - 4, load<u32>(from + length - 4));
  } else if (length != 0) {
    // One to three bytes: the first, the middle one, and the last.
    const middle = length >> 1;
    const last = length - 1;
    store<u8>(to, load<u8>(from));
    store<u8>(to + middle, load<u8>(from + middle));
    store<u8>(to + last, load<u8>(from + last));
  }
}

/** Notes that the value of a live record has been changed in place: a new stamp. */
export function entryChanged(record: u32): void {
  writtenRecord = record;
  recordSetStamp(record, mintStamp(), nodeIndex);
}

/** Sets the expiry (ms since the epoch, 0: none) of the record in a slot, with a new stamp. */
export function entrySetExpiry(database: u32, slot: u32, expiry: u64): void {
  const record = slotRecord(slot);
  recordSetExpiry(record, expiry);
  entryChanged(record);
  slotSet(database, slot, record, expiry != 0 ? MARK_VOLATILE : 0);
}

/** Removes the live entry in a slot, leaving a tombstone with a new stamp where tombstones are kept. */
export function entryRemove(database: u32, slot: u32): void {
  if (keepTombstones) {
    entryBury(database, slot, mintStamp(), nodeIndex);
    return;
  }
  noteChange();
  drop(database, slot);
}

/** Writes a tombstone for a key that has no entry, where tombstones are kept. False at the ceiling. */
export function entryBuryMissing(database: u32, hash: u32, key: u32, length: u32): bool {
  if (!keepTombstones) return true;
  const slot = tableFind(database, hash, key, length);
  if (slot != 0) {
    // A tombstone, or an entry that has expired and is held.
    entryBury(database, slot, mintStamp(), nodeIndex);
    return true;
  }
  const record = entryPut(database, 0, hash, key, length, 0, FLAG_TOMBSTONE, MARK_TOMBSTONE, 0);
  if (record == 0) return false;
  store<u64>(record, mintStamp(), 8);
  store<u64>(record, <u64>nodeIndex, 16);
  return true;
}

/**
 * Moves the live entry in a slot to another key, perhaps of another database, with its value and expiry and a new stamp; what
 * was there is gone. False at the ceiling, with nothing changed.
 */
export function entryRename(database: u32, slot: u32, toDatabase: u32, hash: u32, key: u32, length: u32): bool {
  const from = slotRecord(slot);
  const flags = recordFlags(from) & (FLAG_OBJECT | FLAG_RAW | FLAG_TAGGED);
  const valueLength = recordValueLength(from);
  const to = entryWrite(toDatabase, hash, key, length, valueLength, flags, recordExpiry(from), 0);
  if (to == 0) return false;
  memory.copy(recordValue(to), recordValue(from), flags & FLAG_OBJECT ? OBJECT_BODY_BYTES : recordBodyLength(from));
  // The object has moved: the entry that is removed has none, so that the host does not let go of it.
  recordSetFlags(from, recordFlags(from) & ~FLAG_OBJECT);
  recordSetValueLength(from, 0);
  entryRemove(database, tableFind(database, recordHash(from), recordKey(from), recordKeyLength(from)));
  return true;
}

/** Removes the entry in a slot without a trace: eviction. */
export function drop(database: u32, slot: u32): void {
  const record = slotRecord(slot);
  tableRemove(database, slot);
  discard(record);
}

/** Expires the live entry in a slot if its time has come; whether it has. While expiry is held it stays, unseen. */
export function entryExpire(database: u32, slot: u32): bool {
  if (!(slotMarks(slot) & MARK_VOLATILE) || recordExpiry(slotRecord(slot)) > now) return false;
  if (!expiryHeld) expire(database, slot);
  return true;
}

/** Whether what has expired is left in the table, unseen (CLIENT PAUSE). */
let expiryHeld: bool = false;

/** Has entries whose time has come stay in the table, unseen, until it is called with 0. */
export function holdExpiry(held: u32): void {
  expiryHeld = held != 0;
}

function expire(database: u32, slot: u32): void {
  expiredEntries++;
  // The tombstone of an expiry has the stamp of the write that set it: every replica comes to the same one.
  const record = slotRecord(slot);
  if (!keepTombstones) drop(database, slot);
  else if (recordFlags(record) & FLAG_OBJECT) hideObject(database, slot);
  else entryBury(database, slot, recordStamp(record), recordNode(record));
}

/** Puts a tombstone with a stamp and the node that minted it in the place of the entry in a slot. */
export function entryBury(database: u32, slot: u32, stamp: u64, node: u32): void {
  let record = slotRecord(slot);
  const keyLength = load<u32>(record, 24);
  const small = recordBytes(keyLength, 0);
  if (recordFlags(record) & FLAG_OBJECT || recordSize(record) - small > MAX_WASTE_BYTES) {
    const next = arenaTake(small);
    if (next != 0) {
      store<u32>(next, load<u32>(record));
      store<u32>(next, keyLength, 24);
      memory.copy(recordKey(next), recordKey(record), keyLength);
      discard(record);
      record = next;
    } else if (recordFlags(record) & FLAG_OBJECT) {
      // At the ceiling an object's record cannot become a tombstone: its handle has still to reach the host.
      drop(database, slot);
      writtenRecord = 0;
      return;
    }
  }
  writtenRecord = record;
  store<u64>(record, stamp, 8);
  store<u64>(record, <u64>node, 16);
  recordSetValueLength(record, 0);
  store<u32>(record, (accessClock << 8) | FLAG_TOMBSTONE | database, 32);
  slotSet(database, slot, record, MARK_TOMBSTONE);
}

/** Frees a record that no slot holds any more; one with an object waits for the host. */
function discard(record: u32): void {
  const flags = recordFlags(record);
  if (flags & FLAG_OBJECT) {
    addHostBytes(-load<f64>(recordValue(record)));
    recordSetFlags(record, flags | FLAG_RELEASED);
    store<u32>(record, releasedHead, 8);
    store<u32>(record, 0, 12);
    if (releasedHead != 0) store<u32>(releasedHead, record, 12);
    releasedHead = record;
    return;
  }
  arenaFree(record);
}

/** Notes how many bytes the object of a live record takes now. */
export function entryObjectBytes(record: u32, bytes: f64): void {
  const counted = recordValue(record);
  addHostBytes(bytes - load<f64>(counted));
  store<f64>(counted, bytes);
}

/** Whether handles wait for takeReleased(). */
// @ts-ignore: decorator
@inline
export function hasReleased(): bool {
  return releasedHead != 0;
}

/** Notes that compaction has moved a record that waits for the host to `record`. */
export function releasedMoved(record: u32): void {
  const next = load<u32>(record, 8);
  const before = load<u32>(record, 12);
  if (next != 0) store<u32>(next, record, 12);
  if (before != 0) store<u32>(before, record, 8);
  else releasedHead = record;
}

/** The handle of an object whose entry is gone, or -1; the host calls it until it answers -1. */
export function takeReleased(): i32 {
  const record = releasedHead;
  if (record == 0) return -1;
  releasedHead = load<u32>(record, 8);
  if (releasedHead != 0) store<u32>(releasedHead, 0, 12);
  const handle = <i32>recordValueLength(record);
  arenaFree(record);
  return handle;
}

/** Live entries of a database. Entries that have expired count until they are found. */
export function entriesCount(database: u32): u32 {
  return tableEntries(database) - tableTombstones(database);
}

// ---- The sweep ------------------------------------------------------------------------------------------------------

let sweepDatabase: u32 = 0;
let sweepHash: u32 = 0;

/** Looks at up to `slots` slots for entries whose time has come, from where it stopped last; returns how many it expired. */
export function expireSome(slots: u32): u32 {
  if (expiryHeld) return 0;
  let expired: u32 = 0;
  let looked: u32 = 0;
  let idle: u32 = 0;
  while (looked < slots && idle < DATABASES) {
    if (tableVolatile(sweepDatabase) == 0) {
      nextDatabase();
      idle++;
      continue;
    }
    idle = 0;
    const database = sweepDatabase;
    const first = tableSweep(database, sweepHash);
    let slot = first;
    while (slot < first + (SWEEP_SLOTS << 3)) {
      // Removing moves another entry into this slot: look again.
      if (entryExpire(database, slot)) expired++;
      else slot += 8;
    }
    looked += SWEEP_SLOTS;
    sweepHash = tableSweepNext(database, sweepHash);
    if (sweepHash == 0) nextDatabase();
  }
  return expired;
}

function nextDatabase(): void {
  sweepHash = 0;
  sweepDatabase = (sweepDatabase + 1) & (DATABASES - 1);
}

/**
 * Drops the tombstones of a database whose stamp is at most `stamp`, in `slots` slots from `hash` on; returns the hash to go
 * on from, 0 at the end.
 */
export function collectTombstones(database: u32, hash: u32, slots: u32, stamp: u64): u32 {
  let position = hash;
  for (let looked: u32 = 0; looked < slots; looked += SWEEP_SLOTS) {
    const first = tableSweep(database, position);
    if (first == 0) return 0;
    let slot = first;
    while (slot < first + (SWEEP_SLOTS << 3)) {
      if (slotMarks(slot) & MARK_TOMBSTONE && recordStamp(slotRecord(slot)) <= stamp) {
        drop(database, slot);
        continue;
      }
      slot += 8;
    }
    position = tableSweepNext(database, position);
    if (position == 0) return 0;
  }
  return position;
}
