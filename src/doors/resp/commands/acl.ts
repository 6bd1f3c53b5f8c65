// ACL: there is one user, "default", who may run every command.

import { CommandError } from "../../../store/commands/command.ts";
import { CATEGORIES, categoriesOf } from "../categories.ts";
import { USER } from "../password.ts";
import { container, type SessionCommand, subcommand } from "../session-command.ts";

const FAMILY = { group: "server", flags: ["noscript", "loading", "stale"] } as const;

export const acl: SessionCommand = container(
  {
    name: "acl",
    group: "server",
    since: "6.0.0",
    summary: "Users and what they may run: here one user, who may run everything.",
  },
  [
    subcommand(
      FAMILY,
      { name: "whoami", arity: 2, since: "6.0.0", summary: "Answers the user: default." },
      ({ reply }) => {
        reply.bulk(USER);
      },
    ),
    subcommand(
      { ...FAMILY, flags: ["admin", ...FAMILY.flags] },
      { name: "users", arity: 2, since: "6.0.0", summary: "Answers all users: default." },
      ({ reply }) => {
        reply.array(1);
        reply.bulk(USER);
      },
    ),
    subcommand(
      FAMILY,
      {
        name: "cat",
        arity: -2,
        since: "6.0.0",
        summary: "Answers the categories of commands, or the commands of one.",
      },
      ({ host, args, reply }) => {
        const category = args.length > 2 ? args.word(2) : undefined;
        if (category !== undefined && !CATEGORIES.includes(category)) {
          throw new CommandError(`ERR Unknown category '${args.text(2)}'`);
        }
        const names =
          category === undefined
            ? CATEGORIES
            : [...host.table.allRows()]
                .filter((row) => categoriesOf(row).includes(category))
                .map((row) => row.fullName);
        reply.array(names.length);
        for (const name of names) reply.bulk(name);
      },
    ),
  ],
);
