// Deadlines of slots, by a clock that the host sets.

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
  slotAt,
  slotKind,
  slotNeed,
  slotState,
  STATE_OPEN,
  STATE_RETRY,
} from "./slot";
import { slotDecided, slotFail } from "./slots";

/** Time of the deadlines, in 1/64 ms, modulo 2^32; and no slot is older than its deadline before this. */
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

/** Fails every slot that is too old; how many. */
export function expireSlots(): u32 {
  const timeout = requestTimeoutMs << 6;
  if (capacity == freeCount) {
    // It must not stay behind the clock: half of its range later it would seem to be ahead.
    quietUntil = clock;
    return 0;
  }
  if (timeout == quietTimeout && <i32>(clock - quietUntil) < 0) return 0;
  quietTimeout = timeout;
  let oldest: u32 = 0;
  let expired: u32 = 0;
  for (let index: u32 = 0; index < capacity; index++) {
    const slot = slotAt(index);
    const state = slotState(slot);
    if (state != STATE_OPEN && state != STATE_RETRY) continue;
    const age = clock - load<u32>(slot, AT_OPENED);
    if (age < timeout) {
      if (age > oldest) oldest = age;
      continue;
    }
    expired++;
    expire(slot);
  }
  quietUntil = clock + timeout - oldest;
  countFigure(SLOTS_EXPIRED, expired);
  return expired;
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
  if (<i32>(opened + timeout - quietUntil) < 0) quietUntil = opened + timeout;
}
