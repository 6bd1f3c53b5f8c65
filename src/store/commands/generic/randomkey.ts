// RANDOMKEY

import { type Command, NO_KEYS } from "../command.ts";

export const randomkey: Command = {
  name: "randomkey",
  arity: 1,
  flags: ["readonly"],
  keys: NO_KEYS,
  group: "generic",
  since: "1.0.0",
  complexity: "O(1)",
  summary: "Answers a key of the database at random.",
  run({ database, reply }) {
    const entry = database.random();
    if (entry === 0) reply.null();
    else reply.bulk(database.keyView(entry));
  },
};
