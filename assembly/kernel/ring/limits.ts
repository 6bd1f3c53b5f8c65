// What the host sets for the ring: the state of this node, and its bounds.

import { observeStamp } from "../clock";

/** This node coordinates requests of clients. */
export const SELF_COORDINATING: u32 = 1;
/** This node lacks its last store epoch: it takes writes and answers no read. */
export const SELF_FENCED: u32 = 2;

/** Instead of a stamp: what the others would tell is not known yet. */
export const NOT_TOLD: u64 = u64.MAX_VALUE;

/** Bytes of an outbox. */
export const OUTBOX_BYTES: u32 = 256 * 1024;

/** SELF_ flags. */
export let selfFlags: u32 = 0;
/**
 * The newest stamp that this node may have acknowledged before it lost its memory; 0: it has lost none. An acknowledgement says that
 * nothing newer was acknowledged before, so it gives none for a write at or below this.
 */
export let forgotten: u64 = 0;
/** Age at which a slot fails, in ms. */
export let requestTimeoutMs: u32 = 5000;
/** How far a stamp may be ahead of this node's clock, in ms. */
export let maxStampAheadMs: u32 = 10_000;
/** Most slots at once. */
export let maxPending: u32 = 1 << 20;
/** Unanswered requests of one link at which it takes no more; those of one turn may be more. */
export let maxLinkPending: u32 = 1 << 18;
/** Longest frame that a peer may send, in bytes. */
export let maxFrameBytes: u32 = 72 * 1024 * 1024;

export function limitsInit(): void {
  selfFlags = SELF_COORDINATING;
  forgotten = 0;
  requestTimeoutMs = 5000;
  maxStampAheadMs = 10_000;
  maxPending = 1 << 20;
  maxLinkPending = 1 << 18;
  maxFrameBytes = 72 * 1024 * 1024;
}

// @ts-ignore: decorator
@inline
export function isFenced(): bool {
  return (selfFlags & SELF_FENCED) != 0;
}

/** Sets the state of this node: SELF_ flags. */
export function ringSetSelf(flags: u32): void {
  selfFlags = flags;
}

/** Sets the newest stamp that this node may have forgotten, NOT_TOLD or 0; what it mints is newer. */
export function ringSetForgotten(stamp: u64): void {
  forgotten = stamp;
  if (stamp != NOT_TOLD) observeStamp(stamp);
}

/** Whether this node may have acknowledged anything before it lost its memory: its own share of a write counts for nothing. */
// @ts-ignore: decorator
@inline
export function mayHaveForgotten(): bool {
  return forgotten == NOT_TOLD;
}

/** Sets the bounds: see the fields. */
export function ringSetLimits(timeoutMs: u32, aheadMs: u32, pending: u32, linkPending: u32): void {
  requestTimeoutMs = timeoutMs;
  maxStampAheadMs = aheadMs;
  maxPending = pending;
  maxLinkPending = linkPending;
}

/** Sets the longest frame that a peer may send, in bytes. */
export function ringSetMaxFrame(bytes: u32): void {
  maxFrameBytes = bytes;
}
