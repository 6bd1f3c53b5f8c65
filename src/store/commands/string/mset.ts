// MSET key value [key value ...]

import { type Call, type Command, type KeyRange, wrongArity } from "../command.ts";
import { writeArgument } from "../string-value.ts";

/** Every other argument is a key. */
export const KEYS_OF_PAIRS: KeyRange = { first: 1, last: -1, step: 2 };

export const mset: Command = {
  name: "mset",
  arity: -3,
  flags: ["write", "denyoom"],
  keys: KEYS_OF_PAIRS,
  group: "string",
  since: "1.0.1",
  complexity: "O(N), N being the number of keys",
  summary: "Sets the strings at several keys at once.",
  run(call) {
    requirePairs(call);
    writePairs(call);
    call.reply.ok();
  },
};

/** Throws unless a value follows each key. */
export function requirePairs({ args }: Call): void {
  if (args.length % 2 === 0) throw wrongArity(args.word(0));
}

/** Writes every pair, or none where memory lacks for all of them. */
export function writePairs(call: Call): void {
  const { args, store } = call;
  let bytes = 0;
  for (let i = 1; i < args.length; i += 2) {
    bytes += RECORD_BYTES + args.size(i) + args.size(i + 1);
  }
  if (!store.makeRoom(bytes)) throw store.outOfMemory();
  for (let i = 1; i < args.length; i += 2) writeArgument(call, i, i + 1);
}

/** Bytes that an entry takes beside its key and its value, at most. */
const RECORD_BYTES = 43;
