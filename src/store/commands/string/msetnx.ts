// MSETNX key value [key value ...]

import type { Command } from "../command.ts";
import { KEYS_OF_PAIRS, requirePairs, writePairs } from "./mset.ts";

export const msetnx: Command = {
  name: "msetnx",
  arity: -3,
  flags: ["write", "denyoom"],
  keys: KEYS_OF_PAIRS,
  group: "string",
  since: "1.0.1",
  complexity: "O(N), N being the number of keys",
  summary: "Sets the strings at several keys at once, only where all of the keys are missing.",
  run(call) {
    requirePairs(call);
    for (let i = 1; i < call.args.length; i += 2) {
      if (call.database.find(call.key(i)) === 0) continue;
      call.reply.integer(0);
      return;
    }
    writePairs(call);
    call.reply.integer(1);
  },
};
