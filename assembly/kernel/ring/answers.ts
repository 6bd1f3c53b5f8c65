// Answers that say more than "acknowledged": a replica holds something newer or older. Each merges or repairs what it concerns, and
// counts for the slot that waits, if there still is one. A write that is refused for something newer: stale-writes.ts.

import { siphash } from "../siphash";
import { sameBytes } from "../table";
import { APPLY_APPLIED, entryApply } from "./apply";
import {
  ATTACHMENT_PRIOR,
  ATTACHMENT_RECORD,
  attachmentBody,
  attachmentFind,
  attachmentFree,
  attachmentKind,
  attachmentLink,
  attachmentNext,
  attachmentSetLink,
  attachmentTake,
  isAttachment,
} from "./attachments";
import { countFigure, REPAIRS_SENT } from "./figures";
import {
  FRAME_OBJECT,
  FRAME_WRITE,
  frameDatabase,
  frameExpiryAndNode,
  frameFlags,
  frameKey,
  frameKeyLength,
  frameLength,
  frameNode,
  frameStamp,
  frameValue,
  frameValueLength,
  isNewer,
} from "./frames";
import { linkExpect, linkIsShut, linkIsUp, linkTakesAwaited, NO_SLOT } from "./links";
import {
  frameCopy,
  OUTBOX_ROOM,
  outboxRoom,
  REPAIR_HOST,
  REPAIR_NO_ROOM,
  REPAIR_NONE,
  REPAIR_SENT,
  repairTo,
} from "./outbox";
import { SLOT_DONE, SLOT_HOST_REPAIRS } from "./peer-answers";
import { routeMembers, setHasSelf, setLocal, setLocals, setReplicas } from "./route";
import {
  KIND_CHILD,
  KIND_CLIENT,
  openSlotOf,
  PART,
  SLOT_SAFE,
  SLOT_SELF,
  slotAttach,
  slotDetach,
  slotEmptyLinks,
  slotExtra,
  slotHas,
  slotKind,
  slotParent,
} from "./slot";
import { slotFail, slotAnswered, slotExpects, slotOpenChild, slotRetry, slotSeal } from "./slots";

// ---- A DEL that came upon something newer ---------------------------------------------------------------------------

/** A replica held this, newer than what a DEL's coordinator saw: the newest of them says what the DEL counts. */
export function slotPrior(handle: u32, link: u32, stamp: u64, node: u32, alive: bool): void {
  const slot = openSlotOf(handle);
  if (slot == 0) return;
  const root = rootOf(slot);
  if (root != 0 && slotKind(root) == KIND_CLIENT) {
    let prior = attachmentFind(slotExtra(root), ATTACHMENT_PRIOR);
    if (prior == 0) {
      prior = attachmentTake(ATTACHMENT_PRIOR, 16);
      if (prior == 0) {
        slotFail(slot);
        return;
      }
      store<u64>(attachmentBody(prior), 0);
      store<u32>(attachmentBody(prior), 0, 8);
      slotAttach(root, prior);
    }
    const body = attachmentBody(prior);
    if (isNewer(stamp, node, load<u64>(body), load<u32>(body, 8))) {
      store<u64>(body, stamp);
      store<u32>(body, node, 8);
      store<u32>(body, alive ? 1 : 0, 12);
    }
  }
  slotAnswered(slot, link, true);
}

/** The slot that a chain of children is for, 0 when it is gone. */
export function rootOf(slot: u32): u32 {
  let root = slot;
  while (root != 0 && slotKind(root) == KIND_CHILD) root = openSlotOf(slotParent(root));
  return root;
}

// ---- READ: older ----------------------------------------------------------------------------------------------------

/** A replica holds less than this node: it is repaired. Returns a SLOT_, or the link whose outbox lacks room. */
export function slotOlder(handle: u32, link: u32, frame: u32): i32 {
  const slot = openSlotOf(handle);
  const isPart = (handle & PART) != 0 && handle != NO_SLOT;
  const waits = slot != 0 && !isPart && slotHas(slot, SLOT_SAFE);
  const outcome = repairTo(link, frameDatabase(frame), frameKey(frame), frameKeyLength(frame), waits ? handle : NO_SLOT);
  if (outcome == REPAIR_NO_ROOM) return link;
  // With DC_SAFE_QUORUM what counts is that the repair is acknowledged.
  const isUnsent = outcome == REPAIR_HOST || (outcome == REPAIR_NONE && linkIsShut(link));
  if (slot != 0 && !isPart && !(waits && outcome == REPAIR_SENT)) slotAnswered(slot, link, !waits || !isUnsent);
  return outcome == REPAIR_HOST ? SLOT_HOST_REPAIRS : SLOT_DONE;
}

// ---- READ: newer ----------------------------------------------------------------------------------------------------

/**
 * A replica holds a newer record: it is merged here where this node is a replica (the host has done so with an object), passed on
 * to the other replicas, and makes the reply. Returns a SLOT_, or the link whose outbox lacks room.
 */
export function slotNewer(handle: u32, link: u32, frame: u32): i32 {
  const set = routeMembers(frameKey(frame), frameKeyLength(frame));
  const isObject = (frameFlags(frame) & FRAME_OBJECT) != 0;
  const length = frameLength(frame);
  const passes = length <= OUTBOX_ROOM;
  if (setHasSelf(set)) {
    if (passes) {
      const full = fullLocal(set, link, length);
      if (full >= 0) return full;
    }
    const merged = isObject ? APPLY_APPLIED : applyFrame(frame);
    const slot = openSlotOf(handle);
    const isSafe = slot != 0 && slotHas(slot, SLOT_SAFE);
    if (isSafe && (isObject || !passes)) {
      slotRetry(slot);
      return SLOT_DONE;
    }
    // What another replica has answered already is on its way to a quorum.
    if (isSafe && !isKnown(slot, frame)) writeBack(handle, set, link, frame);
    else if (!isSafe && passes && merged == APPLY_APPLIED) passOn(set, link, frame, NO_SLOT);
  }
  const slot = openSlotOf(handle);
  if (slot == 0) return SLOT_DONE;
  if (slotKind(slot) == KIND_CLIENT && !keepRecord(slot, link, frame, set)) {
    slotFail(slot);
    return SLOT_DONE;
  }
  if (!(handle & PART)) slotAnswered(slot, link, true);
  return SLOT_DONE;
}

function applyFrame(frame: u32): i32 {
  const key = frameKey(frame);
  const keyLength = frameKeyLength(frame);
  return entryApply(
    frameDatabase(frame),
    siphash(key, keyLength),
    key,
    keyLength,
    frameValue(frame),
    frameValueLength(frame),
    frameStamp(frame),
    frameExpiryAndNode(frame),
    frameFlags(frame),
  );
}

/** The first local link of a set, but for `without`, that takes what is waited for and whose outbox lacks room for `bytes`; -1 for none. */
export function fullLocal(set: u32, without: u32, bytes: u32): i32 {
  const locals = setLocals(set);
  for (let i: u32 = 0; i < locals; i++) {
    const link = setLocal(set, i);
    if (link != without && linkTakesAwaited(link) && !outboxRoom(link, bytes)) return link;
  }
  return -1;
}

/** Sends a NEWER frame as a WRITE to the local replicas that are up, but for `without`; how many. */
function passOn(set: u32, without: u32, frame: u32, handle: u32): u32 {
  let sent: u32 = 0;
  const locals = setLocals(set);
  for (let i: u32 = 0; i < locals; i++) {
    const link = setLocal(set, i);
    if (link == without || !linkExpect(link, handle)) continue;
    copyAsWrite(link, frame);
    sent++;
  }
  return sent;
}

/** Appends a NEWER frame as a WRITE to an outbox that has the room. */
function copyAsWrite(link: u32, frame: u32): void {
  const type = load<u8>(frame, 4);
  store<u8>(frame, <u8>FRAME_WRITE, 4);
  frameCopy(link, frame, frameLength(frame));
  store<u8>(frame, type, 4);
  countFigure(REPAIRS_SENT, 1);
}

/** DC_SAFE_QUORUM: has a quorum hold the newer record, that this node and `link` hold, before the slot is decided. */
function writeBack(handle: u32, set: u32, link: u32, frame: u32): void {
  const others = setReplicas(set) >> 1;
  if (others <= 1) {
    passOn(set, link, frame, NO_SLOT);
    return;
  }
  const child = slotOpenChild(handle, others - 1);
  if (child == NO_SLOT) {
    slotFail(openSlotOf(handle));
    return;
  }
  slotExpects(child, passOn(set, link, frame, child));
  slotSeal(child);
}

/** Keeps the newest record of a key that has come for a slot; false without memory. Where it is not applied here, repairs. */
function keepRecord(slot: u32, link: u32, frame: u32, set: u32): bool {
  const elsewhere = !slotHas(slot, SLOT_SELF);
  const before = recordFor(slot, frame);
  if (before != 0) {
    const known = attachmentBody(before);
    if (isKnown(slot, frame)) return true;
    if (!isNewer(frameStamp(frame), frameNode(frame), frameStamp(known), frameNode(known))) {
      if (elsewhere) repairWith(link, known);
      return true;
    }
    if (elsewhere) repairWith(attachmentLink(before), frame);
    slotDetach(slot, before);
    attachmentFree(before);
  }
  if (elsewhere) {
    const empty = slotEmptyLinks(slot);
    const locals = setLocals(set);
    for (let i: u32 = 0; i < locals; i++) {
      const other = setLocal(set, i);
      if (other != link && ((empty >> (other & 7)) & 1) != 0) repairWith(other, frame);
    }
  }
  const record = attachmentTake(ATTACHMENT_RECORD, frameLength(frame));
  if (record == 0) return false;
  memory.copy(attachmentBody(record), frame, frameLength(frame));
  attachmentSetLink(record, link);
  slotAttach(slot, record);
  return true;
}

/** Whether the newest record that has come for a slot is that of a frame. */
function isKnown(slot: u32, frame: u32): bool {
  const record = recordFor(slot, frame);
  if (record == 0) return false;
  const known = attachmentBody(record);
  return frameStamp(known) == frameStamp(frame) && frameNode(known) == frameNode(frame);
}

/** The RECORD of a slot for the key of a frame, 0 for none. */
function recordFor(slot: u32, frame: u32): u32 {
  let at = slotExtra(slot);
  while (isAttachment(at)) {
    if (attachmentKind(at) == ATTACHMENT_RECORD && hasSameKey(attachmentBody(at), frame)) return at;
    at = attachmentNext(at);
  }
  return 0;
}

// @ts-ignore: decorator
@inline
export function hasSameKey(a: u32, b: u32): bool {
  const length = frameKeyLength(a);
  return frameKeyLength(b) == length && sameBytes(frameKey(a), frameKey(b), length);
}

/** Sends a record that came as a NEWER frame to a replica that holds less, if there is room. */
function repairWith(link: u32, frame: u32): void {
  if (!linkIsUp(link) || !outboxRoom(link, frameLength(frame))) return;
  linkExpect(link, NO_SLOT);
  copyAsWrite(link, frame);
}

/** A replica that holds nothing has acknowledged a read from elsewhere: it is sent what others have answered. */
export function repairEmpty(slot: u32, link: u32): void {
  const record = attachmentFind(slotExtra(slot), ATTACHMENT_RECORD);
  if (record != 0) repairWith(link, attachmentBody(record));
}
