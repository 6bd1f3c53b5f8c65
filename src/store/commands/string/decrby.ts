// DECRBY key decrement

import { type Command, CommandError, ONE_KEY } from "../command.ts";
import { readInteger } from "../parse.ts";
import { increaseBy } from "./incr.ts";

export const decrby: Command = {
  name: "decrby",
  arity: 3,
  flags: ["write", "denyoom", "fast"],
  keys: ONE_KEY,
  group: "string",
  since: "1.0.0",
  complexity: "O(1)",
  summary: "Takes a number from the integer at a key, 0 where the key is missing.",
  run(call) {
    const by = readInteger(call.args, 2);
    if (by === MIN_INTEGER) throw new CommandError("ERR decrement would overflow");
    increaseBy(call, -by);
  },
};

/** The one integer of 64 bits whose opposite is none. */
const MIN_INTEGER = -(2n ** 63n);
