// HINCRBYFLOAT key field increment: the arithmetic is that of long-double.ts.

import { type Command, CommandError, ONE_KEY } from "../command.ts";
import { changeHash, textOf } from "../hash-value.ts";
import { addLongDoubles, formatLongDouble, isInfinite, parseLongDouble } from "../long-double.ts";
import { MAX_FLOAT_CHARACTERS, readFloat } from "../parse.ts";

export const hincrbyfloat: Command = {
  name: "hincrbyfloat",
  arity: 4,
  flags: ["write", "denyoom", "fast"],
  keys: ONE_KEY,
  group: "hash",
  since: "2.6.0",
  complexity: "O(1)",
  summary: "Adds a float to the number in a field of a hash, 0 where the field is missing.",
  run(call) {
    const { args, reply, store } = call;
    const increment = readFloat(args, 3);
    if (isInfinite(increment)) throw new CommandError("ERR value is NaN or Infinity");
    const sum = changeHash(call, (hash) => {
      const field = args.text(2);
      const before = hash.get(field) ?? "0";
      const isShort = before.length <= MAX_FLOAT_CHARACTERS;
      const value = isShort ? parseLongDouble(textOf(before)) : undefined;
      if (value === undefined) throw new CommandError("ERR hash value is not a float");
      const sum = addLongDoubles(value, increment);
      if (isInfinite(sum)) {
        throw new CommandError("ERR increment would produce NaN or Infinity");
      }
      const text = formatLongDouble(sum);
      hash.set(field, text, store.hashLimits);
      return text;
    });
    reply.latin1(sum);
  },
};
