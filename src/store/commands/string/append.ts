// APPEND key value

import { type Command, ONE_KEY } from "../command.ts";
import { findString, requireLength, writeArgument } from "../string-value.ts";

export const append: Command = {
  name: "append",
  arity: 3,
  flags: ["write", "denyoom", "fast"],
  keys: ONE_KEY,
  group: "string",
  since: "2.0.0",
  complexity: "O(1) per byte appended: a string that grows keeps bytes free behind its end",
  summary: "Appends to the string at a key, or sets it where the key is missing.",
  run(call) {
    const { args, database, reply } = call;
    const entry = findString(call, 1);
    if (entry === 0) {
      writeArgument(call, 1, 2);
      reply.integer(args.size(2));
      return;
    }
    const before = database.length(entry);
    const length = before + args.size(2);
    requireLength(call, length);
    database.extend(call.key(1), length).set(args.view(2), before);
    reply.integer(length);
  },
};
