// PTTL key

import { type Command, ONE_KEY } from "../command.ts";
import { replyExpiry } from "./expiry.ts";

export const pttl: Command = {
  name: "pttl",
  arity: 2,
  flags: ["readonly", "fast"],
  keys: ONE_KEY,
  group: "generic",
  since: "2.6.0",
  complexity: "O(1)",
  summary: "Answers after how many milliseconds a key expires.",
  run(call) {
    replyExpiry(call, { unitMs: 1, absolute: false });
  },
};
