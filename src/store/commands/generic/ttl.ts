// TTL key

import { type Command, ONE_KEY } from "../command.ts";
import { replyExpiry } from "./expiry.ts";

export const ttl: Command = {
  name: "ttl",
  arity: 2,
  flags: ["readonly", "fast"],
  keys: ONE_KEY,
  group: "generic",
  since: "1.0.0",
  complexity: "O(1)",
  summary: "Answers after how many seconds a key expires.",
  run(call) {
    replyExpiry(call, { unitMs: 1000, absolute: false });
  },
};
