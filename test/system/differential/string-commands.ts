/** Random commands of the string family. */
import type { RandomSource } from "../../unit/store/random-source.ts";
import {
  anyCase,
  anyFloat,
  anyInteger,
  anyKey,
  anyValue,
  fromFamily,
  letters,
} from "./command-source.ts";

export const stringCommand = fromFamily({
  append: (random) => [anyKey(random), anyValue(random)],
  decr: (random) => [anyKey(random)],
  decrby: (random) => [anyKey(random), anyInteger(random)],
  get: (random) => [anyKey(random)],
  getdel: (random) => [anyKey(random)],
  getex: (random, now) => [anyKey(random), ...options(random, now, ["persist"])],
  getrange: (random) => [anyKey(random), anyInteger(random), anyInteger(random)],
  getset: (random) => [anyKey(random), random.chance(0.05) ? longValue(random) : anyValue(random)],
  incr: (random) => [anyKey(random)],
  incrby: (random) => [anyKey(random), anyInteger(random)],
  incrbyfloat: (random) => [anyKey(random), anyFloat(random)],
  lcs: (random) => [anyKey(random), anyKey(random), ...lcsOptions(random)],
  mget: (random) => several(random, () => [anyKey(random)]),
  mset: (random) => several(random, () => [anyKey(random), anyValue(random)]),
  msetnx: (random) => several(random, () => [anyKey(random), anyValue(random)]),
  psetex: (random, now) => [anyKey(random), anyTime(random, now, "px"), anyValue(random)],
  set: (random, now) => [
    anyKey(random),
    random.chance(0.1) ? longValue(random) : anyValue(random),
    ...(random.chance(0.5) ? [] : options(random, now, ["nx", "xx", "get", "keepttl"])),
  ],
  setex: (random, now) => [anyKey(random), anyTime(random, now, "ex"), anyValue(random)],
  setnx: (random) => [anyKey(random), anyValue(random)],
  setrange: (random) => [anyKey(random), anyOffset(random), anyValue(random)],
  strlen: (random) => [anyKey(random)],
  substr: (random) => [anyKey(random), anyInteger(random), anyInteger(random)],
});

function several<T>(random: RandomSource, one: () => readonly T[]): T[] {
  return Array.from({ length: 1 + random.below(3) }, one).flat();
}

const FORMS = ["ex", "px", "exat", "pxat"] as const;

function options(random: RandomSource, now: number, others: readonly string[]): string[] {
  const words: string[] = [];
  for (let i = random.below(4); i > 0; i--) {
    if (random.chance(0.5)) {
      words.push(anyCase(random, random.pick([...others, ...others, "persist", "keepttl", "NXX"])));
      continue;
    }
    const form = random.pick(FORMS);
    words.push(anyCase(random, form));
    if (random.chance(0.95)) words.push(anyTime(random, now, form));
  }
  return words;
}

/** A time that has passed long ago, comes only after the test, or is none. */
function anyTime(random: RandomSource, now: number, form: (typeof FORMS)[number]): string {
  if (random.chance(0.3)) return random.pick(TIMES);
  const unit = form.startsWith("ex") ? 1000 : 1;
  const base = form.endsWith("at") ? now : 0;
  const hours =
    form.endsWith("at") && random.chance(0.3) ? -1 - random.below(9) : 1 + random.below(9);
  return String(Math.floor((base + hours * 3_600_000) / unit));
}

const TIMES = [
  ...[
    "0",
    "-1",
    "-9223372036854775808",
    "9223372036854775807",
    "9223372036854775",
    "9223372036854776",
  ],
  ...[
    "9223370336854775807",
    "9999999999999999",
    "281474976710655",
    "281474976710656",
    "99999999999999",
  ],
  ...["", "ten", "1.5", "01", "99999999999999999999"],
];

function lcsOptions(random: RandomSource): string[] {
  const words: string[] = [];
  for (let i = random.below(4); i > 0; i--) {
    const word = random.pick([
      "len",
      "idx",
      "idx",
      "withmatchlen",
      "minmatchlen",
      "minmatchlen",
      "all",
    ]);
    words.push(anyCase(random, word));
    if (word === "minmatchlen" && random.chance(0.95)) words.push(anyInteger(random));
  }
  return words;
}

/** Near the longest string, or an offset as any. */
function anyOffset(random: RandomSource): string {
  return random.chance(0.05) ? String(1_048_540 + random.below(40)) : anyInteger(random);
}

/** Longer than the kernel's output region. */
function longValue(random: RandomSource): string {
  return letters(random, 10, 256).repeat(26_000 + random.below(2_000));
}
