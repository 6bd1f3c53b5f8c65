// HSET key field value [field value …]

import { type Call, type Command, ONE_KEY, wrongArity } from "../command.ts";
import { changeHash, fieldValue } from "../hash-value.ts";

export const hset: Command = {
  name: "hset",
  arity: -4,
  flags: ["write", "denyoom", "fast"],
  keys: ONE_KEY,
  group: "hash",
  since: "2.0.0",
  complexity: "O(N), N being the number of fields that are set",
  summary: "Sets fields of a hash, and answers how many of them are new.",
  run(call) {
    call.reply.integer(setFields(call, "hset"));
  },
};

/** Sets the fields from argument 2 on, each followed by its value; returns how many are new. `name`: the command's. */
export function setFields(call: Call, name: string): number {
  const { args, store } = call;
  if (args.length % 2 === 1) throw wrongArity(name);
  return changeHash(call, (hash) => {
    let added = 0;
    for (let i = 2; i < args.length; i += 2) {
      if (hash.set(args.text(i), fieldValue(args, i + 1), store.hashLimits)) added++;
    }
    return added;
  });
}
