// GETSET key value

import { type Command, ONE_KEY } from "../command.ts";
import { writeArgument } from "../string-value.ts";
import { replyValue } from "./get.ts";

export const getset: Command = {
  name: "getset",
  arity: 3,
  flags: ["write", "denyoom", "fast"],
  keys: ONE_KEY,
  group: "string",
  since: "1.0.0",
  complexity: "O(1)",
  summary: "Sets the string at a key and returns the one before it.",
  run(call) {
    replyValue(call, 1);
    writeArgument(call, 1, 2);
  },
};
