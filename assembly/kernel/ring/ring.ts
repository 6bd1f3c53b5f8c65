// The ring as a whole: turning it on, forgetting it, and its figures.

import { blockBytes, blockPages, blocksInit } from "./blocks";
import { copyInit } from "./copy";
import { deadlinesInit } from "./deadlines";
import { eventsInit } from "./events";
import { figureOf } from "./figures";
import { followInit } from "./follow";
import { latencyInit } from "./latency";
import { routeInit, routeInstall } from "./route";
import { slotsCapacity, slotsInit, slotsPending, slotsReady } from "./slot";
import { streamsInit } from "./streams";
import { targetsInit } from "./targets";

/** Forgets all of it; the pages must have been given back by pagesInit(). */
export function ringInit(): void {
  routeInit();
  targetsInit();
  blocksInit();
  streamsInit();
  slotsInit();
  followInit();
  deadlinesInit();
  eventsInit();
  latencyInit();
  copyInit();
}

/**
 * Turns the ring on with the tables that were written to what ringReserve() returned, or replaces them; gives those before back.
 * False, with nothing changed, when there is no memory.
 */
export function ringInstall(address: u32): bool {
  if (!slotsReady()) return false;
  routeInstall(address);
  targetsInit();
  return true;
}

/** First of the figures that are states, not counts. */
const FIRST_STATE: u32 = 64;

/** A figure by its number (RING_FIGURE in src/store/kernel-ring.ts). */
export function ringFigure(index: u32): f64 {
  switch (index) {
    case FIRST_STATE:
      return <f64>slotsPending();
    case FIRST_STATE + 1:
      return <f64>slotsCapacity();
    case FIRST_STATE + 2:
      return <f64>blockBytes;
    case FIRST_STATE + 3:
      return <f64>blockPages;
  }
  return index < FIRST_STATE ? figureOf(index) : NaN;
}
