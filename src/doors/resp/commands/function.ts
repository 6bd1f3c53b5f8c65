// FUNCTION: there are no functions here. LIST says so, and FLUSH leaves it so, which Redis's own tests ask for first.

import { CommandError, wrongArity } from "../../../store/commands/command.ts";
import { container, type SessionCommand, subcommand } from "../session-command.ts";

const FAMILY = { group: "server", flags: ["noscript"] } as const;

export const functionCommand: SessionCommand = container(
  {
    name: "function",
    group: "server",
    since: "7.0.0",
    summary: "Functions in Lua, which this node does not run.",
  },
  [
    subcommand(
      FAMILY,
      { name: "list", arity: -2, since: "7.0.0", summary: "Answers an empty list." },
      ({ reply }) => {
        reply.array(0);
      },
    ),
    subcommand(
      FAMILY,
      { name: "flush", arity: -2, since: "7.0.0", summary: "Leaves the node without functions." },
      ({ args, reply }) => {
        if (args.length > 3) throw wrongArity("function|flush");
        if (args.length === 3 && !["sync", "async"].includes(args.word(2))) {
          throw new CommandError("ERR FUNCTION FLUSH only supports SYNC|ASYNC option");
        }
        reply.ok();
      },
    ),
  ],
);
