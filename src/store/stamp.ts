/**
 * Stamps as pairs of numbers, for what holds many of them: a value of the hybrid logical clock and the node that minted it, without
 * a BigInt for each.
 */
export interface Stamp {
  /** Milliseconds since the epoch: the upper 48 bits of the clock's value. */
  readonly ms: number;
  /** The lower 16 bits of the clock's value, times 65,536, plus the node: an unsigned number of 32 bits. */
  readonly tail: number;
}

/** Older than every stamp that is minted. */
export const OLDEST: Stamp = { ms: 0, tail: 0 };

/** The stamp of a 64-bit value of the clock and a node. */
export function stampFrom(time: bigint, node: number): Stamp {
  return { ms: Number(time >> 16n), tail: Number(time & 0xffffn) * 0x10000 + node };
}

/** The 64-bit value of the clock. */
export function timeOf({ ms, tail }: Stamp): bigint {
  return (BigInt(ms) << 16n) | BigInt(tail >>> 16);
}

/** The node that minted it. */
export function nodeOf({ tail }: Stamp): number {
  return tail & 0xffff;
}

/** Below 0, 0, above 0: the first is older, the same, newer. */
export function compareStamps(one: Stamp, other: Stamp): number {
  return one.ms - other.ms || one.tail - other.tail;
}

export function isNewer(one: Stamp, other: Stamp): boolean {
  return compareStamps(one, other) > 0;
}

export function newerOf(one: Stamp, other: Stamp): Stamp {
  return isNewer(other, one) ? other : one;
}

/** The oldest of all stamps that are newer. */
export function after({ ms, tail }: Stamp): Stamp {
  return tail === MAX_TAIL ? { ms: ms + 1, tail: 0 } : { ms, tail: tail + 1 };
}

/** The newest of all stamps that are older; OLDEST has none. */
export function before({ ms, tail }: Stamp): Stamp {
  return tail === 0 ? { ms: ms - 1, tail: MAX_TAIL } : { ms, tail: tail - 1 };
}

const MAX_TAIL = 0xffff_ffff;
