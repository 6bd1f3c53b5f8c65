// The index of the table: extendible hashing, one index per database. The upper bits of a key's hash choose a segment through
// the directory, the next 13 bits its home slot in the segment, and linear probing goes on from there. A segment that is full
// splits into two by the next bit, so nothing ever waits for a rehash of everything: the longest step moves one segment.
//
//   hash   | d bits: segment | 13 bits: home slot | rest |
//   slot   u32 hash, u32 record | marks            (8 bytes; record 0: empty; records lie at multiples of 8)
//   directory  2^depth × u32: segment (a page of 64 KiB) | its own depth d
//
// Slots lie in the order of their hashes but for the probing, so SCAN's cursor is simply the hash to go on from: it stays
// right however many segments split in between, and every key is seen exactly once.
//
// Here are the layout and looking up, taking out and replacing; table-grow.ts inserts, table-walk.ts goes through.

import { freePages, PAGE_BYTES, takePages } from "./pages";
import { recordDatabase, recordHash, recordKey, recordKeyLength } from "./record";

export const DATABASES: u32 = 16;
/** Indexes beside those of the databases, with the numbers behind theirs: see detached.ts. A power of 2. */
export const DETACHED: u32 = 64;
export const SLOT_BITS: u32 = 13;
export const SLOTS: u32 = 1 << SLOT_BITS;
export const SLOT_MASK: u32 = SLOTS - 1;
export const DEPTH_MASK: u32 = 0x1f;

/** Mark in a slot: the entry expires. */
export const MARK_VOLATILE: u32 = 1;
/** Mark in a slot: the entry is a tombstone. */
export const MARK_TOMBSTONE: u32 = 2;
export const MARKS: u32 = 7;

// Per database, 32 bytes: directory, depth, entries, tombstones, volatile entries, segments.
export const DATABASE_BYTES: u32 = 32;
const databases: usize = memory.data((16 + 64) * 32, 16);

/** Taken slots per segment, by page. */
export const takenSlots: usize = memory.data(65536 * 2, 16);

/** Pages of all segments and directories. */
export let tablePages: u32 = 0;
/** Entries and tombstones of all databases. */
let allEntries: u32 = 0;
/** What an entry counts for in the index: a slot at the mean fill of the segments. Pages would come in jumps. */
export const CHARGED_SLOT_BYTES: u32 = 16;

/** Bytes of the index that count against maxmemory. */
// @ts-ignore: decorator
@inline
export function chargedTableBytes(): u64 {
  return <u64>allEntries * CHARGED_SLOT_BYTES;
}

/** Where the figures of a database lie. */
// @ts-ignore: decorator
@inline
export function indexAt(database: u32): usize {
  return databases + database * DATABASE_BYTES;
}
// @ts-ignore: decorator
@inline
export function directoryOf(database: u32): u32 {
  return load<u32>(indexAt(database));
}
// @ts-ignore: decorator
@inline
export function depthOf(database: u32): u32 {
  return load<u32>(indexAt(database), 4);
}
/** Live entries and tombstones of a database. */
// @ts-ignore: decorator
@inline
export function tableEntries(database: u32): u32 {
  return load<u32>(indexAt(database), 8);
}
// @ts-ignore: decorator
@inline
export function tableTombstones(database: u32): u32 {
  return load<u32>(indexAt(database), 12);
}
// @ts-ignore: decorator
@inline
export function tableVolatile(database: u32): u32 {
  return load<u32>(indexAt(database), 16);
}

/** Forgets every index; the pages must have been given back by pagesInit(). */
export function tableInit(): void {
  memory.fill(databases, 0, (DATABASES + DETACHED) * DATABASE_BYTES);
  tablePages = 0;
  allEntries = 0;
  noteMoved();
}

// ---- Looking up ---------------------------------------------------------------------------------------------------

/** Directory entry of the segment that holds `hash`; 0 when the database has no index yet. */
// @ts-ignore: decorator
@inline
export function segmentEntry(database: u32, hash: u32): u32 {
  const directory = directoryOf(database);
  if (directory == 0) return 0;
  // Two shifts: a shift by 32 would be one by 0.
  return load<u32>(directory + ((hash >>> 1) >>> (31 - depthOf(database)) << 2));
}

// @ts-ignore: decorator
@inline
export function homeSlot(hash: u32, depth: u32): u32 {
  return (hash << depth) >>> (32 - SLOT_BITS);
}

/** Counts what may move entries to other slots: as long as it stays, so do they. */
export let tableLayout: u32 = 0;
/** The slot that most likely holds the key of the command that runs; 0: unknown. */
let likely: u32 = 0;

/** Has tableFindHinted() try a slot first that tableProbeFrom() returned, until one is given anew. 0: none. */
// @ts-ignore: decorator
@inline
export function tableHint(slot: u32): void {
  likely = slot;
}

/** What tableHint() was given, while it is a slot that is taken; else 0. */
// @ts-ignore: decorator
@inline
export function hintedSlot(): u32 {
  return likely;
}

/** Notes that entries have moved to other slots. */
// @ts-ignore: decorator
@inline
export function noteMoved(): void {
  tableLayout++;
  likely = 0;
}

/** The slot that a look-up of `hash` begins at; 0 without an index. */
// @ts-ignore: decorator
@inline
export function tableHome(database: u32, hash: u32): u32 {
  const entry = segmentEntry(database, hash);
  return entry == 0 ? 0 : (entry & ~(PAGE_BYTES - 1)) + (homeSlot(hash, entry & DEPTH_MASK) << 3);
}

/** The first slot from tableHome() on whose entry has this hash; 0: none. */
// @ts-ignore: decorator
@inline
export function tableProbeFrom(home: u32, hash: u32): u32 {
  // Eight slots at once, without a branch for each. What lies behind an empty slot cannot have this hash.
  if ((home & (PAGE_BYTES - 1)) <= PAGE_BYTES - 64) {
    const wanted = i32x4.splat(hash);
    const low = v128.shuffle<i32>(v128.load(home), v128.load(home, 16), 0, 2, 4, 6);
    const high = v128.shuffle<i32>(v128.load(home, 32), v128.load(home, 48), 0, 2, 4, 6);
    const equal = i32x4.bitmask(i32x4.eq(low, wanted)) | (i32x4.bitmask(i32x4.eq(high, wanted)) << 4);
    const slot = home + (<u32>ctz(equal) << 3);
    if (equal != 0 && load<u32>(slot, 4) != 0) return slot;
  }
  return probeOn(home, hash);
}

function probeOn(home: u32, hash: u32): u32 {
  let slot = home;
  while (true) {
    if (load<u32>(slot, 4) == 0) return 0;
    if (load<u32>(slot) == hash) return slot;
    slot = (slot & ~(PAGE_BYTES - 1)) | ((slot + 8) & (PAGE_BYTES - 1));
  }
}

/** As tableFind(), with the slot of tableProbeFrom() where nothing has moved since (0: none). */
// @ts-ignore: decorator
@inline
export function tableFindAt(hint: u32, database: u32, hash: u32, key: u32, length: u32): u32 {
  if (hint != 0) {
    const record = slotRecord(hint);
    if (isKey(record, key, length)) return hint;
  }
  return tableFind(database, hash, key, length);
}

/** As tableFind(), for the key of the command that runs: tries the slot of tableHint() first. */
// @ts-ignore: decorator
@inline
export function tableFindHinted(database: u32, hash: u32, key: u32, length: u32): u32 {
  if (likely != 0) {
    const record = slotRecord(likely);
    if (isKey(record, key, length) && recordDatabase(record) == database) return likely;
  }
  return tableFind(database, hash, key, length);
}

/** Address of the slot that holds the key, or 0. */
export function tableFind(database: u32, hash: u32, key: u32, length: u32): u32 {
  const entry = segmentEntry(database, hash);
  if (entry == 0) return 0;
  const segment = entry & ~(PAGE_BYTES - 1);
  let index = homeSlot(hash, entry & DEPTH_MASK);
  while (true) {
    const slot = segment + (index << 3);
    const word = load<u32>(slot, 4);
    if (word == 0) return 0;
    if (load<u32>(slot) == hash) {
      const record = word & ~MARKS;
      if (isKey(record, key, length)) return slot;
    }
    index = (index + 1) & SLOT_MASK;
  }
}

/** Whether a record is that of a key. */
// @ts-ignore: decorator
@inline
export function isKey(record: u32, key: u32, length: u32): bool {
  return recordKeyLength(record) == length && sameBytes(recordKey(record), key, length);
}

/** Whether two byte strings of one length are equal. */
export function sameBytes(a: u32, b: u32, length: u32): bool {
  if (length >= 8) {
    const last = length - 8;
    for (let i: u32 = 0; i < last; i += 8) {
      if (load<u64>(a + i) != load<u64>(b + i)) return false;
    }
    return load<u64>(a + last) == load<u64>(b + last);
  }
  // Fewer than eight bytes: reading over the end is harmless, comparing over it is not.
  const shift = (8 - length) << 3;
  return length == 0 || load<u64>(a) << shift == load<u64>(b) << shift;
}

/** The record in a slot. */
// @ts-ignore: decorator
@inline
export function slotRecord(slot: u32): u32 {
  return load<u32>(slot, 4) & ~MARKS;
}
// @ts-ignore: decorator
@inline
export function slotMarks(slot: u32): u32 {
  return load<u32>(slot, 4) & MARKS;
}

/** Puts `record` with `marks` into a slot that tableFind() or tableInsert() returned, and keeps the counts. */
export function slotSet(database: u32, slot: u32, record: u32, marks: u32): void {
  const before = slotMarks(slot);
  if (before != marks) {
    count(database, 12, (marks & MARK_TOMBSTONE ? 1 : 0) - (before & MARK_TOMBSTONE ? 1 : 0));
    count(database, 16, (marks & MARK_VOLATILE ? 1 : 0) - (before & MARK_VOLATILE ? 1 : 0));
  }
  store<u32>(slot, record | marks, 4);
}

/** Counts an entry with `marks` in, or with -1 out. */
// @ts-ignore: decorator
@inline
export function countEntry(database: u32, marks: u32, by: i32): void {
  count(database, 8, by);
  allEntries += by;
  if (marks & MARK_TOMBSTONE) count(database, 12, by);
  if (marks & MARK_VOLATILE) count(database, 16, by);
}

/** Forgets the index of a database: all that is in it is counted out. */
export function forgetIndex(database: u32): void {
  allEntries -= tableEntries(database);
  memory.fill(indexAt(database), 0, DATABASE_BYTES);
}

// @ts-ignore: decorator
@inline
function count(database: u32, field: u32, by: i32): void {
  const at = indexAt(database) + field;
  store<u32>(at, load<u32>(at) + by);
}

export function takeTablePages(pages: u32): u32 {
  const address = takePages(pages, 1);
  if (address != 0) tablePages += pages;
  return address;
}

export function freeTablePages(address: u32, pages: u32): void {
  freePages(address, pages);
  tablePages -= pages;
}

// ---- Removing and moving --------------------------------------------------------------------------------------------

/** Takes the entry out of its slot, and closes the gap that it leaves in the probing. */
export function tableRemove(database: u32, slot: u32): void {
  noteMoved();
  const marks = slotMarks(slot);
  countEntry(database, marks, -1);
  const segment = slot & ~(PAGE_BYTES - 1);
  const depth = segmentEntry(database, load<u32>(slot)) & DEPTH_MASK;
  const taken = takenSlots + (segment >> 16 << 1);
  store<u16>(taken, load<u16>(taken) - 1);
  let gap = (slot & (PAGE_BYTES - 1)) >> 3;
  let index = gap;
  while (true) {
    index = (index + 1) & SLOT_MASK;
    const from = segment + (index << 3);
    const word = load<u32>(from, 4);
    if (word == 0) break;
    const home = homeSlot(load<u32>(from), depth);
    // The entry may fill the gap unless its home lies behind the gap.
    if (((index - home) & SLOT_MASK) < ((index - gap) & SLOT_MASK)) continue;
    store<u64>(segment + (gap << 3), load<u64>(from));
    gap = index;
  }
  store<u64>(segment + (gap << 3), 0);
}

/** Puts the new address of a record that has moved into its slot; false when it is not in this index. */
export function tableReplace(database: u32, from: u32, to: u32): bool {
  const hash = recordHash(to);
  const entry = segmentEntry(database, hash);
  if (entry == 0) return false;
  const segment = entry & ~(PAGE_BYTES - 1);
  let index = homeSlot(hash, entry & DEPTH_MASK);
  while (true) {
    const slot = segment + (index << 3);
    const word = load<u32>(slot, 4);
    if (word == 0) return false;
    if ((word & ~MARKS) == from) {
      store<u32>(slot, to | (word & MARKS), 4);
      return true;
    }
    index = (index + 1) & SLOT_MASK;
  }
}
