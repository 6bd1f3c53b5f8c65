// HRANDFIELD key [count [WITHVALUES]]

import type { HashObject } from "../../objects/hash.ts";
import { type Call, type Command, CommandError, ONE_KEY, syntaxError } from "../command.ts";
import { findHash, replyValue } from "../hash-value.ts";
import { readInteger } from "../parse.ts";

export const hrandfield: Command = {
  name: "hrandfield",
  arity: -2,
  flags: ["readonly"],
  keys: ONE_KEY,
  group: "hash",
  since: "6.2.0",
  complexity: "O(N), N being the number of fields that are answered",
  summary: "Answers fields of a hash at random.",
  run(call) {
    if (call.args.length === 2) replyOne(call);
    else replySeveral(call);
  },
};

function replyOne(call: Call): void {
  const hash = findHash(call);
  if (hash === undefined) call.reply.null();
  else call.reply.latin1(hash.fieldAt(call.store.randomBelow(hash.size)));
}

function replySeveral(call: Call): void {
  const { args, reply } = call;
  const count = readCount(call);
  const withValues = args.length === 4;
  const hash = findHash(call);
  const places = hash === undefined ? [] : draw(call, hash, count);
  if (withValues) reply.pairs(places.length);
  else reply.array(places.length);
  for (const place of places) {
    if (withValues) reply.pair();
    reply.latin1(hash!.fieldAt(place));
    if (withValues) replyValue(reply, hash!.valueAt(place));
  }
}

const LONG_MAX = 2n ** 63n - 1n;
/** Fields that one call may answer: a reply with more would not fit into memory, however short they are. */
const MAX_DRAWN = 2 ** 24;

function readCount({ args }: Call): number {
  const count = readInteger(args, 2);
  if (count < -LONG_MAX) {
    throw new CommandError(
      `ERR value is out of range, value must between ${-LONG_MAX} and ${LONG_MAX}`,
    );
  }
  if (args.length > 4) throw syntaxError();
  if (args.length === 4) {
    if (args.word(3) !== "withvalues") throw syntaxError();
    if (count < -LONG_MAX / 2n || count > LONG_MAX / 2n) throw outOfRange();
  }
  if (count < -MAX_DRAWN) throw outOfRange();
  return Number(count);
}

const outOfRange = (): CommandError => new CommandError("ERR value is out of range");

/** Places of a hash: `count` different ones, as far as there are so many, or for a negative count, any. */
function draw({ store }: Call, { size }: HashObject, count: number): number[] {
  if (count < 0) return Array.from({ length: -count }, () => store.randomBelow(size));
  const all = count >= size;
  if (all || count * SHUFFLE_FROM > size) {
    const places = Array.from({ length: size }, (_, place) => place);
    return all ? places : shuffled(places, count, (bound) => store.randomBelow(bound));
  }
  const places = new Set<number>();
  while (places.size < count) places.add(store.randomBelow(size));
  return [...places];
}

/** Above this share of all places, drawing without repeating takes longer than shuffling. */
const SHUFFLE_FROM = 3;

/** The first `count` of `places`, shuffled (Fisher, Yates). */
function shuffled(places: number[], count: number, below: (bound: number) => number): number[] {
  for (let i = 0; i < count; i++) {
    const other = i + below(places.length - i);
    [places[i], places[other]] = [places[other]!, places[i]!];
  }
  return places.slice(0, count);
}
