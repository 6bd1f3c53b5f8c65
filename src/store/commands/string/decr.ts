// DECR key

import { type Command, ONE_KEY } from "../command.ts";
import { increaseBy } from "./incr.ts";

export const decr: Command = {
  name: "decr",
  arity: 2,
  flags: ["write", "denyoom", "fast"],
  keys: ONE_KEY,
  group: "string",
  since: "1.0.0",
  complexity: "O(1)",
  summary: "Takes one from the integer at a key, 0 where the key is missing.",
  run(call) {
    increaseBy(call, -1n);
  },
};
