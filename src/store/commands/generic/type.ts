// TYPE key

import { type Command, ONE_KEY } from "../command.ts";

export const type: Command = {
  name: "type",
  arity: 2,
  flags: ["readonly", "fast"],
  keys: ONE_KEY,
  group: "generic",
  since: "1.0.0",
  complexity: "O(1)",
  summary: "Answers which type of value a key holds, or none.",
  run(call) {
    const { database, reply } = call;
    const entry = database.peek(call.key(1));
    reply.simple(entry === 0 ? "none" : database.type(entry));
  },
};
