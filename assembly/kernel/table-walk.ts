// Ways through the index of the table (table.ts): in the order of hashes, slot by slot, to the next of a kind, by chance.

import { PAGE_BYTES } from "./pages";
import {
  depthOf,
  DEPTH_MASK,
  homeSlot,
  MARKS,
  segmentEntry,
  SLOTS,
  SLOT_BITS,
  SLOT_MASK,
  tableEntries,
  takenSlots,
} from "./table";

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
