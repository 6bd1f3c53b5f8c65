// UNWATCH: forgets what WATCH was told.

import { NO_KEYS } from "../../../store/commands/command.ts";
import type { SessionCommand } from "../session-command.ts";

export const unwatch: SessionCommand = {
  name: "unwatch",
  arity: 1,
  flags: ["noscript", "loading", "stale", "fast", "allow_busy"],
  keys: NO_KEYS,
  group: "transactions",
  since: "2.2.0",
  complexity: "O(1)",
  summary: "Forgets all watched keys.",
  run({ session, reply }) {
    session.watched.clear();
    reply.ok();
  },
};
