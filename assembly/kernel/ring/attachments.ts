// Attachments: what a slot keeps beside its 32 bytes, in blocks, each linking the next. The last link of a chain is 0, or the odd
// number that the slot held before (slots.ts).
//
//   0 u32 next   4 u32 kind   8 u32 bytes of the block   12 u32 length of the body   16–31 by kind   32 body
//
// A REPLY that stands in the place of bytes of a stream: 16 u32 begin and 20 u32 end of that place, 24 u32 bytes already sent.
// A RECORD: 16 u32 link that it came from.

import { blockFree, blockTake } from "./blocks";

/** The request of the client, as RESP: for the host to run again. */
export const ATTACHMENT_REQUEST: u32 = 1;
/** What to reply instead of what is in the stream. */
export const ATTACHMENT_REPLY: u32 = 2;
/** A NEWER frame: the newest record of its key that a replica has answered. */
export const ATTACHMENT_RECORD: u32 = 3;
/** The keys of a command: u32 count, then each: u32 length (bit 31: it was alive), bytes. */
export const ATTACHMENT_KEYS: u32 = 4;
/** u64 stamp, u32 node, u32 alive: what a DEL came upon. */
export const ATTACHMENT_PRIOR: u32 = 5;
/** u32: links (their numbers modulo 32) on which a part of the request failed; u32: those on which one was refused. */
export const ATTACHMENT_SPOILED: u32 = 6;
/** A STALE frame: what a replica refused, and for what. */
export const ATTACHMENT_STALE: u32 = 7;

const NEXT: u32 = 0;
const KIND: u32 = 4;
const BLOCK: u32 = 8;
const LENGTH: u32 = 12;
const BEGIN: u32 = 16;
const END: u32 = 20;
const SENT: u32 = 24;
const LINK: u32 = 16;
const HEADER_BYTES: u32 = 32;

/** Makes an attachment with room for `length` bytes of body; 0 without memory. */
export function attachmentTake(kind: u32, length: u32): u32 {
  const bytes = HEADER_BYTES + length;
  const attachment = blockTake(bytes);
  if (attachment == 0) return 0;
  store<u32>(attachment, 0, NEXT);
  store<u32>(attachment, kind, KIND);
  store<u32>(attachment, bytes, BLOCK);
  store<u32>(attachment, length, LENGTH);
  return attachment;
}

export function attachmentFree(attachment: u32): void {
  blockFree(attachment, load<u32>(attachment, BLOCK));
}

/** Frees a chain; returns the number at its end. */
export function attachmentsFree(first: u32): u32 {
  let at = first;
  while (isAttachment(at)) {
    const next = load<u32>(at, NEXT);
    attachmentFree(at);
    at = next;
  }
  return at;
}

/** Whether a link of a chain is an attachment, and not its end. */
// @ts-ignore: decorator
@inline
export function isAttachment(at: u32): bool {
  return at != 0 && (at & 1) == 0;
}

/** The first attachment of a kind in a chain, 0 for none. */
export function attachmentFind(first: u32, kind: u32): u32 {
  let at = first;
  while (isAttachment(at)) {
    if (load<u32>(at, KIND) == kind) return at;
    at = load<u32>(at, NEXT);
  }
  return 0;
}

// @ts-ignore: decorator
@inline
export function attachmentNext(attachment: u32): u32 {
  return load<u32>(attachment, NEXT);
}
// @ts-ignore: decorator
@inline
export function attachmentSetNext(attachment: u32, next: u32): void {
  store<u32>(attachment, next, NEXT);
}
// @ts-ignore: decorator
@inline
export function attachmentKind(attachment: u32): u32 {
  return load<u32>(attachment, KIND);
}
// @ts-ignore: decorator
@inline
export function attachmentBody(attachment: u32): u32 {
  return attachment + HEADER_BYTES;
}
// @ts-ignore: decorator
@inline
export function attachmentLength(attachment: u32): u32 {
  return load<u32>(attachment, LENGTH);
}
/** Makes the body shorter than what was taken for it. */
// @ts-ignore: decorator
@inline
export function attachmentSetLength(attachment: u32, length: u32): void {
  store<u32>(attachment, length, LENGTH);
}
// @ts-ignore: decorator
@inline
export function attachmentLink(attachment: u32): u32 {
  return load<u32>(attachment, LINK);
}
// @ts-ignore: decorator
@inline
export function attachmentSetLink(attachment: u32, link: u32): void {
  store<u32>(attachment, link, LINK);
}

/** Has a REPLY stand in the place of [begin, end) of a stream. */
export function splicePlace(splice: u32, begin: u32, end: u32): void {
  store<u32>(splice, begin, BEGIN);
  store<u32>(splice, end, END);
  store<u32>(splice, 0, SENT);
}
// @ts-ignore: decorator
@inline
export function spliceBegin(splice: u32): u32 {
  return load<u32>(splice, BEGIN);
}
// @ts-ignore: decorator
@inline
export function spliceEnd(splice: u32): u32 {
  return load<u32>(splice, END);
}

/** Copies up to `room` bytes of a splice that have not been sent to `out`; how many. */
export function spliceTake(splice: u32, out: u32, room: u32): u32 {
  const sent = load<u32>(splice, SENT);
  const bytes = min(room, attachmentLength(splice) - sent);
  memory.copy(out, attachmentBody(splice) + sent, bytes);
  store<u32>(splice, sent + bytes, SENT);
  return bytes;
}

/** Whether all of a splice has been sent. */
// @ts-ignore: decorator
@inline
export function spliceIsSent(splice: u32): bool {
  return load<u32>(splice, SENT) == attachmentLength(splice);
}
