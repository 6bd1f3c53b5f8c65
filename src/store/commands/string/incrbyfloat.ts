// INCRBYFLOAT key increment: the arithmetic is that of long-double.ts.

import { type Command, CommandError, ONE_KEY } from "../command.ts";
import { addLongDoubles, formatLongDouble, isInfinite, parseLongDouble } from "../long-double.ts";
import { MAX_FLOAT_CHARACTERS, notAFloat, readFloat } from "../parse.ts";
import { findString, shortText, writeText } from "../string-value.ts";

export const incrbyfloat: Command = {
  name: "incrbyfloat",
  arity: 3,
  flags: ["write", "denyoom", "fast"],
  keys: ONE_KEY,
  group: "string",
  since: "2.6.0",
  complexity: "O(1)",
  summary: "Adds a float to the number at a key, 0 where the key is missing.",
  run(call) {
    const { database } = call;
    const entry = findString(call, 1);
    const text = entry === 0 ? "0" : shortText(database, entry, MAX_FLOAT_CHARACTERS);
    const value = text === undefined ? undefined : parseLongDouble(text);
    if (value === undefined) throw notAFloat();
    const sum = addLongDoubles(value, readFloat(call.args, 2));
    if (isInfinite(sum)) {
      throw new CommandError("ERR increment would produce NaN or Infinity");
    }
    const result = formatLongDouble(sum);
    writeText(call, 1, result, entry === 0 ? 0 : database.expiry(entry));
    call.reply.latin1(result);
  },
};
