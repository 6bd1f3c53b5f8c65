// The links that a set's frames go to: who of it is up, by address. They are gathered once and hold until a link changes, or another
// set is asked for; where all keys have the same replicas that is nearly never.

import { linkAddress, linkChanges, linkIsUp } from "./links";
import { setLocal, setLocals, setRemote, setRemotes } from "./route";

/** Links of a set that take requests: local ones, and behind them those to other datacenters. */
const writers: usize = memory.data(32 * 4, 16);
export let localWriters: u32 = 0;
export let allWriters: u32 = 0;

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
  gatheredSet = set;
  gatheredChanges = linkChanges;
}

/** Address of a link that was gathered. */
// @ts-ignore: decorator
@inline
export function writer(index: u32): u32 {
  return load<u32>(writers + (index << 2));
}
