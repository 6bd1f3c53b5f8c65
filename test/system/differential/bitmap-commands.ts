/** Random commands of the bitmap family, and a few that set values for them. */
import type { Argument } from "../../unit/store/harness.ts";
import type { RandomSource } from "../../unit/store/random-source.ts";
import { anyCase, anyInteger, anyKey, anyValue, fromFamily, letters } from "./command-source.ts";

export const bitmapCommand = fromFamily({
  bitcount: (random) => [anyKey(random), ...bitRange(random)],
  bitfield: (random) => [
    anyKey(random),
    ...operations(random, ["get", "set", "incrby", "overflow"]),
  ],
  bitfield_ro: (random) => [anyKey(random), ...operations(random, ["get", "get", "get", "set"])],
  bitop: (random) => [
    anyCase(random, random.pick(["and", "or", "xor", "not", "nand"])),
    ...Array.from({ length: 2 + random.below(3) }, () => anyKey(random)),
  ],
  bitpos: (random) => [anyKey(random), anyBit(random), ...bitRange(random)],
  getbit: (random) => [anyKey(random), anyOffset(random)],
  setbit: (random) => [anyKey(random), anyOffset(random), anyBit(random)],
  set: (random) => [anyKey(random), random.chance(0.5) ? anyValue(random) : runs(random)],
  get: (random) => [anyKey(random)],
});

const anyBit = (random: RandomSource): string =>
  random.chance(0.9) ? random.pick(["0", "1"]) : anyInteger(random);

/** Many equal bytes in a row, with something in between. */
function runs(random: RandomSource): string {
  let value = "";
  for (let i = random.below(4); i >= 0; i--) {
    value += random.pick(["\0", "\xff", "\xff", "\x80", "\x01"]).repeat(random.below(70));
    if (random.chance(0.3)) value += letters(random, 1, 256);
  }
  return value;
}

function bitRange(random: RandomSource): string[] {
  const words: string[] = [];
  const most = random.pick([0, 1, 2, 2, 3, 3]);
  if (most > 0) words.push(anyPlace(random));
  if (most > 1) words.push(anyPlace(random));
  if (most > 2) words.push(anyCase(random, random.pick(["bit", "bit", "byte", "bits"])));
  return words;
}

/** A place in a string, in bytes or bits. */
function anyPlace(random: RandomSource): string {
  return random.chance(0.5) ? String(random.below(1200) - 400) : anyInteger(random);
}

/** Offset of a bit, within a short string, near the end of the longest one, or none. */
function anyOffset(random: RandomSource): string {
  if (random.chance(0.6)) return String(random.below(400));
  return random.chance(0.1) ? String(8 * 1_048_576 - 40 + random.below(80)) : anyInteger(random);
}

function operations(random: RandomSource, kinds: readonly string[]): Argument[] {
  const words: Argument[] = [];
  for (let i = random.below(5); i > 0; i--) {
    const kind = random.pick(kinds);
    words.push(anyCase(random, kind));
    if (kind === "overflow") {
      words.push(anyCase(random, random.pick(["wrap", "sat", "sat", "fail", "fail", "none"])));
      continue;
    }
    words.push(anyType(random));
    words.push(random.chance(0.3) ? `#${random.below(20)}` : anyOffset(random));
    if (kind !== "get") words.push(kind === "set" ? anyFieldValue(random) : anyInteger(random));
  }
  if (random.chance(0.02)) words.pop();
  return words;
}

/** Not so near to -2^63 that redis-server takes it for a large number when it saturates a field: an overflow of its own. */
function anyFieldValue(random: RandomSource): string {
  const value = anyInteger(random);
  return value.startsWith("-922337203685477580") ? "-4611686018427387904" : value;
}

function anyType(random: RandomSource): string {
  if (random.chance(0.03))
    return random.pick(["u64", "i65", "u0", "i0", "i", "I8", "i08", "f8", "i-1", ""]);
  return random.chance(0.5) ? `i${1 + random.below(64)}` : `u${1 + random.below(63)}`;
}
