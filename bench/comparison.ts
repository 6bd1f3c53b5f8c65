// One load on two sides in turns: the servers of both run all the time, and one side is measured while the other is idle.

import { median } from "./interleave.ts";
import type { BenchOptions } from "./options.ts";
import { cpuMicroseconds } from "./process-figures.ts";
import type { Processes } from "./processes.ts";
import { KEYS, type Load, type Measured, redisBenchmark } from "./redis-benchmark.ts";
import { type Goal, goalCell } from "./section.ts";
import type { Server } from "./servers.ts";

/** Servers that answer together. */
export interface Side {
  /** The one that redis-benchmark talks to. */
  readonly server: Server;
  /** Those that work for it. */
  readonly others: readonly Server[];
}

export interface Run extends Measured {
  /** Processor time per command in µs: that of the server, then those of the others. */
  readonly cpuUs: readonly number[];
}

export type CellLoad = Omit<Load, "keys">;

/** The runs of redis-server, and of what is held against it. */
export interface Comparison {
  readonly redis: readonly Run[];
  readonly ringlet: readonly Run[];
}

/** Commands of the first, uncounted run: enough to be warm and to tell how many make a run of the wanted length. */
const WARM_UP_BYTES = 256 * 1024 * 1024;
const WARM_UP_COMMANDS: Readonly<Record<number, number>> = { 1: 30_000, 16: 300_000 };
const WARM_UP_COMMANDS_DEEP = 600_000;

/** Runs the load on both sides, `options.repetitions` times each, after one run that is not counted. */
export async function compare(
  processes: Processes,
  sides: { readonly redis: Side; readonly ringlet: Side },
  load: CellLoad,
  options: Pick<BenchOptions, "repetitions" | "runMs">,
): Promise<Comparison> {
  const run = async ({ server, others }: Side, count: number): Promise<Run> => {
    const cpu = () => [server, ...others].map(({ pid }) => cpuMicroseconds(pid));
    const before = cpu();
    const measured = await redisBenchmark(processes, server.port, { ...load, keys: KEYS }, count);
    const cpuUs = cpu().map((after, i) => (after - before[i]!) / count);
    return { ...measured, cpuUs };
  };
  const countFor = async (side: Side) => {
    const { perSecond } = await run(side, warmUpCommands(load));
    return Math.ceil((perSecond * options.runMs) / 1000);
  };
  const contenders = [
    { side: sides.redis, count: await countFor(sides.redis), runs: [] as Run[] },
    { side: sides.ringlet, count: await countFor(sides.ringlet), runs: [] as Run[] },
  ] as const;
  for (let repetition = 0; repetition < options.repetitions; repetition++) {
    const order = repetition % 2 === 0 ? contenders : contenders.toReversed();
    for (const { side, count, runs } of order) runs.push(await run(side, count));
  }
  return { redis: contenders[0].runs, ringlet: contenders[1].runs };
}

function warmUpCommands({ pipeline, valueBytes }: CellLoad): number {
  const wanted = WARM_UP_COMMANDS[pipeline] ?? WARM_UP_COMMANDS_DEEP;
  return Math.min(wanted, Math.ceil(WARM_UP_BYTES / (valueBytes + 64)));
}

/** Ringlet's throughput over redis-server's: that of the medians. */
function ratioOf({ redis, ringlet }: Comparison): number {
  return middle(ringlet, rate) / middle(redis, rate);
}

/** The least and the greatest ratio of one repetition. */
function rangeCell({ redis, ringlet }: Comparison): string {
  const ratios = ringlet.map((run, i) => rate(run) / rate(redis[i]!));
  return `${Math.min(...ratios).toFixed(2)} – ${Math.max(...ratios).toFixed(2)}`;
}

/** The goal that a comparison has: a least ratio; none where there is no limit. `comparison` undefined: `none` says why it has no number. */
export function goalOf(
  what: string,
  limit: number | undefined,
  comparison: Comparison | undefined,
  none = "-",
): Goal | undefined {
  if (limit === undefined) return undefined;
  const ratio = comparison === undefined ? Number.NaN : ratioOf(comparison);
  return {
    what,
    value: comparison === undefined ? none : ratio.toFixed(2),
    limit: `≥ ${limit}`,
    met: ratio >= limit,
  };
}

/** What every table shows of a comparison: throughput of both sides, ratio, goal, range of ratios, latencies of both. */
export function ratioCells(comparison: Comparison, goal: Goal | undefined): string[] {
  const { redis, ringlet } = comparison;
  return [
    rateCell(redis),
    rateCell(ringlet),
    ratioOf(comparison).toFixed(2),
    goalCell(goal),
    rangeCell(comparison),
    ...[redis, ringlet].map(latencyCell),
  ];
}

/** Thousands of commands a second. */
function rateCell(runs: readonly Run[]): string {
  const perSecond = middle(runs, rate);
  return (perSecond / 1000).toFixed(perSecond < 1e6 ? 1 : 0);
}

/** p50 and p99 in ms. */
function latencyCell(runs: readonly Run[]): string {
  return `${middle(runs, ({ p50Ms }) => p50Ms).toFixed(2)} / ${middle(runs, ({ p99Ms }) => p99Ms).toFixed(2)}`;
}

/** µs of processor time per command, of one process of the side. */
export function cpuCell(runs: readonly Run[], process = 0): string {
  return orDash(
    middle(runs, ({ cpuUs }) => cpuUs[process]!),
    (us) => us.toFixed(2),
  );
}

/** The share of one core that a process of the side had. */
export function busyCell(runs: readonly Run[], process = 0): string {
  return orDash(
    middle(runs, ({ cpuUs, perSecond }) => (cpuUs[process]! * perSecond) / 1e6),
    (share) => `${(share * 100).toFixed(0)} %`,
  );
}

function rate({ perSecond }: Run): number {
  return perSecond;
}

function middle(runs: readonly Run[], figure: (run: Run) => number): number {
  return median(runs.map(figure));
}

function orDash(value: number, format: (value: number) => string): string {
  return Number.isNaN(value) ? "-" : format(value);
}
