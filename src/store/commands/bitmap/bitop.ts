// BITOP AND | OR | XOR | NOT destination key [key ...]

import { type Call, type Command, CommandError, syntaxError } from "../command.ts";
import { findString } from "../string-value.ts";
import { combine, type Operation, type Span } from "./combine.ts";

export const bitop: Command = {
  name: "bitop",
  arity: -4,
  flags: ["write", "denyoom"],
  keys: { first: 2, last: -1, step: 1 },
  group: "bitmap",
  since: "2.6.0",
  complexity: "O(N), N being the bytes of all the strings",
  summary: "Combines the strings at several keys bit by bit, and sets the result at another key.",
  run(call) {
    const { database, reply, store } = call;
    const operation = readOperation(call);
    const sources = findSources(call);
    const length = sources.reduce((longest, span) => Math.max(longest, span.length), 0);
    if (length === 0) {
      database.remove(call.key(2));
    } else {
      // The sources stay readable where they are; the result may lie on top of one of them.
      const result = database.write(call.key(2), length, 0);
      combine(operation, store.memory.bytes, sources, { pointer: result.byteOffset, length });
    }
    reply.integer(length);
  },
};

function readOperation({ args }: Call): Operation {
  const name = args.size(1) <= 3 ? args.word(1) : "";
  if (name !== "and" && name !== "or" && name !== "xor" && name !== "not") throw syntaxError();
  if (name === "not" && args.length !== 4) {
    throw new CommandError("ERR BITOP NOT must be called with a single source key.");
  }
  return name;
}

function findSources(call: Call): Span[] {
  const sources: Span[] = [];
  for (let i = 3; i < call.args.length; i++) {
    const entry = findString(call, i);
    const length = entry === 0 ? 0 : call.database.length(entry);
    sources.push({ pointer: entry === 0 ? 0 : call.database.valuePointer(entry), length });
  }
  return sources;
}
