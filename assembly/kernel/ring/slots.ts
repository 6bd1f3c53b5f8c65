// Slots: requests that wait for answers of other nodes. A slot counts the acknowledgements that are still missing; when it has
// them, or cannot get them any more, it is decided. The slots of a connection are released in the order of its commands, and with
// them their replies, which lie in the connection's stream already. A slot is gone with its release: answers that come later
// find another generation under its number, and are ignored.

import { CONNECTION_FIRST_SLOT, CONNECTION_LAST_SLOT } from "../connection";
import { repairEmpty } from "./answers";
import {
  ATTACHMENT_REPLY,
  ATTACHMENT_SPOILED,
  ATTACHMENT_STALE,
  attachmentBody,
  attachmentFind,
  attachmentTake,
  isAttachment,
} from "./attachments";
import { slotBackdate } from "./deadlines";
import { queueEvent } from "./events";
import { countFigure, REQUESTS_RETRIED, SLOTS_FAILED, SLOTS_OPENED } from "./figures";
import { decideFollowers, followers } from "./follow";
import { FAIL_FENCED, FAIL_INTERNAL, FAIL_LINK_DOWN } from "./frames";
import { maxPending } from "./limits";
import { NO_SLOT } from "./links";
import { decideReply, failReply } from "./override";
import {
  AT_BEGIN,
  AT_CHILDREN,
  AT_CONNECTION,
  AT_END,
  AT_EXTRA,
  AT_GOT,
  AT_NEED,
  AT_NEXT,
  AT_OPEN,
  AT_WORD,
  capacity,
  COMMAND_SHIFT,
  freeCount,
  GENERATION_MASK,
  GENERATION_SHIFT,
  INDEX_MASK,
  KIND_BITS,
  KIND_CHILD,
  KIND_CLIENT,
  KIND_HOST,
  LOST_SHIFT,
  makeSlotRoom,
  MOST_LOST,
  NEED_FOLLOWS,
  OPEN_MASK,
  openSlotOf,
  PART,
  PLAIN_MASK,
  REPLICAS_SHIFT,
  RESERVE,
  SLOT_CAREFUL,
  SLOT_HOLDS,
  SLOT_MULTI,
  SLOT_SELF,
  SLOT_STALE,
  SLOT_UNSEALED,
  SLOT_WRITE,
  slotAsksOne,
  slotAt,
  slotAttach,
  slotClear,
  slotConnection,
  slotExtra,
  slotFree,
  slotGot,
  slotHas,
  slotKind,
  slotNeed,
  slotOf,
  slotParent,
  slotSetState,
  slotState,
  slotTake,
  STATE_BITS,
  STATE_DECIDED,
  STATE_OPEN,
  STATE_RETRY,
} from "./slot";
import { slotSendAgain } from "./stale-writes";
import { markReady } from "./streams";

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
  const handle = slotTake(STATE_OPEN | (replicas << REPLICAS_SHIFT) | (command << COMMAND_SHIFT) | flags, need);
  if (handle == NO_SLOT) return NO_SLOT;
  const slot = slotAt(handle & INDEX_MASK);
  store<u32>(slot, connection, AT_CONNECTION);
  store<u32>(slot, begin, AT_BEGIN);
  store<u32>(slot, end, AT_END);
  store<u32>(slot, NO_SLOT, AT_NEXT);
  const last = load<u32>(connection, CONNECTION_LAST_SLOT);
  if (last == NO_SLOT) store<u32>(connection, handle, CONNECTION_FIRST_SLOT);
  else store<u32>(slotAt(last & INDEX_MASK), handle, AT_NEXT);
  store<u32>(connection, handle, CONNECTION_LAST_SLOT);
  countFigure(SLOTS_OPENED, 1);
  return handle;
}

/** Whether a slot can be opened for a client. Those of the host and children may be more than the bound. */
// @ts-ignore: decorator
@inline
export function slotsHaveRoom(): bool {
  return capacity - freeCount < maxPending && (freeCount > RESERVE || makeSlotRoom());
}

/** Notes how many links were asked for a slot. */
// @ts-ignore: decorator
@inline
export function slotExpects(handle: u32, links: u32): void {
  store<u8>(slotAt(handle & INDEX_MASK), <u8>links, AT_OPEN);
}

/** One more link was asked for a slot. */
export function slotAsked(handle: u32): void {
  const slot = slotOf(handle);
  if (slot != 0) store<u8>(slot, load<u8>(slot, AT_OPEN) + 1, AT_OPEN);
}

/**
 * Opens a slot of the host's own: `tag` comes back with its decision; `need` acknowledgements decide it. `age`: how long, in ms, its
 * request has been waiting already; `holds`: SLOT_HOLDS. NO_SLOT: too many.
 */
export function slotOpen(tag: u32, need: u32, age: u32, holds: bool): u32 {
  const handle = slotTake(STATE_OPEN | KIND_HOST | SLOT_UNSEALED | (holds ? SLOT_HOLDS : 0), need);
  if (handle == NO_SLOT) return NO_SLOT;
  const slot = slotOf(handle);
  store<u32>(slot, 0, AT_CONNECTION);
  store<u32>(slot, tag, AT_BEGIN);
  slotBackdate(slot, age);
  countFigure(SLOTS_OPENED, 1);
  return handle;
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
  const handle = slotTake(STATE_OPEN | KIND_CHILD | SLOT_WRITE | SLOT_UNSEALED, need);
  if (handle == NO_SLOT) return NO_SLOT;
  const slot = slotOf(handle);
  store<u32>(slot, 0, AT_CONNECTION);
  store<u32>(slot, parent, AT_BEGIN);
  const above = slotOf(parent);
  store<u8>(above, load<u8>(above, AT_CHILDREN) + 1, AT_CHILDREN);
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
    const differs = (load<u32>(slot, AT_WORD) ^ expected) & PLAIN_MASK;
    if (differs != 0) {
      // Decided long ago, or gone.
      if (differs & ~SLOT_CAREFUL) continue;
      return i;
    }
    // One more got, one less open.
    const counts = load<u32>(slot, AT_NEED) - (1 << 16) + (1 << 8);
    store<u32>(slot, counts, AT_NEED);
    if (((counts >> 8) & 0xff) != (counts & 0xff)) continue;
    // Nothing but its state changes where nobody had anything to add.
    const isPlain = !isAttachment(load<u32>(slot, AT_EXTRA)) && counts >> 24 == 0 && (load<u32>(slot, AT_WORD) & (KIND_BITS | SLOT_UNSEALED)) == 0;
    if (isPlain && followers == 0) slotDecided(slot);
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
    store<u8>(slot, load<u8>(slot, AT_CHILDREN) | (<u8>1 << <u8>(link & 7)), AT_CHILDREN);
    repairEmpty(slot, link);
  }
  slotAnswered(slot, link, true);
}

/** Notes the answer of a link, the last one for this slot; `acknowledged`: whether it counts. Decides the slot where it can. */
export function slotAnswered(slot: u32, link: u32, acknowledged: bool): void {
  store<u8>(slot, load<u8>(slot, AT_OPEN) - 1, AT_OPEN);
  if (acknowledged && !isSpoiled(slot, link)) store<u8>(slot, load<u8>(slot, AT_GOT) + 1, AT_GOT);
  slotCheck(slot);
}

/** A request failed on a link; `code`: FAIL_ of frames.ts. */
export function slotFailed(handle: u32, link: u32, code: u32): void {
  const slot = openSlotOf(handle);
  if (slot == 0) return;
  if (code == FAIL_LINK_DOWN || code == FAIL_INTERNAL || code == FAIL_FENCED) noteLost(slot);
  if (!(handle & PART)) {
    slotAnswered(slot, link, false);
    return;
  }
  // What comes last on that link does not count either.
  const spoiled = spoiledOf(slot);
  if (spoiled == 0) slotFail(slot);
  else store<u32>(spoiled, load<u32>(spoiled) | (<u32>1 << (link & 31)));
}

/** Notes that a replica may hold what it has not acknowledged: nobody knows, or it has lost its memory and holds it for certain. */
function noteLost(slot: u32): void {
  const open = <u32>load<u8>(slot, AT_OPEN);
  if (open >> LOST_SHIFT < MOST_LOST) store<u8>(slot, <u8>(open + (1 << LOST_SHIFT)), AT_OPEN);
}

// @ts-ignore: decorator
@inline
function openOf(slot: u32): u32 {
  return <u32>load<u8>(slot, AT_OPEN) & OPEN_MASK;
}

/** Whether so many replicas may hold, or come to hold, what a slot has sent, that a quorum of them may. */
export function slotMayBeHeld(slot: u32): bool {
  const open = <u32>load<u8>(slot, AT_OPEN);
  return slotGot(slot) + (open & OPEN_MASK) + (open >> LOST_SHIFT) >= slotNeed(slot);
}

/** Notes that a request, or a part of one, was refused on a link. */
export function slotRefused(slot: u32, link: u32): void {
  if (!slotHas(slot, SLOT_MULTI)) return;
  const spoiled = spoiledOf(slot);
  if (spoiled == 0) slotFail(slot);
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
  const word = load<u32>(slot, AT_WORD);
  const need = slotNeed(slot);
  const got = slotGot(slot);
  const kind = word & KIND_BITS;
  if ((word & STATE_BITS) != STATE_OPEN || word & SLOT_UNSEALED || need == NEED_FOLLOWS) return;
  // What was sent again is decided by its children.
  if (!(word & SLOT_STALE) || kind == KIND_HOST) {
    if (got + openOf(slot) < need) {
      if (attachmentFind(slotExtra(slot), ATTACHMENT_STALE) != 0) slotSendAgain(slot);
      else slotFail(slot);
      return;
    }
    if (got < need) return;
  }
  if (kind == KIND_CLIENT) {
    // What stands in the place of the children of a read from elsewhere are links.
    if ((word & (SLOT_WRITE | SLOT_SELF)) != 0 && load<u8>(slot, AT_CHILDREN) != 0) return;
    if (followers != 0) decideFollowers(slot, true);
    decideReply(slot);
    slotDecided(slot);
    return;
  }
  if (load<u8>(slot, AT_CHILDREN) != 0) return;
  if (kind == KIND_HOST) {
    slotSetState(slot, STATE_DECIDED);
    queueEvent(slot);
    return;
  }
  const parent = openSlotOf(slotParent(slot));
  slotFree(slot);
  if (parent == 0) return;
  store<u8>(parent, load<u8>(parent, AT_CHILDREN) - 1, AT_CHILDREN);
  slotCheck(parent);
}

/** Fails an open slot: it will not get what it needs. */
export function slotFail(slot: u32): void {
  const kind = slotKind(slot);
  if (kind == KIND_CLIENT) {
    countFigure(SLOTS_FAILED, 1);
    if (followers != 0) decideFollowers(slot, false);
    if (slotAsksOne(slot)) {
      slotRetry(slot);
      return;
    }
    failReply(slot);
    slotDecided(slot);
    return;
  }
  if (kind == KIND_HOST) {
    slotSetState(slot, STATE_DECIDED);
    queueEvent(slot);
    return;
  }
  const parent = openSlotOf(slotParent(slot));
  slotFree(slot);
  if (parent != 0 && slotNeed(parent) != NEED_FOLLOWS) slotFail(parent);
}

/** Gives a slot back whose event the host has. */
export function slotDone(slot: u32): void {
  slotFree(slot);
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
  slotDecided(slot);
}

// @ts-ignore: decorator
@inline
export function slotDecided(slot: u32): void {
  slotSetState(slot, STATE_DECIDED);
  markReady(slotConnection(slot));
}
