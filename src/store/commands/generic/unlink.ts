// UNLINK key [key …]

import { ALL_KEYS, type Command } from "../command.ts";
import { removeAll } from "./del.ts";

export const unlink: Command = {
  name: "unlink",
  arity: -2,
  flags: ["write", "fast"],
  keys: ALL_KEYS,
  group: "generic",
  since: "4.0.0",
  complexity: "O(N), N being the number of keys",
  summary: "Removes keys as DEL does, whose memory is given back later anyway.",
  run: removeAll,
};
