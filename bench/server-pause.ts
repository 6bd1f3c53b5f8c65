// The longest pause of each server while millions of keys are filled in: round trips of a PING on a second connection.

import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { median } from "./interleave.ts";
import { fill } from "./loader.ts";
import type { BenchOptions } from "./options.ts";
import type { ProbeReport } from "./pause-probe.ts";
import type { Processes } from "./processes.ts";
import { type BenchSection, goalCell } from "./section.ts";
import { SERVERS, type ServerName, type ServerPair, withServers } from "./servers.ts";

const VALUE_BYTES = 3;
/** Slow enough that server, loader and probe never want two cores between them. */
const KEYS_PER_SECOND = 250_000;
const LIMIT_MS = 10;

export async function pauseBench(
  processes: Processes,
  options: BenchOptions,
  say: (line: string) => void,
): Promise<BenchSection> {
  const repetitions = options.fills;
  const fills: Record<ServerName, FillReport[]> = { "redis-server": [], Ringlet: [] };
  for (let repetition = 0; repetition < repetitions; repetition++) {
    await withServers(processes, async (servers) => {
      const order = repetition % 2 === 0 ? SERVERS : SERVERS.toReversed();
      for (const name of order) {
        say(`pause: ${options.pauseKeys} keys into ${name}, ${repetition + 1} of ${repetitions}`);
        fills[name].push(await filling(processes, servers, name, options.pauseKeys));
      }
    });
  }
  const longestMs = Math.max(...fills.Ringlet.map(({ filled }) => filled.longestRunningMs));
  const goal = {
    what: `longest pause of Ringlet while filling ${options.pauseKeys} keys`,
    value: `${longestMs.toFixed(1)} ms`,
    limit: `≤ ${LIMIT_MS} ms`,
    met: longestMs <= LIMIT_MS,
  };
  const each = (values: readonly number[]) => values.map((value) => value.toFixed(1)).join(", ");
  const rows = SERVERS.map((name) => [
    name,
    each(fills[name].map(({ filled }) => filled.longestRunningMs)),
    name === "Ringlet" ? goalCell(goal) : "-",
    each(fills[name].map(({ filled }) => filled.longestMs)),
    each(fills[name].map(({ idle }) => idle.longestMs)),
    median(fills[name].map(({ filled }) => filled.p999Ms)).toFixed(2),
    median(fills[name].map(({ seconds }) => seconds)).toFixed(1),
  ]);
  return {
    tables: [
      {
        title: `Pauses while ${options.pauseKeys} keys are filled in`,
        columns: [
          ...["", "longest pause of each fill, ms", "goal", "longest round trip, ms"],
          ...["the same of the idle server, ms", "99.9 % below, ms", "fill, s"],
        ],
        rows,
      },
    ],
    goals: [goal],
    notes: [
      `Keys of 16 B with values of ${VALUE_BYTES} B, ${KEYS_PER_SECOND} a second at most, so that neither core is ever full, and never more than 8 ms' worth of them under way. A process of its own sends a PING every ms to the server that is filled and, as a control, to the other one, which is idle. A pause is a round trip less the time in which server or probe was ready to run and had no core (/proc/<pid>/schedstat): on a machine that does nothing else the two are the same. Fresh servers for each of the ${repetitions} repetitions; the goal is held against the longest pause of all.`,
    ],
  };
}

interface FillReport {
  readonly filled: ProbeReport;
  readonly idle: ProbeReport;
  readonly seconds: number;
}

async function filling(
  processes: Processes,
  servers: ServerPair,
  name: ServerName,
  keys: number,
): Promise<FillReport> {
  const filled = servers[name];
  const idle = servers[SERVERS.find((other) => other !== name)!];
  const module = fileURLToPath(new URL("pause-probe.js", import.meta.url));
  const probe = processes.fork(
    module,
    [filled, idle].flatMap(({ port, pid }) => [String(port), String(pid)]),
  );
  try {
    await once(probe, "message");
    // Its own start-up and its first round trips are not measured.
    await new Promise((resolve) => setTimeout(resolve, 1000));
    probe.send("begin");
    const began = performance.now();
    await fill(filled, { keys, valueBytes: VALUE_BYTES, perSecond: KEYS_PER_SECOND });
    const seconds = (performance.now() - began) / 1000;
    const report = once(probe, "message");
    probe.send("report");
    const [[ofFilled, ofIdle]] = (await report) as [[ProbeReport, ProbeReport]];
    return { filled: ofFilled, idle: ofIdle, seconds };
  } finally {
    await processes.end(probe);
  }
}
