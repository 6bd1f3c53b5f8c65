// One slot: a request that waits for answers of other nodes (slots.ts), and the memory of all slots.
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
// again in the order in which they became free, and RESERVE of them always are: so a generation comes again after RESERVE times
// 1023 other slots at the earliest. A link may leave a request unanswered for longer: sweep.ts voids what is void before that.

import { freePages, PAGE_BYTES, takePages } from "../pages";
import {
  ATTACHMENT_REQUEST,
  attachmentFind,
  attachmentNext,
  attachmentSetNext,
  attachmentsFree,
  isAttachment,
} from "./attachments";
import { clock } from "./deadlines";
import { NO_SLOT } from "./links";
import { sweepHandles } from "./sweep";

/** The command writes: that it failed does not mean that nothing was written. */
export const SLOT_WRITE: u32 = 1 << 24;
/** This node's own answer counts. */
export const SLOT_SELF: u32 = 1 << 25;
/** Whatever is newest must be held by a quorum before the reply may leave. */
export const SLOT_SAFE: u32 = 1 << 26;
/**
 * Of the host: a replica that refuses for something newer counts, since it holds at least as much as it was sent. Of a child: it
 * carries a later write of this node in the place of its parent's.
 */
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

export const STATE_BITS: u32 = 3 << 20;
export const STATE_FREE: u32 = 0;
/** Not decided. */
export const STATE_OPEN: u32 = 1 << 20;
/** Decided, and waiting for those of the connection before it. */
export const STATE_DECIDED: u32 = 2 << 20;
/** The host runs the request again. */
export const STATE_RETRY: u32 = 3 << 20;

export const KIND_BITS: u32 = 3 << 22;
export const KIND_CLIENT: u32 = 0;
export const KIND_HOST: u32 = 1 << 22;
/** Sends a refused write again with a new stamp; its parent waits for it. */
export const KIND_CHILD: u32 = 2 << 22;

/** In a handle: more frames of the same command follow on this link. */
export const PART: u32 = 1 << 30;

/** As `need`: nothing that comes over links decides the slot; a later one of the connection does. */
export const NEED_FOLLOWS: u32 = 255;

const SLOT_BYTES: u32 = 32;
export const AT_CONNECTION: u32 = 0;
export const AT_BEGIN: u32 = 4;
export const AT_END: u32 = 8;
export const AT_NEXT: u32 = 12;
export const AT_OPENED: u32 = 16;
export const AT_NEED: u32 = 20;
export const AT_GOT: u32 = 21;
export const AT_OPEN: u32 = 22;
export const AT_CHILDREN: u32 = 23;
export const AT_EXTRA: u32 = 24;
export const AT_WORD: u32 = 28;
export const REPLICAS_SHIFT: u32 = 10;
export const COMMAND_SHIFT: u32 = 15;
export const FIVE_BITS: u32 = 31;

/** In the byte of open answers. */
export const OPEN_MASK: u32 = 31;
export const LOST_SHIFT: u32 = 5;
export const MOST_LOST: u32 = 7;

export const INDEX_MASK: u32 = 0xfffff;
export const GENERATION_SHIFT: u32 = 20;
export const GENERATION_MASK: u32 = 0x3ff;
/** What must be as expected for slotAcked() to take an acknowledgement without a closer look. */
export const PLAIN_MASK: u32 = GENERATION_MASK | STATE_BITS | SLOT_CAREFUL;
const MAX_SLOTS: u32 = 1 << 20;
/** Slots that are always free. */
export const RESERVE: u32 = 1024;
/** Slots that are taken between two sweeps: half as many as are taken until a generation comes again. */
const TAKEN_BETWEEN_SWEEPS: u32 = (RESERVE * GENERATION_MASK) >> 1;

let slots: u32 = 0;
export let capacity: u32 = 0;
let freeFirst: u32 = 0;
let freeLast: u32 = 0;
export let freeCount: u32 = 0;
/** Slots to take until the next sweep. */
let untilSweep: u32 = TAKEN_BETWEEN_SWEEPS;

export function slotsInit(): void {
  slots = 0;
  capacity = 0;
  freeCount = 0;
  untilSweep = TAKEN_BETWEEN_SWEEPS;
}

/** Takes the memory of the first slots; false at the ceiling. */
export function slotsReady(): bool {
  return capacity != 0 || grow(PAGE_BYTES / SLOT_BYTES);
}

/** Slots in use, and slots that there is memory for. */
export function slotsPending(): u32 {
  return capacity - freeCount;
}
export function slotsCapacity(): u32 {
  return capacity;
}

// ---- Memory ---------------------------------------------------------------------------------------------------------

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
export function slotTake(word: u32, need: u32): u32 {
  if (freeCount <= RESERVE && !makeSlotRoom()) return NO_SLOT;
  if (--untilSweep == 0) sweep();
  const index = freeFirst;
  const slot = slotAt(index);
  freeFirst = load<u32>(slot);
  freeCount--;
  const generation = load<u32>(slot, AT_WORD) & GENERATION_MASK;
  store<u32>(slot, clock, AT_OPENED);
  store<u32>(slot, need, AT_NEED);
  store<u32>(slot, 0, AT_EXTRA);
  store<u32>(slot, word | generation, AT_WORD);
  return index | (generation << GENERATION_SHIFT);
}

export function makeSlotRoom(): bool {
  grow(capacity << 1);
  return freeCount > RESERVE;
}

function sweep(): void {
  untilSweep = TAKEN_BETWEEN_SWEEPS;
  sweepHandles();
}

/** Gives a slot back; handles of it are void from now on. */
export function slotFree(slot: u32): void {
  const word = load<u32>(slot, AT_WORD);
  const next = (word + 1) & GENERATION_MASK;
  // One that waits in the queue of events is given back there.
  store<u32>(slot, next | (word & (SLOT_QUEUED | KIND_BITS)), AT_WORD);
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
  const extra = load<u32>(slot, AT_EXTRA);
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
  const word = load<u32>(slot, AT_WORD);
  const generation = (handle >> GENERATION_SHIFT) & GENERATION_MASK;
  return (word & GENERATION_MASK) == generation && (word & STATE_BITS) != STATE_FREE ? slot : 0;
}

/** As slotOf(), but 0 for one that is decided or handed to the host, too. */
// @ts-ignore: decorator
@inline
export function openSlotOf(handle: u32): u32 {
  const slot = slotOf(handle);
  return slot != 0 && (load<u32>(slot, AT_WORD) & STATE_BITS) == STATE_OPEN ? slot : 0;
}

/** The handle of a slot that is in use. */
export function handleOf(slot: u32): u32 {
  return slotNumber(slot) | ((load<u32>(slot, AT_WORD) & GENERATION_MASK) << GENERATION_SHIFT);
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
  return load<u32>(slot, AT_WORD) & STATE_BITS;
}
// @ts-ignore: decorator
@inline
export function slotKind(slot: u32): u32 {
  return load<u32>(slot, AT_WORD) & KIND_BITS;
}
// @ts-ignore: decorator
@inline
export function slotHas(slot: u32, flag: u32): bool {
  return (load<u32>(slot, AT_WORD) & flag) != 0;
}
// @ts-ignore: decorator
@inline
export function slotSet(slot: u32, flag: u32): void {
  store<u32>(slot, load<u32>(slot, AT_WORD) | flag, AT_WORD);
}
// @ts-ignore: decorator
@inline
export function slotClear(slot: u32, flag: u32): void {
  store<u32>(slot, load<u32>(slot, AT_WORD) & ~flag, AT_WORD);
}
// @ts-ignore: decorator
@inline
export function slotSetState(slot: u32, state: u32): void {
  store<u32>(slot, (load<u32>(slot, AT_WORD) & ~STATE_BITS) | state, AT_WORD);
}
// @ts-ignore: decorator
@inline
export function slotCommand(slot: u32): u32 {
  return (load<u32>(slot, AT_WORD) >> COMMAND_SHIFT) & FIVE_BITS;
}
/** Configured replicas of what it asks for. */
// @ts-ignore: decorator
@inline
export function slotReplicas(slot: u32): u32 {
  return (load<u32>(slot, AT_WORD) >> REPLICAS_SHIFT) & FIVE_BITS;
}
// @ts-ignore: decorator
@inline
export function slotConnection(slot: u32): u32 {
  return load<u32>(slot, AT_CONNECTION);
}
// @ts-ignore: decorator
@inline
export function slotBegin(slot: u32): u32 {
  return load<u32>(slot, AT_BEGIN);
}
// @ts-ignore: decorator
@inline
export function slotEnd(slot: u32): u32 {
  return load<u32>(slot, AT_END);
}
/** The tag of a slot of the host. */
// @ts-ignore: decorator
@inline
export function slotTag(slot: u32): u32 {
  return load<u32>(slot, AT_BEGIN);
}
/** The parent of a child. */
// @ts-ignore: decorator
@inline
export function slotParent(slot: u32): u32 {
  return load<u32>(slot, AT_BEGIN);
}
/** Where the next event of the queue is noted: see events.ts. */
// @ts-ignore: decorator
@inline
export function slotEventLink(slot: u32): u32 {
  return slotKind(slot) == KIND_HOST ? slot + AT_NEXT : attachmentFind(slotExtra(slot), ATTACHMENT_REQUEST) + 16;
}
// @ts-ignore: decorator
@inline
export function slotNeed(slot: u32): u32 {
  return load<u8>(slot, AT_NEED);
}
// @ts-ignore: decorator
@inline
export function slotGot(slot: u32): u32 {
  return load<u8>(slot, AT_GOT);
}
// @ts-ignore: decorator
@inline
export function slotExtra(slot: u32): u32 {
  return load<u32>(slot, AT_EXTRA);
}
/** Links (modulo 8) that hold nothing of what a read from elsewhere asks for. */
// @ts-ignore: decorator
@inline
export function slotEmptyLinks(slot: u32): u32 {
  return load<u8>(slot, AT_CHILDREN);
}

/** Whether a slot is a client's read that one replica alone was asked for: the host can ask another. */
export function slotAsksOne(slot: u32): bool {
  if (slotKind(slot) != KIND_CLIENT || slotHas(slot, SLOT_WRITE | SLOT_SELF)) return false;
  return attachmentFind(slotExtra(slot), ATTACHMENT_REQUEST) != 0;
}

/** Notes the hash of the key of a write. */
// @ts-ignore: decorator
@inline
export function slotSetHash(slot: u32, hash: u32): void {
  store<u32>(slot, hash | 1, AT_EXTRA);
}

/** What slotSetHash() noted, 0 for nothing. */
export function slotHash(slot: u32): u32 {
  let at = slotExtra(slot);
  while (isAttachment(at)) at = attachmentNext(at);
  return at;
}

/** Puts an attachment in front of those of a slot. */
export function slotAttach(slot: u32, attachment: u32): void {
  attachmentSetNext(attachment, slotExtra(slot));
  store<u32>(slot, attachment, AT_EXTRA);
}

/** Takes an attachment out of those of a slot. */
export function slotDetach(slot: u32, attachment: u32): void {
  const next = attachmentNext(attachment);
  let at = slotExtra(slot);
  if (at == attachment) {
    store<u32>(slot, next, AT_EXTRA);
    return;
  }
  while (attachmentNext(at) != attachment) at = attachmentNext(at);
  attachmentSetNext(at, next);
}
