// A replica that stands still (SIGSTOP) while the others are written to, for the system tests and, longer, for the soak.
import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { expect, type TestContext } from "vitest";
import { type ClusterMember, places, startCluster } from "../cluster-harness.ts";
import { requireProgram } from "../programs.ts";

const run = promisify(execFile);

/**
 * By how much the others may grow: a link's queue (max-link-queue, 64 MiB), the commands that wait for the replica
 * (max-link-pending-requests, 1 M of about 48 B), twice that for what the process keeps of its garbage.
 */
const MOST_GROWTH_BYTES = 2 * (64 + 48) * 1024 * 1024;
const KEYS = 20_000;

/**
 * Pauses one of three replicas for `milliseconds`, while redis-benchmark loads another one at DC_QUORUM: no command may fail or
 * time out, memory must stay bounded, and the replica must be equal when it has gone on. `flags`: of all members;
 * `says`: what the one that is loaded must have logged meanwhile.
 */
export async function pauseReplica(
  context: TestContext,
  milliseconds: number,
  { flags = [], says = "" }: { readonly flags?: readonly string[]; readonly says?: string } = {},
): Promise<void> {
  const cluster = await startCluster({
    places: places(3),
    flags: ["--read-consistency", "dc_quorum", "--write-consistency", "dc_quorum", ...flags],
  });
  await cluster.ready();
  const [one, two, three] = cluster.members as [ClusterMember, ClusterMember, ClusterMember];
  await benchmark(context, one);
  const before = await Promise.all([one, two].map(residentBytes));

  three.pause();
  const end = Date.now() + milliseconds;
  const grown: number[] = [];
  while (Date.now() < end) {
    await benchmark(context, one);
    const now = await Promise.all([one, two].map(residentBytes));
    grown.push(...now.map((bytes, i) => bytes - before[i]!));
  }
  expect(Math.max(...grown)).toBeLessThan(MOST_GROWTH_BYTES);
  expect(await two.send(["SET", "while", "paused"])).toEqual(["+OK\r\n"]);

  if (says !== "") await one.logs(says);

  three.goOn();
  await cluster.ready();
  await cluster.equal();
  expect(await three.sendAtOne(["GET", "while"])).toEqual(["$6\r\npaused\r\n"]);
}

/** Sets and reads keys of 16 B through a member; fails with the first error that it answers. */
async function benchmark(context: TestContext, { port }: ClusterMember): Promise<void> {
  const program = requireProgram(context, "redis-benchmark");
  const flags = ["-p", String(port), "-q", "-t", "set,get", "-P", "16", "-d", "100"];
  const { stdout } = await run(program, [...flags, "-r", String(KEYS), "-n", "200000"]);
  expect(stdout.match(/requests per second/g)).toHaveLength(2);
}

async function residentBytes({ pid }: ClusterMember): Promise<number> {
  const { stdout } = await run("ps", ["-o", "rss=", "-p", String(pid)]);
  return Number(stdout) * 1024;
}
