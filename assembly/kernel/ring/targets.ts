// The links that a set's frames go to: who of it is up, by address. They are gathered once and hold until a link changes, or another
// set is asked for; where all keys have the same replicas that is nearly never.

import {
  linkAddress,
  linkChanges,
  linkIsReadable,
  linkIsShut,
  linkIsUp,
  linkMissed,
  linkTakesAwaited,
} from "./links";
import { setHasSelf, setLocal, setLocals, setRemote, setRemotes, setReplicas } from "./route";

/** Links of a set that take requests: local ones, and behind them those to other datacenters. */
const writers: usize = memory.data(32 * 4, 16);
export let localWriters: u32 = 0;
export let allWriters: u32 = 0;
/** Behind them, local links that are full, when no quorum can be had without: they take what a slot waits for. */
export let allSpare: u32 = 0;
/** Links of a set, to other datacenters too, that are up and do not take any request; those of allSpare first. */
const shut: usize = memory.data(32 * 4, 16);
export let allShut: u32 = 0;

/** Whose they are, and how the links were then. */
let gatheredSet: u32 = 0;
let gatheredChanges: u32 = 0;

/** Forgets what was gathered: the tables have changed. */
export function targetsInit(): void {
  gatheredSet = 0;
}

/** Gathers the links of a set. */
// @ts-ignore: decorator
@inline
export function gather(set: u32): void {
  if (set != gatheredSet || gatheredChanges != linkChanges) gatherAnew(set);
}

function gatherAnew(set: u32): void {
  const locals = setLocals(set);
  const remotes = setRemotes(set);
  let up: u32 = 0;
  for (let i: u32 = 0; i < locals; i++) {
    const link = setLocal(set, i);
    if (linkIsUp(link)) store<u32>(writers + (up++ << 2), linkAddress(link));
  }
  localWriters = up;
  for (let i: u32 = 0; i < remotes; i++) {
    const link = setRemote(set, i);
    if (linkIsUp(link)) store<u32>(writers + (up++ << 2), linkAddress(link));
  }
  allWriters = up;
  gatherShut(set);
  gatheredSet = set;
  gatheredChanges = linkChanges;
}

/** Gathers what does not take any request, and which of that a quorum of the set cannot do without. */
function gatherShut(set: u32): void {
  const locals = setLocals(set);
  const remotes = setRemotes(set);
  const others = (setReplicas(set) >> 1) + (setHasSelf(set) ? 0 : 1);
  let readable: u32 = 0;
  for (let i: u32 = 0; i < locals; i++) if (linkIsReadable(setLocal(set, i))) readable++;
  allSpare = 0;
  allShut = 0;
  if (readable < others) {
    for (let i: u32 = 0; i < locals; i++) {
      const link = setLocal(set, i);
      if (!linkIsShut(link) || !linkTakesAwaited(link)) continue;
      store<u32>(writers + ((allWriters + allSpare++) << 2), linkAddress(link));
      noteShut(link);
    }
  }
  for (let i: u32 = 0; i < locals; i++) {
    const link = setLocal(set, i);
    if (linkIsShut(link) && (allSpare == 0 || !linkTakesAwaited(link))) noteShut(link);
  }
  for (let i: u32 = 0; i < remotes; i++) if (linkIsShut(setRemote(set, i))) noteShut(setRemote(set, i));
}

function noteShut(link: u32): void {
  store<u32>(shut + (allShut++ << 2), linkAddress(link));
}

/** A record with this stamp was sent to the set that was gathered, not to the links that are shut, but for the first `taken`. */
export function noteMissed(stamp: u64, taken: u32): void {
  for (let i = taken; i < allShut; i++) linkMissed(load<u32>(shut + (i << 2)), stamp);
}

/** Address of a link that was gathered. */
// @ts-ignore: decorator
@inline
export function writer(index: u32): u32 {
  return load<u32>(writers + (index << 2));
}
