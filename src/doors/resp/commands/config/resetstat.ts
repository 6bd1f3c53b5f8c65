// CONFIG RESETSTAT: the counters that INFO shows begin at zero again.

import { type SessionCommand, subcommand } from "../../session-command.ts";
import { CONFIG } from "./family.ts";

export const resetstat: SessionCommand = subcommand(
  CONFIG,
  {
    name: "resetstat",
    arity: 2,
    since: "2.0.0",
    summary: "Sets the counters that INFO shows to zero; those of the metrics go on.",
  },
  ({ host, reply }) => {
    host.statistics.reset();
    for (const row of host.table.allRows()) row.counters.reset();
    reply.ok();
  },
);
