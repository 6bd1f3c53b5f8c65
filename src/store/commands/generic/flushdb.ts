// FLUSHDB [ASYNC | SYNC]

import { type Command, NO_KEYS } from "../command.ts";
import { checkFlushOption } from "./flushall.ts";

export const flushdb: Command = {
  name: "flushdb",
  arity: -1,
  flags: ["write"],
  keys: NO_KEYS,
  group: "server",
  since: "1.0.0",
  complexity: "O(N), N being the number of keys in the database",
  summary: "Removes every key of the database.",
  run({ args, database, reply }) {
    checkFlushOption(args);
    database.flush();
    reply.ok();
  },
};
