// SET and GET through redis-benchmark: Ringlet beside redis-server, in turns.

import { median } from "./interleave.ts";
import { fill } from "./loader.ts";
import type { BenchOptions } from "./options.ts";
import { cpuMicroseconds } from "./process-figures.ts";
import type { Processes } from "./processes.ts";
import { KEYS, type Load, type Measured, redisBenchmark } from "./redis-benchmark.ts";
import { type BenchSection, type Goal, goalCell } from "./section.ts";
import { SERVERS, type Server, type ServerName, type ServerPair, withServers } from "./servers.ts";
import type { BenchTable } from "./table.ts";

/** Least ratio of Ringlet's throughput to redis-server's, by bytes of a value and pipeline. */
const GOALS: Readonly<Record<number, Readonly<Record<number, number>>>> = {
  3: { 1: 0.95, 16: 1.3, 128: 2 },
  1024: { 1: 0.9, 16: 1.1, 128: 1.2 },
};
/** Share of the benchmark's commands that the host may handle. */
const HOST_SHARE_LIMIT = 0.01;

/** Commands of the first, uncounted run: enough to be warm and to tell how many make a run of the wanted length. */
const WARM_UP_BYTES = 256 * 1024 * 1024;
const WARM_UP_COMMANDS: Readonly<Record<number, number>> = { 1: 30_000, 16: 300_000 };
const WARM_UP_COMMANDS_DEEP = 600_000;

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
  const commands = { kernel: 0, host: 0 };
  for (const valueBytes of options.valueBytes) {
    const rows = await withServers(processes, async (servers) => {
      for (const name of SERVERS) await fill(servers[name], { keys: KEYS, valueBytes });
      const before = await commandsOf(servers.Ringlet);
      const rows: string[][] = [];
      for (const pipeline of options.pipelines) {
        for (const command of ["SET", "GET"] as const) {
          const load = { command, valueBytes, pipeline };
          say(`throughput: ${command} of ${valueBytes} B, pipeline ${pipeline}`);
          const runs = await compare(processes, servers, load, options);
          const goal = goalOf(load, runs);
          if (goal !== undefined) goals.push(goal);
          rows.push(row(`${command}, P ${pipeline}`, runs, goal));
        }
      }
      const after = await commandsOf(servers.Ringlet);
      commands.kernel += after.kernel - before.kernel;
      commands.host += after.host - before.host;
      return rows;
    });
    tables.push({ title: `Values of ${valueBytes} B`, columns: COLUMNS, rows });
  }
  const share = commands.host / (commands.host + commands.kernel);
  goals.push({
    what: "share of the commands that the host handled",
    value: `${(share * 100).toFixed(4)} %`,
    limit: `< ${HOST_SHARE_LIMIT * 100} %`,
    met: share < HOST_SHARE_LIMIT,
  });
  return {
    tables,
    goals,
    notes: [
      `redis-benchmark with 50 clients and ${KEYS} random keys of 16 B, all of which exist. Both servers run at the same time, and one is measured while the other is idle: ${options.repetitions} repetitions in turns, each of about ${options.runMs / 1000} s for either server, after one that is not counted. Every figure is the median of its repetitions; the ratio is that of the medians, and its range that of the ratios within each repetition.`,
      "CPU is the server's user and system time per command, and busy the share of one core that this is. redis-benchmark takes one core for itself: where a server is busy much less than 100 %, the client is what limits it.",
      `Of the ${commands.kernel + commands.host} commands that Ringlet answered here, the host handled ${commands.host} (${(share * 100).toFixed(4)} %): those with which redis-benchmark and this benchmark ask about the server.`,
    ],
  };
}

interface Run extends Measured {
  readonly cpuUs: number;
  readonly busy: number;
}

type Runs = Readonly<Record<ServerName, Run[]>>;
type CellLoad = Omit<Load, "keys">;

async function compare(
  processes: Processes,
  servers: ServerPair,
  load: CellLoad,
  options: BenchOptions,
): Promise<Runs> {
  const run = async (server: Server, count: number): Promise<Run> => {
    const cpu = cpuMicroseconds(server.pid);
    const measured = await redisBenchmark(processes, server.port, { ...load, keys: KEYS }, count);
    const cpuUs = (cpuMicroseconds(server.pid) - cpu) / count;
    return { ...measured, cpuUs, busy: (cpuUs * measured.perSecond) / 1e6 };
  };
  const counts: Record<string, number> = {};
  for (const name of SERVERS) {
    const { perSecond } = await run(servers[name], warmUpCommands(load));
    counts[name] = Math.ceil((perSecond * options.runMs) / 1000);
  }
  const runs: Runs = { "redis-server": [], Ringlet: [] };
  for (let repetition = 0; repetition < options.repetitions; repetition++) {
    const order = repetition % 2 === 0 ? SERVERS : SERVERS.toReversed();
    for (const name of order) runs[name].push(await run(servers[name], counts[name]!));
  }
  return runs;
}

function warmUpCommands({ pipeline, valueBytes }: CellLoad): number {
  const wanted = WARM_UP_COMMANDS[pipeline] ?? WARM_UP_COMMANDS_DEEP;
  return Math.min(wanted, Math.ceil(WARM_UP_BYTES / (valueBytes + 64)));
}

function goalOf({ command, valueBytes, pipeline }: CellLoad, runs: Runs): Goal | undefined {
  const limit = GOALS[valueBytes]?.[pipeline];
  if (limit === undefined) return undefined;
  const ratio = ratioOf(runs);
  return {
    what: `${command} of ${valueBytes} B, pipeline ${pipeline}: throughput over redis-server`,
    value: ratio.toFixed(2),
    limit: `≥ ${limit}`,
    met: ratio >= limit,
  };
}

function ratioOf(runs: Runs): number {
  return middle(runs.Ringlet, "perSecond") / middle(runs["redis-server"], "perSecond");
}

function row(label: string, runs: Runs, goal: Goal | undefined): string[] {
  const redis = runs["redis-server"];
  const ringlet = runs.Ringlet;
  const ratios = ringlet.map(({ perSecond }, i) => perSecond / redis[i]!.perSecond);
  return [
    label,
    thousands(middle(redis, "perSecond")),
    thousands(middle(ringlet, "perSecond")),
    ratioOf(runs).toFixed(2),
    goalCell(goal),
    `${Math.min(...ratios).toFixed(2)} – ${Math.max(...ratios).toFixed(2)}`,
    ...[redis, ringlet].map(
      (all) => `${middle(all, "p50Ms").toFixed(2)} / ${middle(all, "p99Ms").toFixed(2)}`,
    ),
    ...[redis, ringlet].map((all) => orDash(middle(all, "cpuUs"), (us) => us.toFixed(2))),
    ...[redis, ringlet].map((all) =>
      orDash(middle(all, "busy"), (share) => `${(share * 100).toFixed(0)} %`),
    ),
  ];
}

function middle(runs: readonly Run[], figure: keyof Run): number {
  return median(runs.map((run) => run[figure]));
}

function orDash(value: number, format: (value: number) => string): string {
  return Number.isNaN(value) ? "-" : format(value);
}

function thousands(perSecond: number): string {
  return (perSecond / 1000).toFixed(perSecond < 1e6 ? 1 : 0);
}

/** Commands that Ringlet has run so far, by who ran them. */
async function commandsOf({ statsPort }: Server): Promise<{ kernel: number; host: number }> {
  const response = await fetch(`http://127.0.0.1:${statsPort}/metrics`);
  const metrics = await response.text();
  const count = (by: string) => {
    const found = new RegExp(`^ringlet_commands_total\\{by="${by}"\\} (\\d+)`, "m").exec(metrics);
    if (found === null) throw new Error(`/metrics has no ringlet_commands_total{by="${by}"}`);
    return Number(found[1]);
  };
  return { kernel: count("kernel"), host: count("host") };
}
