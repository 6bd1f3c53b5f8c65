// INFO clients: who is connected.

import type { Section } from "./section.ts";

export const clients: Section = {
  title: "Clients",
  byDefault: true,
  lines({ clients: registry, settings }) {
    let longestInput = 0;
    let longestOutput = 0;
    for (const handle of registry) {
      longestInput = Math.max(longestInput, handle.pendingInputBytes);
      longestOutput = Math.max(longestOutput, handle.pendingOutputBytes);
    }
    return [
      ["connected_clients", registry.size],
      ["cluster_connections", 0],
      ["maxclients", settings.get("maxClients")],
      ["client_recent_max_input_buffer", longestInput],
      ["client_recent_max_output_buffer", longestOutput],
      ["blocked_clients", registry.blocked],
      ["tracking_clients", 0],
      ["clients_in_timeout_table", 0],
    ];
  },
};
