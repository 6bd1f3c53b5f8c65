// HLEN key

import { type Command, ONE_KEY } from "../command.ts";
import { findHash } from "../hash-value.ts";

export const hlen: Command = {
  name: "hlen",
  arity: 2,
  flags: ["readonly", "fast"],
  keys: ONE_KEY,
  group: "hash",
  since: "2.0.0",
  complexity: "O(1)",
  summary: "Answers how many fields a hash has.",
  run(call) {
    call.reply.integer(findHash(call)?.size ?? 0);
  },
};
