// What the memcached door counts, and the answer to "stats".

import type { Settings } from "../../base/settings.ts";
import type { EmbeddedStore } from "../../store/embedded-store.ts";
import type { NodeFacts } from "../resp/session-command.ts";

/** The version of memcached whose commands the door speaks: what clients look at before they use a command. */
export const MEMCACHED_VERSION = "1.6.18";

/** What is counted, by the names that "stats" gives it. */
const COUNTERS = [
  ...["cmd_get", "cmd_set", "cmd_flush", "cmd_touch", "cmd_meta"],
  ...["get_hits", "get_misses", "delete_misses", "delete_hits"],
  ...["incr_misses", "incr_hits", "decr_misses", "decr_hits"],
  ...["cas_misses", "cas_hits", "cas_badval", "touch_hits", "touch_misses"],
  ...["total_connections", "rejected_connections", "total_items"],
] as const;

export type CounterName = (typeof COUNTERS)[number];

/** What the answer to "stats" tells of beside the counters. */
export interface Measured {
  readonly store: EmbeddedStore;
  readonly settings: Settings;
  readonly facts: NodeFacts;
  readonly connections: number;
  readonly items: number;
  readonly inputBytes: number;
  readonly outputBytes: number;
  readonly upSeconds: number;
}

export type Figure = readonly [name: string, value: string | number];

export class MemcachedStatistics {
  readonly #counts = new Map<CounterName, number>(COUNTERS.map((name) => [name, 0]));
  /** What the counters were at "stats reset". */
  readonly #before = new Map<CounterName, number>(COUNTERS.map((name) => [name, 0]));

  count(name: CounterName, by = 1): void {
    this.#counts.set(name, this.#counts.get(name)! + by);
  }

  /** Has "stats" count anew. */
  reset(): void {
    for (const name of COUNTERS) this.#before.set(name, this.#counts.get(name)!);
  }

  /** What was counted since the start. */
  total(name: CounterName): number {
    return this.#counts.get(name)!;
  }

  /** "stats" without a word behind it. */
  general(measured: Measured): Figure[] {
    const { store, settings, facts, upSeconds } = measured;
    const cpu = facts.cpuSeconds();
    const count = (name: CounterName): Figure => [
      name,
      this.#counts.get(name)! - this.#before.get(name)!,
    ];
    return [
      ["pid", facts.processId],
      ["uptime", Math.floor(upSeconds)],
      ["time", Math.floor(store.now / 1000)],
      ["version", MEMCACHED_VERSION],
      ["ringlet_version", facts.version],
      ["pointer_size", 32],
      ["rusage_user", cpu.user.toFixed(6)],
      ["rusage_system", cpu.system.toFixed(6)],
      ["max_connections", settings.get("maxClients")],
      ["curr_connections", measured.connections],
      count("total_connections"),
      count("rejected_connections"),
      ["connection_structures", measured.connections],
      ...COUNTERS.filter((name) => !LATER.has(name)).map(count),
      ["get_expired", 0],
      ["get_flushed", 0],
      ["auth_cmds", 0],
      ["auth_errors", 0],
      ["bytes_read", measured.inputBytes],
      ["bytes_written", measured.outputBytes],
      ["limit_maxbytes", settings.get("maxMemoryBytes") || settings.get("ceilingBytes")],
      ["accepting_conns", 1],
      ["listen_disabled_num", 0],
      ["threads", 1],
      ["bytes", store.figure("usedBytes")],
      ["curr_items", measured.items],
      count("total_items"),
      ["evictions", store.figure("evicted")],
      ["reclaimed", store.figure("expired")],
    ];
  }
}

/** Counters that stand elsewhere in the answer. */
const LATER: ReadonlySet<CounterName> = new Set([
  "total_connections",
  "rejected_connections",
  "total_items",
]);

/** "stats settings", by memcached's names. */
export function settingsFigures(settings: Settings, port: number): Figure[] {
  const policy = settings.get("maxMemoryPolicy");
  return [
    ["maxbytes", settings.get("maxMemoryBytes") || settings.get("ceilingBytes")],
    ["maxconns", settings.get("maxClients")],
    ["tcpport", port],
    ["udpport", 0],
    ["verbosity", 0],
    ["evictions", policy === "noeviction" ? "off" : "on"],
    ["num_threads", 1],
    ["cas_enabled", "yes"],
    ["auth_enabled_sasl", "no"],
    ["item_size_max", settings.get("maxBulkBytes")],
    ["flush_enabled", "yes"],
    ["idle_timeout", settings.get("idleTimeoutSeconds")],
  ];
}
