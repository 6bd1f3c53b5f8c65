// EXPIREAT key unix-time-seconds [NX | XX | GT | LT]

import { type Command, ONE_KEY } from "../command.ts";
import { setExpiry } from "./expiry.ts";

export const expireat: Command = {
  name: "expireat",
  arity: -3,
  flags: ["write", "fast"],
  keys: ONE_KEY,
  group: "generic",
  since: "1.2.0",
  complexity: "O(1)",
  summary: "Sets when a key expires, in seconds since the Unix epoch.",
  run(call) {
    setExpiry(call, { unitMs: 1000, absolute: true });
  },
};
