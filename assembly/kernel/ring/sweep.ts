// Voids what holds a slot that is gone, before the generation of that slot comes again: entries of the FIFOs of links whose members
// do not answer, and children of slots that were decided without them.

import { linksForgetGone, NO_SLOT } from "./links";
import { AT_BEGIN, capacity, KIND_CHILD, slotAt, slotKind, slotOf, slotParent, slotState, STATE_FREE } from "./slot";

/** Comes whenever half as many slots were taken as it takes for a generation to come again. */
export function sweepHandles(): void {
  linksForgetGone();
  for (let number: u32 = 0; number < capacity; number++) {
    const slot = slotAt(number);
    if (slotState(slot) == STATE_FREE || slotKind(slot) != KIND_CHILD) continue;
    if (slotOf(slotParent(slot)) == 0) store<u32>(slot, NO_SLOT, AT_BEGIN);
  }
}
