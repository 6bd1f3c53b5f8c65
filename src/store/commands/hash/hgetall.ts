// HGETALL key

import { type Command, ONE_KEY } from "../command.ts";
import { findHash, replyValue } from "../hash-value.ts";

export const hgetall: Command = {
  name: "hgetall",
  arity: 2,
  flags: ["readonly"],
  keys: ONE_KEY,
  group: "hash",
  since: "2.0.0",
  complexity: "O(N), N being the number of fields of the hash",
  summary: "Answers all fields of a hash, and their values.",
  run(call) {
    const { reply } = call;
    const hash = findHash(call);
    const size = hash?.size ?? 0;
    reply.map(size);
    for (let place = 0; place < size; place++) {
      reply.latin1(hash!.fieldAt(place));
      replyValue(reply, hash!.valueAt(place));
    }
  },
};
