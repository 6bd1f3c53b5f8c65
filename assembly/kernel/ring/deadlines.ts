// Deadlines of slots, by a clock that the host sets, and how long a read waits for the one replica that it was sent to.

import { countFigure, SLOTS_EXPIRED, SLOTS_FAILED } from "./figures";
import { decideFollowers, followerLeaves, followers } from "./follow";
import { requestTimeoutMs } from "./limits";
import { failReply } from "./override";
import {
  AT_OPENED,
  capacity,
  freeCount,
  KIND_CLIENT,
  NEED_FOLLOWS,
  slotAsksOne,
  slotAt,
  slotKind,
  slotNeed,
  slotState,
  STATE_OPEN,
  STATE_RETRY,
} from "./slot";
import { slotDecided, slotFail, slotRetry } from "./slots";

/** The host asks others beside the one replica of a read after this part of its time, as a power of two: a sixteenth. */
const PATIENCE_SHIFT: u32 = 4;

/** Time of the deadlines, in 1/64 ms, modulo 2^32; and before this nothing is due. */
export let clock: u32 = 0;
let quietUntil: u32 = 0;
/** The deadline that `quietUntil` counts with, in 1/64 ms. */
let quietTimeout: u32 = 0;

export function deadlinesInit(): void {
  clock = 0;
  quietUntil = 0;
  quietTimeout = 0;
}

/** Sets the clock of the deadlines: milliseconds that never go back, from any start. */
export function ringSetClock(milliseconds: f64): void {
  clock = <u32>(<u64>(milliseconds * 64));
}

/** A slot is opened for which one replica alone is asked. */
export function oneIsAsked(): void {
  dueAt(clock + ((requestTimeoutMs << 6) >> PATIENCE_SHIFT));
}

function dueAt(time: u32): void {
  if (<i32>(time - quietUntil) < 0) quietUntil = time;
}

/** Fails every slot that is too old, and hands reads to the host whose one replica keeps them waiting; how many. */
export function expireSlots(): u32 {
  const timeout = requestTimeoutMs << 6;
  if (capacity == freeCount) {
    // It must not stay behind the clock: half of its range later it would seem to be ahead.
    quietUntil = clock;
    return 0;
  }
  if (timeout == quietTimeout && <i32>(clock - quietUntil) < 0) return 0;
  quietTimeout = timeout;
  const patience = timeout >> PATIENCE_SHIFT;
  let soonest = timeout;
  let expired: u32 = 0;
  let handedOver: u32 = 0;
  for (let index: u32 = 0; index < capacity; index++) {
    const slot = slotAt(index);
    const state = slotState(slot);
    if (state != STATE_OPEN && state != STATE_RETRY) continue;
    const age = clock - load<u32>(slot, AT_OPENED);
    if (age >= timeout) {
      expired++;
      expire(slot);
      continue;
    }
    soonest = min(soonest, timeout - age);
    if (state != STATE_OPEN || !slotAsksOne(slot)) continue;
    if (age < patience) {
      soonest = min(soonest, patience - age);
      continue;
    }
    handedOver++;
    slotRetry(slot);
  }
  quietUntil = clock + soonest;
  countFigure(SLOTS_EXPIRED, expired);
  return expired + handedOver;
}

function expire(slot: u32): void {
  if (slotNeed(slot) == NEED_FOLLOWS) followerLeaves();
  if (slotKind(slot) != KIND_CLIENT) {
    slotFail(slot);
    return;
  }
  countFigure(SLOTS_FAILED, 1);
  if (followers != 0) decideFollowers(slot, false);
  failReply(slot);
  slotDecided(slot);
}

/** Has a slot expire as one that was opened so many ms ago. */
export function slotBackdate(slot: u32, age: u32): void {
  const timeout = requestTimeoutMs << 6;
  const opened = clock - min(age << 6, timeout);
  store<u32>(slot, opened, AT_OPENED);
  dueAt(opened + timeout);
}
