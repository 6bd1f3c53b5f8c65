// The metrics of the server behind a node: connections, requests, and what went wrong.

import type { MetricRegistry } from "../base/metrics.ts";
import type { RingServer } from "../ring/stamped/ring-server.ts";
import type { Backend } from "../store/backend/backend.ts";

/** What a member of a ring has seen of the server behind it. */
export function addRingServerMetrics(metrics: MetricRegistry, { store }: RingServer): void {
  metrics.add({
    name: "ringlet_backend_unstamped_values",
    type: "counter",
    help: "Values in the server that were not written through the ring, and got a stamp when they were found.",
    read: () => store.counters.foundUnstamped,
  });
  metrics.add({
    name: "ringlet_backend_replica_failures",
    type: "counter",
    help: "Reads and writes of replicas that the server behind this node has not done: none of them was acknowledged.",
    read: () => store.counters.failures,
  });
}

export function addBackendMetrics(metrics: MetricRegistry, backend: Backend): void {
  const { counters } = backend;
  metrics.add({
    name: "ringlet_backend_up",
    type: "gauge",
    help: "Whether the server that keeps the data answers.",
    read: () => (backend.isUp ? 1 : 0),
  });
  metrics.add({
    name: "ringlet_backend_connections",
    type: "gauge",
    help: "Open connections to the server: those that clients share, those of one client each, and of these the idle ones.",
    read: () => {
      const { shared, own, idle } = backend.connectionCount;
      return [
        { labels: { use: "shared" }, value: shared },
        { labels: { use: "own" }, value: own - idle },
        { labels: { use: "idle" }, value: idle },
      ];
    },
  });
  metrics.add({
    name: "ringlet_backend_connects",
    type: "counter",
    help: "Connections to the server that were made.",
    read: () => counters.connects,
  });
  metrics.add({
    name: "ringlet_backend_lost_connections",
    type: "counter",
    help: "Connections that ended or could not be made: eof (the server closed), err, timedout (a reply was too late).",
    read: () => [
      { labels: { reason: "eof" }, value: counters.eof },
      { labels: { reason: "err" }, value: counters.err },
      { labels: { reason: "timedout" }, value: counters.timedout },
    ],
  });
  metrics.add({
    name: "ringlet_backend_ejects",
    type: "counter",
    help: "Times the server began to count as down.",
    read: () => counters.ejects,
  });
  metrics.add({
    name: "ringlet_backend_requests",
    type: "counter",
    help: "Commands that were sent to the server.",
    read: () => counters.requests,
  });
  metrics.add({
    name: "ringlet_backend_replies",
    type: "counter",
    help: "Replies of the server.",
    read: () => counters.responses,
  });
  metrics.add({
    name: "ringlet_backend_bytes",
    type: "counter",
    unit: "bytes",
    help: "Bytes sent to the server and received from it.",
    read: () => [
      { labels: { direction: "sent" }, value: counters.requestBytes },
      { labels: { direction: "received" }, value: counters.responseBytes },
    ],
  });
  metrics.add({
    name: "ringlet_backend_failed_requests",
    type: "counter",
    help: "Commands that ended with an error of the node: not sent, connection lost, or too late.",
    read: () => counters.droppedRequests,
  });
  metrics.add({
    name: "ringlet_backend_outstanding_requests",
    type: "gauge",
    help: "Commands without their reply.",
    read: () => backend.queues.out,
  });
  metrics.add({
    name: "ringlet_backend_queued_bytes",
    type: "gauge",
    unit: "bytes",
    help: "Bytes of commands that the server has not taken.",
    read: () => backend.queues.inBytes,
  });
}
