// HINCRBY key field increment

import { type Command, CommandError, ONE_KEY } from "../command.ts";
import { changeHash, textOf } from "../hash-value.ts";
import { MAX_INTEGER_CHARACTERS, parseInteger, readInteger } from "../parse.ts";

export const hincrby: Command = {
  name: "hincrby",
  arity: 4,
  flags: ["write", "denyoom", "fast"],
  keys: ONE_KEY,
  group: "hash",
  since: "2.0.0",
  complexity: "O(1)",
  summary: "Adds to the integer in a field of a hash, 0 where the field is missing.",
  run(call) {
    const { args, reply, store } = call;
    const increment = readInteger(args, 3);
    const sum = changeHash(call, (hash) => {
      const field = args.text(2);
      const before = hash.get(field) ?? "0";
      const isShort = before.length <= MAX_INTEGER_CHARACTERS;
      const value = isShort ? parseInteger(textOf(before)) : undefined;
      if (value === undefined) throw new CommandError("ERR hash value is not an integer");
      const sum = value + increment;
      if (BigInt.asIntN(64, sum) !== sum) {
        throw new CommandError("ERR increment or decrement would overflow");
      }
      hash.set(field, String(sum), store.hashLimits);
      return sum;
    });
    reply.integer(sum);
  },
};
