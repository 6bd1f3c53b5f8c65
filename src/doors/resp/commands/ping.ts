// PING: is the node there? The kernel answers it wherever it may; this is the same for the host.

import { NO_KEYS, wrongArity } from "../../../store/commands/command.ts";
import type { SessionCommand } from "../session-command.ts";

export const ping: SessionCommand = {
  name: "ping",
  arity: -1,
  flags: ["fast"],
  keys: NO_KEYS,
  group: "connection",
  since: "1.0.0",
  complexity: "O(1)",
  summary: "Answers PONG, or the argument.",
  run({ args, reply }) {
    if (args.length > 2) throw wrongArity("ping");
    if (args.length === 2) reply.bulk(args.view(1));
    else reply.simple("PONG");
  },
};
