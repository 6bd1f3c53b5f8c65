// What the page /info of the C engine tells, by its names, as far as this node counts it; what it does not count is left out.

import { LATENCY_BOUNDS_SECONDS } from "../../base/histogram.ts";
import type { RingView } from "../../ring/view.ts";
import type { Backend } from "../../store/backend/backend.ts";
import type { CatalogueRow } from "../resp/catalogue.ts";
import type { Commander } from "../resp/commander.ts";

export interface EngineInfoSource {
  readonly commander: Commander;
  readonly ring: RingView | undefined;
  readonly backend: Backend | undefined;
  /** Clients that are connected, at all doors. */
  readonly clientCount: number;
}

/** An object of numbers and texts, and of such objects. */
export interface EngineInfo {
  readonly [name: string]: string | number | EngineInfo;
}

/** What most configurations of the C engine call their pool, and its tools expect. */
const POOL = "dyn_o_mite";
const MICROSECONDS = 1e6;

/** Commands of a family by themselves; all others on keys are "other". */
const FAMILIES: Readonly<Record<string, readonly string[]>> = {
  get: ["get"],
  set: ["set"],
  del: ["del"],
  incr_decr: ["incr", "decr", "incrby", "decrby"],
  keys: ["keys"],
  mget: ["mget"],
  scan: ["scan"],
};

export function engineInfo(source: EngineInfoSource): EngineInfo {
  const { commander, ring, backend } = source;
  const { facts, runtime, startedAt } = commander;
  const self = ring?.placement.topology.self;
  const calls = countCalls(commander);
  return {
    service: "ringlet",
    source: facts.host ?? "",
    version: facts.version,
    uptime: Math.floor((runtime.monotonic() - startedAt) / 1000),
    timestamp: Math.floor(runtime.now() / 1000),
    rack: self?.rack ?? "localrack",
    dc: self?.datacenter ?? "localdc",
    ...(ring === undefined ? {} : latencies(ring)),
    dyn_memory: Math.floor(facts.residentBytes() / 1024),
    [POOL]: {
      client_connections: source.clientCount,
      client_read_requests: calls.reads,
      client_write_requests: calls.writes,
      ...(ring === undefined ? {} : peers(ring)),
      ...(backend === undefined
        ? { embedded: stored(calls) }
        : { [backend.options.name]: served(backend) }),
    },
  };
}

interface Calls {
  readonly reads: number;
  readonly writes: number;
  readonly byFamily: Readonly<Record<string, number>>;
}

function countCalls({ table, statistics }: Commander): Calls {
  let [reads, writes] = [0, 0];
  const byFamily: Record<string, number> = {};
  for (const name of [...Object.keys(FAMILIES), "hashes", "other"]) byFamily[name] = 0;
  for (const row of table.rows()) {
    if (row.keyspace === undefined) continue;
    const { kernelNumber, counters } = row;
    const calls = counters.calls.sinceReset + statistics.kernelCounts(kernelNumber).calls;
    if (row.write) writes += calls;
    else reads += calls;
    byFamily[familyOf(row)]! += calls;
  }
  return { reads, writes, byFamily };
}

function familyOf({ fullName, facts }: CatalogueRow): string {
  const named = Object.keys(FAMILIES).find((family) => FAMILIES[family]!.includes(fullName));
  return named ?? (facts.group === "hash" ? "hashes" : "other");
}

function stored({ reads, writes, byFamily }: Calls): EngineInfo {
  const families = Object.entries(byFamily).map(([name, calls]) => [`redis_req_${name}`, calls]);
  return { read_requests: reads, write_requests: writes, ...Object.fromEntries(families) };
}

function served({ counters, queues }: Backend): EngineInfo {
  return {
    server_eof: counters.eof,
    server_err: counters.err,
    server_timedout: counters.timedout,
    server_dropped_requests: counters.droppedRequests,
    server_timedout_requests: counters.timedoutRequests,
    in_queue_bytes: queues.inBytes,
    out_queue: queues.out,
  };
}

function peers(ring: RingView): EngineInfo {
  const { self } = ring.placement.topology;
  const sum = { near: 0, nearBytes: 0, far: 0, farBytes: 0, open: 0 };
  for (const { member, link } of ring.members()) {
    if (link === undefined) continue;
    sum.open++;
    if (member.datacenter === self.datacenter) {
      sum.near += link.pendingRequests;
      sum.nearBytes += link.queuedBytes;
    } else {
      sum.far += link.pendingRequests;
      sum.farBytes += link.queuedBytes;
    }
  }
  return {
    dnode_client_connections: ring.linkCounters.version1.open,
    peer_connections: sum.open,
    peer_timedout_requests: ring.figure("slotsExpired"),
    peer_in_queue_bytes: sum.nearBytes,
    remote_peer_in_queue_bytes: sum.farBytes,
    peer_out_queue: sum.near,
    remote_peer_out_queue: sum.far,
  };
}

/** How long requests waited for other members, in µs: the bound that so many of them stayed below. */
function latencies(ring: RingView): EngineInfo {
  const cells: number[] = [];
  let sumSeconds = 0;
  for (const { counts } of ring.latencies()) {
    for (const [i, count] of counts.cells.entries()) cells[i] = (cells[i] ?? 0) + count;
    sumSeconds += counts.sumSeconds;
  }
  const total = cells.reduce((sum, count) => sum + count, 0);
  const below = (share: number) => {
    let seen = 0;
    const index = cells.findIndex((count) => {
      seen += count;
      return seen > 0 && seen >= total * share;
    });
    if (index < 0) return 0;
    // What took longer than all bounds is told as the last of them.
    const bound = LATENCY_BOUNDS_SECONDS[index] ?? LATENCY_BOUNDS_SECONDS.at(-1)!;
    return Math.round(bound * MICROSECONDS);
  };
  return {
    latency_max: below(1),
    latency_999th: below(0.999),
    latency_99th: below(0.99),
    latency_95th: below(0.95),
    latency_mean: total === 0 ? 0 : Math.round((sumSeconds * MICROSECONDS) / total),
  };
}
