// RESET: the session as it was when the client connected, but for the library that CLIENT SETINFO told.

import { NO_KEYS } from "../../../store/commands/command.ts";
import type { SessionCommand } from "../session-command.ts";
import { setReplies } from "./client/reply.ts";

export const reset: SessionCommand = {
  name: "reset",
  arity: 1,
  flags: ["noscript", "loading", "stale", "fast", "no_auth", "allow_busy"],
  keys: NO_KEYS,
  group: "connection",
  since: "6.2.0",
  complexity: "O(1)",
  summary: "Sets the connection back to what it was when it was opened.",
  run({ host, session, reply }) {
    session.endTransaction();
    session.database = 0;
    session.protocol = 2;
    session.name = "";
    session.noEvict = false;
    session.noTouch = false;
    setReplies(session, "on");
    session.authenticated = host.settings.get("password") === "";
    reply.simple("RESET");
  },
};
