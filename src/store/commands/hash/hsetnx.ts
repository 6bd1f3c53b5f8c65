// HSETNX key field value

import { type Command, ONE_KEY } from "../command.ts";
import { changeHash, fieldValue, findHash } from "../hash-value.ts";

export const hsetnx: Command = {
  name: "hsetnx",
  arity: 4,
  flags: ["write", "denyoom", "fast"],
  keys: ONE_KEY,
  group: "hash",
  since: "2.0.0",
  complexity: "O(1)",
  summary: "Sets a field of a hash unless it is there, and answers whether it did.",
  run(call) {
    const { args, reply, store } = call;
    const field = args.text(2);
    const isNew = findHash(call)?.has(field) !== true;
    if (isNew) changeHash(call, (hash) => hash.set(field, fieldValue(args, 3), store.hashLimits));
    reply.integer(isNew ? 1 : 0);
  },
};
