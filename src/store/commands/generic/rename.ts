// RENAME key newkey

import { type Call, type Command, CommandError } from "../command.ts";

export const rename: Command = {
  name: "rename",
  arity: 3,
  flags: ["write"],
  keys: { first: 1, last: 2, step: 1 },
  group: "generic",
  since: "1.0.0",
  complexity: "O(1); for a string O(N), N being its length",
  summary: "Gives a value another key, and removes what that key held.",
  run(call) {
    requireSource(call);
    if (!isSameKey(call)) call.database.rename(call.key(1), call.key(2));
    call.reply.ok();
  },
};

/** Throws when the key that is to be renamed is not there. */
export function requireSource(call: Call): void {
  if (call.database.find(call.key(1)) === 0) throw new CommandError("ERR no such key");
}

/** Whether both keys of a command are the same. */
export function isSameKey({ args }: Call): boolean {
  if (args.size(1) !== args.size(2)) return false;
  const other = args.view(2);
  return args.view(1).every((byte, i) => byte === other[i]);
}
