// CLIENT ID: the number of the connection, which no later one gets.

import { type SessionCommand, subcommand } from "../../session-command.ts";
import { CLIENT } from "./family.ts";

export const clientId: SessionCommand = subcommand(
  CLIENT,
  { name: "id", arity: 2, since: "5.0.0", summary: "Answers the number of this connection." },
  ({ session, reply }) => {
    reply.integer(session.facts.id);
  },
);
