// PERSIST key

import { type Command, ONE_KEY } from "../command.ts";

export const persist: Command = {
  name: "persist",
  arity: 2,
  flags: ["write", "fast"],
  keys: ONE_KEY,
  group: "generic",
  since: "2.2.0",
  complexity: "O(1)",
  summary: "Lets a key expire no more, and answers whether it would have.",
  run(call) {
    const { database, reply } = call;
    const entry = database.find(call.key(1));
    const expires = entry !== 0 && database.expiry(entry) !== 0;
    if (expires) database.setExpiry(call.key(1), 0);
    reply.integer(expires ? 1 : 0);
  },
};
