// SET and GET through redis-benchmark: a node before redis-server beside twemproxy before the same redis-server, in turns.

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { busyCell, type Comparison, compare, cpuCell, goalOf, ratioCells } from "./comparison.ts";
import { fill } from "./loader.ts";
import type { BenchOptions } from "./options.ts";
import { isInstalled, type Processes } from "./processes.ts";
import { KEYS } from "./redis-benchmark.ts";
import type { BenchSection, Goal } from "./section.ts";
import { type Server, startBefore, startNutcracker, startRedis } from "./servers.ts";

/** Least ratio of the node's throughput to twemproxy's, by pipeline. */
const GOALS: Readonly<Record<number, number>> = { 1: 0.8, 16: 1.4, 128: 4 };
const VALUE_BYTES = 3;

const COLUMNS = [
  "",
  ...["twemproxy k/s", "Ringlet k/s", "ratio", "goal", "range of ratios"],
  ...["twemproxy p50 / p99 ms", "Ringlet p50 / p99 ms"],
  ...["twemproxy CPU µs", "Ringlet CPU µs", "twemproxy busy", "Ringlet busy"],
  ...["redis CPU µs behind twemproxy", "redis CPU µs behind Ringlet"],
];

export async function proxyBench(
  processes: Processes,
  options: BenchOptions,
  say: (line: string) => void,
): Promise<BenchSection> {
  if (!isInstalled("nutcracker")) {
    const note =
      "The node before redis-server was not measured: twemproxy is missing (Debian and Ubuntu: apt-get install nutcracker).";
    say(note);
    return { tables: [], goals: [], notes: [note] };
  }
  const folder = mkdtempSync(join(tmpdir(), "ringlet-bench-"));
  const servers: Server[] = [];
  const add = async (starting: Promise<Server>) => {
    const server = await starting;
    servers.push(server);
    return server;
  };
  try {
    const redis = await add(startRedis(processes));
    await fill(redis, { keys: KEYS, valueBytes: VALUE_BYTES });
    const twemproxy = await add(startNutcracker(processes, redis.port, folder));
    const node = await add(startBefore(processes, "redis", redis.port, folder));
    const sides = {
      redis: { server: twemproxy, others: [redis] },
      ringlet: { server: node, others: [redis] },
    };
    const rows: string[][] = [];
    const goals: Goal[] = [];
    for (const pipeline of options.pipelines) {
      for (const command of ["SET", "GET"] as const) {
        const load = { command, valueBytes: VALUE_BYTES, pipeline };
        say(`proxy: ${command} of ${VALUE_BYTES} B, pipeline ${pipeline}`);
        const comparison = await compare(processes, sides, load, options);
        const what = `${command} of ${VALUE_BYTES} B, pipeline ${pipeline}: a node before redis-server over twemproxy`;
        const goal = goalOf(what, GOALS[pipeline], comparison);
        if (goal !== undefined) goals.push(goal);
        rows.push(row(`${command}, P ${pipeline}`, comparison, goal));
      }
    }
    const title = `A node before redis-server, beside twemproxy; values of ${VALUE_BYTES} B`;
    return { tables: [{ title, columns: COLUMNS, rows }], goals, notes: [noteOf(options)] };
  } finally {
    for (const server of servers.toReversed()) await server.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}

function row(label: string, comparison: Comparison, goal: Goal | undefined): string[] {
  const { redis: twemproxy, ringlet } = comparison;
  return [
    label,
    ...ratioCells(comparison, goal),
    ...[twemproxy, ringlet].map((runs) => cpuCell(runs)),
    ...[twemproxy, ringlet].map((runs) => busyCell(runs)),
    ...[twemproxy, ringlet].map((runs) => cpuCell(runs, 1)),
  ];
}

function noteOf({ repetitions, runMs }: BenchOptions): string {
  return `One redis-server, and before it a node (one connection to it, as the default is) and twemproxy (nutcracker, one connection too), all running at the same time; redis-benchmark with 50 clients talks to one of the two while the other is idle. ${KEYS} random keys of 16 B, all of which exist; ${repetitions} repetitions in turns, each of about ${runMs / 1000} s for either side, after one that is not counted. Every figure is the median of its repetitions; the ratio is that of the medians, and its range that of the ratios within each repetition. CPU is user and system time per command of redis-benchmark.`;
}
