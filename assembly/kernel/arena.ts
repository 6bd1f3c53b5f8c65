// The arena: records, appended to segments of 1 MiB. A record that grows out of its place is written anew at the head; its old
// place is dead until its segment is compacted. Compaction takes the emptiest segment, moves what lives in it to the head, and
// gives the segment back, a few records at a time, paid for by the bytes that writes append. Records above MAX_SMALL_BYTES
// have a run of pages each.
//
// A record may move only in compact(), which the kernel calls between two commands; within a command every address holds.

import { recordMoved } from "./detached";
import { releasedMoved } from "./entries";
import { freePages, hasPages, PAGE_BYTES, takePages } from "./pages";
import { FLAG_OBJECT, FLAG_RELEASED, recordFlags, recordIsDead, recordSetDead, recordSize } from "./record";

const SEGMENT_PAGES: u32 = 16;
export const SEGMENT_BYTES: u32 = SEGMENT_PAGES << 16;
/** Larger records take pages of their own. */
const MAX_SMALL_BYTES: u32 = 256 * 1024;
/** Bytes that the head must have left beside what is asked for: what a command writes is not always known to the byte. */
const HEAD_MARGIN_BYTES: u32 = 4096;
/** Compaction begins when the segments exceed the live bytes by a quarter and by this many bytes. */
const SLACK_BYTES: u64 = 4 << 20;
/** Bytes of a victim that compaction passes per byte that writes append. */
const COMPACT_RATIO: u32 = 3;

/** Bytes of live records per segment of 1 MiB, by address; used up to segmentUsed. */
const segmentLive: usize = memory.data(4096 * 4, 16);
const segmentUsed: usize = memory.data(4096 * 4, 16);

/** Address of the segment that is appended to, 0 for none, and where its next record goes. */
let head: u32 = 0;
let headNext: u32 = 0;
/** A free segment that only compaction may open, 0 for none: without it, full memory could not be compacted. */
let reserve: u32 = 0;
/** The segment in compaction, 0 for none, and the record to look at next. */
let victim: u32 = 0;
let victimNext: u32 = 0;
/** Bytes appended that compaction has not yet answered. */
let appended: u32 = 0;

/** Segments in use. */
export let segments: u32 = 0;
/** Bytes of live records, large ones included. */
export let liveBytes: u64 = 0;
/** Bytes of the pages of large records, and of the records in them. */
export let largePages: u32 = 0;
let largeBytes: u64 = 0;
/** Records that compaction has moved. */
export let movedRecords: u64 = 0;

/** Forgets every record; the pages must have been given back by pagesInit(). */
export function arenaInit(): void {
  memory.fill(segmentLive, 0, 4096 * 4);
  memory.fill(segmentUsed, 0, 4096 * 4);
  head = 0;
  headNext = 0;
  reserve = 0;
  victim = 0;
  appended = 0;
  segments = 0;
  liveBytes = 0;
  largePages = 0;
  largeBytes = 0;
  movedRecords = 0;
}

/** Takes `size` bytes (a multiple of 8) for a record and returns their address, 0 at the ceiling. Sets the record's size. */
export function arenaTake(size: u32): u32 {
  if (size > MAX_SMALL_BYTES) return takeLarge(size);
  return takeSmall(size, false);
}

/** Whether a record of `bytes` bytes will find its place, or nearly always several that take so many together. */
// @ts-ignore: decorator
@inline
export function arenaHasRoom(bytes: u32): bool {
  if (bytes > MAX_SMALL_BYTES) return hasPages((bytes + PAGE_BYTES - 1) >> 16, 1);
  if (head != 0 && headNext + bytes + HEAD_MARGIN_BYTES <= head + SEGMENT_BYTES) return true;
  return hasPages(SEGMENT_PAGES, SEGMENT_PAGES);
}

// @ts-ignore: decorator
@inline
function takeSmall(size: u32, compacting: bool): u32 {
  let record = headNext;
  if (head == 0 || record + size > head + SEGMENT_BYTES) {
    if (!openSegment(compacting)) return 0;
    record = headNext;
  }
  headNext = record + size;
  const live = segmentLive + (record >> 20 << 2);
  store<u32>(live, load<u32>(live) + size);
  liveBytes += size;
  appended += size;
  store<u32>(record, size, 4);
  return record;
}

function openSegment(compacting: bool): bool {
  let segment = takePages(SEGMENT_PAGES, SEGMENT_PAGES);
  if (segment == 0) {
    if (!compacting || reserve == 0) return false;
    segment = reserve;
    reserve = 0;
  } else if (reserve == 0) {
    reserve = takePages(SEGMENT_PAGES, SEGMENT_PAGES);
  }
  if (head != 0) sealHead();
  head = segment;
  headNext = segment;
  store<u32>(segmentLive + (segment >> 20 << 2), 0);
  segments++;
  return true;
}

/** Notes how far the head is filled; a head without a live record goes back at once. */
function sealHead(): void {
  const index = head >> 20 << 2;
  store<u32>(segmentUsed + index, headNext - head);
  if (load<u32>(segmentLive + index) == 0) closeSegment(head);
  head = 0;
}

function closeSegment(segment: u32): void {
  const index = segment >> 20 << 2;
  store<u32>(segmentUsed + index, 0);
  if (reserve == 0) reserve = segment;
  else freePages(segment, SEGMENT_PAGES);
  segments--;
}

function takeLarge(size: u32): u32 {
  const pages = (size + PAGE_BYTES - 1) >> 16;
  const record = takePages(pages, 1);
  if (record == 0) return 0;
  largePages += pages;
  const whole = pages << 16;
  largeBytes += whole;
  liveBytes += whole;
  store<u32>(record, whole, 4);
  return record;
}

/** Gives a record's bytes back. */
export function arenaFree(record: u32): void {
  const size = recordSize(record);
  liveBytes -= size;
  if (size > MAX_SMALL_BYTES) {
    largePages -= size >> 16;
    largeBytes -= size;
    freePages(record, size >> 16);
    return;
  }
  recordSetDead(record);
  const segment = record & ~(SEGMENT_BYTES - 1);
  const live = segmentLive + (record >> 20 << 2);
  const left = load<u32>(live) - size;
  store<u32>(live, left);
  if (left == 0 && segment != head && segment != victim) closeSegment(segment);
}

// ---- Compaction ---------------------------------------------------------------------------------------------------

/** Whether so much of the segments is dead that compaction pays. */
// @ts-ignore: decorator
@inline
function compactionIsDue(): bool {
  const small = liveBytes - largeBytes;
  return (<u64>segments << 20) > small + (small >> 2) + SLACK_BYTES;
}

/** Between two commands: compacts as much as the writes since the last call have earned. */
// @ts-ignore: decorator
@inline
export function arenaMaintain(): void {
  if (appended == 0) return;
  const budget = appended * COMPACT_RATIO;
  appended = 0;
  if (victim != 0 || compactionIsDue()) compact(budget);
}

const RELEASED_OBJECT: u32 = FLAG_OBJECT | FLAG_RELEASED;

/** Compacts up to `budget` bytes of dead or live records; returns whether there is more to do. */
export function compact(budget: u32): bool {
  let passed: u32 = 0;
  while (passed < budget) {
    if (victim == 0 && (!compactionIsDue() || !chooseVictim())) return false;
    const end = victim + load<u32>(segmentUsed + (victim >> 20 << 2));
    while (victimNext < end && passed < budget) {
      const record = victimNext;
      const size = recordSize(record);
      passed += size;
      if (!recordIsDead(record)) {
        const moved = takeSmall(size, true);
        if (moved == 0) return false;
        appended -= size;
        memory.copy(moved, record, size);
        if ((recordFlags(record) & RELEASED_OBJECT) == RELEASED_OBJECT) releasedMoved(moved);
        else recordMoved(record, moved);
        movedRecords++;
        liveBytes -= size;
        const live = segmentLive + (victim >> 20 << 2);
        store<u32>(live, load<u32>(live) - size);
      }
      victimNext = record + size;
    }
    if (victimNext >= end) {
      const done = victim;
      victim = 0;
      closeSegment(done);
    }
  }
  return true;
}

/** Compacts at the ceiling: whole segments until one is free. Returns whether it gained a segment. */
export function compactNow(): bool {
  const before = segments;
  if (victim == 0 && !chooseVictim()) return false;
  for (let round: u32 = 0; round < 8; round++) {
    if (!compact(2 * SEGMENT_BYTES) && victim != 0) return segments < before;
    if (segments < before) return true;
    if (victim == 0 && !chooseVictim()) return false;
  }
  return false;
}

/** Picks the sealed segment with the fewest live bytes; false when none would gain an eighth of a segment. */
function chooseVictim(): bool {
  let best: u32 = 0;
  let bestLive: u32 = SEGMENT_BYTES - (SEGMENT_BYTES >> 3);
  for (let index: u32 = 0; index < 4096; index++) {
    if (load<u32>(segmentUsed + (index << 2)) == 0) continue;
    const live = load<u32>(segmentLive + (index << 2));
    if (live >= bestLive) continue;
    const segment = index << 20;
    if (segment == head) continue;
    best = segment;
    bestLive = live;
  }
  if (best == 0) return false;
  victim = best;
  victimNext = best;
  return true;
}
