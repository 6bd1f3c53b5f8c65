// Refused writes and the later ones of the same connection. One that a later one to the same key makes void is decided with it.

import { CONNECTION_END, CONNECTION_FIRST_SLOT, CONNECTION_WRITE_LEVEL } from "../connection";
import { LEVEL_ONE } from "./levels";
import { NO_SLOT } from "./links";
import { failReply } from "./override";
import {
  AT_CHILDREN,
  AT_NEED,
  AT_NEXT,
  handleOf,
  INDEX_MASK,
  NEED_FOLLOWS,
  slotAt,
  slotConnection,
  slotEnd,
  slotGot,
  slotHas,
  slotHash,
  slotNeed,
  SLOT_WRITE,
  slotState,
  STATE_OPEN,
} from "./slot";
import { slotCheck, slotDecided } from "./slots";

/** Slots that follow a later one. */
export let followers: u32 = 0;

export function followInit(): void {
  followers = 0;
}

/** A slot that followed another is gone, or too old. */
export function followerLeaves(): void {
  followers--;
}

/**
 * Whether nothing that a slot's connection has run after it can have written its key, when it follows nothing. The host runs nothing
 * of a connection before its replies have left; a write of several keys has no hash, and one at DC_ONE no slot.
 */
export function slotIsLastOfKey(slot: u32): bool {
  const connection = slotConnection(slot);
  if (connection == 0 || slotHash(slot) == 0) return false;
  if (load<u32>(connection, CONNECTION_END) == slotEnd(slot)) return true;
  if (<u32>load<u8>(connection, CONNECTION_WRITE_LEVEL) == LEVEL_ONE) return false;
  let handle = load<u32>(slot, AT_NEXT);
  while (handle != NO_SLOT) {
    const other = slotAt(handle & INDEX_MASK);
    if (slotHas(other, SLOT_WRITE) && slotHash(other) == 0) return false;
    handle = load<u32>(other, AT_NEXT);
  }
  return true;
}

/**
 * Has a refused write wait for a later one of the same connection to the same key, if there is any: a new stamp would put it
 * behind that one. Whether there is.
 */
export function slotFollow(slot: u32): bool {
  const hash = slotHash(slot);
  if (hash == 0) return false;
  let later: u32 = 0;
  let handle = load<u32>(slot, AT_NEXT);
  while (handle != NO_SLOT) {
    const other = slotAt(handle & INDEX_MASK);
    if (slotHash(other) == hash) later = other;
    handle = load<u32>(other, AT_NEXT);
  }
  if (later == 0) return false;
  if (slotState(later) == STATE_OPEN) {
    store<u8>(slot, <u8>NEED_FOLLOWS, AT_NEED);
    followers++;
    return true;
  }
  // It was decided, but not released: this one is before it.
  if (slotGot(later) < slotNeed(later)) return false;
  store<u8>(slot, 0, AT_NEED);
  store<u8>(slot, 0, AT_CHILDREN);
  slotCheck(slot);
  return true;
}

/** Decides the slots that follow one that is being decided. */
export function decideFollowers(leader: u32, well: bool): void {
  const hash = slotHash(leader);
  if (hash == 0) return;
  const last = handleOf(leader);
  let handle = load<u32>(slotConnection(leader), CONNECTION_FIRST_SLOT);
  while (handle != NO_SLOT && handle != last) {
    const slot = slotAt(handle & INDEX_MASK);
    const next = load<u32>(slot, AT_NEXT);
    if (slotState(slot) == STATE_OPEN && slotNeed(slot) == NEED_FOLLOWS && slotHash(slot) == hash) {
      followers--;
      if (!well) failReply(slot);
      slotDecided(slot);
    }
    handle = next;
  }
}
