// TIME: the node's clock.

import { NO_KEYS } from "../../../store/commands/command.ts";
import type { SessionCommand } from "../session-command.ts";

export const time: SessionCommand = {
  name: "time",
  arity: 1,
  flags: ["loading", "stale", "fast"],
  keys: NO_KEYS,
  group: "server",
  since: "2.6.0",
  complexity: "O(1)",
  summary:
    "Answers the node's time: seconds since 1970, and microseconds, which count in thousands.",
  run({ host, reply }) {
    const now = host.runtime.now();
    const seconds = Math.floor(now / 1000);
    reply.array(2);
    reply.bulk(String(seconds));
    reply.bulk(String(Math.floor((now - seconds * 1000) * 1000)));
  },
};
