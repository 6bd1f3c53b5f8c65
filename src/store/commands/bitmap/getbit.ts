// GETBIT key offset

import { type Command, ONE_KEY } from "../command.ts";
import { bytesOf, findString } from "../string-value.ts";
import { getBit } from "./bits.ts";
import { readBitOffset } from "./offset.ts";

export const getbit: Command = {
  name: "getbit",
  arity: 3,
  flags: ["readonly", "fast"],
  keys: ONE_KEY,
  group: "bitmap",
  since: "2.2.0",
  complexity: "O(1)",
  summary: "Returns one bit of the string at a key, 0 behind its end.",
  run(call) {
    const offset = readBitOffset(call, 2);
    const value = bytesOf(call.database, findString(call, 1));
    call.reply.integer(getBit(value, offset));
  },
};
