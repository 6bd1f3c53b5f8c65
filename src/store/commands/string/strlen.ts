// STRLEN key

import { type Command, ONE_KEY } from "../command.ts";
import { findString } from "../string-value.ts";

export const strlen: Command = {
  name: "strlen",
  arity: 2,
  flags: ["readonly", "fast"],
  keys: ONE_KEY,
  group: "string",
  since: "2.2.0",
  complexity: "O(1)",
  summary: "Returns the length in bytes of the string at a key, 0 where the key is missing.",
  run(call) {
    const entry = findString(call, 1);
    call.reply.integer(entry === 0 ? 0 : call.database.length(entry));
  },
};
