// kernel.wasm: the table, feed(), and the ring.

import { arenaInit, liveBytes, movedRecords, segments } from "./kernel/arena";
import { callsInit, outOfMemoryErrors, plainErrors, wrongTypeErrors } from "./kernel/calls";
import { changes, resetClock, setNow } from "./kernel/clock";
import { maxValueBytes, setMaxValueBytes } from "./kernel/commands/command";
import { connectionsInit } from "./kernel/connection";
import { detachedInit } from "./kernel/detached";
import { entriesInit, expiredEntries, hits, misses } from "./kernel/entries";
import { floorsInit } from "./kernel/floors";
import { pagesInit } from "./kernel/pages";
import { randomSeed } from "./kernel/random";
import { figuresInit } from "./kernel/ring/figures";
import { limitsInit } from "./kernel/ring/limits";
import { linksInit } from "./kernel/ring/links";
import { ringInit } from "./kernel/ring/ring";
import { evictedEntries, roomInit, usedBytes } from "./kernel/room";
import { siphashSeed } from "./kernel/siphash";
import { tableInit, tablePages, tableVolatile } from "./kernel/table";
import { setMaxBulkBytes } from "./codec/resp-request";

export { collectTombstones, holdExpiry, takeReleased } from "./kernel/entries";
export { connectionClose, connectionLevels, connectionOpen } from "./kernel/connection";
export { contextClose, contextOpen, inputReserve } from "./kernel/context";
export { holdStamp, observeStamp, setNodeIndex, setNow } from "./kernel/clock";
export { callsOf, failedOf, rejectedOf } from "./kernel/calls";
export { feed, resume, scan } from "./kernel/feed";
export { floorNodeOf, floorOf, setFloor } from "./kernel/floors";
export {
  hostChanged,
  hostCount,
  hostFind,
  hostFlush,
  hostFree,
  hostMaintain,
  hostObjectBytes,
  hostRandom,
  hostRemove,
  hostRename,
  hostSetExpiry,
  hostWalk,
  hostWrite,
  randomBelow,
  tick,
  walkedCount,
} from "./kernel/host";
export { hostInstall, hostNode, hostObserve, hostPeek, hostUntrimmed } from "./kernel/objects";
export { freePages, takePages } from "./kernel/pages";
export { nextEvent } from "./kernel/ring/events";
export { readAround, replicate } from "./kernel/ring/host-quorums";
export { ringLatency } from "./kernel/ring/latency";
export { ringFigure, ringInstall } from "./kernel/ring/ring";
export { ringReserve, ringRoute } from "./kernel/ring/route";
export { expireSlots, ringSetClock } from "./kernel/ring/deadlines";
export { nextReady, streamAppend } from "./kernel/ring/release";
export { slotFulfil, slotOpen, slotSeal } from "./kernel/ring/slots";
export { connectionGated, streamBytes, streamTake, turnFlushed } from "./kernel/ring/streams";
export { isTooFarAhead } from "./kernel/ring/apply";
export { copiedBytes, copyNeeds, copyWalk } from "./kernel/ring/copy";
export { digest } from "./kernel/ring/digest";
export { ringSetForgotten, ringSetLimits, ringSetMaxFrame, ringSetSelf } from "./kernel/ring/limits";
export { linkAddress, linkDown, linkFlushed, linkOpen, linkSetFlags, linkSettle } from "./kernel/ring/links";
export { linkSeal } from "./kernel/ring/outbox";
export { peerFeed, peerResume } from "./kernel/ring/peer-feed";
export { hostApply, hostMint, lastStampSeen, linkRequest, peerAnswer } from "./kernel/ring/port";
export { heldBytes, makeRoom, setMaxMemory } from "./kernel/room";

/**
 * Makes the kernel empty, for its first use or for another: no entry, no connection, no context. `ceilingBytes`: most bytes of
 * linear memory it will use; `seed`: 128 secret bits for the hash of the table; `tombstones` (0 or 1): whether removals leave any.
 */
export function reset(ceilingBytes: u32, seedLow: u64, seedHigh: u64, tombstones: u32): void {
  pagesInit(ceilingBytes);
  arenaInit();
  tableInit();
  detachedInit();
  entriesInit(tombstones != 0);
  floorsInit();
  connectionsInit();
  roomInit();
  callsInit();
  limitsInit();
  figuresInit();
  linksInit();
  ringInit();
  resetClock();
  siphashSeed(seedLow, seedHigh);
  randomSeed(seedLow ^ seedHigh);
  setNow(0);
}

/** Sets the longest argument and the longest value, in bytes. */
export function setLimits(maxBulk: u32): void {
  setMaxBulkBytes(maxBulk);
  setMaxValueBytes(maxBulk);
}

/** One figure by number: see src/store/kernel.ts. */
export function figure(index: u32): f64 {
  switch (index) {
    case 0:
      return <f64>usedBytes();
    case 1:
      return <f64>liveBytes;
    case 2:
      return <f64>segments;
    case 3:
      return <f64>tablePages;
    case 4:
      return <f64>expiredEntries;
    case 5:
      return <f64>evictedEntries;
    case 6:
      return <f64>hits;
    case 7:
      return <f64>misses;
    case 8:
      return <f64>movedRecords;
    case 9:
      return <f64>maxValueBytes;
    case 10:
      return <f64>plainErrors;
    case 11:
      return <f64>wrongTypeErrors;
    case 12:
      return <f64>outOfMemoryErrors;
    case 13:
      return <f64>changes;
  }
  return NaN;
}

/** Entries of a database that expire. */
export function volatileCount(database: u32): u32 {
  return tableVolatile(database);
}
