// The metrics of the memcached door.

import type { MetricRegistry } from "../../base/metrics.ts";
import type { MemcachedDoor } from "./door.ts";

const COMMANDS = ["get", "set", "touch", "flush", "meta"] as const;

/** `isRelayed`: a server behind the node answers, and counts what it does. */
export function addMemcachedMetrics(
  metrics: MetricRegistry,
  door: MemcachedDoor,
  isRelayed: boolean,
): void {
  const { statistics } = door;
  metrics.add({
    name: "ringlet_memcached_clients",
    type: "gauge",
    help: "Memcached clients that are connected.",
    read: () => door.connections.size,
  });
  metrics.add({
    name: "ringlet_memcached_clients_accepted",
    type: "counter",
    help: "Memcached clients that were taken in.",
    read: () => statistics.total("total_connections"),
  });
  metrics.add({
    name: "ringlet_memcached_clients_rejected",
    type: "counter",
    help: "Connections of memcached clients that were refused: over maxclients, protected mode, shutting down.",
    read: () => statistics.total("rejected_connections"),
  });
  if (isRelayed) return;
  metrics.add({
    name: "ringlet_memcached_commands",
    type: "counter",
    help: "Commands of memcached clients: keys asked for, items stored, items touched, flush_all, meta commands.",
    read: () =>
      COMMANDS.map((command) => ({
        labels: { command },
        value: statistics.total(`cmd_${command}`),
      })),
  });
  metrics.add({
    name: "ringlet_memcached_gets",
    type: "counter",
    help: "Keys that memcached clients asked for, by what was found.",
    read: () => [
      { labels: { found: "yes" }, value: statistics.total("get_hits") },
      { labels: { found: "no" }, value: statistics.total("get_misses") },
    ],
  });
}
