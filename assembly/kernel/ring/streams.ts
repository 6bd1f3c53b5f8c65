// Streams: the replies of a connection that must wait, in order, for acknowledgements of other nodes or for the end of the turn.
// Positions count the bytes ever appended, modulo 2^32; what lies below `released` may leave. Where other nodes disagreed with
// a reply, a splice (attachments.ts) stands in its place.
//
//   block, 4 KiB   0 u32 next   4 u32 position of its first byte   8 bytes
//
// The fields of a stream lie in its connection: see ../connection.ts.

import {
  CONNECTION_END,
  CONNECTION_FIRST_BLOCK,
  CONNECTION_FIRST_SLOT,
  CONNECTION_FIRST_SPLICE,
  CONNECTION_GATE,
  CONNECTION_LAST_BLOCK,
  CONNECTION_LAST_SPLICE,
  CONNECTION_NEXT_READY,
  CONNECTION_NEXT_TURN,
  CONNECTION_RELEASED,
  CONNECTION_TAKEN,
  GATE_READY,
  GATE_TURN,
} from "../connection";
import {
  attachmentFree,
  attachmentNext,
  attachmentsFree,
  attachmentSetNext,
  spliceBegin,
  spliceEnd,
  spliceIsSent,
  splicePlace,
  spliceTake,
} from "./attachments";
import { blockFree, blockTake } from "./blocks";
import { NO_SLOT } from "./links";

const BLOCK_BYTES: u32 = 4096;
const HEADER_BYTES: u32 = 8;
const BODY_BYTES: u32 = BLOCK_BYTES - HEADER_BYTES;

/** Connections with replies that may leave, and those that wait for the end of the turn: each links the next. */
let firstReady: u32 = 0;
let firstTurn: u32 = 0;

export function streamsInit(): void {
  firstReady = 0;
  firstTurn = 0;
}

/** Whether replies of a connection must go through its stream now. */
// @ts-ignore: decorator
@inline
export function isGated(connection: u32): bool {
  return (
    load<u32>(connection, CONNECTION_FIRST_SLOT) != NO_SLOT ||
    load<u32>(connection, CONNECTION_TAKEN) != load<u32>(connection, CONNECTION_END) ||
    (load<u8>(connection, CONNECTION_GATE) & GATE_TURN) != 0
  );
}

/** As isGated(), for the host. */
export function connectionGated(connection: u32): bool {
  return isGated(connection);
}

/** Bytes that wait in a connection's stream. */
export function streamBytes(connection: u32): u32 {
  return load<u32>(connection, CONNECTION_END) - load<u32>(connection, CONNECTION_TAKEN);
}

/** Appends bytes to a connection's stream; false, with nothing appended, when there is no memory. */
export function streamPut(connection: u32, bytes: u32, length: u32): bool {
  let end = load<u32>(connection, CONNECTION_END);
  let block = load<u32>(connection, CONNECTION_LAST_BLOCK);
  const room: u32 = block == 0 ? 0 : load<u32>(block, 4) + BODY_BYTES - end;
  if (length > room) {
    if (!extend(connection, end + room, length - room)) return false;
    if (block == 0) block = load<u32>(connection, CONNECTION_FIRST_BLOCK);
  }
  while (length != 0) {
    const offset = end - load<u32>(block, 4);
    const piece = min(length, BODY_BYTES - offset);
    memory.copy(block + HEADER_BYTES + offset, bytes, piece);
    bytes += piece;
    length -= piece;
    end += piece;
    block = load<u32>(block);
  }
  store<u32>(connection, end, CONNECTION_END);
  return true;
}

/** Puts blocks for `bytes` from `position` on behind a connection's blocks; false, with none put, without memory. */
function extend(connection: u32, position: u32, bytes: u32): bool {
  let first: u32 = 0;
  let last: u32 = 0;
  for (let covered: u32 = 0; covered < bytes; covered += BODY_BYTES) {
    const block = blockTake(BLOCK_BYTES);
    if (block == 0) {
      freeBlocks(first);
      return false;
    }
    store<u32>(block, 0);
    store<u32>(block, position + covered, 4);
    if (last == 0) first = block;
    else store<u32>(last, block);
    last = block;
  }
  const before = load<u32>(connection, CONNECTION_LAST_BLOCK);
  if (before == 0) store<u32>(connection, first, CONNECTION_FIRST_BLOCK);
  else store<u32>(before, first);
  store<u32>(connection, last, CONNECTION_LAST_BLOCK);
  return true;
}

function freeBlocks(first: u32): void {
  let block = first;
  while (block != 0) {
    const next = load<u32>(block);
    blockFree(block, BLOCK_BYTES);
    block = next;
  }
}

/** The block that holds the byte at `position`, which has not been taken. */
function blockAt(connection: u32, position: u32): u32 {
  let block = load<u32>(connection, CONNECTION_FIRST_BLOCK);
  while (position - load<u32>(block, 4) >= BODY_BYTES) block = load<u32>(block);
  return block;
}

/** Copies `length` bytes from `position` on, which have not been taken, to `out`. */
export function streamPeek(connection: u32, position: u32, out: u32, length: u32): void {
  let block = blockAt(connection, position);
  while (length != 0) {
    const offset = position - load<u32>(block, 4);
    const piece = min(length, BODY_BYTES - offset);
    memory.copy(out, block + HEADER_BYTES + offset, piece);
    out += piece;
    length -= piece;
    position += piece;
    block = load<u32>(block);
  }
}

/** Overwrites the byte at `position`, which has not been taken. */
export function streamPoke(connection: u32, position: u32, byte: u32): void {
  const block = blockAt(connection, position);
  store<u8>(block + HEADER_BYTES + (position - load<u32>(block, 4)), <u8>byte);
}

/** Has a REPLY stand in the place of [begin, end), behind every splice before. */
export function streamSplice(connection: u32, splice: u32, begin: u32, end: u32): void {
  splicePlace(splice, begin, end);
  attachmentSetNext(splice, 0);
  const last = load<u32>(connection, CONNECTION_LAST_SPLICE);
  if (last == 0) store<u32>(connection, splice, CONNECTION_FIRST_SPLICE);
  else attachmentSetNext(last, splice);
  store<u32>(connection, splice, CONNECTION_LAST_SPLICE);
}

/** Lets everything up to `position` leave. */
// @ts-ignore: decorator
@inline
export function streamRelease(connection: u32, position: u32): void {
  store<u32>(connection, position, CONNECTION_RELEASED);
}

/** Whether there is something that may leave. */
// @ts-ignore: decorator
@inline
export function streamHasReleased(connection: u32): bool {
  return load<u32>(connection, CONNECTION_RELEASED) != load<u32>(connection, CONNECTION_TAKEN);
}

/** Moves up to `room` bytes that may leave to `out`; how many. */
export function streamTake(connection: u32, out: u32, room: u32): u32 {
  const released = load<u32>(connection, CONNECTION_RELEASED);
  let taken = load<u32>(connection, CONNECTION_TAKEN);
  let left = room;
  while (left != 0) {
    const splice = load<u32>(connection, CONNECTION_FIRST_SPLICE);
    if (splice != 0 && spliceBegin(splice) == taken) {
      const bytes = spliceTake(splice, out, left);
      out += bytes;
      left -= bytes;
      if (!spliceIsSent(splice)) break;
      taken = spliceEnd(splice);
      const next = attachmentNext(splice);
      store<u32>(connection, next, CONNECTION_FIRST_SPLICE);
      if (next == 0) store<u32>(connection, 0, CONNECTION_LAST_SPLICE);
      attachmentFree(splice);
      continue;
    }
    const bytes = min(left, (splice == 0 ? released : spliceBegin(splice)) - taken);
    if (bytes == 0) break;
    dropBlocks(connection, taken);
    streamPeek(connection, taken, out, bytes);
    taken += bytes;
    out += bytes;
    left -= bytes;
  }
  store<u32>(connection, taken, CONNECTION_TAKEN);
  dropBlocks(connection, taken);
  return room - left;
}

/** Gives the blocks in front of `position` back; all of them when nothing is left. */
function dropBlocks(connection: u32, position: u32): void {
  let block = load<u32>(connection, CONNECTION_FIRST_BLOCK);
  if (block == 0) return;
  if (position == load<u32>(connection, CONNECTION_END)) {
    freeBlocks(block);
    store<u32>(connection, 0, CONNECTION_FIRST_BLOCK);
    store<u32>(connection, 0, CONNECTION_LAST_BLOCK);
    return;
  }
  while (position - load<u32>(block, 4) >= BODY_BYTES) {
    const next = load<u32>(block);
    blockFree(block, BLOCK_BYTES);
    block = next;
  }
  store<u32>(connection, block, CONNECTION_FIRST_BLOCK);
}

/** Gives all that a connection's stream holds back, and forgets the connection: it closes. */
export function streamClose(connection: u32): void {
  freeBlocks(load<u32>(connection, CONNECTION_FIRST_BLOCK));
  attachmentsFree(load<u32>(connection, CONNECTION_FIRST_SPLICE));
  const gate = <u32>load<u8>(connection, CONNECTION_GATE);
  if (gate & GATE_READY) firstReady = without(connection, firstReady, CONNECTION_NEXT_READY);
  if (gate & GATE_TURN) firstTurn = without(connection, firstTurn, CONNECTION_NEXT_TURN);
}

/** Takes a connection out of a list; returns the list's first one. `field`: where each links the next. */
function without(connection: u32, first: u32, field: u32): u32 {
  const next = load<u32>(connection + field);
  if (first == connection) return next;
  let at = first;
  while (load<u32>(at + field) != connection) at = load<u32>(at + field);
  store<u32>(at + field, next);
  return first;
}

// ---- Who may send ---------------------------------------------------------------------------------------------------

/** Notes that something of a connection may leave: its first slot is decided, or it has none. */
// @ts-ignore: decorator
@inline
export function markReady(connection: u32): void {
  const gate = <u32>load<u8>(connection, CONNECTION_GATE);
  if (gate & GATE_READY) return;
  store<u8>(connection, <u8>(gate | GATE_READY), CONNECTION_GATE);
  store<u32>(connection, firstReady, CONNECTION_NEXT_READY);
  firstReady = connection;
}

/** Takes the next connection that markReady() noted, 0 when there is none. */
// @ts-ignore: decorator
@inline
export function takeReady(): u32 {
  const connection = firstReady;
  if (connection == 0) return 0;
  firstReady = load<u32>(connection, CONNECTION_NEXT_READY);
  store<u8>(connection, load<u8>(connection, CONNECTION_GATE) & <u8>~GATE_READY, CONNECTION_GATE);
  return connection;
}

/** Holds a connection's replies until the turn's outboxes have been flushed. */
// @ts-ignore: decorator
@inline
export function holdForTurn(connection: u32): void {
  const gate = <u32>load<u8>(connection, CONNECTION_GATE);
  if (gate & GATE_TURN) return;
  store<u8>(connection, <u8>(gate | GATE_TURN), CONNECTION_GATE);
  store<u32>(connection, firstTurn, CONNECTION_NEXT_TURN);
  firstTurn = connection;
}

/** Whether a connection waits for the end of the turn. */
// @ts-ignore: decorator
@inline
export function isHeldForTurn(connection: u32): bool {
  return (load<u8>(connection, CONNECTION_GATE) & GATE_TURN) != 0;
}

/** The turn's outboxes are flushed: what waited only for that may leave. */
export function turnFlushed(): void {
  while (firstTurn != 0) {
    const connection = firstTurn;
    firstTurn = load<u32>(connection, CONNECTION_NEXT_TURN);
    store<u8>(connection, load<u8>(connection, CONNECTION_GATE) & <u8>~GATE_TURN, CONNECTION_GATE);
    markReady(connection);
  }
}
