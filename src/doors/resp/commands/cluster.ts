// CLUSTER: Redis Cluster is not spoken here, and clients that ask are told so as Redis tells them.

import { CommandError, NO_KEYS } from "../../../store/commands/command.ts";
import type { SessionCommand } from "../session-command.ts";

export const cluster: SessionCommand = {
  name: "cluster",
  arity: -2,
  flags: ["loading", "stale"],
  keys: NO_KEYS,
  group: "server",
  since: "3.0.0",
  complexity: "O(1)",
  summary: "Refused: this node does not speak the protocol of Redis Cluster.",
  run() {
    throw new CommandError("ERR This instance has cluster support disabled");
  },
};
