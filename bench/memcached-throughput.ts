// Gets over the memcached text protocol: the memcached door of a node, and a node before memcached, beside memcached itself; the same
// load in turns.

import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { median } from "./interleave.ts";
import type { MemcachedLoadReport } from "./memcached-load.ts";
import type { BenchOptions } from "./options.ts";
import { cpuMicroseconds } from "./process-figures.ts";
import type { Processes } from "./processes.ts";
import { type BenchSection, type Goal, goalCell } from "./section.ts";
import { freePort, open, type Server, startBefore, startRinglet, untilOpen } from "./servers.ts";
import type { BenchTable } from "./table.ts";

const LOAD = fileURLToPath(new URL("memcached-load.js", import.meta.url));
const VALUE_BYTES = 100;
const KEYS = 10_000;
const CONNECTIONS = 16;
/** Connections of clients to the node before memcached. */
const CONNECTIONS_BEFORE = [1, CONNECTIONS, 64];
/** What pipelined gets must reach of memcached. */
const LEAST = 0.6;
/** Keys of one get, where many are asked for in one line. */
const MANY_KEYS = 100;

interface Side {
  readonly pid: number;
  readonly port: number;
}

interface Run extends MemcachedLoadReport {
  readonly cpuUs: number;
}

interface Contender {
  readonly side: Side;
  readonly runs: Run[];
  /** Keys of one run. */
  readonly keys: number;
}

interface Cell {
  readonly name: string;
  readonly connections: number;
  readonly pipeline: number;
  readonly keysPerGet: number;
}

export async function memcachedBench(
  processes: Processes,
  options: BenchOptions,
  say: (line: string) => void,
): Promise<BenchSection> {
  const port = await freePort();
  const flags = ["--memcached-listen", `127.0.0.1:${port}`];
  const folder = mkdtempSync(join(tmpdir(), "ringlet-bench-"));
  const running: Pick<Server, "stop">[] = [];
  const add = async <T extends Pick<Server, "stop">>(starting: Promise<T>): Promise<T> => {
    const server = await starting;
    running.push(server);
    return server;
  };
  try {
    const memcached = await add(startMemcached(processes));
    const node = await add(startRinglet(processes, "Ringlet", flags));
    const before = await add(startBefore(processes, "memcached", memcached.port, folder));
    await fill(memcached.port);
    await fill(port);
    const cell = (pipeline: number, connections: number): Cell => {
      const name = `one key per get, pipeline ${pipeline}`;
      return { name, connections, pipeline, keysPerGet: 1 };
    };
    const many = {
      ...{ name: `${MANY_KEYS} keys per get`, connections: CONNECTIONS },
      ...{ pipeline: MANY_KEYS, keysPerGet: MANY_KEYS },
    };
    const over = (ringlet: Side, what: string, cells: readonly Cell[]) =>
      compare(processes, options, say, { memcached, ringlet, what, cells });
    const own = await over(
      { pid: node.pid, port },
      `The memcached door of a node, ${CONNECTIONS} connections`,
      [...options.pipelines.map((pipeline) => cell(pipeline, CONNECTIONS)), many],
    );
    const relayed = await over(before, "A node before memcached", [
      ...CONNECTIONS_BEFORE.flatMap((connections) =>
        options.pipelines.map((pipeline) => {
          const one = cell(pipeline, connections);
          return { ...one, name: `${one.name}, ${counted(connections)}` };
        }),
      ),
      many,
    ]);
    return {
      tables: [own.table, relayed.table],
      notes: [
        `memcached as it is by default (four threads, 20 requests of a connection at a time), and a node, in turns: one that keeps the data itself, and one before the same memcached, with one connection to it; ${KEYS} keys, all of them hits. The load is a Node.js program on the same machine, and may be what limits both. The processor time is the node's own.`,
      ],
      goals: [...own.goals, ...relayed.goals],
    };
  } finally {
    for (const server of running.toReversed()) await server.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}

function counted(connections: number): string {
  return connections === 1 ? "1 connection" : `${connections} connections`;
}

interface Sides {
  readonly memcached: Side;
  readonly ringlet: Side;
  /** What the node is. */
  readonly what: string;
  readonly cells: readonly Cell[];
}

async function compare(
  processes: Processes,
  options: BenchOptions,
  say: (line: string) => void,
  { memcached, ringlet, what, cells }: Sides,
): Promise<{ readonly table: BenchTable; readonly goals: readonly Goal[] }> {
  const rows: string[][] = [];
  const goals: Goal[] = [];
  for (const cell of cells) {
    const run = (side: Side, keys: number) => load(processes, side, cell, keys);
    const contenders: Contender[] = [];
    for (const side of [memcached, ringlet]) {
      const { perSecond } = await run(side, cell.pipeline === 1 ? 30_000 : 200_000);
      contenders.push({ side, runs: [], keys: Math.ceil((perSecond * options.runMs) / 1000) });
    }
    for (let repetition = 0; repetition < options.repetitions; repetition++) {
      say(`${what}: ${cell.name}, ${repetition + 1} of ${options.repetitions}`);
      const order = repetition % 2 === 0 ? contenders : contenders.toReversed();
      for (const { side, runs, keys } of order) runs.push(await run(side, keys));
    }
    const [theirs, ours] = [contenders[0]!.runs, contenders[1]!.runs];
    const ratio = middle(ours, "perSecond") / middle(theirs, "perSecond");
    const goal =
      cell.keysPerGet === 1 && cell.pipeline > 1
        ? {
            what: `${what}: gets of ${VALUE_BYTES} B, ${cell.name}, against memcached`,
            value: ratio.toFixed(2),
            limit: `≥ ${LEAST}`,
            met: ratio >= LEAST,
          }
        : undefined;
    if (goal !== undefined) goals.push(goal);
    const ratios = ours.map(({ perSecond }, i) => perSecond / theirs[i]!.perSecond);
    rows.push([
      cell.name,
      ...[theirs, ours].map((runs) => (middle(runs, "perSecond") / 1000).toFixed(0)),
      ratio.toFixed(2),
      `${Math.min(...ratios).toFixed(2)} – ${Math.max(...ratios).toFixed(2)}`,
      goalCell(goal),
      ...[theirs, ours].map(
        (runs) => `${middle(runs, "p50Ms").toFixed(2)} / ${middle(runs, "p99Ms").toFixed(2)}`,
      ),
      ...[theirs, ours].map((runs) => middle(runs, "cpuUs").toFixed(2)),
    ]);
  }
  const title = `${what}: gets of ${VALUE_BYTES} B over the text protocol`;
  return { table: { title, columns: COLUMNS, rows }, goals };
}

const COLUMNS = [
  ...["", "memcached, thousand keys/s", "Ringlet", "ratio", "ratios of the runs", "goal"],
  ...["memcached, p50 / p99 ms", "Ringlet", "memcached, µs of processor per key", "Ringlet"],
];

async function load(
  processes: Processes,
  side: Side,
  { connections, pipeline, keysPerGet }: Cell,
  keys: number,
): Promise<Run> {
  const before = cpuMicroseconds(side.pid);
  const args = [side.port, connections, pipeline, keys, KEYS, VALUE_BYTES, keysPerGet];
  const child = processes.spawn(process.execPath, [LOAD, ...args.map(String)], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  let output = "";
  child.stdout!.on("data", (bytes: Buffer) => {
    output += bytes;
  });
  const [code] = await once(child, "close");
  if (code !== 0) throw new Error("the load on the memcached protocol failed");
  const report = JSON.parse(output) as MemcachedLoadReport;
  return { ...report, cpuUs: (cpuMicroseconds(side.pid) - before) / keys };
}

async function startMemcached(processes: Processes): Promise<Pick<Server, "stop"> & Side> {
  const port = await freePort();
  const user = process.getuid?.() === 0 ? ["-u", "nobody"] : [];
  const flags = ["-l", "127.0.0.1", "-p", `${port}`, "-U", "0", ...user];
  const child = processes.spawn("memcached", flags, { stdio: ["ignore", "ignore", "inherit"] });
  await untilOpen(processes, child, "memcached", port);
  return { port, pid: child.pid!, stop: () => processes.end(child) };
}

/** Sets all keys. */
async function fill(port: number): Promise<void> {
  const socket = await open(port);
  const value = "x".repeat(VALUE_BYTES);
  for (let key = 0; key < KEYS; key++) {
    const name = `key:${String(key).padStart(12, "0")}`;
    socket.write(`set ${name} 0 0 ${VALUE_BYTES} noreply\r\n${value}\r\n`);
  }
  socket.write("mn\r\n");
  const [answer] = await once(socket, "data");
  socket.destroy();
  if (String(answer) !== "MN\r\n") throw new Error(`a set was answered with ${answer}`);
}

function middle(runs: readonly Run[], figure: keyof Run): number {
  return median(runs.map((run) => run[figure]));
}
