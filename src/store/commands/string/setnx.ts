// SETNX key value

import { type Command, ONE_KEY } from "../command.ts";
import { writeArgument } from "../string-value.ts";

export const setnx: Command = {
  name: "setnx",
  arity: 3,
  flags: ["write", "denyoom", "fast"],
  keys: ONE_KEY,
  group: "string",
  since: "1.0.0",
  complexity: "O(1)",
  summary: "Sets the string at a key only where the key is missing.",
  run(call) {
    const missing = call.database.find(call.key(1)) === 0;
    if (missing) writeArgument(call, 1, 2);
    call.reply.integer(missing ? 1 : 0);
  },
};
