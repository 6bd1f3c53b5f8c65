// Answers that say more than "acknowledged": a replica holds something newer or older, or refuses a write for something newer.
// Each merges or repairs what it concerns, and counts for the slot that waits, if there still is one.

import { mintStamp, nodeIndex } from "../clock";
import {
  FLAG_OBJECT,
  FLAG_TOMBSTONE,
  recordBodyLength,
  recordFlags,
  recordNode,
  recordStamp,
  recordValue,
} from "../record";
import { siphash } from "../siphash";
import { sameBytes, slotRecord, tableFind } from "../table";
import { APPLY_APPLIED, APPLY_NO_MEMORY, entryApply } from "./apply";
import {
  ATTACHMENT_PRIOR,
  ATTACHMENT_RECORD,
  ATTACHMENT_STALE,
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
import { countFigure, REPAIRS_SENT, WRITES_RESTAMPED } from "./figures";
import {
  FRAME_OBJECT,
  FRAME_SPREAD,
  FRAME_TOMBSTONE,
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
  STALE_HEADER_BYTES,
  tagFlag,
} from "./frames";
import { linkAddress, linkExpect, linkIsShut, linkIsUp, linkMissed, linkTakesAwaited, NO_SLOT } from "./links";
import {
  frameCopy,
  frameWrite,
  OUTBOX_ROOM,
  outboxRoom,
  REPAIR_HOST,
  REPAIR_NO_ROOM,
  REPAIR_NONE,
  REPAIR_SENT,
  repairTo,
  writeBytes,
} from "./outbox";
import { SLOT_DONE, SLOT_HOST_REPAIRS } from "./peer-answers";
import {
  routeMembers,
  setHasSelf,
  setLocal,
  setLocals,
  setRemote,
  setRemotes,
  setReplicas,
} from "./route";
import { slotFollow, slotIsLastOfKey } from "./follow";
import {
  handleOf,
  KIND_CHILD,
  KIND_CLIENT,
  KIND_HOST,
  NEED_FOLLOWS,
  openSlotOf,
  PART,
  SLOT_HOLDS,
  SLOT_MULTI,
  SLOT_SAFE,
  SLOT_SELF,
  SLOT_STALE,
  SLOT_WRITE,
  slotAttach,
  slotDetach,
  slotEmptyLinks,
  slotExtra,
  slotGot,
  slotHas,
  slotKind,
  slotNeed,
  slotParent,
  slotSet,
} from "./slot";
import {
  slotFail,
  slotAnswered,
  slotCheck,
  slotExpects,
  slotIsLost,
  slotMayBeHeld,
  slotOpenChild,
  slotRefusals,
  slotRefused,
  slotRetry,
  slotSeal,
} from "./slots";

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
function rootOf(slot: u32): u32 {
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
function fullLocal(set: u32, without: u32, bytes: u32): i32 {
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
function hasSameKey(a: u32, b: u32): bool {
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

// ---- WRITE: stale ---------------------------------------------------------------------------------------------------

/**
 * A replica refuses a write for something newer. It does not count; but as long as other answers can decide the slot, nothing
 * more happens: a quorum that held nothing newer is enough. Returns a SLOT_, or the link whose outbox lacks room.
 */
export function slotStale(handle: u32, link: u32, frame: u32): i32 {
  const slot = openSlotOf(handle);
  if (slot == 0) return SLOT_DONE;
  if (slotKind(slot) == KIND_HOST) {
    slotSet(slot, SLOT_STALE);
    slotAnswered(slot, link, slotHas(slot, SLOT_HOLDS));
    return SLOT_DONE;
  }
  // It carries another write of this node, which only that one's own slot may send again: a quorum must hold it as it is.
  if (slotKind(slot) == KIND_CHILD && slotHas(slot, SLOT_HOLDS)) {
    slotAnswered(slot, link, false);
    return SLOT_DONE;
  }
  const isPart = (handle & PART) != 0;
  const root = rootOf(slot);
  // A repair is not refused: who holds something newer needs none.
  if (root == 0 || !slotHas(root, SLOT_WRITE)) {
    if (!isPart) slotAnswered(slot, link, true);
    return SLOT_DONE;
  }
  if (slotNeed(root) == NEED_FOLLOWS) return SLOT_DONE;
  if (!slotHas(slot, SLOT_STALE)) {
    const full = isPart || !slotIsLost(slot) ? -1 : fullForAgain(slot, frame);
    if (full >= 0) return full;
    if (!keepStale(slot, frame)) {
      slotFail(slot);
      return SLOT_DONE;
    }
    slotRefused(slot, link);
  }
  if (!isPart) slotAnswered(slot, link, false);
  return SLOT_DONE;
}

/** Keeps a STALE frame, if it is the newest for its key; false without memory. */
function keepStale(slot: u32, frame: u32): bool {
  const echo = frame + STALE_HEADER_BYTES;
  let at = slotExtra(slot);
  while (isAttachment(at)) {
    const known = attachmentBody(at);
    if (attachmentKind(at) == ATTACHMENT_STALE && hasSameKey(known + STALE_HEADER_BYTES, echo)) {
      if (!isNewer(frameStamp(frame), frameNode(frame), frameStamp(known), frameNode(known))) return true;
      slotDetach(slot, at);
      attachmentFree(at);
      break;
    }
    at = attachmentNext(at);
  }
  const stale = attachmentTake(ATTACHMENT_STALE, frameLength(frame));
  if (stale == 0) return false;
  memory.copy(attachmentBody(stale), frame, frameLength(frame));
  slotAttach(slot, stale);
  return true;
}

/** The first link that lacks room for sending again what was refused of a slot, `frame` the last of it; -1 for none. */
function fullForAgain(slot: u32, frame: u32): i32 {
  let bytes = frameLength(frame);
  let at = slotExtra(slot);
  while (isAttachment(at)) {
    if (attachmentKind(at) == ATTACHMENT_STALE) bytes += frameLength(attachmentBody(at));
    at = attachmentNext(at);
  }
  const echo = frame + STALE_HEADER_BYTES;
  return bytes > OUTBOX_ROOM ? -1 : fullLink(routeMembers(frameKey(echo), frameKeyLength(echo)), bytes);
}

/**
 * So many replicas have refused a write that no quorum will hold it: what they refused gets new stamps and is sent again. The slot
 * is decided when all of it is acknowledged. Where a quorum may hold it, because links were lost with their answers, it may
 * have been read, and must not come back above what was written since: it fails.
 */
export function slotSendAgain(slot: u32): void {
  if (slotMayBeHeld(slot)) {
    slotFail(slot);
    return;
  }
  // Those that refused some of its keys hold the others.
  if (slotHas(slot, SLOT_MULTI) && slotGot(slot) + slotRefusals(slot) < slotNeed(slot)) {
    slotFail(slot);
    return;
  }
  const rootSlot = rootOf(slot);
  if (rootSlot == 0) {
    slotFail(slot);
    return;
  }
  const handle = handleOf(slot);
  const root = handleOf(rootSlot);
  slotSet(slot, SLOT_STALE);
  let open = slot;
  while (open != 0) {
    const stale = attachmentFind(slotExtra(open), ATTACHMENT_STALE);
    if (stale == 0) break;
    slotDetach(open, stale);
    const sent = sendAgain(handle, root, attachmentBody(stale));
    attachmentFree(stale);
    // Slots may have moved.
    open = openSlotOf(handle);
    if (sent) continue;
    if (open != 0) slotFail(open);
    return;
  }
  if (open != 0) slotCheck(open);
}

/** What sendAgain() sends. */
let againStamp: u64 = 0;
let againExpiryAndNode: u64 = 0;
let againFlags: u32 = 0;
let againValue: u32 = 0;
let againLength: u32 = 0;

/** Sends what a replica refused again, under a child of the slot. False: it cannot be. */
function sendAgain(handle: u32, root: u32, stale: u32): bool {
  const echo = stale + STALE_HEADER_BYTES;
  const key = frameKey(echo);
  const keyLength = frameKeyLength(echo);
  const database = frameDatabase(echo);
  const set = routeMembers(key, keyLength);
  const self = setHasSelf(set);
  if (slotFollow(openSlotOf(root))) return true;
  againFlags = frameFlags(echo) & ~FRAME_SPREAD;
  againValue = frameValue(echo);
  againLength = frameValueLength(echo);
  const hash = siphash(key, keyLength);
  const place = self ? tableFind(database, hash, key, keyLength) : 0;
  let record: u32 = place == 0 ? 0 : slotRecord(place);
  if (record != 0 && !isNewer(recordStamp(record), recordNode(record), frameStamp(stale), frameNode(stale))) record = 0;
  // What came from elsewhere may have been acknowledged before this write began: this one must go on top of it.
  if (record != 0 && recordNode(record) != nodeIndex) record = 0;
  // A later write of this node, but not one that this client has made after this one: either may be on top.
  if (record != 0 && slotIsLastOfKey(openSlotOf(root))) record = 0;
  // A later write of this node is newer than what the replica holds: it is what the others must hold, and it comes after this one.
  if (record != 0) {
    if (recordFlags(record) & FLAG_OBJECT) return false;
    againFlags = recordFlags(record) & FLAG_TOMBSTONE ? FRAME_TOMBSTONE : tagFlag(record);
    againValue = recordValue(record);
    againLength = recordBodyLength(record);
    againStamp = recordStamp(record);
    againExpiryAndNode = load<u64>(record, 16);
  }
  const bytes = writeBytes(keyLength, againLength);
  if (bytes > OUTBOX_ROOM || fullLink(set, bytes) >= 0) return false;
  if (record == 0) {
    againStamp = mintStamp();
    againExpiryAndNode = (frameExpiryAndNode(echo) & ~0xffff) | <u64>nodeIndex;
    if (self && applyAgain(database, hash, key, keyLength) == APPLY_NO_MEMORY) return false;
    countFigure(WRITES_RESTAMPED, 1);
  }
  const child = slotOpenChild(handle, slotNeed(openSlotOf(root)));
  if (child == NO_SLOT) return false;
  if (record != 0) slotSet(openSlotOf(child), SLOT_HOLDS);
  slotExpects(child, sendTo(set, child, database, key, keyLength));
  slotSeal(child);
  return true;
}

function applyAgain(database: u32, hash: u32, key: u32, keyLength: u32): i32 {
  // What a DEL saw stays in its frame.
  return entryApply(database, hash, key, keyLength, againValue, againLength, againStamp, againExpiryAndNode, againFlags);
}

/** The first link of a set, remote ones too, that is up and whose outbox lacks room for `bytes`; -1 for none. */
function fullLink(set: u32, bytes: u32): i32 {
  const full = fullLocal(set, NO_SLOT, bytes);
  if (full >= 0) return full;
  const remotes = setRemotes(set);
  for (let i: u32 = 0; i < remotes; i++) {
    const link = setRemote(set, i);
    if (linkIsUp(link) && !outboxRoom(link, bytes)) return link;
  }
  return -1;
}

/** Sends it to all replicas whose links are up; to how many local ones. */
function sendTo(set: u32, child: u32, database: u32, key: u32, keyLength: u32): u32 {
  let sent: u32 = 0;
  const locals = setLocals(set);
  for (let i: u32 = 0; i < locals; i++) {
    const link = setLocal(set, i);
    if (!expectAgain(link, child)) continue;
    frameWrite(link, database, againFlags, againStamp, againExpiryAndNode, key, keyLength, againValue, againLength);
    sent++;
  }
  const remotes = setRemotes(set);
  for (let i: u32 = 0; i < remotes; i++) {
    const link = setRemote(set, i);
    if (!expectAgain(link, NO_SLOT)) continue;
    const flags = againFlags | FRAME_SPREAD;
    frameWrite(link, database, flags, againStamp, againExpiryAndNode, key, keyLength, againValue, againLength);
  }
  return sent;
}

/** As linkExpect(); what a link does not take is noted. */
function expectAgain(link: u32, child: u32): bool {
  if (linkExpect(link, child)) return true;
  if (linkIsShut(link)) linkMissed(linkAddress(link), againStamp);
  return false;
}
