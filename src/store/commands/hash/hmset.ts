// HMSET key field value [field value …]

import { type Command, ONE_KEY } from "../command.ts";
import { setFields } from "./hset.ts";

export const hmset: Command = {
  name: "hmset",
  arity: -4,
  flags: ["write", "denyoom", "fast"],
  keys: ONE_KEY,
  group: "hash",
  since: "2.0.0",
  complexity: "O(N), N being the number of fields that are set",
  summary: "Sets fields of a hash.",
  run(call) {
    setFields(call, "hmset");
    call.reply.ok();
  },
};
