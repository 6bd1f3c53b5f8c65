// CLIENT UNBLOCK: a client that waits in a command goes on.

import { CommandError } from "../../../../store/commands/command.ts";
import { readInteger } from "../../../../store/commands/parse.ts";
import { type SessionCommand, subcommand } from "../../session-command.ts";
import { CLIENT_ADMIN } from "./family.ts";

export const unblock: SessionCommand = subcommand(
  CLIENT_ADMIN,
  {
    name: "unblock",
    arity: -3,
    since: "5.0.0",
    summary: "Lets a client that waits in a command go on, as by TIMEOUT, or with an ERROR.",
  },
  ({ host, args, reply }) => {
    const reason = args.length > 3 ? args.word(3) : "timeout";
    if (args.length > 4 || (reason !== "timeout" && reason !== "error")) {
      throw new CommandError("ERR CLIENT UNBLOCK reason should be TIMEOUT or ERROR");
    }
    const id = Number(readInteger(args, 2));
    reply.integer(host.clients.release(id, reason) ? 1 : 0);
  },
);
