// HDEL key field [field …]

import { type Command, ONE_KEY } from "../command.ts";
import { findHash } from "../hash-value.ts";

export const hdel: Command = {
  name: "hdel",
  arity: -3,
  flags: ["write", "fast"],
  keys: ONE_KEY,
  group: "hash",
  since: "2.0.0",
  complexity: "O(N), N being the number of fields that are removed",
  summary: "Removes fields of a hash, and answers how many of them were there.",
  run(call) {
    const { args, reply } = call;
    const hash = findHash(call);
    let removed = 0;
    if (hash !== undefined) {
      for (let i = 2; i < args.length; i++) if (hash.delete(args.text(i))) removed++;
      if (removed !== 0) call.database.objectChanged(call.key(1));
    }
    reply.integer(removed);
  },
};
