// CLIENT PAUSE and UNPAUSE: the commands of all clients wait.

import { CommandError } from "../../../../store/commands/command.ts";
import { readInteger } from "../../../../store/commands/parse.ts";
import type { PauseMode } from "../../pause.ts";
import { type SessionCall, type SessionCommand, subcommand } from "../../session-command.ts";
import { CLIENT_ADMIN } from "./family.ts";

export const pause: SessionCommand = subcommand(
  CLIENT_ADMIN,
  {
    name: "pause",
    arity: -3,
    since: "3.0.0",
    summary: "Has the commands of all clients wait so many milliseconds: ALL, or those that WRITE.",
  },
  (call) => {
    const { host, args, reply } = call;
    const mode = args.length > 3 ? readMode(call) : "all";
    const durationMs = readInteger(
      args,
      2,
      () => new CommandError("ERR timeout is not an integer or out of range"),
    );
    if (durationMs < 0n) throw new CommandError("ERR timeout is negative");
    host.pause.begin(Number(durationMs), mode);
    reply.ok();
  },
);

export const unpause: SessionCommand = subcommand(
  CLIENT_ADMIN,
  { name: "unpause", arity: 2, since: "6.2.0", summary: "Ends the pause." },
  ({ host, reply }) => {
    host.pause.end();
    reply.ok();
  },
);

function readMode({ args }: SessionCall): PauseMode {
  const word = args.word(3);
  if (args.length > 4 || (word !== "all" && word !== "write")) {
    throw new CommandError("ERR CLIENT PAUSE mode must be WRITE or ALL");
  }
  return word;
}
