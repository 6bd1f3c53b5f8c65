// CONFIG REWRITE: there is no file to write to.

import { CommandError } from "../../../../store/commands/command.ts";
import { type SessionCommand, subcommand } from "../../session-command.ts";
import { CONFIG } from "./family.ts";

export const rewrite: SessionCommand = subcommand(
  CONFIG,
  { name: "rewrite", arity: 2, since: "2.8.0", summary: "Refused: there is no file of settings." },
  () => {
    throw new CommandError("ERR The server is running without a config file");
  },
);
