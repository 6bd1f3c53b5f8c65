// DBSIZE

import { type Command, NO_KEYS } from "../command.ts";

export const dbsize: Command = {
  name: "dbsize",
  arity: 1,
  flags: ["readonly", "fast"],
  keys: NO_KEYS,
  group: "server",
  since: "1.0.0",
  complexity: "O(1)",
  summary: "Answers how many keys the database has, expired ones that nobody has met yet included.",
  run({ database, reply }) {
    reply.integer(database.size);
  },
};
