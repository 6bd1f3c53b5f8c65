// The metrics of a node: what /metrics shows, read from the parts that count.

import type { MetricRegistry } from "../base/metrics.ts";
import { DATABASES, KERNEL_COMMANDS } from "../store/kernel.ts";
import type { Commander } from "./resp/commander.ts";
import type { RespDoor } from "./resp/door.ts";

const PAGE_BYTES = 65536;
const SEGMENT_BYTES = 1024 * 1024;

export function addNodeMetrics(
  metrics: MetricRegistry,
  commander: Commander,
  door: RespDoor,
): void {
  const { store, clients, statistics, facts, runtime } = commander;
  const startedAt = runtime.now();
  metrics.add({
    name: "ringlet_build",
    type: "info",
    help: "The version of this package.",
    read: () => [{ labels: { version: facts.version }, value: 1 }],
  });
  metrics.add({
    name: "ringlet_start_time_seconds",
    type: "gauge",
    unit: "seconds",
    help: "When the node started, in seconds since the Unix epoch.",
    read: () => startedAt / 1000,
  });

  metrics.add({
    name: "ringlet_clients",
    type: "gauge",
    help: "Clients that are connected.",
    read: () => clients.size,
  });
  metrics.add({
    name: "ringlet_clients_waiting",
    type: "gauge",
    help: "Clients that wait in a blocking command.",
    read: () => clients.blocked,
  });
  metrics.add({
    name: "ringlet_clients_accepted",
    type: "counter",
    help: "Clients that were taken in.",
    read: () => clients.accepted,
  });
  metrics.add({
    name: "ringlet_clients_rejected",
    type: "counter",
    help: "Connections that were refused: over maxclients, protected mode, shutting down.",
    read: () => clients.rejected,
  });
  metrics.add({
    name: "ringlet_client_input_bytes",
    type: "counter",
    unit: "bytes",
    help: "Bytes received from clients.",
    read: () => clients.inputBytes,
  });
  metrics.add({
    name: "ringlet_client_output_bytes",
    type: "counter",
    unit: "bytes",
    help: "Bytes sent to clients.",
    read: () => clients.outputBytes,
  });
  metrics.add({
    name: "ringlet_client_pending_bytes",
    type: "gauge",
    unit: "bytes",
    help: "Bytes that are held for clients: commands that came in part, and replies not taken.",
    read: () => {
      let input = 0;
      let output = 0;
      for (const connection of door.connections) {
        input += connection.pendingInputBytes;
        output += connection.pendingOutputBytes;
      }
      return [
        { labels: { direction: "input" }, value: input },
        { labels: { direction: "output" }, value: output },
      ];
    },
  });

  metrics.add({
    name: "ringlet_commands",
    type: "counter",
    help: "Commands that were run, by who ran them.",
    read: () => [
      { labels: { by: "kernel" }, value: statistics.kernelCommands },
      { labels: { by: "host" }, value: statistics.hostCommands.total },
    ],
  });
  metrics.add({
    name: "ringlet_kernel_commands",
    type: "counter",
    help: "Commands that the kernel ran, by name.",
    read: () =>
      KERNEL_COMMANDS.flatMap((command, number) =>
        number === 0 ? [] : [{ labels: { command }, value: store.kernel.callsOf(number) }],
      ),
  });
  metrics.add({
    name: "ringlet_error_replies",
    type: "counter",
    help: "Error replies, by the code word of the error.",
    read: () =>
      [...statistics.errors("ever")].map(([code, value]) => ({ labels: { code }, value })),
  });

  metrics.add({
    name: "ringlet_keys",
    type: "gauge",
    help: "Keys by database, those included that have expired and were not found yet.",
    read: () => perDatabase((database) => store.databases[database]!.size),
  });
  metrics.add({
    name: "ringlet_keys_with_expiry",
    type: "gauge",
    help: "Keys that expire, by database.",
    read: () => perDatabase((database) => store.databases[database]!.volatileSize),
  });
  for (const [name, figure, help] of [
    ["ringlet_keyspace_hits", "hits", "Look-ups of read commands that found a key."],
    ["ringlet_keyspace_misses", "misses", "Look-ups of read commands that found none."],
    ["ringlet_expired_keys", "expired", "Keys that were removed because their time had come."],
    ["ringlet_evicted_keys", "evicted", "Keys that were removed at the memory limit."],
    ["ringlet_moved_records", "moved", "Records that compaction has moved."],
  ] as const) {
    metrics.add({ name, type: "counter", help, read: () => store.figure(figure) });
  }

  metrics.add({
    name: "ringlet_memory_used_bytes",
    type: "gauge",
    unit: "bytes",
    help: "What counts against maxmemory: live records, index, and values on the host.",
    read: () => store.figure("usedBytes"),
  });
  metrics.add({
    name: "ringlet_memory_limit_bytes",
    type: "gauge",
    unit: "bytes",
    help: "maxmemory; 0 for none.",
    read: () => store.maxMemoryBytes,
  });
  metrics.add({
    name: "ringlet_memory_arena_bytes",
    type: "gauge",
    unit: "bytes",
    help: "Segments of the arena, dead records and free tails included.",
    read: () => store.figure("segments") * SEGMENT_BYTES,
  });
  metrics.add({
    name: "ringlet_memory_index_bytes",
    type: "gauge",
    unit: "bytes",
    help: "Pages of the index.",
    read: () => store.figure("tablePages") * PAGE_BYTES,
  });
  metrics.add({
    name: "ringlet_process_resident_memory_bytes",
    type: "gauge",
    unit: "bytes",
    help: "Resident memory of the process.",
    read: () => facts.residentBytes(),
  });
  metrics.add({
    name: "ringlet_process_cpu_seconds",
    type: "counter",
    unit: "seconds",
    help: "Processor time of the process, by mode.",
    read: () => {
      const { user, system } = facts.cpuSeconds();
      return [
        { labels: { mode: "user" }, value: user },
        { labels: { mode: "system" }, value: system },
      ];
    },
  });
}

function perDatabase(read: (database: number) => number) {
  return Array.from({ length: DATABASES }, (_, database) => ({
    labels: { database: String(database) },
    value: read(database),
  })).filter(({ value }) => value !== 0);
}
