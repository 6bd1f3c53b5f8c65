// HKEYS key

import { type Command, ONE_KEY } from "../command.ts";
import { findHash } from "../hash-value.ts";

export const hkeys: Command = {
  name: "hkeys",
  arity: 2,
  flags: ["readonly"],
  keys: ONE_KEY,
  group: "hash",
  since: "2.0.0",
  complexity: "O(N), N being the number of fields of the hash",
  summary: "Answers all fields of a hash.",
  run(call) {
    const hash = findHash(call);
    const size = hash?.size ?? 0;
    call.reply.array(size);
    for (let place = 0; place < size; place++) call.reply.latin1(hash!.fieldAt(place));
  },
};
