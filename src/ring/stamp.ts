/** Stamps as values: which write a record comes from, and which of two is the newer. */

/** A value of the hybrid logical clock (48 bits of ms, 16 bits of counter) and the member that minted it. */
export interface Stamp {
  readonly time: bigint;
  /** Index of the member in the topology. */
  readonly node: number;
}

/** Of what is not there: older than every other. */
export const NO_STAMP: Stamp = { time: 0n, node: 0 };

/** Below 0, 0, above 0: the first is older, the same, newer. */
export function compareStamps(one: Stamp, other: Stamp): number {
  if (one.time !== other.time) return one.time < other.time ? -1 : 1;
  return one.node - other.node;
}

export function isSameStamp(one: Stamp, other: Stamp): boolean {
  return one.time === other.time && one.node === other.node;
}
