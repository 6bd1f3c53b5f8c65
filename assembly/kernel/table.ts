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

import { freePages, PAGE_BYTES, takePages } from "./pages";
import { recordDatabase, recordHash, recordKey, recordKeyLength } from "./record";

export const DATABASES: u32 = 16;
/** Indexes beside those of the databases, with the numbers behind theirs: see detached.ts. A power of 2. */
export const DETACHED: u32 = 64;
const SLOT_BITS: u32 = 13;
const SLOTS: u32 = 1 << SLOT_BITS;
const SLOT_MASK: u32 = SLOTS - 1;
/** A segment splits when more slots than this are taken: beyond four fifths, probing gets long. */
const MAX_TAKEN: u32 = (SLOTS * 4) / 5;
/** Bits of the hash that a directory can use: the rest must hold a home slot. */
const MAX_DEPTH: u32 = 32 - SLOT_BITS;
const DEPTH_MASK: u32 = 0x1f;

/** Mark in a slot: the entry expires. */
export const MARK_VOLATILE: u32 = 1;
/** Mark in a slot: the entry is a tombstone. */
export const MARK_TOMBSTONE: u32 = 2;
const MARKS: u32 = 7;

// Per database, 32 bytes: directory, depth, entries, tombstones, volatile entries, segments.
const DATABASE_BYTES: u32 = 32;
const databases: usize = memory.data((16 + 64) * 32, 16);

/** Taken slots per segment, by page. */
const takenSlots: usize = memory.data(65536 * 2, 16);

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

// @ts-ignore: decorator
@inline
function base(database: u32): usize {
  return databases + database * DATABASE_BYTES;
}
// @ts-ignore: decorator
@inline
function directoryOf(database: u32): u32 {
  return load<u32>(base(database));
}
// @ts-ignore: decorator
@inline
function depthOf(database: u32): u32 {
  return load<u32>(base(database), 4);
}
/** Live entries and tombstones of a database. */
// @ts-ignore: decorator
@inline
export function tableEntries(database: u32): u32 {
  return load<u32>(base(database), 8);
}
// @ts-ignore: decorator
@inline
export function tableTombstones(database: u32): u32 {
  return load<u32>(base(database), 12);
}
// @ts-ignore: decorator
@inline
export function tableVolatile(database: u32): u32 {
  return load<u32>(base(database), 16);
}

/** Forgets every index; the pages must have been given back by pagesInit(). */
export function tableInit(): void {
  memory.fill(databases, 0, (DATABASES + DETACHED) * DATABASE_BYTES);
  tablePages = 0;
  allEntries = 0;
  moved();
}

// ---- Looking up ---------------------------------------------------------------------------------------------------

/** Directory entry of the segment that holds `hash`; 0 when the database has no index yet. */
// @ts-ignore: decorator
@inline
function segmentEntry(database: u32, hash: u32): u32 {
  const directory = directoryOf(database);
  if (directory == 0) return 0;
  // Two shifts: a shift by 32 would be one by 0.
  return load<u32>(directory + ((hash >>> 1) >>> (31 - depthOf(database)) << 2));
}

// @ts-ignore: decorator
@inline
function homeSlot(hash: u32, depth: u32): u32 {
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
function moved(): void {
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

// @ts-ignore: decorator
@inline
function count(database: u32, field: u32, by: i32): void {
  const at = base(database) + field;
  store<u32>(at, load<u32>(at) + by);
}

// ---- Inserting ----------------------------------------------------------------------------------------------------

/** Makes the room for one more key of this hash; false at the ceiling. May move slots, so it comes before tableFind(). */
export function tableReserve(database: u32, hash: u32): bool {
  let entry = segmentEntry(database, hash);
  if (entry == 0) {
    if (!createIndex(database)) return false;
    entry = segmentEntry(database, hash);
  }
  while (load<u16>(takenSlots + (entry >> 16 << 1)) >= MAX_TAKEN) {
    if (!split(database, hash)) return load<u16>(takenSlots + (entry >> 16 << 1)) < SLOTS - 1;
    entry = segmentEntry(database, hash);
  }
  return true;
}

/** Inserts a record whose key is not there. tableReserve() must have returned true since the last insertion. */
export function tableInsert(database: u32, hash: u32, record: u32, marks: u32): void {
  const entry = segmentEntry(database, hash);
  insertInto(entry & ~(PAGE_BYTES - 1), entry & DEPTH_MASK, hash, record | marks);
  count(database, 8, 1);
  allEntries++;
  if (marks & MARK_TOMBSTONE) count(database, 12, 1);
  if (marks & MARK_VOLATILE) count(database, 16, 1);
}

// @ts-ignore: decorator
@inline
function insertInto(segment: u32, depth: u32, hash: u32, word: u32): void {
  let index = homeSlot(hash, depth);
  while (load<u32>(segment + (index << 3), 4) != 0) index = (index + 1) & SLOT_MASK;
  const slot = segment + (index << 3);
  store<u32>(slot, hash);
  store<u32>(slot, word, 4);
  const taken = takenSlots + (segment >> 16 << 1);
  store<u16>(taken, load<u16>(taken) + 1);
}

function takeTablePages(pages: u32): u32 {
  const address = takePages(pages, 1);
  if (address != 0) tablePages += pages;
  return address;
}

function freeTablePages(address: u32, pages: u32): void {
  freePages(address, pages);
  tablePages -= pages;
}

function newSegment(): u32 {
  const segment = takeTablePages(1);
  if (segment == 0) return 0;
  memory.fill(segment, 0, PAGE_BYTES);
  store<u16>(takenSlots + (segment >> 16 << 1), 0);
  return segment;
}

function createIndex(database: u32): bool {
  const directory = takeTablePages(1);
  if (directory == 0) return false;
  const segment = newSegment();
  if (segment == 0) {
    freeTablePages(directory, 1);
    return false;
  }
  store<u32>(directory, segment);
  store<u32>(base(database), directory);
  store<u32>(base(database), 0, 4);
  return true;
}

// @ts-ignore: decorator
@inline
function directoryPages(depth: u32): u32 {
  const bytes: u32 = 4 << depth;
  return bytes <= PAGE_BYTES ? 1 : bytes >> 16;
}

function doubleDirectory(database: u32): bool {
  const depth = depthOf(database);
  if (depth >= MAX_DEPTH) return false;
  const from = directoryOf(database);
  const entries: u32 = 1 << depth;
  const pages = directoryPages(depth + 1);
  let to = from;
  if (pages != directoryPages(depth)) {
    to = takeTablePages(pages);
    if (to == 0) return false;
  }
  // From the end, so that it also works in place.
  for (let i: i32 = <i32>entries - 1; i >= 0; i--) {
    const entry = load<u32>(from + (<u32>i << 2));
    store<u32>(to + (<u32>i << 3), entry);
    store<u32>(to + (<u32>i << 3), entry, 4);
  }
  if (to != from) freeTablePages(from, directoryPages(depth));
  store<u32>(base(database), to);
  store<u32>(base(database), depth + 1, 4);
  return true;
}

/** Splits the segment of `hash` in two by the next bit of the hashes in it. */
function split(database: u32, hash: u32): bool {
  const entry = segmentEntry(database, hash);
  const old = entry & ~(PAGE_BYTES - 1);
  const depth = entry & DEPTH_MASK;
  if (depth == depthOf(database) && !doubleDirectory(database)) return false;
  const low = newSegment();
  if (low == 0) return false;
  const high = newSegment();
  if (high == 0) {
    freeTablePages(low, 1);
    return false;
  }
  for (let slot = old; slot < old + PAGE_BYTES; slot += 8) {
    const word = load<u32>(slot, 4);
    if (word == 0) continue;
    const slotHash = load<u32>(slot);
    insertInto((slotHash << depth) >>> 31 ? high : low, depth + 1, slotHash, word);
  }
  const directory = directoryOf(database);
  const spread = depthOf(database) - depth;
  const first = ((hash >>> 1) >>> (31 - depth)) << spread;
  const half: u32 = 1 << (spread - 1);
  for (let i: u32 = 0; i < half; i++) {
    store<u32>(directory + ((first + i) << 2), low | (depth + 1));
    store<u32>(directory + ((first + half + i) << 2), high | (depth + 1));
  }
  freeTablePages(old, 1);
  moved();
  return true;
}

// ---- Removing and moving --------------------------------------------------------------------------------------------

/** Takes the entry out of its slot, and closes the gap that it leaves in the probing. */
export function tableRemove(database: u32, slot: u32): void {
  moved();
  const marks = slotMarks(slot);
  count(database, 8, -1);
  allEntries--;
  if (marks & MARK_TOMBSTONE) count(database, 12, -1);
  if (marks & MARK_VOLATILE) count(database, 16, -1);
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

/** Gives the index of `from`, with all that is in it, to `to`, which must have none. */
export function tableHandOver(from: u32, to: u32): void {
  moved();
  memory.copy(base(to), base(from), DATABASE_BYTES);
  memory.fill(base(from), 0, DATABASE_BYTES);
}

/** Exchanges nothing but the index of a database for an empty one; the records in it must have been freed. */
export function tableDrop(database: u32): void {
  const directory = directoryOf(database);
  if (directory == 0) return;
  moved();
  const entries: u32 = 1 << depthOf(database);
  let last: u32 = 0;
  for (let i: u32 = 0; i < entries; i++) {
    const segment = load<u32>(directory + (i << 2)) & ~(PAGE_BYTES - 1);
    if (segment == last) continue;
    last = segment;
    freeTablePages(segment, 1);
  }
  freeTablePages(directory, directoryPages(depthOf(database)));
  allEntries -= tableEntries(database);
  memory.fill(base(database), 0, DATABASE_BYTES);
}

// ---- Walking ------------------------------------------------------------------------------------------------------

/** Homes that one step of a walk covers. */
const WALK_HOMES: u32 = 16;

/** Entries that tableWalk() noted. */
export let walkCount: u32 = 0;

/**
 * One step of a walk through a database in the order of hashes: notes in `out` (u32 records) every entry whose home is one of
 * the next 16 from `cursor` on, tombstones included, and returns the cursor to go on from, 0 at the end. The first cursor
 * is 0. `out` must have room for 8,192 entries, all that a segment holds.
 */
export function tableWalk(database: u32, cursor: u32, out: u32): u32 {
  walkCount = 0;
  const entry = segmentEntry(database, cursor);
  if (entry == 0) return 0;
  const segment = entry & ~(PAGE_BYTES - 1);
  const depth = entry & DEPTH_MASK;
  const first = homeSlot(cursor, depth) & ~(WALK_HOMES - 1);
  let steps: u32 = 0;
  let index = first;
  while (true) {
    const slot = segment + (index << 3);
    const word = load<u32>(slot, 4);
    if (word == 0) {
      if (steps >= WALK_HOMES) break;
    } else {
      const home = homeSlot(load<u32>(slot), depth);
      if (home - first < WALK_HOMES) {
        store<u32>(out + (walkCount << 2), word & ~MARKS);
        walkCount++;
      }
    }
    index = (index + 1) & SLOT_MASK;
    if (++steps == SLOTS) break;
  }
  return hashAfter(cursor, depth, first + WALK_HOMES);
}

/** The hash whose home is `home` in the segment of `hash`; the next segment's first one over its end, 0 over the last. */
function hashAfter(hash: u32, depth: u32, home: u32): u32 {
  const prefix: u32 = depth == 0 ? 0 : hash >>> (32 - depth) << (32 - depth);
  const next = <u64>prefix + (<u64>home << (32 - SLOT_BITS - depth));
  return next > 0xffffffff ? 0 : <u32>next;
}

/** Slots that one step of a sweep covers. */
export const SWEEP_SLOTS: u32 = 512;

/** Address of the first of SWEEP_SLOTS slots that lie in a row from the home of `hash` on; 0 without an index. */
export function tableSweep(database: u32, hash: u32): u32 {
  const entry = segmentEntry(database, hash);
  if (entry == 0) return 0;
  const first = homeSlot(hash, entry & DEPTH_MASK) & ~(SWEEP_SLOTS - 1);
  return (entry & ~(PAGE_BYTES - 1)) + (first << 3);
}

/** The hash from which the step after tableSweep(database, hash) goes on; 0 when the database is through. */
export function tableSweepNext(database: u32, hash: u32): u32 {
  const depth = segmentEntry(database, hash) & DEPTH_MASK;
  return hashAfter(hash, depth, (homeSlot(hash, depth) & ~(SWEEP_SLOTS - 1)) + SWEEP_SLOTS);
}

/**
 * The first entry from the home of `hash` on, through all segments and around, whose marks under `mask` are `marks`: its slot,
 * or 0 when there is none.
 */
export function tableNext(database: u32, hash: u32, mask: u32, marks: u32): u32 {
  if (tableEntries(database) == 0) return 0;
  const first = segmentEntry(database, hash);
  let entry = first;
  let at = hash;
  do {
    const slot = nextInSegment(entry, at, mask, marks);
    if (slot != 0) return slot;
    at = hashAfter(at, entry & DEPTH_MASK, SLOTS);
    entry = segmentEntry(database, at);
  } while (entry != first);
  return 0;
}

function nextInSegment(entry: u32, hash: u32, mask: u32, marks: u32): u32 {
  const segment = entry & ~(PAGE_BYTES - 1);
  if (load<u16>(takenSlots + (segment >> 16 << 1)) == 0) return 0;
  const home = homeSlot(hash, entry & DEPTH_MASK);
  for (let i: u32 = 0; i < SLOTS; i++) {
    const slot = segment + (((home + i) & SLOT_MASK) << 3);
    const word = load<u32>(slot, 4);
    if (word != 0 && (word & mask) == marks) return slot;
  }
  return 0;
}

/** A slot, every one with the same chance; 0 when it is empty, or when the draw must be repeated. `dice`: 64 random bits. */
export function tableDraw(database: u32, dice: u64): u32 {
  const entry = segmentEntry(database, <u32>dice);
  if (entry == 0) return 0;
  const depth = entry & DEPTH_MASK;
  // A segment that has not split as often as others is met more often: by so much its draws are not counted.
  const surplus = depthOf(database) - depth;
  if (surplus != 0 && <u32>(dice >> 32) >> (32 - surplus) != 0) return 0;
  const slot = (entry & ~(PAGE_BYTES - 1)) + (homeSlot(<u32>dice, depth) << 3);
  return load<u32>(slot, 4) == 0 ? 0 : slot;
}
