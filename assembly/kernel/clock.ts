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

/** Whether all stamps are one and the same now, and which: 0 while none has been minted. */
let isHeld: bool = false;
let heldStamp: u64 = 0;

/**
 * From `held` = 1 on, the first stamp that is minted stands for all that follow, until it is called with 0: writes that belong
 * together have one stamp. Returns the stamp that was held, 0 for none.
 */
export function holdStamp(held: u32): u64 {
  const stamp = heldStamp;
  isHeld = held != 0;
  heldStamp = 0;
  return stamp;
}

/** A stamp larger than every one minted or seen before, or the one that is held. */
// @ts-ignore: decorator
@inline
export function mintStamp(): u64 {
  return isHeld ? mintHeldStamp() : mintNewStamp();
}

function mintHeldStamp(): u64 {
  if (heldStamp == 0) heldStamp = mintNewStamp();
  else changes++;
  return heldStamp;
}

// @ts-ignore: decorator
@inline
function mintNewStamp(): u64 {
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
  isHeld = false;
  heldStamp = 0;
}
