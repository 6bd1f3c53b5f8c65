// SETBIT key offset value

import { type Command, CommandError, ONE_KEY } from "../command.ts";
import { readInteger } from "../parse.ts";
import { bytesOf, findString } from "../string-value.ts";
import { getBit, setBit } from "./bits.ts";
import { readBitOffset } from "./offset.ts";

export const setbit: Command = {
  name: "setbit",
  arity: 4,
  flags: ["write", "denyoom"],
  keys: ONE_KEY,
  group: "bitmap",
  since: "2.2.0",
  complexity: "O(1)",
  summary: "Sets one bit of the string at a key and returns the bit before it; zeros fill a gap.",
  run(call) {
    const { database } = call;
    const offset = readBitOffset(call, 2);
    const bit = readInteger(call.args, 3, notABit);
    if (bit !== 0n && bit !== 1n) throw notABit();
    const value = bytesOf(database, findString(call, 1));
    const before = getBit(value, offset);
    const length = Math.floor(offset / 8) + 1;
    // Nothing is written where nothing changes.
    if (before !== Number(bit) || value.length < length) {
      setBit(database.extend(call.key(1), length), offset, bit === 1n ? 1 : 0);
    }
    call.reply.integer(before);
  },
};

const notABit = (): CommandError => new CommandError("ERR bit is not an integer or out of range");
