/** Random commands of the generic family, and what the server family does to the keyspace. */
import type { RandomSource } from "../../unit/store/random-source.ts";
import { anyCase, anyInteger, anyKey, anyValue, fromFamily } from "./command-source.ts";

export const genericCommand = fromFamily({
  copy: (random) => [anyKey(random), anyKey(random), ...copyOptions(random)],
  dbsize: () => [],
  del: severalKeys,
  exists: severalKeys,
  expire: (random, now) => [
    anyKey(random),
    anyTime(random, now, 1000, false),
    ...conditions(random),
  ],
  expireat: (random, now) => [
    anyKey(random),
    anyTime(random, now, 1000, true),
    ...conditions(random),
  ],
  expiretime: (random) => [anyKey(random)],
  flushall: (random) => (random.chance(0.1) ? flushOptions(random) : ["no"]),
  flushdb: (random) => (random.chance(0.1) ? flushOptions(random) : ["no"]),
  keys: (random) => [anyPattern(random)],
  memory: (random) =>
    random.pick([["usage", anyKey(random), ...samples(random)], ["usages", anyKey(random)], []]),
  object: (random) => [anyCase(random, random.pick(OBJECT_SUBCOMMANDS)), anyKey(random)],
  persist: (random) => [anyKey(random)],
  pexpire: (random, now) => [anyKey(random), anyTime(random, now, 1, false), ...conditions(random)],
  pexpireat: (random, now) => [
    anyKey(random),
    anyTime(random, now, 1, true),
    ...conditions(random),
  ],
  pexpiretime: (random) => [anyKey(random)],
  pttl: (random) => [anyKey(random)],
  randomkey: () => [],
  rename: (random) => [anyKey(random), anyKey(random)],
  renamenx: (random) => [anyKey(random), anyKey(random)],
  scan: (random) => [anyCursor(random), ...scanOptions(random, ["match", "count", "type"])],
  touch: severalKeys,
  ttl: (random) => [anyKey(random)],
  type: (random) => [anyKey(random)],
  unlink: severalKeys,
  // What the others find.
  set: (random) => [anyKey(random), anyValue(random)],
  append: (random) => [anyKey(random), anyValue(random)],
  incr: (random) => [anyKey(random)],
  hset: (random) => [anyKey(random), random.pick(["f", "g", "h"]), anyValue(random)],
});

const OBJECT_SUBCOMMANDS = [
  "encoding",
  "encoding",
  "encoding",
  "refcount",
  "idletime",
  "freq",
  "x",
];

function severalKeys(random: RandomSource): string[] {
  return Array.from({ length: 1 + random.below(4) }, () => anyKey(random));
}

function flushOptions(random: RandomSource): string[] {
  return random.pick([[], ["async"], ["SYNC"], ["later"], ["sync", "async"]]);
}

function samples(random: RandomSource): string[] {
  return random.chance(0.5) ? [] : [anyCase(random, "samples"), anyInteger(random)];
}

function copyOptions(random: RandomSource): string[] {
  const words: string[] = [];
  for (let i = random.below(3); i > 0; i--) {
    const word = random.pick(["replace", "replace", "db", "dbs"]);
    words.push(anyCase(random, word));
    if (word === "db" && random.chance(0.95)) {
      words.push(
        random.chance(0.8) ? random.pick(["0", "1", "15", "16", "-1"]) : anyInteger(random),
      );
    }
  }
  return words;
}

function conditions(random: RandomSource): string[] {
  if (random.chance(0.4)) return [];
  const words = ["nx", "xx", "gt", "lt"];
  if (random.chance(0.8)) return [anyCase(random, random.pick(words))];
  return Array.from({ length: 2 }, () => anyCase(random, random.pick([...words, "ge"])));
}

/** Far from now, and no two of them near each other, so that the clocks may differ. */
function anyTime(random: RandomSource, now: number, unit: number, absolute: boolean): string {
  if (random.chance(0.2)) return random.pick(TIMES);
  const hours = (random.chance(0.2) ? -1 : 1) * (1 + random.below(10_000));
  return String(Math.floor(((absolute ? now : 0) + hours * 3_600_000) / unit));
}

const TIMES = [
  ...["0", "-1", "9223372036854775807", "-9223372036854775808", "9223372036854775"],
  ...["-9223372036854775", "-9223372036854776", "9223372036854776", "9999999999999999"],
  ...["-9999999999999999", "9223370000000000000", "", "ten", "1.5", "01", "99999999999999999999"],
];

export function anyCursor(random: RandomSource): string {
  return random.chance(0.8) ? "0" : random.pick(CURSORS);
}

/** The beginning, said otherwise, and what is no cursor. */
const CURSORS = [
  ...["", "+0", "-0", "000", "18446744073709551616", "-18446744073709551616", "1x", " 0", "0 "],
  ...["+", "-", "0x0", "1.0", "ten"],
];

/** Options of a scan that tells everything at once. */
export function scanOptions(random: RandomSource, words: readonly string[]): string[] {
  const options: string[] = [];
  for (let i = random.below(4); i > 0; i--) {
    const word = random.chance(0.95) ? random.pick(words) : random.pick(["types", "type", "x"]);
    options.push(anyCase(random, word));
    if (random.chance(0.03)) continue;
    if (word === "count") options.push(random.pick(["1000", "1000", "1000000", "0", "-1", "x"]));
    else if (word === "match") options.push(anyPattern(random));
    else options.push(random.pick(["string", "hash", "Hash", "list", "nothing"]));
  }
  return options;
}

const PATTERNS = [
  ...["*", "**", "a*", "?", "??", "[a-c]", "[^a-c]", "{h}", "[{]*", "\\a", "[", "[a", "[^", "\\"],
  ...["", "*a", "*[bd]", "[]a]", "[a-]", "[c-a]", "[\\a-c]", "a", "f*", "[f-g]", "*?*", "[^f]"],
];

/** A glob pattern: one of a kind, or anything made of what patterns are made of. */
export function anyPattern(random: RandomSource): string {
  if (random.chance(0.7)) return random.pick(PATTERNS);
  const parts = ["*", "?", "[", "]", "^", "-", "\\", "a", "b", "c", "f", "{h}", "{", "h"];
  return Array.from({ length: random.below(8) }, () => random.pick(parts)).join("");
}
