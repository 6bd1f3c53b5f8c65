// PEXPIREAT key unix-time-milliseconds [NX | XX | GT | LT]

import { type Command, ONE_KEY } from "../command.ts";
import { setExpiry } from "./expiry.ts";

export const pexpireat: Command = {
  name: "pexpireat",
  arity: -3,
  flags: ["write", "fast"],
  keys: ONE_KEY,
  group: "generic",
  since: "2.6.0",
  complexity: "O(1)",
  summary: "Sets when a key expires, in milliseconds since the Unix epoch.",
  run(call) {
    setExpiry(call, { unitMs: 1, absolute: true });
  },
};
