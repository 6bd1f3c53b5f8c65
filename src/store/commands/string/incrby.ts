// INCRBY key increment

import { type Command, ONE_KEY } from "../command.ts";
import { readInteger } from "../parse.ts";
import { increaseBy } from "./incr.ts";

export const incrby: Command = {
  name: "incrby",
  arity: 3,
  flags: ["write", "denyoom", "fast"],
  keys: ONE_KEY,
  group: "string",
  since: "1.0.0",
  complexity: "O(1)",
  summary: "Adds a number to the integer at a key, 0 where the key is missing.",
  run(call) {
    increaseBy(call, readInteger(call.args, 2));
  },
};
