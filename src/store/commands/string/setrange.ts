// SETRANGE key offset value

import { type Command, CommandError, ONE_KEY } from "../command.ts";
import { readInteger } from "../parse.ts";
import { findString, requireLength } from "../string-value.ts";

export const setrange: Command = {
  name: "setrange",
  arity: 4,
  flags: ["write", "denyoom"],
  keys: ONE_KEY,
  group: "string",
  since: "2.2.0",
  complexity: "O(M), M being the length of the value",
  summary:
    "Overwrites a part of the string at a key from an offset on; zeros fill a gap before it.",
  run(call) {
    const { args, database, reply } = call;
    const offset = readInteger(args, 2);
    if (offset < 0n) throw new CommandError("ERR offset is out of range");
    const entry = findString(call, 1);
    if (args.size(3) === 0) {
      reply.integer(entry === 0 ? 0 : database.length(entry));
      return;
    }
    const from = Number(offset);
    requireLength(call, from + args.size(3));
    const value = database.extend(call.key(1), from + args.size(3));
    value.set(args.view(3), from);
    reply.integer(value.length);
  },
};
