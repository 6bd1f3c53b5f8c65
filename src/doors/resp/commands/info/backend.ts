// INFO backend: the server that keeps the data, and what passes between it and the node; names as in the C engine where it has them.

import type { Section } from "./section.ts";

export const backend: Section = {
  title: "Backend",
  byDefault: true,
  lines({ backend }) {
    if (backend === undefined) return [["backend_enabled", 0]];
    const { counters, connectionCount, queues } = backend;
    return [
      ["backend_enabled", 1],
      ["server_name", backend.options.name],
      ["server_address", backend.address],
      ["server_state", backend.state],
      ["server_error", backend.isUp ? "" : backend.error.message],
      ["server_connections", connectionCount.shared],
      ["server_own_connections", connectionCount.own],
      ["server_idle_connections", connectionCount.idle],
      ["server_connects", counters.connects],
      ["server_eof", counters.eof],
      ["server_err", counters.err],
      ["server_timedout", counters.timedout],
      ["server_ejects", counters.ejects],
      ["server_dropped_requests", counters.droppedRequests],
      ["server_timedout_requests", counters.timedoutRequests],
      ["requests", counters.requests],
      ["request_bytes", counters.requestBytes],
      ["responses", counters.responses],
      ["response_bytes", counters.responseBytes],
      ["in_queue_bytes", queues.inBytes],
      ["out_queue", queues.out],
    ];
  },
};
