// What the way over another node costs: the same request sent straight to the owner of the key, and to a node that must ask it.

import { median } from "./interleave.ts";
import { fill } from "./loader.ts";
import type { BenchOptions } from "./options.ts";
import type { Processes } from "./processes.ts";
import { type Command, KEYS, type Measured, redisBenchmark } from "./redis-benchmark.ts";
import { withRing } from "./ring-servers.ts";
import { type BenchSection, type Goal, goalCell } from "./section.ts";
import type { Server } from "./servers.ts";

/** One rack of two nodes. The second owns the keys with the token 1 and none else, so practically all are the first one's. */
const RACKS = [["0", "1"]];
const VALUE_BYTES = 3;
/** Connections at which a way is taken for saturated, and most that a measurement has. */
const SATURATING_CLIENTS = 50;
const MOST_CLIENTS = 16;
/** Most that the way over the other node may take, over that of the straight one. */
const LIMITS = { p50Ms: 2.2, p99Ms: 3 } as const;
const PROBE_COMMANDS = 20_000;

const COLUMNS = [
  ...["", "straight clients", "k/s", "of its most", "hop clients", "k/s", "of its most"],
  ...["straight p50 ms", "hop p50 ms", "ratio", "goal"],
  ...["straight p99 ms", "hop p99 ms", "ratio", "goal"],
];

export async function hopBench(
  processes: Processes,
  options: BenchOptions,
  say: (line: string) => void,
): Promise<BenchSection> {
  const repetitions = options.quick ? 1 : options.repetitions;
  const goals: Goal[] = [];
  const rows = await withRing(processes, { racks: RACKS, level: "dc_one" }, async (nodes) => {
    const [owner, other] = nodes as readonly [Server, Server];
    await fill(owner, { keys: KEYS, valueBytes: VALUE_BYTES });
    const rows: string[][] = [];
    for (const command of ["SET", "GET"] as const) {
      say(`hop: ${command}`);
      const hop = new Hop(processes, { straight: owner, hop: other }, command);
      const found = await hop.measure(repetitions, options.runMs);
      const p50 = goalOf(command, "p50Ms", found);
      const p99 = goalOf(command, "p99Ms", found);
      goals.push(p50, p99);
      rows.push(row(command, found, p50, p99));
    }
    return rows;
  });
  return {
    tables: [{ title: "The hop over a node that does not own the key", columns: COLUMNS, rows }],
    goals,
    notes: [
      `Two nodes in one rack, of which one owns all the ${KEYS} keys. redis-benchmark, pipeline 1, closed loop: each client sends when it has its reply. Each way has as many clients as come nearest to half of the rate that it reaches with ${SATURATING_CLIENTS}; both are measured ${repetitions} times in turns, each for about ${options.runMs / 1000} s. Medians. redis-benchmark tells latencies in steps of 8 µs.`,
    ],
  };
}

type Way = "straight" | "hop";

/** Half load of a way: the most it reaches, and how many clients come nearest to half of it. */
interface HalfLoad {
  readonly mostPerSecond: number;
  readonly clients: number;
}

interface HopRuns {
  readonly loads: Readonly<Record<Way, HalfLoad>>;
  readonly runs: Readonly<Record<Way, readonly Measured[]>>;
}

class Hop {
  readonly #processes: Processes;
  readonly #servers: Readonly<Record<Way, Server>>;
  readonly #command: Command;

  constructor(processes: Processes, servers: Readonly<Record<Way, Server>>, command: Command) {
    this.#processes = processes;
    this.#servers = servers;
    this.#command = command;
  }

  async measure(repetitions: number, runMs: number): Promise<HopRuns> {
    const loads = { straight: await this.#halfLoad("straight"), hop: await this.#halfLoad("hop") };
    const runs: Record<Way, Measured[]> = { straight: [], hop: [] };
    for (let repetition = 0; repetition < repetitions; repetition++) {
      const order: Way[] = repetition % 2 === 0 ? ["straight", "hop"] : ["hop", "straight"];
      for (const way of order) {
        const { clients, mostPerSecond } = loads[way];
        const count = Math.ceil(((mostPerSecond / 2) * runMs) / 1000);
        runs[way].push(await this.#run(way, clients, count));
      }
    }
    return { loads, runs };
  }

  async #halfLoad(way: Way): Promise<HalfLoad> {
    const { perSecond: mostPerSecond } = await this.#run(
      way,
      SATURATING_CLIENTS,
      PROBE_COMMANDS * 3,
    );
    return { mostPerSecond, clients: await this.#clientsFor(way, mostPerSecond / 2) };
  }

  /** With how many clients the rate of a way is nearest to the wanted one. */
  async #clientsFor(way: Way, perSecond: number): Promise<number> {
    let best = { clients: 1, off: Number.POSITIVE_INFINITY };
    for (let clients = 1; clients <= MOST_CLIENTS; clients++) {
      const run = await this.#run(way, clients, PROBE_COMMANDS);
      const off = Math.abs(run.perSecond - perSecond);
      if (off < best.off) best = { clients, off };
      if (run.perSecond > perSecond) break;
    }
    return best.clients;
  }

  #run(way: Way, clients: number, count: number): Promise<Measured> {
    const load = { command: this.#command, valueBytes: VALUE_BYTES, pipeline: 1, keys: KEYS };
    return redisBenchmark(this.#processes, this.#servers[way].port, { ...load, clients }, count);
  }
}

type Latency = keyof typeof LIMITS;

function middle({ runs }: HopRuns, way: Way, figure: keyof Measured): number {
  return median(runs[way].map((run) => run[figure]));
}

function goalOf(command: Command, figure: Latency, found: HopRuns): Goal {
  const ratio = middle(found, "hop", figure) / middle(found, "straight", figure);
  return {
    what: `${command} over a node that does not own the key: ${figure.slice(0, 3)} over that of the straight way`,
    value: ratio.toFixed(2),
    limit: `≤ ${LIMITS[figure]}`,
    met: ratio <= LIMITS[figure],
  };
}

function row(command: Command, found: HopRuns, p50: Goal, p99: Goal): string[] {
  const load = (way: Way) => {
    const perSecond = middle(found, way, "perSecond");
    const { clients, mostPerSecond } = found.loads[way];
    const share = `${((perSecond / mostPerSecond) * 100).toFixed(0)} %`;
    return [String(clients), (perSecond / 1000).toFixed(1), share];
  };
  const latency = (way: Way, figure: Latency) => middle(found, way, figure).toFixed(3);
  return [
    command,
    ...load("straight"),
    ...load("hop"),
    ...[latency("straight", "p50Ms"), latency("hop", "p50Ms"), p50.value, goalCell(p50)],
    ...[latency("straight", "p99Ms"), latency("hop", "p99Ms"), p99.value, goalCell(p99)],
  ];
}
