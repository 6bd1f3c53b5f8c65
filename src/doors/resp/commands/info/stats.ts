// INFO stats: what has happened since the start or the last CONFIG RESETSTAT.

import type { Section } from "./section.ts";

export const stats: Section = {
  title: "Stats",
  byDefault: true,
  lines({ statistics }) {
    return [
      ["total_connections_received", statistics.acceptedClients],
      [
        "total_commands_processed",
        statistics.kernelCommandsSinceReset + statistics.hostCommands.sinceReset,
      ],
      ["instantaneous_ops_per_sec", Math.round(statistics.opsPerSecond)],
      ["total_net_input_bytes", statistics.inputBytes],
      ["total_net_output_bytes", statistics.outputBytes],
      ["total_net_repl_input_bytes", 0],
      ["total_net_repl_output_bytes", 0],
      ["instantaneous_input_kbps", (statistics.inputBytesPerSecond / 1024).toFixed(2)],
      ["instantaneous_output_kbps", (statistics.outputBytesPerSecond / 1024).toFixed(2)],
      ["rejected_connections", statistics.rejectedClients],
      ["sync_full", 0],
      ["sync_partial_ok", 0],
      ["sync_partial_err", 0],
      ["expired_keys", statistics.figureSinceReset("expired")],
      ["evicted_keys", statistics.figureSinceReset("evicted")],
      ["keyspace_hits", statistics.figureSinceReset("hits")],
      ["keyspace_misses", statistics.figureSinceReset("misses")],
      ["pubsub_channels", 0],
      ["pubsub_patterns", 0],
      ["latest_fork_usec", 0],
      ["total_forks", 0],
      ["tracking_total_keys", 0],
      ["total_error_replies", statistics.errorReplies],
    ];
  },
};
