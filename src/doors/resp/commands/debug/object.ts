// DEBUG OBJECT: where the entry of a key lies, and how its value is represented.

import { CommandError } from "../../../../store/commands/command.ts";
import { encodingOf } from "../../../../store/commands/generic/object.ts";
import { type SessionCommand, subcommand } from "../../session-command.ts";
import { DEBUG } from "./family.ts";

export const object: SessionCommand = subcommand(
  DEBUG,
  {
    name: "object",
    arity: 3,
    since: "1.0.0",
    summary:
      "Answers the address of a key's record in linear memory, and how its value is represented.",
  },
  ({ host, session, args, reply }) => {
    const database = host.store.databases[session.database]!;
    const entry = database.peek({ pointer: args.pointer(2), length: args.size(2) });
    if (entry === 0) throw new CommandError("ERR no such key");
    const idle = database.idleSeconds(entry);
    reply.simple(
      `Value at:0x${entry.toString(16)} refcount:1 encoding:${encodingOf(database, entry)} recordbytes:${database.recordBytes(entry)} lru_seconds_idle:${idle}`,
    );
  },
);
