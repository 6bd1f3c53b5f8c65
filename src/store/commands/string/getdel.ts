// GETDEL key

import { type Command, ONE_KEY } from "../command.ts";
import { replyValue } from "./get.ts";

export const getdel: Command = {
  name: "getdel",
  arity: 2,
  flags: ["write", "fast"],
  keys: ONE_KEY,
  group: "string",
  since: "6.2.0",
  complexity: "O(1)",
  summary: "Returns the string at a key and removes the key.",
  run(call) {
    if (replyValue(call, 1)) call.database.remove(call.key(1));
  },
};
