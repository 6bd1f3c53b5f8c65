// HMGET key field [field …]

import { type Command, ONE_KEY } from "../command.ts";
import { findHash, replyValue } from "../hash-value.ts";

export const hmget: Command = {
  name: "hmget",
  arity: -3,
  flags: ["readonly", "fast"],
  keys: ONE_KEY,
  group: "hash",
  since: "2.0.0",
  complexity: "O(N), N being the number of fields asked for",
  summary: "Answers the values of fields of a hash.",
  run(call) {
    const { args, reply } = call;
    const hash = findHash(call);
    reply.array(args.length - 2);
    for (let i = 2; i < args.length; i++) replyValue(reply, hash?.get(args.text(i)));
  },
};
