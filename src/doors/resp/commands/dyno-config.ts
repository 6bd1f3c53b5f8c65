// DYNO_CONFIG:CONN_CONSISTENCY: the levels of this connection, under the name that clients of the C engine know.

import { NO_KEYS } from "../../../store/commands/command.ts";
import type { SessionCommand } from "../session-command.ts";
import { readLevel } from "./ringlet/consistency.ts";
import { ringOf } from "./ringlet/family.ts";

export const dynoConfig: SessionCommand = {
  name: "dyno_config:conn_consistency",
  arity: 2,
  flags: ["noscript", "loading", "stale", "fast"],
  keys: NO_KEYS,
  group: "connection",
  since: "1.0.0",
  complexity: "O(1)",
  summary: "Sets the consistency level of this connection's reads and writes.",
  run(call) {
    ringOf(call);
    const level = readLevel(call, 1);
    call.session.setLevels({ read: level, write: level });
    call.reply.ok();
  },
};
