// DEBUG SLEEP: this client waits; all others go on. (Redis stops the whole server. A node that stopped would also stop its
// timers and its links, which nobody wants to test by accident.)

import { CommandError } from "../../../../store/commands/command.ts";
import { type SessionCommand, subcommand } from "../../session-command.ts";
import { waitFor } from "../../waiting.ts";
import { DEBUG } from "./family.ts";

export const sleep: SessionCommand = subcommand(
  DEBUG,
  {
    name: "sleep",
    arity: 3,
    since: "1.0.0",
    summary: "Has this client wait so many seconds; the others do not. Decimals allowed.",
  },
  (call) => {
    const seconds = Number.parseFloat(call.args.text(2));
    if (!(seconds >= 0)) throw new CommandError("ERR value is not a valid float");
    if (call.inTransaction) {
      throw new CommandError("ERR DEBUG SLEEP is not possible in a transaction");
    }
    const milliseconds = Math.ceil(seconds * 1000);
    if (milliseconds > 0) return waitFor(call, milliseconds, (reply) => reply.ok());
    call.reply.ok();
  },
);
