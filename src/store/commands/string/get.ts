// GET key

import { type Call, type Command, ONE_KEY } from "../command.ts";
import { findString } from "../string-value.ts";

export const get: Command = {
  name: "get",
  arity: 2,
  flags: ["readonly", "fast"],
  keys: ONE_KEY,
  group: "string",
  since: "1.0.0",
  complexity: "O(1)",
  summary: "Returns the string at a key.",
  run(call) {
    replyValue(call, 1);
  },
};

/** Replies the string at a key, or null; whether there is one. */
export function replyValue(call: Call, index: number): boolean {
  const entry = findString(call, index);
  if (entry === 0) call.reply.null();
  else call.reply.bulk(call.database.value(entry));
  return entry !== 0;
}
