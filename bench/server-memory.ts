// Memory per key: how resident memory of each server grows by a million small keys.

import { median } from "./interleave.ts";
import { fill } from "./loader.ts";
import type { BenchOptions } from "./options.ts";
import { residentBytes } from "./process-figures.ts";
import type { Processes } from "./processes.ts";
import { type BenchSection, goalCell } from "./section.ts";
import { SERVERS, type Server, type ServerName, withServers } from "./servers.ts";

const KEYS = 1_000_000;
const VALUE_BYTES = 3;
/** Most that Ringlet may take, over redis-server. */
const LIMIT = 1.25;
/** Memory is taken as settled when it has not changed for so long, or after the longer time. */
const QUIET_MS = 500;
const LONGEST_MS = 5000;

export async function memoryBench(
  processes: Processes,
  options: BenchOptions,
  say: (line: string) => void,
): Promise<BenchSection> {
  const repetitions = options.fills;
  const grown: Record<ServerName, number[]> = { "redis-server": [], Ringlet: [] };
  for (let repetition = 0; repetition < repetitions; repetition++) {
    say(`memory: ${KEYS} keys, ${repetition + 1} of ${repetitions}`);
    await withServers(processes, async (servers) => {
      for (const name of SERVERS) grown[name].push(await growth(servers[name]));
    });
  }
  const perKey = (name: ServerName) => median(grown[name]) / KEYS;
  const ratio = perKey("Ringlet") / perKey("redis-server");
  const goal = {
    what: `memory for ${KEYS} keys over redis-server`,
    value: ratio.toFixed(2),
    limit: `≤ ${LIMIT}`,
    met: ratio <= LIMIT,
  };
  return {
    tables: [
      {
        title: "Memory",
        columns: ["", "redis B per key", "Ringlet B per key", "ratio", "goal"],
        rows: [
          [
            `${KEYS} keys of 16 B, values of ${VALUE_BYTES} B`,
            perKey("redis-server").toFixed(1),
            perKey("Ringlet").toFixed(1),
            goal.value,
            goalCell(goal),
          ],
        ],
      },
    ],
    goals: [goal],
    notes: [
      `Growth of resident memory (VmRSS) of a server that has just started, by a fill with exactly ${KEYS} distinct keys over one connection; what the process needs to handle the connection counts too. Median of ${repetitions}, each with fresh servers.`,
    ],
  };
}

async function growth(server: Server): Promise<number> {
  const before = await settled(server.pid);
  await fill(server, { keys: KEYS, valueBytes: VALUE_BYTES });
  return (await settled(server.pid)) - before;
}

/** Resident memory when it has stopped changing. */
async function settled(pid: number): Promise<number> {
  const until = performance.now() + LONGEST_MS;
  let bytes = residentBytes(pid);
  let since = performance.now();
  for (let now = since; now - since < QUIET_MS && now < until; now = performance.now()) {
    await new Promise((resolve) => setTimeout(resolve, 50));
    const next = residentBytes(pid);
    if (next !== bytes) since = performance.now();
    bytes = next;
  }
  return bytes;
}
