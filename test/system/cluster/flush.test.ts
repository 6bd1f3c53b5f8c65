// FLUSHALL of much in a cluster: nothing is told of what it has removed, also before that is freed and by a member that copies.
import { expect, it } from "vitest";
import { type ClusterMember, places, startCluster } from "../cluster-harness.ts";
import { until } from "../until.ts";

const QUORUM = ["--read-consistency", "dc_quorum", "--write-consistency", "dc_quorum"];
const KEYS = 60_000;
const PER_COMMAND = 1000;

it("FLUSHALL empties all members at once, and their memory soon", async () => {
  const cluster = await startCluster({ places: places(3), flags: QUORUM });
  await cluster.ready();
  const [one, two, three] = cluster.members as [ClusterMember, ClusterMember, ClusterMember];
  for (let i = 0; i < KEYS; i += PER_COMMAND) {
    const pairs = Array.from({ length: PER_COMMAND }, (_, j) => [`key:${i + j}`, "x".repeat(100)]);
    expect(await one.send(["MSET", ...pairs.flat()])).toEqual(["+OK\r\n"]);
  }
  await cluster.equal();
  const full = await usedBytes(two);
  expect(full).toBeGreaterThan(KEYS * 100);

  expect(await one.send(["FLUSHALL"], ["SET", "key:1", "after"])).toEqual(["+OK\r\n", "+OK\r\n"]);
  for (const member of cluster.members) {
    await until(
      async () => (await member.sendAtOne(["GET", "key:1"]))[0] === "$5\r\nafter\r\n",
      () => "a member does not hear of the flush",
    );
    const left = await member.sendAtOne(["DBSIZE"], ["KEYS", "*"], ["GET", "key:2"], ["RANDOMKEY"]);
    expect(left).toEqual([":1\r\n", "*1\r\n$5\r\nkey:1\r\n", "$-1\r\n", "$5\r\nkey:1\r\n"]);
  }
  await three.kill();
  await three.start();
  await cluster.ready();
  await cluster.equal();
  expect(await three.sendAtOne(["DBSIZE"])).toEqual([":1\r\n"]);
  for (const member of cluster.members) {
    await until(
      async () => (await usedBytes(member)) < 100_000,
      () => "what was flushed is not freed",
    );
  }
});

async function usedBytes(member: ClusterMember): Promise<number> {
  const [, bytes] = /^ringlet_memory_used_bytes (\d+)$/m.exec(await member.page("/metrics")) ?? [];
  return Number(bytes);
}
