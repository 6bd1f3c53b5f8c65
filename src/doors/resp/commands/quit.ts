// QUIT: closes the connection when everything before it is answered.

import { NO_KEYS } from "../../../store/commands/command.ts";
import type { SessionCommand } from "../session-command.ts";

export const quit: SessionCommand = {
  name: "quit",
  arity: -1,
  flags: ["noscript", "loading", "stale", "fast", "no_auth", "allow_busy"],
  keys: NO_KEYS,
  group: "connection",
  since: "1.0.0",
  complexity: "O(1)",
  summary: "Closes the connection.",
  run({ session, reply }) {
    session.closing = true;
    reply.ok();
  },
};
