// SET and GET through redis-benchmark: one node of three replicas beside an unreplicated redis-server, in turns.

import { CommandTally, commandsOf } from "./command-counts.ts";
import {
  busyCell,
  type CellLoad,
  type Comparison,
  compare,
  cpuCell,
  goalOf,
  ratioCells,
} from "./comparison.ts";
import { fill } from "./loader.ts";
import type { BenchOptions } from "./options.ts";
import type { Processes } from "./processes.ts";
import { type Command, KEYS } from "./redis-benchmark.ts";
import { areEqual, withRing } from "./ring-servers.ts";
import type { BenchSection, Goal } from "./section.ts";
import { type Server, startRedis } from "./servers.ts";
import type { BenchTable } from "./table.ts";

/** Three racks of one node each: every node holds every key. */
const RACKS = [["0"], ["0"], ["0"]];

type Limits = Readonly<Record<Command, Readonly<Record<number, number>>>>;

/** Levels and value sizes that are measured, with the least ratio of throughput to redis-server's by pipeline. */
const TABLES: readonly {
  readonly level: string;
  readonly valueBytes: number;
  readonly limits: Limits;
}[] = [
  {
    level: "DC_QUORUM",
    valueBytes: 3,
    limits: { SET: { 1: 0.6, 16: 0.7, 128: 1 }, GET: { 1: 0.6, 16: 0.7, 128: 1 } },
  },
  {
    level: "DC_QUORUM",
    valueBytes: 1024,
    limits: { SET: { 1: 0.6, 16: 0.5, 128: 0.65 }, GET: { 1: 0.7, 16: 0.9, 128: 1.1 } },
  },
  {
    level: "DC_ONE",
    valueBytes: 3,
    limits: { SET: { 1: 0.65, 16: 0.75, 128: 1.2 }, GET: { 1: 0.85, 16: 1, 128: 2 } },
  },
  { level: "DC_ONE", valueBytes: 1024, limits: { SET: {}, GET: {} } },
];

const COLUMNS = [
  "",
  ...["redis k/s", "ring k/s", "ratio", "goal", "range of ratios"],
  ...["redis p50 / p99 ms", "ring p50 / p99 ms"],
  ...["redis CPU µs", "coordinator CPU µs", "replicas CPU µs"],
  ...["redis busy", "coordinator busy", "replicas busy"],
];
const NO_NUMBER = "replicas differ";

export async function ringBench(
  processes: Processes,
  options: BenchOptions,
  say: (line: string) => void,
): Promise<BenchSection> {
  const measured = options.quick ? TABLES.filter(({ valueBytes }) => valueBytes === 3) : TABLES;
  const repetitions = options.quick ? 1 : options.repetitions;
  const tables: BenchTable[] = [];
  const goals: Goal[] = [];
  const commands = new CommandTally();
  for (const { level, valueBytes, limits } of measured) {
    const redis = await startRedis(processes);
    try {
      await withRing(processes, { racks: RACKS, level: level.toLowerCase() }, async (nodes) => {
        const ring = new RingUnderTest(processes, redis, nodes, { ...options, repetitions });
        await ring.fill(valueBytes);
        const before = await commandsOf(nodes[0]!);
        const rows: string[][] = [];
        for (const pipeline of options.pipelines) {
          for (const command of ["SET", "GET"] as const) {
            const load = { command, valueBytes, pipeline };
            say(`ring: ${level}, ${command} of ${valueBytes} B, pipeline ${pipeline}`);
            const comparison = await ring.measure(load);
            const what = `${level}, ${command} of ${valueBytes} B, pipeline ${pipeline}: three replicas over one redis-server`;
            const goal = goalOf(what, limits[command][pipeline], comparison, NO_NUMBER);
            if (goal !== undefined) goals.push(goal);
            rows.push(row(`${command}, P ${pipeline}`, comparison, goal));
          }
        }
        commands.add(before, await commandsOf(nodes[0]!));
        tables.push({
          title: `Three replicas at ${level}, values of ${valueBytes} B`,
          columns: COLUMNS,
          rows,
        });
      });
    } finally {
      await redis.stop();
    }
  }
  goals.push(commands.goal("the coordinator's commands"));
  return { tables, goals, notes: notes(options, repetitions, commands) };
}

/** A ring and the redis-server that it is held against. */
class RingUnderTest {
  readonly #processes: Processes;
  readonly #redis: Server;
  readonly #nodes: readonly Server[];
  readonly #options: BenchOptions;

  constructor(
    processes: Processes,
    redis: Server,
    nodes: readonly Server[],
    options: BenchOptions,
  ) {
    this.#processes = processes;
    this.#redis = redis;
    this.#nodes = nodes;
    this.#options = options;
  }

  async fill(valueBytes: number): Promise<void> {
    for (const server of [this.#redis, this.#nodes[0]!]) {
      await fill(server, { keys: KEYS, valueBytes });
    }
    if (!(await areEqual(this.#nodes))) throw new Error("the replicas differ after the fill");
  }

  /** Undefined where the replicas were not equal afterwards: such a figure would be of something else. */
  async measure(load: CellLoad): Promise<Comparison | undefined> {
    const [coordinator, ...replicas] = this.#nodes;
    const comparison = await compare(
      this.#processes,
      {
        redis: { server: this.#redis, others: [] },
        ringlet: { server: coordinator!, others: replicas },
      },
      load,
      this.#options,
    );
    return (await areEqual(this.#nodes)) ? comparison : undefined;
  }
}

function row(label: string, comparison: Comparison | undefined, goal: Goal | undefined): string[] {
  if (comparison === undefined) {
    return [label, ...COLUMNS.slice(1).map((column) => (column === "ratio" ? NO_NUMBER : "-"))];
  }
  const { redis, ringlet } = comparison;
  return [
    label,
    ...ratioCells(comparison, goal),
    ...[cpuCell(redis), cpuCell(ringlet), `${cpuCell(ringlet, 1)}, ${cpuCell(ringlet, 2)}`],
    ...[busyCell(redis), busyCell(ringlet), `${busyCell(ringlet, 1)}, ${busyCell(ringlet, 2)}`],
  ];
}

function notes(options: BenchOptions, repetitions: number, commands: CommandTally): string[] {
  return [
    `Three nodes in three racks of one datacenter and one redis-server without replicas, all on this machine and all running; redis-benchmark with 50 clients talks to one of the nodes, or to redis-server while the nodes are idle. ${KEYS} random keys of 16 B, all of which exist; ${repetitions} repetitions in turns, each of about ${options.runMs / 1000} s for either side, after one that is not counted. Every figure is the median of its repetitions; the ratio is that of the medians, and its range that of the ratios within each repetition.`,
    `After each row the digests of all three replicas (RINGLET DIGEST: keys, values, expiries and stamps) are compared; where they are not equal in time, the row says "${NO_NUMBER}" and has no number.`,
    `CPU is user and system time per command of redis-benchmark, of each process. Of the ${commands.total} commands that the coordinator answered, the host handled ${commands.host} (${commands.percent}).`,
  ];
}
