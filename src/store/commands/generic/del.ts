// DEL key [key …]

import { ALL_KEYS, type Call, type Command } from "../command.ts";

export const del: Command = {
  name: "del",
  arity: -2,
  flags: ["write"],
  keys: ALL_KEYS,
  group: "generic",
  since: "1.0.0",
  complexity: "O(N), N being the number of keys",
  summary: "Removes keys, and answers how many of them were there.",
  run: removeAll,
};

/** Removes the keys that are the arguments, and replies how many were there. */
export function removeAll(call: Call): void {
  const { args, database, reply } = call;
  let removed = 0;
  for (let i = 1; i < args.length; i++) if (database.remove(call.key(i))) removed++;
  reply.integer(removed);
}
