// ECHO: says the argument again. The kernel answers it wherever it may; this is the same for the host.

import { NO_KEYS } from "../../../store/commands/command.ts";
import type { SessionCommand } from "../session-command.ts";

export const echo: SessionCommand = {
  name: "echo",
  arity: 2,
  flags: ["loading", "stale", "fast"],
  keys: NO_KEYS,
  group: "connection",
  since: "1.0.0",
  complexity: "O(1)",
  summary: "Answers the argument.",
  run({ args, reply }) {
    reply.bulk(args.view(1));
  },
};
