// SLOWLOG: nothing is recorded, and slowlog-log-slower-than says so (-1).

import { CommandError } from "../../../store/commands/command.ts";
import { readInteger } from "../../../store/commands/parse.ts";
import { container, type SessionCommand, subcommand } from "../session-command.ts";

const FAMILY = { group: "server", flags: ["admin", "loading", "stale"] } as const;

export const slowlog: SessionCommand = container(
  {
    name: "slowlog",
    group: "server",
    since: "2.2.12",
    summary: "The log of slow commands, which this node does not keep.",
  },
  [
    subcommand(
      FAMILY,
      { name: "get", arity: -2, since: "2.2.12", summary: "Answers an empty list." },
      ({ args, reply }) => {
        if (args.length > 3) throw tooMany();
        if (args.length === 3 && readInteger(args, 2, badCount) < -1n) throw badCount();
        reply.array(0);
      },
    ),
    subcommand(
      FAMILY,
      { name: "len", arity: 2, since: "2.2.12", summary: "Answers 0." },
      ({ reply }) => {
        reply.integer(0);
      },
    ),
    subcommand(
      FAMILY,
      { name: "reset", arity: 2, since: "2.2.12", summary: "Leaves the log empty, as it is." },
      ({ reply }) => {
        reply.ok();
      },
    ),
  ],
);

const tooMany = () =>
  new CommandError(
    "ERR unknown subcommand or wrong number of arguments for 'get'. Try SLOWLOG HELP.",
  );
const badCount = () => new CommandError("ERR count should be greater than or equal to -1");
