// Replies that take the place of those in a stream: of the newest record that replicas have answered, of what a DEL came upon,
// and errors. They are written when a slot is decided, as its attachment.

import { connectionFlags, CONNECTION_RESP3 } from "../connection";
import { now } from "../clock";
import { GET, MGET, PTTL, STRLEN, TTL } from "../commands/dispatch";
import { writeInteger } from "../number";
import {
  BULK_OVERHEAD,
  outEnd,
  outNext,
  replyArray,
  replyBulk,
  replyError,
  replyInteger,
  replyNull,
  replyText,
  setOutput,
  setProtocol,
  WRONG_TYPE,
} from "../reply";
import { sameBytes } from "../table";
import {
  ATTACHMENT_KEYS,
  ATTACHMENT_PRIOR,
  ATTACHMENT_RECORD,
  ATTACHMENT_REPLY,
  attachmentBody,
  attachmentFind,
  attachmentFree,
  attachmentKind,
  attachmentNext,
  attachmentSetLength,
  attachmentTake,
  isAttachment,
} from "./attachments";
import { blockFree, blockTake } from "./blocks";
import { countFigure, REPLIES_CHANGED } from "./figures";
import {
  FRAME_OBJECT,
  FRAME_TOMBSTONE,
  frameExpiryAndNode,
  frameFlags,
  frameKey,
  frameKeyLength,
  frameStringLength,
  frameValue,
  frameValueLength,
} from "./frames";
import {
  NEED_FOLLOWS,
  SLOT_SELF,
  SLOT_WRITE,
  slotAttach,
  slotBegin,
  slotCommand,
  slotConnection,
  slotDetach,
  slotEnd,
  slotExtra,
  slotGot,
  slotHas,
  slotNeed,
  slotReplicas,
} from "./slot";
import { streamPeek, streamPoke } from "./streams";

/** Bytes of a reply that has no value: an error, an integer. */
const SHORT_BYTES: u32 = 192;
const KEY_ALIVE: u32 = 1 << 31;
const DOLLAR: u32 = 36;
const MINUS: u32 = 45;
const LINE_FEED: u32 = 10;

/** Writes the reply of a slot that is decided, if other nodes have changed it. */
export function decideReply(slot: u32): void {
  const extra = slotExtra(slot);
  if (!isAttachment(extra)) return;
  const record = attachmentFind(extra, ATTACHMENT_RECORD);
  const prior = attachmentFind(extra, ATTACHMENT_PRIOR);
  if (record == 0 && prior == 0) return;
  countFigure(REPLIES_CHANGED, 1);
  const connection = slotConnection(slot);
  setProtocol((connectionFlags(connection) & CONNECTION_RESP3) != 0);
  if (prior != 0) {
    const reply = begin(slot, SHORT_BYTES);
    if (reply == 0) return;
    replyInteger(load<u32>(attachmentBody(prior), 12));
    end(slot, reply);
    return;
  }
  const keys = attachmentFind(extra, ATTACHMENT_KEYS);
  if (keys == 0) {
    const frame = attachmentBody(record);
    const reply = begin(slot, SHORT_BYTES + frameValueLength(frame));
    if (reply == 0) return;
    replyRecord(slotCommand(slot), frame);
    end(slot, reply);
    return;
  }
  if (slotCommand(slot) == MGET) mergeValues(slot, attachmentBody(keys));
  else mergeCount(slot, attachmentBody(keys));
}

/** Writes the error of a slot that did not get what it needs. */
export function failReply(slot: u32): void {
  const own: u32 = slotHas(slot, SLOT_SELF) ? 1 : 0;
  const replicas = slotReplicas(slot);
  const need = slotNeed(slot);
  const reply = begin(slot, SHORT_BYTES);
  if (reply == 0) return;
  // One that follows another has lost its number.
  replyNoQuorum(need == NEED_FOLLOWS ? (replicas >> 1) + 1 : need + own, replicas, slotGot(slot) + own, slotHas(slot, SLOT_WRITE));
  end(slot, reply);
}

/** An error: too few replicas answered; `unknown`: they may have written nevertheless. */
export function replyNoQuorum(needed: u32, replicas: u32, answered: u32, unknown: bool): void {
  store<u8>(outNext, 45);
  setOutput(outNext + 1, outEnd);
  replyText("ERR Dynomite: Failed to achieve Quorum (");
  number(needed);
  replyText(" of ");
  number(replicas);
  replyText(" needed, ");
  number(answered);
  replyText(" answered)");
  if (unknown) replyText(": the outcome of the write is unknown");
  replyText("\r\n");
}

// @ts-ignore: decorator
@inline
function number(value: u32): void {
  setOutput(writeInteger(outNext, value), outEnd);
}

// ---- Where a reply is written ---------------------------------------------------------------------------------------

/** Has replies go to a new attachment with room for `bytes`; 0 without memory, and an error is in the reply's place. */
function begin(slot: u32, bytes: u32): u32 {
  const before = attachmentFind(slotExtra(slot), ATTACHMENT_REPLY);
  if (before != 0) {
    slotDetach(slot, before);
    attachmentFree(before);
  }
  const reply = attachmentTake(ATTACHMENT_REPLY, bytes);
  if (reply == 0) {
    spoilReply(slot);
    return 0;
  }
  const body = attachmentBody(reply);
  setOutput(body, body + bytes);
  return reply;
}

// @ts-ignore: decorator
@inline
function end(slot: u32, reply: u32): void {
  attachmentSetLength(reply, outNext - attachmentBody(reply));
  slotAttach(slot, reply);
}

/** Without memory for another reply, the one in the stream becomes an error of the same length. */
function spoilReply(slot: u32): void {
  const connection = slotConnection(slot);
  const first = slotBegin(slot);
  const length = slotEnd(slot) - first;
  for (let i: u32 = 0; i < length; i++) {
    const fromEnd = length - i;
    // "-OOM" as far as it fits, then spaces, CR and LF.
    const byte = fromEnd == 2 ? 13 : fromEnd == 1 ? 10 : i == 0 ? MINUS : i < 4 ? (i < 3 ? 79 : 77) : 32;
    streamPoke(connection, first + i, byte);
  }
}

// ---- Replies from records -------------------------------------------------------------------------------------------

// @ts-ignore: decorator
@inline
function isAlive(frame: u32): bool {
  const expiry = frameExpiryAndNode(frame) >> 16;
  return (frameFlags(frame) & FRAME_TOMBSTONE) == 0 && (expiry == 0 || expiry > now);
}

/** The reply of a command with one key that reads, from the record in a NEWER frame. */
function replyRecord(command: u32, frame: u32): void {
  const alive = isAlive(frame);
  switch (command) {
    case GET:
    case STRLEN:
      if (!alive) {
        if (command == GET) replyNull();
        else replyInteger(0);
      } else if (frameFlags(frame) & FRAME_OBJECT) {
        replyError(WRONG_TYPE);
      } else if (command == GET) {
        replyBulk(frameValue(frame), frameStringLength(frame));
      } else {
        replyInteger(frameStringLength(frame));
      }
      return;
    case TTL:
    case PTTL: {
      const expiry = frameExpiryAndNode(frame) >> 16;
      const unit: u64 = command == TTL ? 1000 : 1;
      if (!alive) replyInteger(-2);
      else if (expiry == 0) replyInteger(-1);
      else replyInteger(<i64>((expiry - now + (unit >> 1)) / unit));
      return;
    }
    default:
      replyInteger(alive ? 1 : 0);
  }
}

/** The newest record that came for a key, as a NEWER frame; 0 for none. */
function recordOf(slot: u32, key: u32, length: u32): u32 {
  let at = slotExtra(slot);
  while (isAttachment(at)) {
    const frame = attachmentBody(at);
    if (attachmentKind(at) == ATTACHMENT_RECORD && frameKeyLength(frame) == length && sameBytes(frameKey(frame), key, length)) {
      return frame;
    }
    at = attachmentNext(at);
  }
  return 0;
}

/** EXISTS, TOUCH: counts the keys, as they were here or as replicas say. */
function mergeCount(slot: u32, keys: u32): void {
  let count: u32 = 0;
  let key = keys + 4;
  for (let left = load<u32>(keys); left != 0; left--) {
    const word = load<u32>(key);
    const length = word & ~KEY_ALIVE;
    const frame = recordOf(slot, key + 4, length);
    if (frame == 0 ? (word & KEY_ALIVE) != 0 : isAlive(frame)) count++;
    key += 4 + length;
  }
  const reply = begin(slot, SHORT_BYTES);
  if (reply == 0) return;
  replyInteger(count);
  end(slot, reply);
}

/** MGET: the values in the stream, but for those keys of which replicas hold newer ones. */
function mergeValues(slot: u32, keys: u32): void {
  const count = load<u32>(keys);
  const length = slotEnd(slot) - slotBegin(slot);
  let bytes = length + SHORT_BYTES;
  let key = keys + 4;
  for (let i: u32 = 0; i < count; i++) {
    const keyLength = load<u32>(key) & ~KEY_ALIVE;
    const frame = recordOf(slot, key + 4, keyLength);
    if (frame != 0) bytes += frameValueLength(frame) + BULK_OVERHEAD;
    key += 4 + keyLength;
  }
  const copy = blockTake(length);
  if (copy == 0) {
    spoilReply(slot);
    return;
  }
  streamPeek(slotConnection(slot), slotBegin(slot), copy, length);
  const reply = begin(slot, bytes);
  if (reply != 0) {
    replyArray(count);
    let element = lineEnd(copy);
    key = keys + 4;
    for (let i: u32 = 0; i < count; i++) {
      const next = elementEnd(element);
      const keyLength = load<u32>(key) & ~KEY_ALIVE;
      const frame = recordOf(slot, key + 4, keyLength);
      if (frame == 0) {
        memory.copy(outNext, element, next - element);
        setOutput(outNext + (next - element), outEnd);
      } else if (isAlive(frame) && (frameFlags(frame) & FRAME_OBJECT) == 0) {
        replyBulk(frameValue(frame), frameStringLength(frame));
      } else {
        replyNull();
      }
      element = next;
      key += 4 + keyLength;
    }
    end(slot, reply);
  }
  blockFree(copy, length);
}

/** Address behind the line at `at`. */
function lineEnd(at: u32): u32 {
  while (<u32>load<u8>(at) != LINE_FEED) at++;
  return at + 1;
}

/** Address behind the bulk string or null at `at`. */
function elementEnd(at: u32): u32 {
  const next = lineEnd(at);
  if (<u32>load<u8>(at) != DOLLAR || <u32>load<u8>(at, 1) == MINUS) return next;
  let length: u32 = 0;
  for (let digit = at + 1; digit < next - 2; digit++) length = length * 10 + <u32>load<u8>(digit) - 48;
  return next + length + 2;
}
