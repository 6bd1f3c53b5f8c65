// DEBUG POPULATE: many keys at once.

import { fromLatin1 } from "../../../../store/arguments.ts";
import { CommandError } from "../../../../store/commands/command.ts";
import { readInteger } from "../../../../store/commands/parse.ts";
import { type SessionCommand, subcommand } from "../../session-command.ts";
import { DEBUG } from "./family.ts";

/** Keys that one command may make: it holds up every client while it does. */
const MAX_KEYS = 10_000_000;

export const populate: SessionCommand = subcommand(
  DEBUG,
  {
    name: "populate",
    arity: -3,
    since: "1.0.0",
    complexity: "O(N) where N is the number of keys.",
    summary:
      "Makes so many strings, key:0 and on (or another prefix), that are not there; all of one size if one is given.",
  },
  ({ host, session, args, reply }) => {
    const count = readInteger(args, 2);
    const prefix = args.length > 3 ? args.text(3) : "key";
    const size = args.length > 4 ? readInteger(args, 4) : undefined;
    if (args.length > 5 || count < 0n || count > MAX_KEYS) throw outOfRange();
    if (size !== undefined && (size < 0n || size > host.store.maxBulkBytes)) throw outOfRange();
    const database = host.store.databases[session.database]!;
    for (let i = 0; i < count; i++) {
      const key = host.store.place(fromLatin1(`${prefix}:${i}`));
      if (database.peek(key) !== 0) continue;
      const value = fromLatin1(`value:${i}`);
      const length = size === undefined ? value.length : Number(size);
      if (!host.store.makeRoom(key.length + length)) throw host.store.outOfMemory();
      const written = database.write(key, length, 0);
      written.fill(0);
      written.set(value.subarray(0, length));
      host.store.afterCommand();
    }
    reply.ok();
  },
);

const outOfRange = () => new CommandError("ERR value is out of range");
