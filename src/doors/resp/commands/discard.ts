// DISCARD: ends a transaction without running it.

import { CommandError, NO_KEYS } from "../../../store/commands/command.ts";
import type { SessionCommand } from "../session-command.ts";

export const discard: SessionCommand = {
  name: "discard",
  arity: 1,
  flags: ["noscript", "loading", "stale", "fast", "allow_busy"],
  keys: NO_KEYS,
  group: "transactions",
  since: "2.0.0",
  complexity: "O(N) where N is the number of queued commands.",
  summary: "Ends the transaction without running it.",
  run({ session, reply }) {
    if (session.transaction === undefined) throw new CommandError("ERR DISCARD without MULTI");
    session.endTransaction();
    reply.ok();
  },
};
