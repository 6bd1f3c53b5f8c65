// EXISTS key [key …]

import { ALL_KEYS, type Command } from "../command.ts";

export const exists: Command = {
  name: "exists",
  arity: -2,
  flags: ["readonly", "fast"],
  keys: ALL_KEYS,
  group: "generic",
  since: "1.0.0",
  complexity: "O(N), N being the number of keys",
  summary: "Answers how many of the keys are there; one that is named twice counts twice.",
  run(call) {
    let found = 0;
    for (let i = 1; i < call.args.length; i++) if (call.database.peek(call.key(i)) !== 0) found++;
    call.reply.integer(found);
  },
};
