// RENAMENX key newkey

import type { Command } from "../command.ts";
import { isSameKey, requireSource } from "./rename.ts";

export const renamenx: Command = {
  name: "renamenx",
  arity: 3,
  flags: ["write", "fast"],
  keys: { first: 1, last: 2, step: 1 },
  group: "generic",
  since: "1.0.0",
  complexity: "O(1); for a string O(N), N being its length",
  summary: "Gives a value another key unless that holds a value, and answers whether it did.",
  run(call) {
    const { database, reply } = call;
    requireSource(call);
    const isFree = !isSameKey(call) && database.find(call.key(2)) === 0;
    if (isFree) database.rename(call.key(1), call.key(2));
    reply.integer(isFree ? 1 : 0);
  },
};
