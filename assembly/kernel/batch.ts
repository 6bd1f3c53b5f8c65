// What a batch will look up, all of it at once: the slots of its keys and their records are loaded before anything runs, so that
// their cache misses overlap. A loop that only loads has all of a batch under way at once; one that computes in between does not.

import { CTX_HASHES, CTX_LAYOUT, CTX_SLOTS } from "./context";
import { slotRecord, tableLayout, tableProbeFrom } from "./table";

/** Keys in a batch from which looking them up together pays. */
const MIN_KEYS: u32 = 3;

/** Keeps the loads from being optimised away. */
let touched: u32 = 0;

/** Notes the hash of the key number `index` of a batch, and where its look-up begins: tableHome(), or 0 for no key. */
// @ts-ignore: decorator
@inline
export function batchNote(context: u32, index: u32, hash: u32, home: u32): void {
  const at = context + (index << 2);
  store<u32>(at, hash, CTX_HASHES);
  store<u32>(at, home, CTX_SLOTS);
}

// @ts-ignore: decorator
@inline
export function batchHash(context: u32, index: u32): u32 {
  return load<u32>(context + (index << 2), CTX_HASHES);
}

/** The slot that most likely holds the key number `index`: see tableFindAt(). */
// @ts-ignore: decorator
@inline
export function batchSlot(context: u32, index: u32): u32 {
  return load<u32>(context, CTX_LAYOUT) == tableLayout ? load<u32>(context + (index << 2), CTX_SLOTS) : 0;
}

/** Looks up the first `count` keys of a batch, all of them noted. */
export function batchLookUp(context: u32, count: u32): void {
  if (count < MIN_KEYS) {
    store<u32>(context, tableLayout - 1, CTX_LAYOUT);
    return;
  }
  store<u32>(context, tableLayout, CTX_LAYOUT);
  const first = context + CTX_SLOTS;
  const end = first + (count << 2);
  let loaded: u32 = 0;
  // Nothing is ever written at address 0 and behind it: there no slot is taken.
  for (let at = first; at < end; at += 4) loaded ^= load<u32>(load<u32>(at));
  for (let at = first; at < end; at += 4) {
    const home = load<u32>(at);
    if (home != 0) store<u32>(at, tableProbeFrom(home, load<u32>(at - (CTX_SLOTS - CTX_HASHES))));
  }
  // Both ends: records of small values lie across two cache lines more often than not.
  for (let at = first; at < end; at += 4) {
    const record = slotRecord(load<u32>(at));
    loaded ^= load<u32>(record) ^ load<u32>(record, 52);
  }
  touched ^= loaded;
}
