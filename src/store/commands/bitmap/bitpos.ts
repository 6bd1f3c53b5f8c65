// BITPOS key bit [start [end [BYTE | BIT]]]

import { type Command, CommandError, ONE_KEY, syntaxError } from "../command.ts";
import { readInteger } from "../parse.ts";
import { findString } from "../string-value.ts";
import { readUnit, resolveBits } from "./bit-range.ts";
import { findBit } from "./bits.ts";

export const bitpos: Command = {
  name: "bitpos",
  arity: -3,
  flags: ["readonly"],
  keys: ONE_KEY,
  group: "bitmap",
  since: "2.8.7",
  complexity: "O(N), N being the bytes looked at",
  summary: "Finds the first bit that is 0, or 1, in the string at a key or in a part of it.",
  run(call) {
    const { args, database, reply } = call;
    const wanted = readInteger(args, 2);
    if (wanted !== 0n && wanted !== 1n) {
      throw new CommandError("ERR The bit argument must be 1 or 0.");
    }
    const bit = wanted === 1n ? 1 : 0;
    const entry = findString(call, 1);
    // A missing key is zeros without end, and what else is said is not looked at.
    if (entry === 0) {
      reply.integer(bit === 1 ? -1 : 0);
      return;
    }
    if (args.length > 6) throw syntaxError();
    const start = args.length > 3 ? readInteger(args, 3) : 0n;
    const unit = args.length > 5 ? readUnit(args, 5) : "byte";
    const end = args.length > 4 ? readInteger(args, 4) : -1n;
    const value = database.value(entry);
    const range = resolveBits(start, end, unit, value.length);
    const position = range === undefined ? -1 : findBit(value, bit, range);
    // Zeros follow a string whose end was not set, unless there was nothing to look at.
    const behind = position === -1 && bit === 0 && range !== undefined && args.length <= 4;
    reply.integer(behind ? value.length * 8 : position);
  },
};
