// ROLE: a node on its own is a master without replicas.

import { NO_KEYS } from "../../../store/commands/command.ts";
import type { SessionCommand } from "../session-command.ts";

export const role: SessionCommand = {
  name: "role",
  arity: 1,
  flags: ["noscript", "loading", "stale", "fast"],
  keys: NO_KEYS,
  group: "server",
  since: "2.8.12",
  complexity: "O(1)",
  summary: "Answers the node's role in Redis's kind of replication: a master without replicas.",
  run({ reply }) {
    reply.array(3);
    reply.bulk("master");
    reply.integer(0);
    reply.array(0);
  },
};
