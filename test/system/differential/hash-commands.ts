/** Random commands of the hash family. */
import type { RandomSource } from "../../unit/store/random-source.ts";
import {
  anyCase,
  anyFloat,
  anyInteger,
  anyKey,
  anyValue,
  type CommandSource,
  fromFamily,
  letters,
} from "./command-source.ts";
import { anyCursor, scanOptions } from "./generic-commands.ts";

export const hashCommand: CommandSource = (random, now) => {
  const command = anyHashCommand(random, now);
  // redis-server would answer such a count without end.
  const isEndless = /^hrandfield$/i.test(String(command[0])) && Number(command[2]) < -1000;
  return isEndless ? [command[0]!, command[1]!, "-9223372036854775808"] : command;
};

const anyHashCommand = fromFamily({
  hdel: (random) => [hashKey(random), ...severalFields(random)],
  hexists: (random) => [hashKey(random), anyField(random)],
  hget: (random) => [hashKey(random), anyField(random)],
  hgetall: (random) => [hashKey(random)],
  hincrby: (random) => [hashKey(random), anyField(random), anyInteger(random)],
  hincrbyfloat: (random) => [hashKey(random), anyField(random), anyFloat(random)],
  hkeys: (random) => [hashKey(random)],
  hlen: (random) => [hashKey(random)],
  hmget: (random) => [hashKey(random), ...severalFields(random)],
  hmset: (random) => [hashKey(random), ...severalPairs(random)],
  hrandfield: (random) => [hashKey(random), ...randomOptions(random)],
  hscan: (random) => [
    hashKey(random),
    anyCursor(random),
    ...scanOptions(random, ["match", "count"]),
  ],
  hset: (random) => [hashKey(random), ...severalPairs(random)],
  hsetnx: (random) => [hashKey(random), anyField(random), anyHashValue(random)],
  hstrlen: (random) => [hashKey(random), anyField(random)],
  hvals: (random) => [hashKey(random)],
  // What the others meet.
  set: (random) => [random.pick(["c", "d"]), anyValue(random)],
  del: (random) => [anyKey(random)],
  copy: (random) => [hashKey(random), hashKey(random), "replace"],
  rename: (random) => [hashKey(random), hashKey(random)],
  object: (random) => ["encoding", hashKey(random)],
  expire: (random) => [hashKey(random), "100000"],
});

/** Mostly a key that never holds a string. */
function hashKey(random: RandomSource): string {
  return random.chance(0.8) ? random.pick(["a", "b", "{h}"]) : anyKey(random);
}

/** One of few fields, or one of many, or one that is long. */
function anyField(random: RandomSource): string {
  if (random.chance(0.7)) return random.pick(["field", "f", "g", "", "1", "\0\xff"]);
  if (random.chance(0.95)) return `f:${random.below(700)}`;
  return letters(random, 60 + random.below(10), 3);
}

function anyHashValue(random: RandomSource): string {
  if (random.chance(0.9)) return anyValue(random);
  return letters(random, random.pick([63, 64, 65, 511, 512, 513, 5000, 70_000]), 256);
}

function severalFields(random: RandomSource): string[] {
  return Array.from({ length: 1 + random.below(4) }, () => anyField(random));
}

/** Mostly few; sometimes more than a listpack takes; rarely a field without a value. */
function severalPairs(random: RandomSource): string[] {
  const words: string[] = [];
  if (random.chance(0.02)) {
    const count = random.pick([40, 500, 512, 513, 600]);
    for (let i = 0; i < count; i++) words.push(`f:${i}`, String(i));
  }
  for (let i = random.below(4); i >= 0; i--) words.push(anyField(random), anyHashValue(random));
  if (random.chance(0.02)) words.pop();
  return words;
}

function randomOptions(random: RandomSource): string[] {
  if (random.chance(0.2)) return [];
  const count = random.chance(0.8) ? String(random.below(40) - 20) : random.pick(COUNTS);
  if (random.chance(0.5)) return [count];
  return [count, anyCase(random, random.chance(0.95) ? "withvalues" : "values")];
}

const COUNTS = [
  ...["0", "-0", "1000", "9223372036854775807", "4611686018427387904", "4611686018427387903"],
  ...["-9223372036854775808", "9223372036854775808", "", "x", "1.0"],
];
