// HVALS key

import { type Command, ONE_KEY } from "../command.ts";
import { findHash, replyValue } from "../hash-value.ts";

export const hvals: Command = {
  name: "hvals",
  arity: 2,
  flags: ["readonly"],
  keys: ONE_KEY,
  group: "hash",
  since: "2.0.0",
  complexity: "O(N), N being the number of fields of the hash",
  summary: "Answers all values of a hash.",
  run(call) {
    const hash = findHash(call);
    const size = hash?.size ?? 0;
    call.reply.array(size);
    for (let place = 0; place < size; place++) replyValue(call.reply, hash!.valueAt(place));
  },
};
