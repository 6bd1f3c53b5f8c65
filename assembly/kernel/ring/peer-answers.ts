// Answers of peers to this node as a coordinator: each goes to the slot that waits for it. An answer to nothing breaks the link.

import { observeStamp } from "../clock";
import { isTooFarAhead } from "./apply";
import { ACKS_RECEIVED, countFigure, REFUSED_AHEAD } from "./figures";
import {
  FAIL_TOO_FAR_AHEAD,
  FRAME_ACKS,
  FRAME_FAIL,
  FRAME_NEWER,
  FRAME_OBJECT,
  FRAME_OLDER,
  FRAME_PRIOR,
  FRAME_STALE,
  frameFlags,
  frameNode,
  frameStamp,
  frameType,
} from "./frames";
import { LINK_PENDING, linkAcked, linkAddress, linkAnswered, linkAwaited, NO_SLOT } from "./links";
import { fullOutbox, RUN_BROKEN, RUN_DONE, RUN_HOST, RUN_HOST_FIRST } from "./run";
import { slotNewer, slotOlder, slotPrior } from "./answers";
import { slotAcked, slotFailed } from "./slots";
import { slotStale } from "./stale-writes";

/** What slotOlder(), slotNewer() and slotStale() return: done; done, but the host must repair; else the link that lacks room. */
export const SLOT_DONE: i32 = -1;
export const SLOT_HOST_REPAIRS: i32 = -2;

/** Runs an answer. `seen`: the host has seen it. */
export function runAnswer(link: u32, frame: u32, seen: bool): i32 {
  const at = linkAddress(link);
  const type = frameType(frame);
  if (type == FRAME_ACKS) return runAcks(link, load<u32>(frame, 8));
  if (load<u32>(at, LINK_PENDING) == 0) return RUN_BROKEN;
  const slot = linkAwaited(at);
  if (type == FRAME_FAIL) {
    linkAnswered(at);
    if (slot != NO_SLOT) slotFailed(slot, link, load<u32>(frame, 8));
    return RUN_DONE;
  }
  const stamp = frameStamp(frame);
  if (isTooFarAhead(stamp)) {
    // Nothing of such a stamp is taken over; that it is there says that what was asked is not the newest.
    countFigure(REFUSED_AHEAD, 1);
    linkAnswered(at);
    if (slot != NO_SLOT) slotFailed(slot, link, FAIL_TOO_FAR_AHEAD);
    return RUN_DONE;
  }
  // The object must be merged before the slot looks at the outcome.
  if (type == FRAME_NEWER && frameFlags(frame) & FRAME_OBJECT && !seen) return RUN_HOST_FIRST;
  observeStamp(stamp);
  if (type == FRAME_PRIOR) {
    linkAnswered(at);
    if (slot != NO_SLOT) slotPrior(slot, link, stamp, frameNode(frame), load<u32>(frame, 24) != 0);
    return RUN_DONE;
  }
  let outcome = SLOT_DONE;
  if (type == FRAME_STALE) outcome = slotStale(slot, link, frame);
  else if (type == FRAME_NEWER) outcome = slotNewer(slot, link, frame);
  else if (type == FRAME_OLDER) outcome = slotOlder(slot, link, frame);
  if (outcome >= 0) return fullOutbox(<u32>outcome);
  linkAnswered(at);
  return outcome == SLOT_HOST_REPAIRS ? RUN_HOST : RUN_DONE;
}

/** The next `count` requests of a link are acknowledged. */
function runAcks(link: u32, count: u32): i32 {
  const at = linkAddress(link);
  if (count > load<u32>(at, LINK_PENDING)) return RUN_BROKEN;
  countFigure(ACKS_RECEIVED, count);
  let left = count;
  while (true) {
    left -= linkAcked(at, left);
    if (left == 0) break;
    const slot = linkAwaited(at);
    linkAnswered(at);
    slotAcked(slot, link);
    left--;
  }
  return RUN_DONE;
}
