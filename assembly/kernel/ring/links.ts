// Links: one for each other member, by number. What the kernel knows of it, the outbox of frames for it, and the FIFO of slots
// that wait for its answers: the n-th answer belongs to the n-th request. Both are pages, taken while the link is open.
//
//    0 u32 flags (LINK_)            4 u32 outbox                  8 u32 bytes in the outbox     12 u32 requests without an answer
//   16 u32 acknowledgements owed   20 u32 FIFO of u32 slots      24 u32 its slots - 1           28 u32 oldest entry (counts on)
//   32 u64 newest stamp that the member minted and that came over this link                     40 u32 1: the host owes an answer
//   44 u32 pages of the FIFO       48 u64 bytes that came        56 u64 bytes that were flushed
//   64 u64 oldest stamp of what was not sent because the link took no requests, until the host takes it out; 0: nothing

import { freePages, PAGE_BYTES, takePages } from "../pages";
import { takePagesForHost } from "../room";
import { FAIL_LINK_DOWN } from "./frames";
import { BYTES_OUT, countFigure, LINK_OVERFLOWS, LOST_REQUESTS, UNSENT_RECORDS } from "./figures";
import { maxLinkPending, OUTBOX_BYTES } from "./limits";
import { slotOf } from "./slot";
import { slotFailed, slotsAcked } from "./slots";

/** Most links; numbers are below. */
export const MAX_LINKS: u32 = 1024;
/** Stands for no slot in the FIFO: nobody waits for the answer. */
export const NO_SLOT: u32 = 0xffffffff;

/** The link is open and takes frames. */
export const LINK_UP: u32 = 1;
/** The member takes writes, answers no read and is no executor. */
export const LINK_FENCED: u32 = 2;
/** There was no memory for one more request: the host must close the link. */
export const LINK_OVERFLOW: u32 = 4;
/**
 * Too many requests are unanswered, or too much waits to leave: until half of that is done it takes no more but those that somebody
 * waits for and that a quorum cannot do without, of which there are as many as slots at most.
 */
export const LINK_FULL: u32 = 8;
/** What is sent arrives too late to be of use, as the host finds: it takes no requests, and no answers that may be long. */
export const LINK_BEHIND: u32 = 16;

export const LINK_OUTBOX: u32 = 4;
export const LINK_OUT_LENGTH: u32 = 8;
export const LINK_PENDING: u32 = 12;
export const LINK_ACKS: u32 = 16;
const LINK_FIFO: u32 = 20;
const LINK_FIFO_MASK: u32 = 24;
const LINK_FIFO_HEAD: u32 = 28;
export const LINK_NEWEST: u32 = 32;
export const LINK_OWED: u32 = 40;
const LINK_FIFO_PAGES: u32 = 44;
export const LINK_BYTES_IN: u32 = 48;
const LINK_BYTES_OUT: u32 = 56;
const LINK_MISSED: u32 = 64;
const LINK_BYTES: u32 = 128;

const LINK_TAKES_NONE: u32 = LINK_OVERFLOW | LINK_FULL | LINK_BEHIND;

const OUTBOX_PAGES: u32 = OUTBOX_BYTES >> 16;
/** Entries of a FIFO that has one page. */
const FIFO_ENTRIES: u32 = PAGE_BYTES >> 2;

/** Links at addresses from here on, in a page that is taken for the first of them; 0 of them before. */
let links: u32 = 0;
let linkCount: u32 = 0;

/** Grows whenever a link comes up, goes down, or changes its flags. */
export let linkChanges: u32 = 0;

export function linksInit(): void {
  linkChanges++;
  links = 0;
  linkCount = 0;
}

function takeLinks(): bool {
  links = takePagesForHost((MAX_LINKS * LINK_BYTES) >> 16);
  if (links == 0) return false;
  memory.fill(links, 0, MAX_LINKS * LINK_BYTES);
  linkCount = MAX_LINKS;
  return true;
}

/** Address of a link's words; some link has been opened, and `link` is below MAX_LINKS. */
// @ts-ignore: decorator
@inline
export function linkAddress(link: u32): u32 {
  return links + link * LINK_BYTES;
}

/** Whether a link takes any request: it is up, neither full nor behind. False for a number that is none. */
// @ts-ignore: decorator
@inline
export function linkIsUp(link: u32): bool {
  return link < linkCount && (load<u32>(linkAddress(link)) & (LINK_UP | LINK_TAKES_NONE)) == LINK_UP;
}

/** Whether a link takes requests and its member answers reads. */
// @ts-ignore: decorator
@inline
export function linkIsReadable(link: u32): bool {
  return link < linkCount && (load<u32>(linkAddress(link)) & (LINK_UP | LINK_TAKES_NONE | LINK_FENCED)) == LINK_UP;
}

/** Whether a link takes a request that a slot waits for: it is up, and not behind. */
// @ts-ignore: decorator
@inline
export function linkTakesAwaited(link: u32): bool {
  return link < linkCount && (load<u32>(linkAddress(link)) & (LINK_UP | LINK_OVERFLOW | LINK_BEHIND)) == LINK_UP;
}

/** Whether the member of a link is there and answers reads, even if its link takes no requests now. */
// @ts-ignore: decorator
@inline
export function linkIsThere(link: u32): bool {
  return link < linkCount && (load<u32>(linkAddress(link)) & (LINK_UP | LINK_OVERFLOW | LINK_FENCED)) == LINK_UP;
}

/** Whether a link is up and does not take any request. */
// @ts-ignore: decorator
@inline
export function linkIsShut(link: u32): bool {
  if (link >= linkCount) return false;
  const flags = load<u32>(linkAddress(link));
  return (flags & LINK_UP) != 0 && (flags & LINK_TAKES_NONE) != 0;
}

/** Whether what goes over an open link arrives too late. */
// @ts-ignore: decorator
@inline
export function linkIsBehind(link: u32): bool {
  return (load<u32>(linkAddress(link)) & LINK_BEHIND) != 0;
}

/** Makes a link ready, with an empty outbox and nothing expected; its address, 0: no memory, or no number of a link. Not up yet. */
export function linkOpen(link: u32): u32 {
  if (link >= MAX_LINKS || (linkCount == 0 && !takeLinks())) return 0;
  linkDown(link);
  const outbox = takePagesForHost(OUTBOX_PAGES);
  if (outbox == 0) return 0;
  const fifo = takePagesForHost(1);
  if (fifo == 0) {
    freePages(outbox, OUTBOX_PAGES);
    return 0;
  }
  const at = linkAddress(link);
  memory.fill(at, 0, LINK_BYTES);
  store<u32>(at, outbox, LINK_OUTBOX);
  store<u32>(at, fifo, LINK_FIFO);
  store<u32>(at, 1, LINK_FIFO_PAGES);
  store<u32>(at, FIFO_ENTRIES - 1, LINK_FIFO_MASK);
  return at;
}

/** Whether a link is open: it has an outbox. */
// @ts-ignore: decorator
@inline
export function linkIsOpen(link: u32): bool {
  return link < linkCount && load<u32>(linkAddress(link), LINK_OUTBOX) != 0;
}

/** Sets LINK_UP and LINK_FENCED of an open link as they are in `flags`. */
export function linkSetFlags(link: u32, flags: u32): void {
  linkChanges++;
  if (!linkIsOpen(link)) return;
  const at = linkAddress(link);
  const settable = LINK_UP | LINK_FENCED;
  store<u32>(at, (load<u32>(at) & ~settable) | (flags & settable));
}

/**
 * Looks whether a link takes requests; within a command that never changes. `found`: LINK_FULL where too much waits to leave as the
 * host finds, LINK_BEHIND. Returns its LINK_ flags.
 */
export function linkSettle(link: u32, found: u32): u32 {
  if (!linkIsOpen(link)) return 0;
  const at = linkAddress(link);
  const before = load<u32>(at);
  const pending = load<u32>(at, LINK_PENDING);
  let flags = (before & ~LINK_BEHIND) | (found & LINK_BEHIND);
  if (pending >= maxLinkPending || found & LINK_FULL) flags |= LINK_FULL;
  else if (pending <= maxLinkPending >> 1) flags &= ~LINK_FULL;
  if (flags == before) return flags;
  if (flags & ~before & LINK_FULL) countFigure(LINK_OVERFLOWS, 1);
  store<u32>(at, flags);
  linkChanges++;
  return flags;
}

/** A record with this stamp was not sent over a link, by its address, because it takes no requests: its member is told later. */
export function linkMissed(at: u32, stamp: u64): void {
  countFigure(UNSENT_RECORDS, 1);
  const oldest = load<u64>(at, LINK_MISSED);
  if (oldest == 0 || stamp < oldest) store<u64>(at, stamp, LINK_MISSED);
}

/** The link is gone: every request that waits for its answer on it fails; its outbox is dropped. */
export function linkDown(link: u32): void {
  if (!linkIsOpen(link)) return;
  const at = linkAddress(link);
  linkChanges++;
  // Whoever hears of a failure sends nothing more here.
  store<u32>(at, 0);
  const outbox = load<u32>(at, LINK_OUTBOX);
  const fifo = load<u32>(at, LINK_FIFO);
  const mask = load<u32>(at, LINK_FIFO_MASK);
  const pages = load<u32>(at, LINK_FIFO_PAGES);
  const head = load<u32>(at, LINK_FIFO_HEAD);
  const pending = load<u32>(at, LINK_PENDING);
  store<u32>(at, 0, LINK_OUTBOX);
  store<u32>(at, 0, LINK_OUT_LENGTH);
  store<u32>(at, 0, LINK_PENDING);
  store<u32>(at, 0, LINK_ACKS);
  store<u32>(at, 0, LINK_OWED);
  countFigure(LOST_REQUESTS, pending);
  for (let i: u32 = 0; i < pending; i++) {
    const slot = load<u32>(fifo + (((head + i) & mask) << 2));
    if (slot != NO_SLOT) slotFailed(slot, link, FAIL_LINK_DOWN);
  }
  freePages(outbox, OUTBOX_PAGES);
  freePages(fifo, pages);
}

// ---- The FIFO -------------------------------------------------------------------------------------------------------

/**
 * Notes that the next request in the outbox has `slot` (or NO_SLOT) waiting for its answer. Comes before the frame is written.
 * True whenever linkIsUp() is, and with a slot whenever linkTakesAwaited() is; false: the frame must not be written.
 */
// @ts-ignore: decorator
@inline
export function linkExpect(link: u32, slot: u32): bool {
  if (!(slot == NO_SLOT ? linkIsUp(link) : linkTakesAwaited(link))) return false;
  linkExpectAt(linkAddress(link), slot);
  return true;
}

/** As linkExpect(), for the address of a link that takes the request. */
// @ts-ignore: decorator
@inline
export function linkExpectAt(at: u32, slot: u32): void {
  const pending = load<u32>(at, LINK_PENDING);
  const mask = load<u32>(at, LINK_FIFO_MASK);
  store<u32>(load<u32>(at, LINK_FIFO) + (((load<u32>(at, LINK_FIFO_HEAD) + pending) & mask) << 2), slot);
  store<u32>(at, pending + 1, LINK_PENDING);
  // Room for the next one is made now, so that a link that is up always has it.
  if (pending == mask) growFifo(at);
}

function growFifo(at: u32): void {
  const pages = load<u32>(at, LINK_FIFO_PAGES);
  const mask = load<u32>(at, LINK_FIFO_MASK);
  // Whoever sends may hold addresses of records: nothing may be compacted for this.
  const larger = takePages(pages << 1, 1);
  if (larger == 0) {
    store<u32>(at, load<u32>(at) | LINK_OVERFLOW);
    linkChanges++;
    return;
  }
  const fifo = load<u32>(at, LINK_FIFO);
  const head = load<u32>(at, LINK_FIFO_HEAD) & mask;
  const straight = mask + 1 - head;
  memory.copy(larger, fifo + (head << 2), straight << 2);
  memory.copy(larger + (straight << 2), fifo, head << 2);
  freePages(fifo, pages);
  store<u32>(at, larger, LINK_FIFO);
  store<u32>(at, pages << 1, LINK_FIFO_PAGES);
  store<u32>(at, (mask << 1) | 1, LINK_FIFO_MASK);
  store<u32>(at, 0, LINK_FIFO_HEAD);
}

/** The slot that waits for the next answer of a link that has requests without one. */
// @ts-ignore: decorator
@inline
export function linkAwaited(at: u32): u32 {
  return load<u32>(load<u32>(at, LINK_FIFO) + ((load<u32>(at, LINK_FIFO_HEAD) & load<u32>(at, LINK_FIFO_MASK)) << 2));
}

/**
 * Has the slots take up to `count` acknowledgements, as many as need no closer look; returns how many that were. `count` is at
 * most the number of requests without an answer.
 */
// @ts-ignore: decorator
@inline
export function linkAcked(at: u32, count: u32): u32 {
  const head = load<u32>(at, LINK_FIFO_HEAD);
  const taken = slotsAcked(load<u32>(at, LINK_FIFO), load<u32>(at, LINK_FIFO_MASK), head, count);
  store<u32>(at, head + taken, LINK_FIFO_HEAD);
  store<u32>(at, load<u32>(at, LINK_PENDING) - taken, LINK_PENDING);
  return taken;
}

/** The answer that linkAwaited() waits for has come. */
// @ts-ignore: decorator
@inline
export function linkAnswered(at: u32): void {
  store<u32>(at, load<u32>(at, LINK_FIFO_HEAD) + 1, LINK_FIFO_HEAD);
  store<u32>(at, load<u32>(at, LINK_PENDING) - 1, LINK_PENDING);
}

/** Forgets the slots that are gone, on every link: nobody waits for those answers. */
export function linksForgetGone(): void {
  for (let link: u32 = 0; link < linkCount; link++) {
    const at = linkAddress(link);
    const fifo = load<u32>(at, LINK_FIFO);
    const mask = load<u32>(at, LINK_FIFO_MASK);
    const head = load<u32>(at, LINK_FIFO_HEAD);
    const pending = load<u32>(at, LINK_PENDING);
    for (let i: u32 = 0; i < pending; i++) {
      const entry = fifo + (((head + i) & mask) << 2);
      if (slotOf(load<u32>(entry)) == 0) store<u32>(entry, NO_SLOT);
    }
  }
}

// ---- Sending --------------------------------------------------------------------------------------------------------

/** The outbox of a link was sent: it is empty again. */
export function linkFlushed(link: u32): void {
  if (!linkIsOpen(link)) return;
  const at = linkAddress(link);
  const length = load<u32>(at, LINK_OUT_LENGTH);
  store<u64>(at, load<u64>(at, LINK_BYTES_OUT) + length, LINK_BYTES_OUT);
  countFigure(BYTES_OUT, length);
  store<u32>(at, 0, LINK_OUT_LENGTH);
}
