// MODULE: this node loads none.

import { container, type SessionCommand, subcommand } from "../session-command.ts";

const FAMILY = { group: "server", flags: ["admin", "noscript"] } as const;

export const module: SessionCommand = container(
  {
    name: "module",
    group: "server",
    since: "4.0.0",
    summary: "Modules of Redis, which this node does not load.",
  },
  [
    subcommand(
      FAMILY,
      { name: "list", arity: 2, since: "4.0.0", summary: "Answers an empty list." },
      ({ reply }) => {
        reply.array(0);
      },
    ),
  ],
);
