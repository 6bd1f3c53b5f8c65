// MGET key [key ...]

import { ALL_KEYS, type Command } from "../command.ts";

export const mget: Command = {
  name: "mget",
  arity: -2,
  flags: ["readonly", "fast"],
  keys: ALL_KEYS,
  group: "string",
  since: "1.0.0",
  complexity: "O(N), N being the number of keys",
  summary: "Returns the strings at several keys, null for each that is missing or of another type.",
  run(call) {
    const { args, database, reply } = call;
    reply.array(args.length - 1);
    for (let i = 1; i < args.length; i++) {
      const entry = database.find(call.key(i));
      if (entry === 0 || database.isObject(entry)) reply.null();
      else reply.bulk(database.value(entry));
    }
  },
};
