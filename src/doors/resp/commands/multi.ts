// MULTI: begins a transaction; the commands that follow are queued until EXEC.

import { CommandError, NO_KEYS } from "../../../store/commands/command.ts";
import type { SessionCommand } from "../session-command.ts";
import { Transaction } from "../transaction.ts";

export const multi: SessionCommand = {
  name: "multi",
  arity: 1,
  flags: ["noscript", "loading", "stale", "fast", "allow_busy"],
  keys: NO_KEYS,
  group: "transactions",
  since: "1.2.0",
  complexity: "O(1)",
  summary: "Begins a transaction.",
  run({ session, reply }) {
    if (session.transaction !== undefined) {
      throw new CommandError("ERR MULTI calls can not be nested");
    }
    session.transaction = new Transaction();
    session.setHostOnly("transaction", true);
    reply.ok();
  },
};
