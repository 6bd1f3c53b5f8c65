// Room for a write: the memory limit and what to do at it. `maxmemory` bounds what the data takes (live records, index, host
// objects); the ceiling bounds the pages of linear memory. At the limit entries are evicted by sampling, or the write is refused.

import { arenaHasRoom, compactNow, largePages, liveBytes, SEGMENT_BYTES, segments } from "./arena";
import { accessClock } from "./clock";
import { freeDetached } from "./detached";
import { drop } from "./entries";
import { pagesLeft, pagesOverall, takePages } from "./pages";
import { random } from "./random";
import { recordAccess, recordExpiry } from "./record";
import {
  CHARGED_SLOT_BYTES,
  chargedTableBytes,
  DATABASES,
  MARK_TOMBSTONE,
  MARK_VOLATILE,
  slotRecord,
  tableEntries,
  tablePages,
  tableTombstones,
  tableVolatile,
} from "./table";
import { tableNext } from "./table-walk";

/** What happens at the limit. */
export const POLICY_REFUSE: u32 = 0;
export const POLICY_ALL_LRU: u32 = 1;
export const POLICY_VOLATILE_LRU: u32 = 2;
export const POLICY_ALL_RANDOM: u32 = 3;
export const POLICY_VOLATILE_RANDOM: u32 = 4;
export const POLICY_VOLATILE_TTL: u32 = 5;

/** Entries that are compared for one eviction. */
const SAMPLES: u32 = 10;
/** Pages that a write may need beside its record: a segment of the arena, two of the index, and a directory. */
const MARGIN_PAGES: u32 = 16 + 4 + 32;

/** Bytes that may be evicted for a run of free pages, per byte of the run. */
const MAX_EVICTED_RATIO: u64 = 16;

let maxMemory: u64 = 0;
let policy: u32 = POLICY_REFUSE;
/** Bytes that the host objects of live entries take, as the host counts them. */
let hostBytes: f64 = 0;

export let evictedEntries: u64 = 0;

export function roomInit(): void {
  hostBytes = 0;
  maxMemory = 0;
  evictedEntries = 0;
}

/** Sets the limit in bytes (0: none but the ceiling) and the policy. */
export function setMaxMemory(bytes: f64, newPolicy: u32): void {
  maxMemory = <u64>bytes;
  policy = newPolicy;
}

/** Adds to the bytes that host objects take. */
export function addHostBytes(bytes: f64): void {
  hostBytes += bytes;
}

/** Bytes that the data takes: live records, index, and host objects. */
// @ts-ignore: decorator
@inline
export function usedBytes(): u64 {
  return liveBytes + chargedTableBytes() + <u64>hostBytes;
}

/** Bytes of linear memory that hold data, dead records included. */
export function heldBytes(): f64 {
  return <f64>(((<u64>segments) << 20) + ((<u64>(largePages + tablePages)) << 16));
}

/**
 * Makes sure that a record of `bytes` bytes, or several that take so many together, can be written: evicts or compacts where
 * that helps. False: the write must be refused. May move records and remove entries, so it comes before any look-up.
 */
// @ts-ignore: decorator
@inline
export function makeRoom(bytes: u32): bool {
  return hasRoom(bytes) || makeRoomSlowly(bytes);
}

/** Whether makeRoom() would have nothing to do: no record moves. */
// @ts-ignore: decorator
@inline
export function hasRoom(bytes: u32): bool {
  return isBelowLimit(bytes) && fits(bytes);
}

// @ts-ignore: decorator
@inline
function isBelowLimit(bytes: u32): bool {
  return maxMemory == 0 || usedBytes() + bytes + CHARGED_SLOT_BYTES <= maxMemory;
}

// @ts-ignore: decorator
@inline
function fits(bytes: u32): bool {
  return pagesLeft() > MARGIN_PAGES + (bytes >> 16) && arenaHasRoom(bytes);
}

function makeRoomSlowly(bytes: u32): bool {
  // Nothing is evicted for what could never be written.
  if (maxMemory != 0 && <u64>bytes + CHARGED_SLOT_BYTES > maxMemory) return false;
  if (MARGIN_PAGES + (bytes >> 16) >= pagesOverall()) return false;
  while (!isBelowLimit(bytes)) {
    if (freeDetached()) continue;
    if (policy == POLICY_REFUSE || !evict()) return false;
  }
  return clear(bytes);
}

/** Compacts, and evicts, until there are free pages in a row for `bytes` bytes, unless far too much would have to go. */
function clear(bytes: u32): bool {
  const before = liveBytes;
  const most = <u64>max(bytes, SEGMENT_BYTES) * MAX_EVICTED_RATIO;
  while (!fits(bytes)) {
    if (freeDetached() || compactNow()) continue;
    if (policy == POLICY_REFUSE || before - liveBytes > most || !evict()) return false;
  }
  return true;
}

/** Takes `count` pages that the host fills for a while; room for them is made as for a write. 0 where there is none. */
export function takePagesForHost(count: u32): u32 {
  const address = takePages(count, 1);
  if (address != 0 || count >= pagesOverall()) return address;
  return clear(count << 16) ? takePages(count, 1) : 0;
}

/** Removes the entry that the policy likes least among some; false when there is none to remove. */
function evict(): bool {
  const onlyVolatile = policy == POLICY_VOLATILE_LRU || policy == POLICY_VOLATILE_RANDOM || policy == POLICY_VOLATILE_TTL;
  const anyWillDo = policy == POLICY_ALL_RANDOM || policy == POLICY_VOLATILE_RANDOM;
  const mask = onlyVolatile ? MARK_VOLATILE : MARK_TOMBSTONE;
  const marks = onlyVolatile ? MARK_VOLATILE : 0;
  let bestSlot: u32 = 0;
  let bestDatabase: u32 = 0;
  let bestScore: u64 = 0;
  const samples: u32 = anyWillDo ? 1 : SAMPLES;
  for (let sample: u32 = 0; sample < samples; sample++) {
    const database = pickDatabase(onlyVolatile);
    if (database == DATABASES) return false;
    const slot = tableNext(database, <u32>random(), mask, marks);
    const score = scoreOf(slotRecord(slot));
    if (bestSlot == 0 || score > bestScore) {
      bestSlot = slot;
      bestDatabase = database;
      bestScore = score;
    }
  }
  drop(bestDatabase, bestSlot);
  evictedEntries++;
  return true;
}

/** The larger, the sooner it goes: seconds since the last access, or the nearness of its expiry. */
function scoreOf(record: u32): u64 {
  if (policy == POLICY_VOLATILE_TTL) return ~recordExpiry(record);
  return <u64>((accessClock - recordAccess(record)) & 0xffffff);
}

/** A database that has something to evict, each with the same chance per entry; DATABASES when none has. */
function pickDatabase(onlyVolatile: bool): u32 {
  let total: u64 = 0;
  for (let database: u32 = 0; database < DATABASES; database++) total += evictable(database, onlyVolatile);
  if (total == 0) return DATABASES;
  let at = random() % total;
  for (let database: u32 = 0; database < DATABASES; database++) {
    const entries = evictable(database, onlyVolatile);
    if (at < entries) return database;
    at -= entries;
  }
  return DATABASES;
}

// @ts-ignore: decorator
@inline
function evictable(database: u32, onlyVolatile: bool): u64 {
  return <u64>(onlyVolatile ? tableVolatile(database) : tableEntries(database) - tableTombstones(database));
}
