// FLUSHALL [ASYNC | SYNC]

import type { Arguments } from "../../arguments.ts";
import { type Command, NO_KEYS, syntaxError } from "../command.ts";

export const flushall: Command = {
  name: "flushall",
  arity: -1,
  flags: ["write"],
  keys: NO_KEYS,
  group: "server",
  since: "1.0.0",
  complexity: "O(N), N being the number of keys in all databases",
  summary: "Removes every key of every database.",
  run({ args, reply, store }) {
    checkFlushOption(args);
    store.flushAll();
    reply.ok();
  },
};

/** Throws unless the only option, if any, is ASYNC or SYNC, which come to the same here. */
export function checkFlushOption(args: Arguments): void {
  if (args.length === 1) return;
  if (args.length > 2 || !["async", "sync"].includes(args.word(1))) throw syntaxError();
}
