// BITCOUNT key [start end [BYTE | BIT]]

import { type Call, type Command, ONE_KEY, syntaxError } from "../command.ts";
import { isReversed, type Range, readInteger } from "../parse.ts";
import { findString } from "../string-value.ts";
import { readUnit, resolveBits } from "./bit-range.ts";
import { countOnes } from "./bits.ts";

export const bitcount: Command = {
  name: "bitcount",
  arity: -2,
  flags: ["readonly"],
  keys: ONE_KEY,
  group: "bitmap",
  since: "2.6.0",
  complexity: "O(N), N being the bytes looked at",
  summary: "Counts the bits that are 1 in the string at a key, or in a part of it.",
  run(call) {
    const { database, reply } = call;
    const entry = findString(call, 1);
    // What else is said about a missing key is not looked at.
    const range = entry === 0 ? undefined : readRange(call, database.length(entry));
    reply.integer(range === undefined ? 0 : countOnes(database.value(entry), range));
  },
};

function readRange({ args }: Call, length: number): Range | undefined {
  if (args.length === 2) return resolveBits(0n, -1n, "byte", length);
  if (args.length !== 4 && args.length !== 5) throw syntaxError();
  const start = readInteger(args, 2);
  const end = readInteger(args, 3);
  if (isReversed(start, end)) return undefined;
  return resolveBits(start, end, args.length === 5 ? readUnit(args, 4) : "byte", length);
}
