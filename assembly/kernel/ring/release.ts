// Releasing what is decided: the slots of a connection in the order of its commands, with the replies that lie in its stream.

import { CONNECTION_END, CONNECTION_FIRST_SLOT, CONNECTION_LAST_SLOT } from "../connection";
import { ATTACHMENT_REPLY, attachmentFind, isAttachment } from "./attachments";
import { clock } from "./deadlines";
import { followerLeaves } from "./follow";
import { countLatency } from "./latency";
import { LEVEL_ONE, LEVEL_QUORUM, LEVEL_SAFE } from "./levels";
import { NO_SLOT } from "./links";
import {
  AT_NEXT,
  AT_OPENED,
  AT_WORD,
  FIVE_BITS,
  INDEX_MASK,
  NEED_FOLLOWS,
  REPLICAS_SHIFT,
  SLOT_SAFE,
  SLOT_SELF,
  SLOT_WRITE,
  slotAt,
  slotBegin,
  slotDetach,
  slotEnd,
  slotExtra,
  slotFree,
  slotNeed,
  slotState,
  STATE_DECIDED,
  STATE_OPEN,
} from "./slot";
import {
  isHeldForTurn,
  markReady,
  streamHasReleased,
  streamPut,
  streamRelease,
  streamSplice,
  takeReady,
} from "./streams";

/** The histogram of a client's slot: of its level, by what it needs, and of reads or writes. */
// @ts-ignore: decorator
@inline
function latencyKind(slot: u32): u32 {
  const word = load<u32>(slot, AT_WORD);
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
    const slotOpened = load<u32>(slot, AT_OPENED);
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
    handle = load<u32>(slot, AT_NEXT);
    slotFree(slot);
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
    if (slotNeed(slot) == NEED_FOLLOWS && slotState(slot) == STATE_OPEN) followerLeaves();
    handle = load<u32>(slot, AT_NEXT);
    slotFree(slot);
  }
  store<u32>(connection, NO_SLOT, CONNECTION_FIRST_SLOT);
  store<u32>(connection, NO_SLOT, CONNECTION_LAST_SLOT);
}
