// COMMAND COUNT: how many commands there are.

import { type SessionCommand, subcommand } from "../../session-command.ts";
import { COMMAND } from "./family.ts";

export const count: SessionCommand = subcommand(
  COMMAND,
  { name: "count", arity: 2, since: "2.8.13", summary: "Answers how many commands there are." },
  ({ host, reply }) => {
    reply.integer(host.table.size);
  },
);
