// EXPIRETIME key

import { type Command, ONE_KEY } from "../command.ts";
import { replyExpiry } from "./expiry.ts";

export const expiretime: Command = {
  name: "expiretime",
  arity: 2,
  flags: ["readonly", "fast"],
  keys: ONE_KEY,
  group: "generic",
  since: "7.0.0",
  complexity: "O(1)",
  summary: "Answers when a key expires, in seconds since the Unix epoch.",
  run(call) {
    replyExpiry(call, { unitMs: 1000, absolute: true });
  },
};
