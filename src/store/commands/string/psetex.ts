// PSETEX key milliseconds value

import { type Command, ONE_KEY } from "../command.ts";
import { readExpiry } from "../parse.ts";
import { writeArgument } from "../string-value.ts";

export const psetex: Command = {
  name: "psetex",
  arity: 4,
  flags: ["write", "denyoom"],
  keys: ONE_KEY,
  group: "string",
  since: "2.6.0",
  complexity: "O(1)",
  summary: "Sets the string at a key that expires after so many milliseconds.",
  run(call) {
    const expiry = readExpiry(call, 2, { unitMs: 1, absolute: false });
    writeArgument(call, 1, 3, expiry);
    call.reply.ok();
  },
};
