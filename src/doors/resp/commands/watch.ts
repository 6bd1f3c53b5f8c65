// WATCH: EXEC runs nothing when one of these keys is written or removed in between.

import { ALL_KEYS, CommandError } from "../../../store/commands/command.ts";
import type { SessionCommand } from "../session-command.ts";

export const watch: SessionCommand = {
  name: "watch",
  arity: -2,
  flags: ["noscript", "loading", "stale", "fast", "allow_busy"],
  keys: ALL_KEYS,
  group: "transactions",
  since: "2.2.0",
  complexity: "O(1) for every key.",
  summary: "Has EXEC run nothing when one of the keys changes before it.",
  run({ host, session, args, reply }) {
    if (session.transaction !== undefined) {
      throw new CommandError("ERR WATCH inside MULTI is not allowed");
    }
    if (host.ring !== undefined) return host.ring.watch(session, args);
    for (let i = 1; i < args.length; i++) {
      session.watched.add(host.store, session.database, args, i);
    }
    reply.ok();
  },
};
