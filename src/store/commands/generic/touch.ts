// TOUCH key [key …]

import { ALL_KEYS, type Command } from "../command.ts";

export const touch: Command = {
  name: "touch",
  arity: -2,
  flags: ["readonly", "fast"],
  keys: ALL_KEYS,
  group: "generic",
  since: "3.2.1",
  complexity: "O(N), N being the number of keys",
  summary: "Notes an access to keys, and answers how many of them are there.",
  run(call) {
    let found = 0;
    for (let i = 1; i < call.args.length; i++) if (call.database.find(call.key(i)) !== 0) found++;
    call.reply.integer(found);
  },
};
