// SETEX key seconds value

import { type Command, ONE_KEY } from "../command.ts";
import { readExpiry } from "../parse.ts";
import { writeArgument } from "../string-value.ts";

export const setex: Command = {
  name: "setex",
  arity: 4,
  flags: ["write", "denyoom"],
  keys: ONE_KEY,
  group: "string",
  since: "2.0.0",
  complexity: "O(1)",
  summary: "Sets the string at a key that expires after so many seconds.",
  run(call) {
    const expiry = readExpiry(call, 2, { unitMs: 1000, absolute: false });
    writeArgument(call, 1, 3, expiry);
    call.reply.ok();
  },
};
