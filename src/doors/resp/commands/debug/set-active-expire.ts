// DEBUG SET-ACTIVE-EXPIRE: whether keys that have expired go before somebody looks for them.

import { CommandError } from "../../../../store/commands/command.ts";
import { type SessionCommand, subcommand } from "../../session-command.ts";
import { DEBUG } from "./family.ts";

export const setActiveExpire: SessionCommand = subcommand(
  DEBUG,
  {
    name: "set-active-expire",
    arity: 3,
    since: "1.0.0",
    summary:
      "0: keys that have expired stay until a command looks for them. 1: they go by themselves.",
  },
  ({ host, args, reply }) => {
    const word = args.text(2);
    if (word !== "0" && word !== "1") throw new CommandError("ERR the argument must be 0 or 1");
    host.settings.set("activeExpiry", word === "1");
    reply.ok();
  },
);
