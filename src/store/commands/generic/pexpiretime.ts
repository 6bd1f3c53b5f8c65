// PEXPIRETIME key

import { type Command, ONE_KEY } from "../command.ts";
import { replyExpiry } from "./expiry.ts";

export const pexpiretime: Command = {
  name: "pexpiretime",
  arity: 2,
  flags: ["readonly", "fast"],
  keys: ONE_KEY,
  group: "generic",
  since: "7.0.0",
  complexity: "O(1)",
  summary: "Answers when a key expires, in milliseconds since the Unix epoch.",
  run(call) {
    replyExpiry(call, { unitMs: 1, absolute: true });
  },
};
