// INCR key

import { type Call, type Command, CommandError, notAnInteger, ONE_KEY } from "../command.ts";
import { MAX_INTEGER_CHARACTERS, parseInteger } from "../parse.ts";
import { findString, shortText, writeText } from "../string-value.ts";

export const incr: Command = {
  name: "incr",
  arity: 2,
  flags: ["write", "denyoom", "fast"],
  keys: ONE_KEY,
  group: "string",
  since: "1.0.0",
  complexity: "O(1)",
  summary: "Adds one to the integer at a key, 0 where the key is missing.",
  run(call) {
    increaseBy(call, 1n);
  },
};

/** Adds to the 64-bit integer at the first argument's key, which keeps its expiry, and replies the sum. */
export function increaseBy(call: Call, by: bigint): void {
  const { database } = call;
  const entry = findString(call, 1);
  const text = entry === 0 ? "0" : shortText(database, entry, MAX_INTEGER_CHARACTERS);
  const value = text === undefined ? undefined : parseInteger(text);
  if (value === undefined) throw notAnInteger();
  const sum = value + by;
  if (BigInt.asIntN(64, sum) !== sum) {
    throw new CommandError("ERR increment or decrement would overflow");
  }
  writeText(call, 1, String(sum), entry === 0 ? 0 : database.expiry(entry));
  call.reply.integer(sum);
}
