// The index of the table (table.ts) as it grows and goes: inserting, segments that split, directories that double, whole indexes.

import { PAGE_BYTES } from "./pages";
import {
  countEntry,
  DATABASE_BYTES,
  depthOf,
  DEPTH_MASK,
  directoryOf,
  forgetIndex,
  freeTablePages,
  homeSlot,
  indexAt,
  noteMoved,
  segmentEntry,
  SLOTS,
  SLOT_BITS,
  SLOT_MASK,
  takenSlots,
  takeTablePages,
} from "./table";

/** A segment splits when more slots than this are taken: beyond four fifths, probing gets long. */
const MAX_TAKEN: u32 = (SLOTS * 4) / 5;
/** Bits of the hash that a directory can use: the rest must hold a home slot. */
const MAX_DEPTH: u32 = 32 - SLOT_BITS;

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
  countEntry(database, marks, 1);
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
  store<u32>(indexAt(database), directory);
  store<u32>(indexAt(database), 0, 4);
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
  store<u32>(indexAt(database), to);
  store<u32>(indexAt(database), depth + 1, 4);
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
  noteMoved();
  return true;
}

/** Gives the index of `from`, with all that is in it, to `to`, which must have none. */
export function tableHandOver(from: u32, to: u32): void {
  noteMoved();
  memory.copy(indexAt(to), indexAt(from), DATABASE_BYTES);
  memory.fill(indexAt(from), 0, DATABASE_BYTES);
}

/** Exchanges nothing but the index of a database for an empty one; the records in it must have been freed. */
export function tableDrop(database: u32): void {
  const directory = directoryOf(database);
  if (directory == 0) return;
  noteMoved();
  const entries: u32 = 1 << depthOf(database);
  let last: u32 = 0;
  for (let i: u32 = 0; i < entries; i++) {
    const segment = load<u32>(directory + (i << 2)) & ~(PAGE_BYTES - 1);
    if (segment == last) continue;
    last = segment;
    freeTablePages(segment, 1);
  }
  freeTablePages(directory, directoryPages(depthOf(database)));
  forgetIndex(database);
}
