// Settings that are changed with CONFIG SET while a cluster runs: what changes with them.
import { describe, expect, it, onTestFinished } from "vitest";
import { type ClusterMember, places, startCluster } from "../cluster-harness.ts";
import { RawClient } from "../differential/raw-client.ts";
import { until } from "../until.ts";

const MIB = 1024 * 1024;
/** No member is given up only because it is paused. */
const PATIENT = ["--link-timeout-ms", "600000"];
const QUORUM = ["--read-consistency", "dc_quorum", "--write-consistency", "dc_quorum"];

const OK = "+OK\r\n";

type Three = readonly [ClusterMember, ClusterMember, ClusterMember];

async function threeRacks(...flags: string[]): Promise<Three> {
  const cluster = await startCluster({ places: places(3), flags });
  await cluster.ready();
  return cluster.members as unknown as Three;
}

async function connected({ port }: ClusterMember): Promise<RawClient> {
  const client = await RawClient.connect({ host: "127.0.0.1", port, noDelay: true });
  onTestFinished(() => client.close());
  return client;
}

describe("CONFIG SET has effect for", () => {
  it("request-timeout-ms, also on what waits already", async () => {
    // Ten minutes: what ends within the time of a test has ended by the new deadline.
    const [one, two, three] = await threeRacks(
      ...PATIENT,
      ...QUORUM,
      "--request-timeout-ms",
      "600000",
    );
    two.pause();
    three.pause();
    const client = await connected(one);
    const waiting = client.send([["SET", "a", "1"]]);
    expect(await one.send(["CONFIG", "SET", "request-timeout-ms", "100"])).toEqual([OK]);
    const ended = /^-ERR Dynomite: Failed to achieve Quorum \(2 of 3 needed, 1 answered\)/;
    expect(await waiting).toEqual([expect.stringMatching(ended)]);
    // The kernel's commands, and the host's.
    for (const command of [
      ["GET", "a"],
      ["INCR", "n"],
    ]) {
      expect([command, ...(await client.send([command]))]).toEqual([
        command,
        expect.stringMatching(/^-ERR Dynomite: /),
      ]);
    }
  });

  it("max-link-queue", async () => {
    const [one, two, three] = await threeRacks(...PATIENT, "--max-link-queue", "1gb");
    const client = await connected(one);
    const write = async () => {
      expect(await client.send([["SET", "a", "x".repeat(8 * MIB)]])).toEqual([OK]);
    };
    three.pause();
    // More than the buffers between the two hold.
    for (let i = 0; i < 4; i++) await write();
    expect(one.log).not.toContain("overflow");
    expect(await client.send([["CONFIG", "SET", "max-link-queue", "1mb"]])).toEqual([OK]);
    await write();
    await one.logs('"reason":"overflow"');
    expect(await two.status("/readyz")).toBe(200);
    three.goOn();
  });

  it("copy-page", async () => {
    const [one, two, three] = await threeRacks();
    const keys = Array.from({ length: 400 }, (_, i) => ["SET", `key:${i}`, "x".repeat(1000)]);
    expect(new Set(await one.send(...keys))).toEqual(new Set([OK]));
    for (const each of [one, two]) {
      expect(await each.send(["CONFIG", "SET", "copy-page", "4kb"])).toEqual([OK]);
    }
    const before = (await servedPages(one)) + (await servedPages(two));
    await three.kill();
    await three.start();
    await three.ready();
    // 400 KB in pages of 4 KiB; in pages of 256 KiB, as before, they were 2 from each.
    await until(
      async () => (await servedPages(one)) + (await servedPages(two)) - before >= 100,
      () => "too few pages were served",
    );
  });
});

async function servedPages(member: ClusterMember): Promise<number> {
  const [, count] =
    /^ringlet_ring_served_pages_total (\d+)$/m.exec(await member.page("/metrics")) ?? [];
  return Number(count);
}
