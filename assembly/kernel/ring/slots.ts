// Slots: requests that wait for answers of other nodes. A slot counts the acknowledgements that are still missing; when it has
// them, or cannot get them any more, it is decided. The slots of a connection are released in the order of its commands, and with
// them their replies, which lie in the connection's stream already. A slot is gone with its release: answers that come later
// find another generation under its number, and are ignored.
//
//    0 u32 connection (0: none; of a free slot: the next free one)
//    4 u32 position in the stream at which its reply begins; of the host's: its tag; of a child: its parent
//    8 u32 position at which it ends
//   12 u32 next slot of the connection; of the host's: next event
//   16 u32 when it was opened, in 1/64 ms
//   20 u8 need: acknowledgements that decide it   21 u8 got   22 u8 open: answers that may still come (5 bits), and links that
//      were lost with theirs (3 bits: 7 or more)   23 u8 children that are not decided; of a read from elsewhere: links (modulo
//      8) that hold nothing
//   24 u32 first attachment (even), or the key's hash (odd)
//   28 u32 generation (10 bits) | configured replicas (5) | command (5) | state (2) | kind (2) | SLOT_ flags (8)
//
// A handle, which is what the FIFO of a link holds: number of the slot (20 bits) | generation (10) | PART (1). Free slots are used
// again in the order in which they became free, and RESERVE of them always are: so a generation comes again only when
// more requests have been sent than a link may leave unanswered.

import { CONNECTION_END, CONNECTION_FIRST_SLOT, CONNECTION_LAST_SLOT } from "../connection";
import { freePages, PAGE_BYTES, takePages } from "../pages";
import {
  ATTACHMENT_REPLY,
  ATTACHMENT_REQUEST,
  ATTACHMENT_SPOILED,
  ATTACHMENT_STALE,
  attachmentBody,
  attachmentFind,
  attachmentNext,
  attachmentsFree,
  attachmentSetNext,
  attachmentTake,
  isAttachment,
} from "./attachments";
import { repairEmpty, slotSendAgain } from "./answers";
import { queueEvent } from "./events";
import { countFigure, REQUESTS_RETRIED, SLOTS_EXPIRED, SLOTS_FAILED, SLOTS_OPENED } from "./figures";
import { countLatency } from "./latency";
import { LEVEL_ONE, LEVEL_QUORUM, LEVEL_SAFE } from "./levels";
import { FAIL_INTERNAL, FAIL_LINK_DOWN } from "./frames";
import { maxLinkPending, maxPending, requestTimeoutMs } from "./limits";
import { NO_SLOT } from "./links";
import { decideReply, failReply } from "./override";
import { isHeldForTurn, markReady, streamHasReleased, streamPut, streamRelease, streamSplice, takeReady } from "./streams";

/** The command writes: that it failed does not mean that nothing was written. */
export const SLOT_WRITE: u32 = 1 << 24;
/** This node's own answer counts. */
export const SLOT_SELF: u32 = 1 << 25;
/** Whatever is newest must be held by a quorum before the reply may leave. */
export const SLOT_SAFE: u32 = 1 << 26;
/** Of the host: a replica that refuses for something newer counts, since it holds at least as much as it was sent. */
export const SLOT_HOLDS: u32 = SLOT_SAFE;
/** The command has several keys: only the last of its frames on a link counts. */
export const SLOT_MULTI: u32 = 1 << 27;
/** Acknowledgements need a closer look: slotAcked() leaves them to careful(). */
export const SLOT_CAREFUL: u32 = 1 << 28;
/** Of the host: a replica has answered STALE. Else: what replicas refused was sent again, under children. */
export const SLOT_STALE: u32 = 1 << 29;
/** An event of it waits for the host. */
export const SLOT_QUEUED: u32 = 1 << 30;
/** Not all requests of a slot of the host, or of a child, are out. */
export const SLOT_UNSEALED: u32 = 1 << 31;

const STATE: u32 = 3 << 20;
export const STATE_FREE: u32 = 0;
/** Not decided. */
export const STATE_OPEN: u32 = 1 << 20;
/** Decided, and waiting for those of the connection before it. */
export const STATE_DECIDED: u32 = 2 << 20;
/** The host runs the request again. */
export const STATE_RETRY: u32 = 3 << 20;

const KIND: u32 = 3 << 22;
export const KIND_CLIENT: u32 = 0;
export const KIND_HOST: u32 = 1 << 22;
/** Sends a refused write again with a new stamp; its parent waits for it. */
export const KIND_CHILD: u32 = 2 << 22;

/** In a handle: more frames of the same command follow on this link. */
export const PART: u32 = 1 << 30;

/** As `need`: nothing that comes over links decides the slot; a later one of the connection does. */
export const NEED_FOLLOWS: u32 = 255;

const SLOT_BYTES: u32 = 32;
const CONNECTION: u32 = 0;
const BEGIN: u32 = 4;
const END: u32 = 8;
const NEXT: u32 = 12;
const OPENED: u32 = 16;
const NEED: u32 = 20;
const GOT: u32 = 21;
const OPEN: u32 = 22;
const CHILDREN: u32 = 23;
const EXTRA: u32 = 24;
const WORD: u32 = 28;
const REPLICAS_SHIFT: u32 = 10;
const COMMAND_SHIFT: u32 = 15;
const FIVE_BITS: u32 = 31;

/** In the byte of open answers. */
const OPEN_MASK: u32 = 31;
const LOST_SHIFT: u32 = 5;
const MOST_LOST: u32 = 7;

const INDEX_MASK: u32 = 0xfffff;
const GENERATION_SHIFT: u32 = 20;
const GENERATION_MASK: u32 = 0x3ff;
/** What must be as expected for slotAcked() to take an acknowledgement without a closer look. */
const PLAIN_MASK: u32 = GENERATION_MASK | STATE | SLOT_CAREFUL;
const MAX_SLOTS: u32 = 1 << 20;

let slots: u32 = 0;
let capacity: u32 = 0;
let freeFirst: u32 = 0;
let freeLast: u32 = 0;
let freeCount: u32 = 0;
/** Slots that follow a later one. */
let followers: u32 = 0;

/** Time of the deadlines, in 1/64 ms, modulo 2^32; and no slot is older than its deadline before this. */
let clock: u32 = 0;
let quietUntil: u32 = 0;

export function slotsInit(): void {
  slots = 0;
  capacity = 0;
  freeCount = 0;
  followers = 0;
  clock = 0;
  quietUntil = 0;
}

/** Takes the memory of the first slots; false at the ceiling. */
export function slotsReady(): bool {
  return capacity != 0 || grow(PAGE_BYTES / SLOT_BYTES);
}

/** Sets the clock of the deadlines: milliseconds that never go back, from any start. */
export function ringSetClock(milliseconds: f64): void {
  clock = <u32>(<u64>(milliseconds * 64));
}

/** Slots in use, and slots that there is memory for. */
export function slotsPending(): u32 {
  return capacity - freeCount;
}
export function slotsCapacity(): u32 {
  return capacity;
}

// ---- Memory ---------------------------------------------------------------------------------------------------------

/** Free slots that are kept: see the head of this file. */
// @ts-ignore: decorator
@inline
function reserve(): u32 {
  return (maxLinkPending >> 10) + 64;
}

// @ts-ignore: decorator
@inline
function pagesOf(count: u32): u32 {
  return (count * SLOT_BYTES + PAGE_BYTES - 1) >> 16;
}

function grow(count: u32): bool {
  if (count > MAX_SLOTS) return false;
  const larger = takePages(pagesOf(count), 1);
  if (larger == 0) return false;
  if (slots != 0) {
    memory.copy(larger, slots, capacity * SLOT_BYTES);
    freePages(slots, pagesOf(capacity));
  }
  memory.fill(larger + capacity * SLOT_BYTES, 0, (count - capacity) * SLOT_BYTES);
  slots = larger;
  const first = capacity;
  capacity = count;
  for (let index = first; index < count; index++) putFree(index);
  return true;
}

// @ts-ignore: decorator
@inline
function putFree(index: u32): void {
  if (freeCount == 0) freeFirst = index;
  else store<u32>(slotAt(freeLast), index);
  freeLast = index;
  freeCount++;
}

/** Takes a slot and returns its handle, NO_SLOT when there are too many. `word`: all of word 28 but the generation. */
// @ts-ignore: decorator
@inline
function take(word: u32, need: u32): u32 {
  if (freeCount <= reserve() && !makeRoom()) return NO_SLOT;
  const index = freeFirst;
  const slot = slotAt(index);
  freeFirst = load<u32>(slot);
  freeCount--;
  const generation = load<u32>(slot, WORD) & GENERATION_MASK;
  store<u32>(slot, clock, OPENED);
  store<u32>(slot, need, NEED);
  store<u32>(slot, 0, EXTRA);
  store<u32>(slot, word | generation, WORD);
  return index | (generation << GENERATION_SHIFT);
}

function makeRoom(): bool {
  grow(capacity << 1);
  return freeCount > reserve();
}

/** Gives a slot back; handles of it are void from now on. */
function free(slot: u32): void {
  const word = load<u32>(slot, WORD);
  const next = (word + 1) & GENERATION_MASK;
  // One that waits in the queue of events is given back there.
  store<u32>(slot, next | (word & (SLOT_QUEUED | KIND)), WORD);
  if (word & SLOT_QUEUED) return;
  dropAttachments(slot);
  putFree(slotNumber(slot));
}

/** Gives a slot back whose event was taken after it was freed. */
export function slotDropQueued(slot: u32): void {
  dropAttachments(slot);
  putFree(slotNumber(slot));
}

function dropAttachments(slot: u32): void {
  const extra = load<u32>(slot, EXTRA);
  if (isAttachment(extra)) attachmentsFree(extra);
}

// ---- One slot -------------------------------------------------------------------------------------------------------

/** Address of a handle's slot while it is in use, 0 when it is gone. */
// @ts-ignore: decorator
@inline
export function slotOf(handle: u32): u32 {
  const index = handle & INDEX_MASK;
  if (index >= capacity || handle == NO_SLOT) return 0;
  const slot = slotAt(index);
  const word = load<u32>(slot, WORD);
  const generation = (handle >> GENERATION_SHIFT) & GENERATION_MASK;
  return (word & GENERATION_MASK) == generation && (word & STATE) != STATE_FREE ? slot : 0;
}

/** As slotOf(), but 0 for one that is decided or handed to the host, too. */
// @ts-ignore: decorator
@inline
export function openSlotOf(handle: u32): u32 {
  const slot = slotOf(handle);
  return slot != 0 && (load<u32>(slot, WORD) & STATE) == STATE_OPEN ? slot : 0;
}

/** The handle of a slot that is in use. */
export function handleOf(slot: u32): u32 {
  return slotNumber(slot) | ((load<u32>(slot, WORD) & GENERATION_MASK) << GENERATION_SHIFT);
}

/** The number of a slot, and the slot of a number: addresses change when more slots are needed. */
// @ts-ignore: decorator
@inline
export function slotNumber(slot: u32): u32 {
  return (slot - slots) / SLOT_BYTES;
}
// @ts-ignore: decorator
@inline
export function slotAt(number: u32): u32 {
  return slots + number * SLOT_BYTES;
}

// @ts-ignore: decorator
@inline
export function slotState(slot: u32): u32 {
  return load<u32>(slot, WORD) & STATE;
}
// @ts-ignore: decorator
@inline
export function slotKind(slot: u32): u32 {
  return load<u32>(slot, WORD) & KIND;
}
// @ts-ignore: decorator
@inline
export function slotHas(slot: u32, flag: u32): bool {
  return (load<u32>(slot, WORD) & flag) != 0;
}
// @ts-ignore: decorator
@inline
export function slotSet(slot: u32, flag: u32): void {
  store<u32>(slot, load<u32>(slot, WORD) | flag, WORD);
}
// @ts-ignore: decorator
@inline
export function slotClear(slot: u32, flag: u32): void {
  store<u32>(slot, load<u32>(slot, WORD) & ~flag, WORD);
}
// @ts-ignore: decorator
@inline
export function slotSetState(slot: u32, state: u32): void {
  store<u32>(slot, (load<u32>(slot, WORD) & ~STATE) | state, WORD);
}
// @ts-ignore: decorator
@inline
export function slotCommand(slot: u32): u32 {
  return (load<u32>(slot, WORD) >> COMMAND_SHIFT) & FIVE_BITS;
}
/** Configured replicas of what it asks for. */
// @ts-ignore: decorator
@inline
export function slotReplicas(slot: u32): u32 {
  return (load<u32>(slot, WORD) >> REPLICAS_SHIFT) & FIVE_BITS;
}
// @ts-ignore: decorator
@inline
export function slotConnection(slot: u32): u32 {
  return load<u32>(slot, CONNECTION);
}
// @ts-ignore: decorator
@inline
export function slotBegin(slot: u32): u32 {
  return load<u32>(slot, BEGIN);
}
// @ts-ignore: decorator
@inline
export function slotEnd(slot: u32): u32 {
  return load<u32>(slot, END);
}
/** The tag of a slot of the host. */
// @ts-ignore: decorator
@inline
export function slotTag(slot: u32): u32 {
  return load<u32>(slot, BEGIN);
}
/** The parent of a child. */
// @ts-ignore: decorator
@inline
export function slotParent(slot: u32): u32 {
  return load<u32>(slot, BEGIN);
}
/** Where the next event of the queue is noted: see events.ts. */
// @ts-ignore: decorator
@inline
export function slotEventLink(slot: u32): u32 {
  return slotKind(slot) == KIND_HOST ? slot + NEXT : attachmentFind(slotExtra(slot), ATTACHMENT_REQUEST) + 16;
}
// @ts-ignore: decorator
@inline
export function slotNeed(slot: u32): u32 {
  return load<u8>(slot, NEED);
}
// @ts-ignore: decorator
@inline
export function slotGot(slot: u32): u32 {
  return load<u8>(slot, GOT);
}
// @ts-ignore: decorator
@inline
export function slotExtra(slot: u32): u32 {
  return load<u32>(slot, EXTRA);
}
/** Links (modulo 8) that hold nothing of what a read from elsewhere asks for. */
// @ts-ignore: decorator
@inline
export function slotEmptyLinks(slot: u32): u32 {
  return load<u8>(slot, CHILDREN);
}

/** Notes the hash of the key of a write that is not applied here. */
// @ts-ignore: decorator
@inline
export function slotSetHash(slot: u32, hash: u32): void {
  store<u32>(slot, hash | 1, EXTRA);
}

/** What slotSetHash() noted, 0 for nothing. */
function slotHash(slot: u32): u32 {
  let at = slotExtra(slot);
  while (isAttachment(at)) at = attachmentNext(at);
  return at;
}

/** Puts an attachment in front of those of a slot. */
export function slotAttach(slot: u32, attachment: u32): void {
  attachmentSetNext(attachment, slotExtra(slot));
  store<u32>(slot, attachment, EXTRA);
}

/** Takes an attachment out of those of a slot. */
export function slotDetach(slot: u32, attachment: u32): void {
  const next = attachmentNext(attachment);
  let at = slotExtra(slot);
  if (at == attachment) {
    store<u32>(slot, next, EXTRA);
    return;
  }
  while (attachmentNext(at) != attachment) at = attachmentNext(at);
  attachmentSetNext(at, next);
}

// ---- Opening --------------------------------------------------------------------------------------------------------

/**
 * Opens a slot for the command of a client whose reply is to lie at [begin, end) of its stream; `need` acknowledgements of other
 * nodes decide it. `replicas`, `command`: for its error and its reply; `flags`: SLOT_. NO_SLOT when too many are open.
 */
// @ts-ignore: decorator
@inline
export function slotOpenFor(
  connection: u32,
  begin: u32,
  end: u32,
  need: u32,
  replicas: u32,
  command: u32,
  flags: u32,
): u32 {
  const handle = take(STATE_OPEN | (replicas << REPLICAS_SHIFT) | (command << COMMAND_SHIFT) | flags, need);
  if (handle == NO_SLOT) return NO_SLOT;
  const slot = slotAt(handle & INDEX_MASK);
  store<u32>(slot, connection, CONNECTION);
  store<u32>(slot, begin, BEGIN);
  store<u32>(slot, end, END);
  store<u32>(slot, NO_SLOT, NEXT);
  const last = load<u32>(connection, CONNECTION_LAST_SLOT);
  if (last == NO_SLOT) store<u32>(connection, handle, CONNECTION_FIRST_SLOT);
  else store<u32>(slotAt(last & INDEX_MASK), handle, NEXT);
  store<u32>(connection, handle, CONNECTION_LAST_SLOT);
  countFigure(SLOTS_OPENED, 1);
  return handle;
}

/** Whether a slot can be opened for a client. Those of the host and children may be more than the bound. */
// @ts-ignore: decorator
@inline
export function slotsHaveRoom(): bool {
  return capacity - freeCount < maxPending && (freeCount > reserve() || makeRoom());
}

/** Notes how many links were asked for a slot. */
// @ts-ignore: decorator
@inline
export function slotExpects(handle: u32, links: u32): void {
  store<u8>(slotAt(handle & INDEX_MASK), <u8>links, OPEN);
}

/** One more link was asked for a slot. */
export function slotAsked(handle: u32): void {
  const slot = slotOf(handle);
  if (slot != 0) store<u8>(slot, load<u8>(slot, OPEN) + 1, OPEN);
}

/**
 * Opens a slot of the host's own: `tag` comes back with its decision; `need` acknowledgements decide it. `age`: how long, in ms, its
 * request has been waiting already; `holds`: SLOT_HOLDS. NO_SLOT: too many.
 */
export function slotOpen(tag: u32, need: u32, age: u32, holds: bool): u32 {
  const handle = take(STATE_OPEN | KIND_HOST | SLOT_UNSEALED | (holds ? SLOT_HOLDS : 0), need);
  if (handle == NO_SLOT) return NO_SLOT;
  const slot = slotOf(handle);
  store<u32>(slot, 0, CONNECTION);
  store<u32>(slot, tag, BEGIN);
  backdate(slot, age);
  countFigure(SLOTS_OPENED, 1);
  return handle;
}

/** Has a slot expire as one that was opened so many ms ago. */
function backdate(slot: u32, age: u32): void {
  const timeout = requestTimeoutMs << 6;
  const opened = clock - min(age << 6, timeout);
  store<u32>(slot, opened, OPENED);
  if (<i32>(opened + timeout - quietUntil) < 0) quietUntil = opened + timeout;
}

/** All requests of a slot of the host, or of a child, are out: it fails when they cannot decide it. */
export function slotSeal(handle: u32): void {
  const slot = openSlotOf(handle);
  if (slot == 0) return;
  slotClear(slot, SLOT_UNSEALED);
  slotCheck(slot);
}

/** Opens a child of a slot that is open: it is decided when the child is. Slots may move. NO_SLOT when too many are open. */
export function slotOpenChild(parent: u32, need: u32): u32 {
  const handle = take(STATE_OPEN | KIND_CHILD | SLOT_WRITE | SLOT_UNSEALED, need);
  if (handle == NO_SLOT) return NO_SLOT;
  const slot = slotOf(handle);
  store<u32>(slot, 0, CONNECTION);
  store<u32>(slot, parent, BEGIN);
  const above = slotOf(parent);
  store<u8>(above, load<u8>(above, CHILDREN) + 1, CHILDREN);
  countFigure(SLOTS_OPENED, 1);
  return handle;
}

// ---- Answers --------------------------------------------------------------------------------------------------------

/**
 * Takes acknowledgements of a link: of the `count` handles in its FIFO from `head` on, as many as need no closer look. Returns how
 * many; the next one is for slotAcked().
 */
export function slotsAcked(fifo: u32, mask: u32, head: u32, count: u32): u32 {
  for (let i: u32 = 0; i < count; i++) {
    const handle = load<u32>(fifo + (((head + i) & mask) << 2));
    const index = handle & INDEX_MASK;
    if (handle == NO_SLOT || index >= capacity) continue;
    const slot = slotAt(index);
    const expected = ((handle >> GENERATION_SHIFT) & GENERATION_MASK) | STATE_OPEN;
    const differs = (load<u32>(slot, WORD) ^ expected) & PLAIN_MASK;
    if (differs != 0) {
      // Decided long ago, or gone.
      if (differs & ~SLOT_CAREFUL) continue;
      return i;
    }
    // One more got, one less open.
    const counts = load<u32>(slot, NEED) - (1 << 16) + (1 << 8);
    store<u32>(slot, counts, NEED);
    if (((counts >> 8) & 0xff) != (counts & 0xff)) continue;
    // Nothing but its state changes where nobody had anything to add.
    const isPlain = load<u32>(slot, EXTRA) == 0 && counts >> 24 == 0 && (load<u32>(slot, WORD) & (KIND | SLOT_UNSEALED)) == 0;
    if (isPlain) decided(slot);
    else slotCheck(slot);
  }
  return count;
}

/** A request was acknowledged over a link. */
export function slotAcked(handle: u32, link: u32): void {
  const slot = openSlotOf(handle);
  // A part says nothing: what comes last on its link counts.
  if (slot == 0 || (handle & PART) != 0) return;
  const isRead = !slotHas(slot, SLOT_WRITE | SLOT_SELF) && slotKind(slot) == KIND_CLIENT;
  if (isRead) {
    store<u8>(slot, load<u8>(slot, CHILDREN) | (<u8>1 << <u8>(link & 7)), CHILDREN);
    repairEmpty(slot, link);
  }
  slotAnswered(slot, link, true);
}

/** Notes the answer of a link, the last one for this slot; `acknowledged`: whether it counts. Decides the slot where it can. */
export function slotAnswered(slot: u32, link: u32, acknowledged: bool): void {
  store<u8>(slot, load<u8>(slot, OPEN) - 1, OPEN);
  if (acknowledged && !isSpoiled(slot, link)) store<u8>(slot, load<u8>(slot, GOT) + 1, GOT);
  slotCheck(slot);
}

/** A request failed on a link; `code`: FAIL_ of frames.ts. */
export function slotFailed(handle: u32, link: u32, code: u32): void {
  const slot = openSlotOf(handle);
  if (slot == 0) return;
  if (code == FAIL_LINK_DOWN || code == FAIL_INTERNAL) noteLost(slot);
  if (!(handle & PART)) {
    slotAnswered(slot, link, false);
    return;
  }
  // What comes last on that link does not count either.
  const spoiled = spoiledOf(slot);
  if (spoiled == 0) fail(slot);
  else store<u32>(spoiled, load<u32>(spoiled) | (<u32>1 << (link & 31)));
}

/** Notes that nobody knows what became of a request on a link. */
function noteLost(slot: u32): void {
  const open = <u32>load<u8>(slot, OPEN);
  if (open >> LOST_SHIFT < MOST_LOST) store<u8>(slot, <u8>(open + (1 << LOST_SHIFT)), OPEN);
}

// @ts-ignore: decorator
@inline
function openOf(slot: u32): u32 {
  return <u32>load<u8>(slot, OPEN) & OPEN_MASK;
}

/** Whether so many replicas may hold, or come to hold, what a slot has sent, that a quorum of them may. */
export function slotMayBeHeld(slot: u32): bool {
  const open = <u32>load<u8>(slot, OPEN);
  return slotGot(slot) + (open & OPEN_MASK) + (open >> LOST_SHIFT) >= slotNeed(slot);
}

/** Notes that a request, or a part of one, was refused on a link. */
export function slotRefused(slot: u32, link: u32): void {
  if (!slotHas(slot, SLOT_MULTI)) return;
  const spoiled = spoiledOf(slot);
  if (spoiled == 0) fail(slot);
  else store<u32>(spoiled, load<u32>(spoiled, 4) | (<u32>1 << (link & 31)), 4);
}

/** Links on which a request was refused, and nothing of it failed. */
export function slotRefusals(slot: u32): u32 {
  const spoiled = attachmentFind(slotExtra(slot), ATTACHMENT_SPOILED);
  if (spoiled == 0) return 0;
  const body = attachmentBody(spoiled);
  return <u32>popcnt(load<u32>(body, 4) & ~load<u32>(body));
}

/** Whether a slot cannot get what it needs if one more of the open answers does not count. */
export function slotIsLost(slot: u32): bool {
  return slotGot(slot) + openOf(slot) <= slotNeed(slot);
}

/** The links of a slot that do not count, see ATTACHMENT_SPOILED; 0 without memory. */
function spoiledOf(slot: u32): u32 {
  let spoiled = attachmentFind(slotExtra(slot), ATTACHMENT_SPOILED);
  if (spoiled == 0) {
    spoiled = attachmentTake(ATTACHMENT_SPOILED, 8);
    if (spoiled == 0) return 0;
    store<u64>(attachmentBody(spoiled), 0);
    slotAttach(slot, spoiled);
  }
  return attachmentBody(spoiled);
}

// @ts-ignore: decorator
@inline
function isSpoiled(slot: u32, link: u32): bool {
  if (!slotHas(slot, SLOT_MULTI)) return false;
  const spoiled = attachmentFind(slotExtra(slot), ATTACHMENT_SPOILED);
  if (spoiled == 0) return false;
  const body = attachmentBody(spoiled);
  return (((load<u32>(body) | load<u32>(body, 4)) >> (link & 31)) & 1) != 0;
}

// ---- Decisions ------------------------------------------------------------------------------------------------------

/** Decides an open slot that has what it needs, or can no longer get it. */
export function slotCheck(slot: u32): void {
  const word = load<u32>(slot, WORD);
  const need = slotNeed(slot);
  const got = slotGot(slot);
  const kind = word & KIND;
  if ((word & STATE) != STATE_OPEN || word & SLOT_UNSEALED || need == NEED_FOLLOWS) return;
  // What was sent again is decided by its children.
  if (!(word & SLOT_STALE) || kind == KIND_HOST) {
    if (got + openOf(slot) < need) {
      if (attachmentFind(slotExtra(slot), ATTACHMENT_STALE) != 0) slotSendAgain(slot);
      else fail(slot);
      return;
    }
    if (got < need) return;
  }
  if (kind == KIND_CLIENT) {
    // What stands in the place of the children of a read from elsewhere are links.
    if ((word & (SLOT_WRITE | SLOT_SELF)) != 0 && load<u8>(slot, CHILDREN) != 0) return;
    if (followers != 0) decideFollowers(slot, true);
    decideReply(slot);
    decided(slot);
    return;
  }
  if (load<u8>(slot, CHILDREN) != 0) return;
  if (kind == KIND_HOST) {
    slotSetState(slot, STATE_DECIDED);
    queueEvent(slot);
    return;
  }
  const parent = openSlotOf(slotParent(slot));
  free(slot);
  if (parent == 0) return;
  store<u8>(parent, load<u8>(parent, CHILDREN) - 1, CHILDREN);
  slotCheck(parent);
}

/** Fails an open slot: it will not get what it needs. */
export function fail(slot: u32): void {
  const kind = slotKind(slot);
  if (kind == KIND_CLIENT) {
    countFigure(SLOTS_FAILED, 1);
    if (followers != 0) decideFollowers(slot, false);
    // A read that only one replica was asked for can be asked of another, by the host.
    const isRead = !slotHas(slot, SLOT_WRITE | SLOT_SELF);
    if (isRead && attachmentFind(slotExtra(slot), ATTACHMENT_REQUEST) != 0) {
      slotRetry(slot);
      return;
    }
    failReply(slot);
    decided(slot);
    return;
  }
  if (kind == KIND_HOST) {
    slotSetState(slot, STATE_DECIDED);
    queueEvent(slot);
    return;
  }
  const parent = openSlotOf(slotParent(slot));
  free(slot);
  if (parent != 0 && slotNeed(parent) != NEED_FOLLOWS) fail(parent);
}

/** Gives a slot back whose event the host has. */
export function slotDone(slot: u32): void {
  free(slot);
}

/** Hands the request of a slot to the host, which runs it again. */
export function slotRetry(slot: u32): void {
  countFigure(REQUESTS_RETRIED, 1);
  slotSetState(slot, STATE_RETRY);
  queueEvent(slot);
}

/**
 * Answers a slot that was handed to the host by an event: `bytes` are the reply, with length 0 the first one stands. The host's
 * reply is dropped when the client is gone, or the slot's time was over.
 */
export function slotFulfil(handle: u32, bytes: u32, length: u32): void {
  const slot = slotOf(handle);
  if (slot == 0 || slotState(slot) != STATE_RETRY) return;
  if (length != 0) {
    const reply = attachmentTake(ATTACHMENT_REPLY, length);
    if (reply == 0) {
      failReply(slot);
    } else {
      memory.copy(attachmentBody(reply), bytes, length);
      slotAttach(slot, reply);
    }
  }
  decided(slot);
}

// @ts-ignore: decorator
@inline
function decided(slot: u32): void {
  slotSetState(slot, STATE_DECIDED);
  markReady(slotConnection(slot));
}

/** The histogram of a client's slot: of its level, by what it needs, and of reads or writes. */
// @ts-ignore: decorator
@inline
function latencyKind(slot: u32): u32 {
  const word = load<u32>(slot, WORD);
  const replicas = (word >> REPLICAS_SHIFT) & FIVE_BITS;
  const need = slotNeed(slot) + (word & SLOT_SELF ? 1 : 0);
  const level = word & SLOT_SAFE ? LEVEL_SAFE : need > replicas >> 1 && replicas > 1 ? LEVEL_QUORUM : LEVEL_ONE;
  return (level << 1) | (word & SLOT_WRITE ? 1 : 0);
}

/** Releases what is decided of a connection, up to its first slot that is not. */
function advance(connection: u32): void {
  let handle = load<u32>(connection, CONNECTION_FIRST_SLOT);
  let released = load<u32>(connection, CONNECTION_END);
  // Requests of one kind that were opened together have waited for the same time.
  let run: u32 = 0;
  let opened: u32 = 0;
  let kind: u32 = 0;
  while (handle != NO_SLOT) {
    const slot = slotAt(handle & INDEX_MASK);
    if (slotState(slot) != STATE_DECIDED) {
      released = slotBegin(slot);
      break;
    }
    const slotOpened = load<u32>(slot, OPENED);
    const slotLatency = latencyKind(slot);
    if (slotOpened != opened || slotLatency != kind) {
      countLatency(kind, clock - opened, run);
      run = 0;
      opened = slotOpened;
      kind = slotLatency;
    }
    run++;
    const extra = slotExtra(slot);
    if (isAttachment(extra)) {
      const reply = attachmentFind(extra, ATTACHMENT_REPLY);
      if (reply != 0) {
        slotDetach(slot, reply);
        streamSplice(connection, reply, slotBegin(slot), slotEnd(slot));
      }
    }
    handle = load<u32>(slot, NEXT);
    free(slot);
  }
  if (run != 0) countLatency(kind, clock - opened, run);
  store<u32>(connection, handle, CONNECTION_FIRST_SLOT);
  if (handle == NO_SLOT) store<u32>(connection, NO_SLOT, CONNECTION_LAST_SLOT);
  streamRelease(connection, released);
}

/** Appends reply bytes of the host to a connection's stream; false, with nothing appended, when there is no memory. */
export function streamAppend(connection: u32, bytes: u32, length: u32): bool {
  if (!streamPut(connection, bytes, length)) return false;
  markReady(connection);
  return true;
}

/**
 * The next connection that has replies to send, 0 when there is none. Call it when the turn's outboxes have been flushed, after
 * turnFlushed().
 */
export function nextReady(): u32 {
  while (true) {
    const connection = takeReady();
    if (connection == 0) return 0;
    if (isHeldForTurn(connection)) continue;
    advance(connection);
    if (streamHasReleased(connection)) return connection;
  }
}

/** The client of a connection leaves: nobody waits for its slots any more. */
export function slotsLeave(connection: u32): void {
  let handle = load<u32>(connection, CONNECTION_FIRST_SLOT);
  while (handle != NO_SLOT) {
    const slot = slotAt(handle & INDEX_MASK);
    if (slotNeed(slot) == NEED_FOLLOWS && slotState(slot) == STATE_OPEN) followers--;
    handle = load<u32>(slot, NEXT);
    free(slot);
  }
  store<u32>(connection, NO_SLOT, CONNECTION_FIRST_SLOT);
  store<u32>(connection, NO_SLOT, CONNECTION_LAST_SLOT);
}

// ---- Writes that a later one of the same connection makes void --------------------------------------------------------

/**
 * Has a refused write wait for a later one of the same connection to the same key, if there is any: a new stamp would put it
 * behind that one. Whether there is.
 */
export function slotFollow(slot: u32): bool {
  const hash = slotHash(slot);
  if (hash == 0) return false;
  let later: u32 = 0;
  let handle = load<u32>(slot, NEXT);
  while (handle != NO_SLOT) {
    const other = slotAt(handle & INDEX_MASK);
    if (slotHash(other) == hash) later = other;
    handle = load<u32>(other, NEXT);
  }
  if (later == 0) return false;
  if (slotState(later) == STATE_OPEN) {
    store<u8>(slot, <u8>NEED_FOLLOWS, NEED);
    followers++;
    return true;
  }
  // It was decided, but not released: this one is before it.
  store<u8>(slot, 0, NEED);
  store<u8>(slot, 0, CHILDREN);
  slotCheck(slot);
  return true;
}

/** Decides the slots that follow one that is being decided. */
function decideFollowers(leader: u32, well: bool): void {
  const hash = slotHash(leader);
  if (hash == 0) return;
  const last = handleOf(leader);
  let handle = load<u32>(slotConnection(leader), CONNECTION_FIRST_SLOT);
  while (handle != NO_SLOT && handle != last) {
    const slot = slotAt(handle & INDEX_MASK);
    const next = load<u32>(slot, NEXT);
    if (slotState(slot) == STATE_OPEN && slotNeed(slot) == NEED_FOLLOWS && slotHash(slot) == hash) {
      followers--;
      if (!well) failReply(slot);
      decided(slot);
    }
    handle = next;
  }
}

// ---- Time -----------------------------------------------------------------------------------------------------------

/** Fails every slot that is too old; how many. */
export function expireSlots(): u32 {
  if (<i32>(clock - quietUntil) < 0 || capacity == freeCount) return 0;
  const timeout = requestTimeoutMs << 6;
  let oldest: u32 = 0;
  let expired: u32 = 0;
  for (let index: u32 = 0; index < capacity; index++) {
    const slot = slotAt(index);
    const state = slotState(slot);
    if (state != STATE_OPEN && state != STATE_RETRY) continue;
    const age = clock - load<u32>(slot, OPENED);
    if (age < timeout) {
      if (age > oldest) oldest = age;
      continue;
    }
    expired++;
    expire(slot);
  }
  quietUntil = clock + timeout - oldest;
  countFigure(SLOTS_EXPIRED, expired);
  return expired;
}

function expire(slot: u32): void {
  if (slotNeed(slot) == NEED_FOLLOWS) followers--;
  if (slotKind(slot) != KIND_CLIENT) {
    fail(slot);
    return;
  }
  countFigure(SLOTS_FAILED, 1);
  if (followers != 0) decideFollowers(slot, false);
  failReply(slot);
  decided(slot);
}
