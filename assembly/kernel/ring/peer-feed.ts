// peerFeed(): what came over a link, one call per chunk. As in feed(), up to 32 frames are checked, hashed, and their slots and
// records loaded; then they run one after the other, and their answers go into the outbox of the link. A frame for the host stops
// the run, and so does an outbox that is full: before anything of the frame at hand was done.
//
// With NO_LINK for the link the frames are the WRITEs of a copy: they are applied, and nobody is answered.

import { arenaMaintain } from "../arena";
import { batchHash, batchLookUp, batchNote, batchSlot } from "../batch";
import {
  CTX_ARGC,
  CTX_BATCH,
  CTX_BATCH_COUNT,
  CTX_BATCH_NEXT,
  CTX_CONNECTION,
  CTX_CONSUMED,
  CTX_END,
  CTX_ERROR,
  CTX_LARGE,
  CTX_LARGE_LENGTH,
  CTX_PARSE_STATUS,
  CTX_PARSED,
  CTX_RELEASED,
  CTX_STATUS,
  CTX_WANTED,
  BATCH_COMMANDS,
} from "../context";
import { hasReleased } from "../entries";
import { siphash } from "../siphash";
import { tableHome } from "../table";
import { BROKEN_FRAMES, BYTES_IN, countFigure, FRAMES_IN, HOST_FRAMES } from "./figures";
import {
  FAIL_BYTES,
  FAIL_INTERNAL,
  FRAME_BATCH,
  FRAME_FIRST,
  FRAME_FLOOR,
  FRAME_HEADER_BYTES,
  FRAME_HOST,
  FRAME_READ,
  FRAME_WRITE,
  frameDatabase,
  frameKey,
  frameKeyLength,
  frameLength,
  frameType,
} from "./frames";
import { maxFrameBytes } from "./limits";
import { LINK_BYTES_IN, LINK_OWED, linkAddress, linkIsOpen } from "./links";
import { answerFail, answerRoom } from "./outbox";
import { runAnswer } from "./peer-answers";
import { runRead, runStamped, runWrite } from "./peer-requests";
import { fullLink, NO_LINK, RUN_DONE, RUN_FULL, RUN_HOST, RUN_HOST_ANSWERS, RUN_HOST_FIRST, RUN_NO_MEMORY } from "./run";
import { fitsType, isWellFormed } from "./shapes";

/** All whole frames are done; CTX_CONSUMED and CTX_WANTED as with feed(). */
export const PEER_DONE: i32 = 0;
/** A frame for the host: CTX_LARGE, CTX_LARGE_LENGTH. */
export const PEER_HOST: i32 = 1;
/** The outbox of link CTX_ARGC must be sealed, sent and flushed before going on. */
export const PEER_OUTBOX_FULL: i32 = 2;
/** What came is no frame, or answers nothing: the link must close. */
export const PEER_BROKEN: i32 = 3;
/** Only of a copy: there is no memory for a record. CTX_CONSUMED is in front of it. */
export const PEER_NO_MEMORY: i32 = 4;

/** Per frame in a batch: its address. */
const PEER_ENTRY_BYTES: u32 = 4;

/** Bit of CTX_ERROR: the host has seen the next frame of the batch. */
const SEEN_BY_HOST: u32 = 1;

/** Runs the frames in `length` bytes at `input`, which lie in the context's input, as far as they are whole. Returns a PEER_. */
export function peerFeed(context: u32, link: u32, input: u32, length: u32): i32 {
  store<u32>(context, link, CTX_CONNECTION);
  store<u32>(context, input, CTX_CONSUMED);
  store<u32>(context, input, CTX_PARSED);
  store<u32>(context, input + length, CTX_END);
  store<u32>(context, 0, CTX_BATCH_COUNT);
  store<u32>(context, 0, CTX_BATCH_NEXT);
  store<u32>(context, 0, CTX_WANTED);
  store<u32>(context, 0, CTX_ERROR);
  store<i32>(context, PEER_DONE, CTX_PARSE_STATUS);
  return peerResume(context);
}

/** Goes on after PEER_HOST or PEER_OUTBOX_FULL. */
export function peerResume(context: u32): i32 {
  const link = load<u32>(context, CTX_CONNECTION);
  if (link != NO_LINK) {
    // The host may have given the link up meanwhile.
    if (!linkIsOpen(link)) return finish(context, PEER_BROKEN);
    if (!settleOwed(link)) return finishFull(context, link);
  }
  while (true) {
    const status = runBatch(context, link);
    if (status != PEER_DONE) return finish(context, status);
    const parsed = load<i32>(context, CTX_PARSE_STATUS);
    if (parsed != PEER_DONE) return finish(context, parsed);
    if (load<u32>(context, CTX_WANTED) != 0 || load<u32>(context, CTX_PARSED) == load<u32>(context, CTX_END)) {
      return finish(context, PEER_DONE);
    }
    parseBatch(context, link);
  }
}

/** A request that the host has left unanswered fails; false when the outbox lacks the room to say so. */
function settleOwed(link: u32): bool {
  const at = linkAddress(link);
  if (load<u32>(at, LINK_OWED) == 0) return true;
  if (!answerRoom(link, FAIL_BYTES)) return false;
  store<u32>(at, 0, LINK_OWED);
  answerFail(link, FAIL_INTERNAL);
  return true;
}

function finish(context: u32, status: i32): i32 {
  store<i32>(context, status, CTX_STATUS);
  store<u32>(context, hasReleased() ? 1 : 0, CTX_RELEASED);
  if (status == PEER_BROKEN) countFigure(BROKEN_FRAMES, 1);
  return status;
}

function finishFull(context: u32, link: u32): i32 {
  store<u32>(context, link, CTX_ARGC);
  return finish(context, PEER_OUTBOX_FULL);
}

/** Checks up to 32 frames, and loads what they will look up. */
function parseBatch(context: u32, link: u32): void {
  const end = load<u32>(context, CTX_END);
  const first = load<u32>(context, CTX_PARSED);
  const copying = link == NO_LINK;
  let at = first;
  let count: u32 = 0;
  let writes: u32 = 0;
  let entry = context + CTX_BATCH;
  let status = PEER_DONE;
  while (count < BATCH_COMMANDS && at < end) {
    const left = end - at;
    if (left < FRAME_HEADER_BYTES) {
      store<u32>(context, FRAME_HEADER_BYTES - left, CTX_WANTED);
      break;
    }
    const length = frameLength(at);
    const type = frameType(at);
    if (length > maxFrameBytes || !fitsType(type, length) || (copying && type != FRAME_WRITE)) {
      status = PEER_BROKEN;
      break;
    }
    if (length > left) {
      store<u32>(context, length - left, CTX_WANTED);
      break;
    }
    if (!isWellFormed(at)) {
      status = PEER_BROKEN;
      break;
    }
    store<u32>(entry, at);
    if (type == FRAME_WRITE) {
      writes++;
      noteKey(context, count, at);
    } else {
      if (type == FRAME_READ) noteKey(context, count, at);
      else batchNote(context, count, 0, 0);
      if (type - FRAME_FIRST < 16) countFigure(FRAMES_IN + type - FRAME_FIRST, 1);
    }
    entry += PEER_ENTRY_BYTES;
    count++;
    at += length;
  }
  countFigure(FRAMES_IN + FRAME_WRITE - FRAME_FIRST, writes);
  countFigure(BYTES_IN, at - first);
  if (!copying) store<u64>(linkAddress(link), load<u64>(linkAddress(link), LINK_BYTES_IN) + (at - first), LINK_BYTES_IN);
  store<u32>(context, at, CTX_PARSED);
  store<i32>(context, status, CTX_PARSE_STATUS);
  store<u32>(context, count, CTX_BATCH_COUNT);
  store<u32>(context, 0, CTX_BATCH_NEXT);
  batchLookUp(context, count);
}

// @ts-ignore: decorator
@inline
function noteKey(context: u32, index: u32, frame: u32): void {
  const hash = siphash(frameKey(frame), frameKeyLength(frame));
  batchNote(context, index, hash, tableHome(frameDatabase(frame), hash));
}

/** Runs what is left of the batch; PEER_DONE when it is through. */
function runBatch(context: u32, link: u32): i32 {
  let next = load<u32>(context, CTX_BATCH_NEXT);
  const count = load<u32>(context, CTX_BATCH_COUNT);
  while (next < count) {
    const frame = load<u32>(context + next * PEER_ENTRY_BYTES, CTX_BATCH);
    const type = frameType(frame);
    const hash = batchHash(context, next);
    const hint = batchSlot(context, next);
    let outcome: i32;
    if (type == FRAME_WRITE) {
      outcome = runWrite(link, frame, hash, hint);
      arenaMaintain();
    } else {
      outcome = runOther(context, link, frame, type, hash, hint);
    }
    if (outcome > RUN_HOST_ANSWERS) {
      store<u32>(context, next, CTX_BATCH_NEXT);
      switch (outcome) {
        case RUN_FULL:
          store<u32>(context, fullLink, CTX_ARGC);
          return PEER_OUTBOX_FULL;
        case RUN_HOST_FIRST:
          store<u32>(context, SEEN_BY_HOST, CTX_ERROR);
          return handOver(context, frame);
        case RUN_NO_MEMORY:
          return PEER_NO_MEMORY;
      }
      return PEER_BROKEN;
    }
    next++;
    store<u32>(context, 0, CTX_ERROR);
    store<u32>(context, frame + frameLength(frame), CTX_CONSUMED);
    if (outcome == RUN_DONE) continue;
    store<u32>(context, next, CTX_BATCH_NEXT);
    if (outcome == RUN_HOST_ANSWERS && link != NO_LINK) store<u32>(linkAddress(link), 1, LINK_OWED);
    return handOver(context, frame);
  }
  store<u32>(context, 0, CTX_BATCH_COUNT);
  store<u32>(context, 0, CTX_BATCH_NEXT);
  return PEER_DONE;
}

function runOther(context: u32, link: u32, frame: u32, type: u32, hash: u32, hint: u32): i32 {
  if (type == FRAME_READ) return runRead(link, frame, hash, hint);
  if (type == FRAME_BATCH || type == FRAME_FLOOR) return runStamped(link, frame);
  if (type < FRAME_FIRST || type >= FRAME_HOST) return RUN_HOST;
  return runAnswer(link, frame, (load<u32>(context, CTX_ERROR) & SEEN_BY_HOST) != 0);
}

function handOver(context: u32, frame: u32): i32 {
  countFigure(HOST_FRAMES, 1);
  store<u32>(context, frame, CTX_LARGE);
  store<u32>(context, frameLength(frame), CTX_LARGE_LENGTH);
  return PEER_HOST;
}
