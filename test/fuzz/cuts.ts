/** Where an input is cut before it is fed to a parser in pieces. */
import type { Random } from "./random.ts";

/** Ascending offsets, the last of them `length`: mostly a few, sometimes every one. */
export function cutsOf(random: Random, length: number): number[] {
  const cuts: number[] = [];
  if (length <= 200 && random.oneIn(8)) {
    for (let at = 1; at < length; at++) cuts.push(at);
  } else {
    for (let count = random.between(0, 4); count > 0; count--) cuts.push(random.below(length + 1));
    cuts.sort((a, b) => a - b);
  }
  cuts.push(length);
  return cuts;
}
