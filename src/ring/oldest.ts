// The oldest of some stamps.

/** The smallest of the stamps that are there; undefined when none is. */
export function oldestOf(...stamps: readonly (bigint | undefined)[]): bigint | undefined {
  let oldest: bigint | undefined;
  for (const stamp of stamps) {
    if (stamp !== undefined && (oldest === undefined || stamp < oldest)) oldest = stamp;
  }
  return oldest;
}
