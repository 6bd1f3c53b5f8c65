// HGET key field

import { type Command, ONE_KEY } from "../command.ts";
import { findHash, replyValue } from "../hash-value.ts";

export const hget: Command = {
  name: "hget",
  arity: 3,
  flags: ["readonly", "fast"],
  keys: ONE_KEY,
  group: "hash",
  since: "2.0.0",
  complexity: "O(1)",
  summary: "Answers the value of a field of a hash.",
  run(call) {
    replyValue(call.reply, findHash(call)?.get(call.args.text(2)));
  },
};
