// DEBUG ERROR: an error of the client's own wording.

import { CommandError } from "../../../../store/commands/command.ts";
import { type SessionCommand, subcommand } from "../../session-command.ts";
import { DEBUG } from "./family.ts";

export const error: SessionCommand = subcommand(
  DEBUG,
  { name: "error", arity: 3, since: "1.0.0", summary: "Answers the argument as an error." },
  ({ args }) => {
    throw new CommandError(args.text(2));
  },
);
