// HEXISTS key field

import { type Command, ONE_KEY } from "../command.ts";
import { findHash } from "../hash-value.ts";

export const hexists: Command = {
  name: "hexists",
  arity: 3,
  flags: ["readonly", "fast"],
  keys: ONE_KEY,
  group: "hash",
  since: "2.0.0",
  complexity: "O(1)",
  summary: "Answers whether a hash has a field.",
  run(call) {
    call.reply.integer(findHash(call)?.has(call.args.text(2)) ? 1 : 0);
  },
};
