// PEXPIRE key milliseconds [NX | XX | GT | LT]

import { type Command, ONE_KEY } from "../command.ts";
import { setExpiry } from "./expiry.ts";

export const pexpire: Command = {
  name: "pexpire",
  arity: -3,
  flags: ["write", "fast"],
  keys: ONE_KEY,
  group: "generic",
  since: "2.6.0",
  complexity: "O(1)",
  summary: "Sets after how many milliseconds a key expires.",
  run(call) {
    setExpiry(call, { unitMs: 1, absolute: false });
  },
};
