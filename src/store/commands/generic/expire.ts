// EXPIRE key seconds [NX | XX | GT | LT]

import { type Command, ONE_KEY } from "../command.ts";
import { setExpiry } from "./expiry.ts";

export const expire: Command = {
  name: "expire",
  arity: -3,
  flags: ["write", "fast"],
  keys: ONE_KEY,
  group: "generic",
  since: "1.0.0",
  complexity: "O(1)",
  summary: "Sets after how many seconds a key expires.",
  run(call) {
    setExpiry(call, { unitMs: 1000, absolute: false });
  },
};
