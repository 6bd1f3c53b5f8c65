// Writes that a replica refuses for something newer: what is refused is kept with the slot that waits, and when no quorum can hold it
// any more, it gets a newer stamp and goes out again.

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
import { slotRecord, tableFind } from "../table";
import { fullLocal, hasSameKey, rootOf } from "./answers";
import { APPLY_NO_MEMORY, entryApply } from "./apply";
import {
  ATTACHMENT_STALE,
  attachmentBody,
  attachmentFind,
  attachmentFree,
  attachmentKind,
  attachmentNext,
  attachmentTake,
  isAttachment,
} from "./attachments";
import { countFigure, WRITES_RESTAMPED } from "./figures";
import { slotFollow, slotIsLastOfKey } from "./follow";
import {
  FRAME_SPREAD,
  FRAME_TOMBSTONE,
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
import { linkAddress, linkExpect, linkIsShut, linkIsUp, linkMissed, NO_SLOT } from "./links";
import { frameWrite, OUTBOX_ROOM, outboxRoom, writeBytes } from "./outbox";
import { SLOT_DONE } from "./peer-answers";
import { routeMembers, setHasSelf, setLocal, setLocals, setRemote, setRemotes } from "./route";
import {
  handleOf,
  KIND_CHILD,
  KIND_HOST,
  NEED_FOLLOWS,
  openSlotOf,
  PART,
  SLOT_HOLDS,
  SLOT_MULTI,
  SLOT_STALE,
  SLOT_WRITE,
  slotAttach,
  slotDetach,
  slotExtra,
  slotGot,
  slotHas,
  slotKind,
  slotNeed,
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
  slotSeal,
} from "./slots";

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
