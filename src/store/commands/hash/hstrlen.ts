// HSTRLEN key field

import { type Command, ONE_KEY } from "../command.ts";
import { findHash } from "../hash-value.ts";

export const hstrlen: Command = {
  name: "hstrlen",
  arity: 3,
  flags: ["readonly", "fast"],
  keys: ONE_KEY,
  group: "hash",
  since: "3.2.0",
  complexity: "O(1)",
  summary: "Answers how many bytes the value of a field of a hash has.",
  run(call) {
    call.reply.integer(findHash(call)?.get(call.args.text(2))?.length ?? 0);
  },
};
