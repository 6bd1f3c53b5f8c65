// GETRANGE key start end

import { type Command, ONE_KEY } from "../command.ts";
import { isReversed, readInteger, resolveRange } from "../parse.ts";
import { bytesOf, findString } from "../string-value.ts";

export const getrange: Command = {
  name: "getrange",
  arity: 4,
  flags: ["readonly"],
  keys: ONE_KEY,
  group: "string",
  since: "2.4.0",
  complexity: "O(N), N being the length of what is returned",
  summary:
    "Returns a part of the string at a key, both ends included; negative ones count from its end.",
  run(call) {
    const start = readInteger(call.args, 2);
    const end = readInteger(call.args, 3);
    const value = bytesOf(call.database, findString(call, 1));
    const range = isReversed(start, end) ? undefined : resolveRange(start, end, value.length);
    if (range === undefined) call.reply.bulk("");
    else call.reply.bulk(value.subarray(range.first, range.last + 1));
  },
};
