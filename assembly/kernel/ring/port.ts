// What the host does with links and records by itself: requests of its own, answers that it owes, records that it applies.

import { lastStamp, mintStamp, observeStamp } from "../clock";
import { siphash } from "../siphash";
import { APPLY_TOO_FAR_AHEAD, entryApply, isTooFarAhead } from "./apply";
import {
  FAIL_BYTES,
  FRAME_ACKS,
  FRAME_FLOOR,
  FRAME_PRIOR,
  FRAME_WRITE,
  frameLength,
  frameType,
} from "./frames";
import { maxLinkPending } from "./limits";
import { LINK_OWED, LINK_PENDING, linkAddress, linkExpect, linkIsOpen, linkIsUp, linkTakesAwaited, NO_SLOT } from "./links";
import { answerAck, answerFail, answerFrame, answerRoom, frameCopy, outboxRoom } from "./outbox";
import { fitsType, isWellFormed } from "./shapes";
import { slotAsked } from "./slots";

// Kinds of peerAnswer().
const ANSWER_ACKNOWLEDGE: u32 = 0;
const ANSWER_FRAME: u32 = 1;
const ANSWER_FAIL: u32 = 2;
const ANSWER_SENT: u32 = 3;

/**
 * Appends a data request of the host, a whole frame, to the outbox of a link; `slot` (or NO_SLOT) waits for its answer. With
 * `length` 0 nothing is appended: the host sends a frame that is too large for an outbox itself, right behind the flushed outbox.
 * False: the link is not up, or takes no requests, or its outbox lacks room, or the bytes are no request; nothing was done.
 */
export function linkRequest(link: u32, frame: u32, length: u32, slot: u32): bool {
  if (!(slot == NO_SLOT ? hasRoom(link) : linkTakesAwaited(link))) return false;
  if (length != 0 && (!isFrame(frame, length, FRAME_WRITE, FRAME_FLOOR) || !outboxRoom(link, length))) return false;
  linkExpect(link, slot);
  if (length != 0) frameCopy(link, frame, length);
  if (slot != NO_SLOT) slotAsked(slot);
  return true;
}

/** Whether a link takes a request that nobody waits for. */
function hasRoom(link: u32): bool {
  return linkIsUp(link) && load<u32>(linkAddress(link), LINK_PENDING) < maxLinkPending;
}

/**
 * Answers the request that peerFeed() has handed to the host. `kind`: 0 an acknowledgement, 1 the frame of `length` bytes at
 * `frame`, 2 FAIL with the code `frame`, 3 nothing: the host has sent the answer itself, behind the flushed outbox. False: the
 * outbox lacks room, or no answer is owed, or the bytes are no answer; nothing was done.
 */
export function peerAnswer(link: u32, kind: u32, frame: u32, length: u32): bool {
  if (!linkIsOpen(link) || load<u32>(linkAddress(link), LINK_OWED) == 0) return false;
  switch (kind) {
    case ANSWER_ACKNOWLEDGE:
      answerAck(link);
      break;
    case ANSWER_FRAME:
      if (!isFrame(frame, length, FRAME_ACKS + 1, FRAME_PRIOR) || !answerRoom(link, length)) return false;
      answerFrame(link, frame, length);
      break;
    case ANSWER_FAIL:
      if (!answerRoom(link, FAIL_BYTES)) return false;
      answerFail(link, frame);
      break;
    case ANSWER_SENT:
      break;
    default:
      return false;
  }
  store<u32>(linkAddress(link), 0, LINK_OWED);
  return true;
}

/** Whether `length` bytes are one frame of a type from `first` to `last`. */
function isFrame(frame: u32, length: u32, first: u32, last: u32): bool {
  const type = frameType(frame);
  return frameLength(frame) == length && type >= first && type <= last && fitsType(type, length) && isWellFormed(frame);
}

/**
 * Applies a record by stamp, as a WRITE of a peer: `expiryAndNode` as in a record, `flags` FRAME_ flags. Returns an APPLY_; its
 * stamp is observed unless it is too far ahead.
 */
export function hostApply(
  database: u32,
  key: u32,
  keyLength: u32,
  value: u32,
  valueLength: u32,
  stamp: u64,
  expiryAndNode: u64,
  flags: u32,
): i32 {
  if (isTooFarAhead(stamp)) return APPLY_TOO_FAR_AHEAD;
  observeStamp(stamp);
  const hash = siphash(key, keyLength);
  return entryApply(database, hash, key, keyLength, value, valueLength, stamp, expiryAndNode, flags);
}

/** A stamp larger than every one minted or seen. */
export function hostMint(): u64 {
  return mintStamp();
}

/** The newest stamp minted or seen. */
export function lastStampSeen(): u64 {
  return lastStamp;
}
