// SET and GET through redis-benchmark: Ringlet beside redis-server, in turns.

import { CommandTally, commandsOf } from "./command-counts.ts";
import { busyCell, type Comparison, compare, cpuCell, goalOf, ratioCells } from "./comparison.ts";
import { fill } from "./loader.ts";
import type { BenchOptions } from "./options.ts";
import type { Processes } from "./processes.ts";
import { KEYS } from "./redis-benchmark.ts";
import type { BenchSection, Goal } from "./section.ts";
import { SERVERS, withServers } from "./servers.ts";
import type { BenchTable } from "./table.ts";

/** Least ratio of Ringlet's throughput to redis-server's, by bytes of a value and pipeline. */
const GOALS: Readonly<Record<number, Readonly<Record<number, number>>>> = {
  3: { 1: 0.95, 16: 1.3, 128: 2 },
  1024: { 1: 0.9, 16: 1.1, 128: 1.2 },
};

const COLUMNS = [
  "",
  ...["redis k/s", "Ringlet k/s", "ratio", "goal", "range of ratios"],
  ...["redis p50 / p99 ms", "Ringlet p50 / p99 ms"],
  ...["redis CPU µs", "Ringlet CPU µs", "redis busy", "Ringlet busy"],
];

export async function throughputBench(
  processes: Processes,
  options: BenchOptions,
  say: (line: string) => void,
): Promise<BenchSection> {
  const tables: BenchTable[] = [];
  const goals: Goal[] = [];
  const commands = new CommandTally();
  for (const valueBytes of options.valueBytes) {
    const rows = await withServers(processes, async (servers) => {
      for (const name of SERVERS) await fill(servers[name], { keys: KEYS, valueBytes });
      const sides = {
        redis: { server: servers["redis-server"], others: [] },
        ringlet: { server: servers.Ringlet, others: [] },
      };
      const before = await commandsOf(servers.Ringlet);
      const rows: string[][] = [];
      for (const pipeline of options.pipelines) {
        for (const command of ["SET", "GET"] as const) {
          const load = { command, valueBytes, pipeline };
          say(`throughput: ${command} of ${valueBytes} B, pipeline ${pipeline}`);
          const comparison = await compare(processes, sides, load, options);
          const what = `${command} of ${valueBytes} B, pipeline ${pipeline}: throughput over redis-server`;
          const goal = goalOf(what, GOALS[valueBytes]?.[pipeline], comparison);
          if (goal !== undefined) goals.push(goal);
          rows.push(row(`${command}, P ${pipeline}`, comparison, goal));
        }
      }
      commands.add(before, await commandsOf(servers.Ringlet));
      return rows;
    });
    tables.push({ title: `Values of ${valueBytes} B`, columns: COLUMNS, rows });
  }
  goals.push(commands.goal("the commands"));
  return {
    tables,
    goals,
    notes: [
      `redis-benchmark with 50 clients and ${KEYS} random keys of 16 B, all of which exist. Both servers run at the same time, and one is measured while the other is idle: ${options.repetitions} repetitions in turns, each of about ${options.runMs / 1000} s for either server, after one that is not counted. Every figure is the median of its repetitions; the ratio is that of the medians, and its range that of the ratios within each repetition.`,
      "CPU is the server's user and system time per command, and busy the share of one core that this is. redis-benchmark takes one core for itself: where a server is busy much less than 100 %, the client is what limits it.",
      `Of the ${commands.total} commands that Ringlet answered here, the host handled ${commands.host} (${commands.percent}): those with which redis-benchmark and this benchmark ask about the server.`,
    ],
  };
}

function row(label: string, comparison: Comparison, goal: Goal | undefined): string[] {
  const { redis, ringlet } = comparison;
  return [
    label,
    ...ratioCells(comparison, goal),
    ...[redis, ringlet].map((runs) => cpuCell(runs)),
    ...[redis, ringlet].map((runs) => busyCell(runs)),
  ];
}
