// Requests of peers to this node as a replica: WRITE, READ, BATCH and FLOOR. Each gets one answer, in order; an answer for which
// the outbox lacks room stops the run before anything was done.

import { now, observeStamp } from "../clock";
import { floorNode, floorStamp } from "../floors";
import {
  FLAG_OBJECT,
  FLAG_TOMBSTONE,
  recordBodyLength,
  recordExpiry,
  recordFlags,
  recordNode,
  recordStamp,
} from "../record";
import { slotRecord, tableFindAt } from "../table";
import {
  APPLY_APPLIED,
  APPLY_EQUAL,
  APPLY_NO_MEMORY,
  APPLY_OBJECT,
  APPLY_STALE,
  applyOver,
  entryApplyAt,
  heldAlive,
  heldNode,
  heldStamp,
  isTooFarAhead,
} from "./apply";
import {
  APPLIED_RECORDS,
  countFigure,
  EQUAL_RECORDS,
  REFUSED_AHEAD,
  REFUSED_BEHIND,
  REFUSED_FENCED,
  REFUSED_FOREIGN,
  REFUSED_MEMORY,
  SPREAD_RECORDS,
  STALE_RECORDS,
} from "./figures";
import {
  FAIL_BEHIND,
  FAIL_BYTES,
  FAIL_FENCED,
  FAIL_NO_MEMORY,
  FAIL_NOT_A_REPLICA,
  FAIL_TOO_FAR_AHEAD,
  FRAME_NEWER,
  FRAME_OBJECT,
  FRAME_OLDER,
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
  PRIOR_BYTES,
  STALE_HEADER_BYTES,
} from "./frames";
import { forgotten, isFenced, mayHaveForgotten } from "./limits";
import {
  LINK_NEWEST,
  linkAddress,
  linkExpect,
  linkIsBehind,
  linkIsShut,
  linkIsUp,
  linkMissed,
  NO_SLOT,
} from "./links";
import {
  answerAck,
  answerFail,
  answerFits,
  answerKey,
  answerPrior,
  answerRecord,
  answerRoom,
  answerStale,
  frameWrite,
  OUTBOX_ROOM,
  outboxRoom,
  writeBytes,
} from "./outbox";
import { fullOutbox, NO_LINK, RUN_DONE, RUN_HOST, RUN_HOST_ANSWERS, RUN_NO_MEMORY } from "./run";
import { ringOn, routeMembers, selfInAllSets, setHasSelf, setLocal, setLocals } from "./route";

/** The node of the newest write that may have a stamp. */
const ANY_NODE: u32 = 0xffff;

/** Answers FAIL, and counts why. */
function refuse(link: u32, code: u32, figure: u32): i32 {
  if (link != NO_LINK) {
    if (!answerRoom(link, FAIL_BYTES)) return fullOutbox(link);
    answerFail(link, code);
  }
  countFigure(figure, 1);
  return RUN_DONE;
}

/** Whether this node is a replica of a frame's key. Without a ring it is one of every key. */
// @ts-ignore: decorator
@inline
function isOwned(frame: u32): bool {
  return selfInAllSets || !ringOn || setHasSelf(routeMembers(frameKey(frame), frameKeyLength(frame)));
}

/** Runs a WRITE whose key has `hash`; `hint`: see tableFindAt(). */
export function runWrite(link: u32, frame: u32, hash: u32, hint: u32): i32 {
  const stamp = frameStamp(frame);
  if (isTooFarAhead(stamp)) return refuse(link, FAIL_TOO_FAR_AHEAD, REFUSED_AHEAD);
  if (!isOwned(frame)) return refuse(link, FAIL_NOT_A_REPLICA, REFUSED_FOREIGN);
  observeStamp(stamp);
  const flags = frameFlags(frame);
  if (flags & FRAME_OBJECT) return link == NO_LINK ? RUN_HOST : RUN_HOST_ANSWERS;
  const keyLength = frameKeyLength(frame);
  const valueLength = frameValueLength(frame);
  const expiryAndNode = frameExpiryAndNode(frame);
  const database = frameDatabase(frame);
  if (flags == 0 && expiryAndNode <= 0xffff && hint != 0 && link != NO_LINK && forgotten == 0) {
    const key = frameKey(frame);
    if (applyOver(hint, database, key, keyLength, key + keyLength, valueLength, stamp, expiryAndNode)) {
      noteNewest(link, stamp, <u32>expiryAndNode);
      countFigure(APPLIED_RECORDS, 1);
      answerAck(link);
      return RUN_DONE;
    }
  }
  const isForgotten = forgotten != 0 && stamp <= forgotten && link != NO_LINK;
  if (isForgotten) {
    const bytes = forgottenBytes(link, frame);
    if (!answerFits(bytes)) return RUN_HOST_ANSWERS;
    if (!answerRoom(link, bytes)) return fullOutbox(link);
  }
  const deleting = (flags & FRAME_TOMBSTONE) != 0;
  if (link != NO_LINK && (flags & FRAME_SPREAD || (deleting && valueLength != 0))) {
    const outcome = prepare(link, frame, flags, deleting ? 0 : valueLength);
    if (outcome != RUN_DONE) return outcome;
  }
  const applied = entryApplyAt(
    hint,
    database,
    hash,
    frameKey(frame),
    keyLength,
    frameValue(frame),
    valueLength,
    stamp,
    expiryAndNode,
    flags,
  );
  if (link == NO_LINK) return endCopied(applied);
  if (applied > APPLY_EQUAL) return refuseRecord(link, frame, applied);
  noteNewest(link, stamp, <u32>expiryAndNode & 0xffff);
  if (flags & FRAME_SPREAD) spread(link, frame, flags, deleting ? 0 : valueLength);
  if (isForgotten) return refuseForgotten(link, frame);
  if (applied == APPLY_EQUAL) {
    countFigure(EQUAL_RECORDS, 1);
  } else {
    countFigure(APPLIED_RECORDS, 1);
    if (deleting && valueLength != 0 && heldMore(frameValue(frame))) {
      answerPrior(link, heldStamp, heldNode, heldAlive);
      return RUN_DONE;
    }
  }
  answerAck(link);
  return RUN_DONE;
}

/** Bytes of the answer to a record at or below what this node may have forgotten. */
function forgottenBytes(link: u32, frame: u32): u32 {
  return mayHaveForgotten() || linkIsBehind(link) ? FAIL_BYTES : STALE_HEADER_BYTES + frameLength(frame);
}

/**
 * Answers a record that is held now, but may be older than one that this node has acknowledged and forgotten: whose write it is stamps
 * it again, and who repairs knows that it is held.
 */
function refuseForgotten(link: u32, frame: u32): i32 {
  countFigure(REFUSED_FENCED, 1);
  if (mayHaveForgotten() || linkIsBehind(link)) answerFail(link, FAIL_FENCED);
  else answerStale(link, forgotten, ANY_NODE, frame);
  return RUN_DONE;
}

/** Whether what was held is newer than what the coordinator of a DEL saw. */
function heldMore(seen: u32): bool {
  return isNewer(heldStamp, heldNode, load<u64>(seen), <u32>load<u16>(seen, 8));
}

/** Makes sure, before a record is applied, that it can be passed on and that PRIOR can be answered. */
function prepare(link: u32, frame: u32, flags: u32, valueLength: u32): i32 {
  if (!answerRoom(link, PRIOR_BYTES)) return fullOutbox(link);
  if (!(flags & FRAME_SPREAD)) return RUN_DONE;
  const bytes = writeBytes(frameKeyLength(frame), valueLength);
  if (bytes > OUTBOX_ROOM) return RUN_HOST_ANSWERS;
  if (!ringOn) return RUN_DONE;
  const set = routeMembers(frameKey(frame), frameKeyLength(frame));
  for (let i: u32 = 0; i < setLocals(set); i++) {
    const target = setLocal(set, i);
    if (target != link && linkIsUp(target) && !outboxRoom(target, bytes)) return fullOutbox(target);
  }
  return RUN_DONE;
}

/** Passes a record on to the owners of its key in the other racks of this datacenter, but for who sent it. */
function spread(link: u32, frame: u32, flags: u32, valueLength: u32): void {
  if (!ringOn) return;
  const set = routeMembers(frameKey(frame), frameKeyLength(frame));
  for (let i: u32 = 0; i < setLocals(set); i++) {
    const target = setLocal(set, i);
    if (target == link) continue;
    if (!linkExpect(target, NO_SLOT)) {
      if (linkIsShut(target)) linkMissed(linkAddress(target), frameStamp(frame));
      continue;
    }
    countFigure(SPREAD_RECORDS, 1);
    frameWrite(
      target,
      frameDatabase(frame),
      flags & ~FRAME_SPREAD,
      frameStamp(frame),
      frameExpiryAndNode(frame),
      frameKey(frame),
      frameKeyLength(frame),
      frameValue(frame),
      valueLength,
    );
  }
}

/** Keeps the newest stamp that the member of a link minted itself. */
// @ts-ignore: decorator
@inline
function noteNewest(link: u32, stamp: u64, node: u32): void {
  if (node == link && stamp > load<u64>(linkAddress(link), LINK_NEWEST)) store<u64>(linkAddress(link), stamp, LINK_NEWEST);
}

/** Answers a record that was not applied. */
function refuseRecord(link: u32, frame: u32, applied: i32): i32 {
  if (applied == APPLY_NO_MEMORY) return refuse(link, FAIL_NO_MEMORY, REFUSED_MEMORY);
  if (applied == APPLY_OBJECT) return RUN_HOST_ANSWERS;
  if (linkIsBehind(link)) return refuse(link, FAIL_BEHIND, REFUSED_BEHIND);
  const bytes = STALE_HEADER_BYTES + frameLength(frame);
  if (!answerFits(bytes)) return RUN_HOST_ANSWERS;
  if (!answerRoom(link, bytes)) return fullOutbox(link);
  noteNewest(link, frameStamp(frame), frameNode(frame));
  countFigure(STALE_RECORDS, 1);
  answerStale(link, heldStamp, heldNode, frame);
  return RUN_DONE;
}

/** Ends a record of a copy. */
function endCopied(applied: i32): i32 {
  switch (applied) {
    case APPLY_APPLIED:
      countFigure(APPLIED_RECORDS, 1);
      return RUN_DONE;
    case APPLY_EQUAL:
      countFigure(EQUAL_RECORDS, 1);
      return RUN_DONE;
    case APPLY_STALE:
      countFigure(STALE_RECORDS, 1);
      return RUN_DONE;
    case APPLY_NO_MEMORY:
      countFigure(REFUSED_MEMORY, 1);
      return RUN_NO_MEMORY;
  }
  return RUN_HOST;
}

/** Runs a READ whose key has `hash` (`hint` as in runWrite()): acknowledges what is equal, and says what is newer, or that all there is is older. */
export function runRead(link: u32, frame: u32, hash: u32, hint: u32): i32 {
  if (isFenced()) return refuse(link, FAIL_FENCED, REFUSED_FENCED);
  if (linkIsBehind(link)) return refuse(link, FAIL_BEHIND, REFUSED_BEHIND);
  if (!isOwned(frame)) return refuse(link, FAIL_NOT_A_REPLICA, REFUSED_FOREIGN);
  const key = frameKey(frame);
  const keyLength = frameKeyLength(frame);
  // Bytes behind the key are for the host.
  if (frameValueLength(frame) != 0 || frameFlags(frame) != 0) return RUN_HOST_ANSWERS;
  const database = frameDatabase(frame);
  const asked = frameStamp(frame);
  const askedNode = frameNode(frame);
  const slot = tableFindAt(hint, database, hash, key, keyLength);
  if (slot == 0) return readMissing(link, database, asked, askedNode, key, keyLength);
  const record = slotRecord(slot);
  const stamp = recordStamp(record);
  const node = recordNode(record);
  const flags = recordFlags(record);
  // Objects of one stamp may still differ in older elements.
  if (flags & FLAG_OBJECT) return RUN_HOST_ANSWERS;
  if (stamp == asked && node == askedNode) {
    answerAck(link);
    return RUN_DONE;
  }
  if (!isNewer(stamp, node, asked, askedNode)) return answer(link, FRAME_OLDER, database, stamp, node, key, keyLength);
  const expiry = recordExpiry(record);
  // What has expired is a tombstone, whether it was found yet or not.
  if ((flags & FLAG_TOMBSTONE) != 0 || (expiry != 0 && expiry <= now)) {
    return answer(link, FRAME_NEWER, database | FRAME_TOMBSTONE, stamp, node, key, keyLength);
  }
  const bytes = writeBytes(keyLength, recordBodyLength(record));
  if (!answerFits(bytes)) return RUN_HOST_ANSWERS;
  if (!answerRoom(link, bytes)) return fullOutbox(link);
  answerRecord(link, database, record);
  return RUN_DONE;
}

/** Answers a READ of a key that is not here; the floor may know that what the asker holds is gone. */
function readMissing(link: u32, database: u32, asked: u64, askedNode: u32, key: u32, keyLength: u32): i32 {
  if (asked == 0 && askedNode == 0) {
    answerAck(link);
    return RUN_DONE;
  }
  const stamp = floorStamp(database);
  const node = floorNode(database);
  if (isNewer(asked, askedNode, stamp, node)) return answer(link, FRAME_OLDER, database, 0, 0, key, keyLength);
  return answer(link, FRAME_NEWER, database | FRAME_TOMBSTONE, stamp, node, key, keyLength);
}

/** Answers a READ without a value: see answerKey(). */
function answer(link: u32, type: u32, flags: u32, stamp: u64, node: u32, key: u32, keyLength: u32): i32 {
  const bytes = writeBytes(keyLength, 0);
  if (!answerFits(bytes)) return RUN_HOST_ANSWERS;
  if (!answerRoom(link, bytes)) return fullOutbox(link);
  answerKey(link, type, flags, stamp, node, key, keyLength);
  return RUN_DONE;
}

/** BATCH and FLOOR: the host applies them, unless their stamp is too far ahead. */
export function runStamped(link: u32, frame: u32): i32 {
  const stamp = frameStamp(frame);
  if (isTooFarAhead(stamp)) return refuse(link, FAIL_TOO_FAR_AHEAD, REFUSED_AHEAD);
  observeStamp(stamp);
  return RUN_HOST_ANSWERS;
}
