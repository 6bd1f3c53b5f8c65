// Time and stamps. Time enters from the host, once per chunk; a stamp is a hybrid logical clock value: 48 bits of
// milliseconds, 16 bits of counter. The counter spills into the milliseconds when more than 65,535 writes meet in one.

/** Milliseconds since the Unix epoch, as the host gave them last. */
export let now: u64 = 0;
/** The newest stamp minted or seen. */
export let lastStamp: u64 = 0;
/** Changes of entries: stamps minted, and removals that need none. */
export let changes: u64 = 0;
/** Index of this node in stamps. */
export let nodeIndex: u32 = 0;
/** Seconds since the epoch, 24 bits: the clock of the last access to an entry. */
export let accessClock: u32 = 0;

/** Sets the time, in milliseconds since the Unix epoch. */
export function setNow(milliseconds: f64): void {
  now = <u64>milliseconds;
  accessClock = <u32>((now / 1000) & 0xffffff);
}

/** Sets the index of this node (0–65,535) that its stamps carry. */
export function setNodeIndex(index: u32): void {
  nodeIndex = index & 0xffff;
}

/** Takes note of a stamp seen elsewhere: later stamps are larger. */
export function observeStamp(stamp: u64): void {
  if (stamp > lastStamp) lastStamp = stamp;
}

/** A stamp larger than every one minted or seen before. */
// @ts-ignore: decorator
@inline
export function mintStamp(): u64 {
  changes++;
  const wall = now << 16;
  lastStamp = wall > lastStamp ? wall : lastStamp + 1;
  return lastStamp;
}

/** Counts a change that mints no stamp. */
export function noteChange(): void {
  changes++;
}

export function resetClock(): void {
  changes = 0;
  lastStamp = 0;
}
