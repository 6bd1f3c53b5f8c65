// Rings that are measured: `ringlet serve` processes on 127.0.0.1 that know of each other.

import type { Processes } from "./processes.ts";
import { ask, freePort, type Server, startRinglet } from "./servers.ts";

export interface RingShape {
  /** The tokens of each node of each rack; all racks are in one datacenter. */
  readonly racks: readonly (readonly string[])[];
  /** Level of reads and writes, as the flags name it. */
  readonly level: string;
}

/** How long the nodes may take until all of them answer reads, and replicas until they are equal. */
const READY_MS = 20_000;
const EQUAL_MS = 10_000;

/** Starts the nodes, waits until all are ready, runs `work` with them, rack by rack, and stops them. */
export async function withRing<T>(
  processes: Processes,
  shape: RingShape,
  work: (nodes: readonly Server[]) => Promise<T>,
): Promise<T> {
  const members = await Promise.all(
    shape.racks.flatMap((tokens, rack) =>
      tokens.map(async (token) => ({ rack: `r${rack + 1}`, token, port: await freePort() })),
    ),
  );
  const seeds = members.map(({ rack, token, port }) => `127.0.0.1:${port}:${rack}:dc1:${token}`);
  const nodes: Server[] = [];
  try {
    for (const [i, { rack, token, port }] of members.entries()) {
      const flags = [
        ...["--cluster-name", "bench", "--datacenter", "dc1", "--rack", rack, "--tokens", token],
        ...["--dyn-listen", `127.0.0.1:${port}`],
        ...["--dyn-seeds", seeds.join(",")],
        // That nodes which start or stop one after the other miss each other is no news.
        ...["--log-level", "error"],
        ...["--read-consistency", shape.level, "--write-consistency", shape.level],
      ];
      nodes.push(await startRinglet(processes, `node ${i + 1}`, flags));
    }
    for (const node of nodes) await ready(node);
    return await work(nodes);
  } finally {
    for (const node of nodes) await node.stop();
  }
}

/** Whether the nodes, replicas of the same keys, hold the same: those that are behind are given time to catch up. */
export async function areEqual(nodes: readonly Server[]): Promise<boolean> {
  const until = performance.now() + EQUAL_MS;
  for (;;) {
    const digests = await Promise.all(nodes.map(({ port }) => ask(port, "RINGLET DIGEST")));
    const failed = digests.find((digest) => digest.startsWith("-"));
    if (failed !== undefined) throw new Error(`RINGLET DIGEST answered ${failed}`);
    if (digests.every((digest) => digest === digests[0])) return true;
    if (performance.now() > until) return false;
    await pause();
  }
}

async function ready({ name, statsPort }: Server): Promise<void> {
  const until = performance.now() + READY_MS;
  for (;;) {
    const { status } = await fetch(`http://127.0.0.1:${statsPort}/readyz`);
    if (status === 200) return;
    if (performance.now() > until)
      throw new Error(`${name} did not get ready (/readyz: ${status})`);
    await pause();
  }
}

function pause(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 50));
}
