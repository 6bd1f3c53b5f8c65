// Links that an operator takes down, lets up again and makes anew, over the pages of the C engine.
import { expect, it } from "vitest";
import { type ClusterMember, places, startCluster } from "../cluster-harness.ts";
import { until } from "../until.ts";

/** How a member sees the others: their states in the order of their indexes. */
async function states(member: ClusterMember): Promise<string> {
  const { members } = JSON.parse(await member.page("/ring"));
  return members.map(({ state }: { state: string }) => state).join(" ");
}

async function sees(member: ClusterMember, wanted: string): Promise<void> {
  let seen = "";
  await until(
    async () => {
      seen = await states(member);
      return seen === wanted;
    },
    () => `the members are ${seen}, not ${wanted}`,
  );
}

it("/peer/down keeps a link down on both sides until /peer/up, and what was missed is copied", async () => {
  const flags = ["--write-consistency", "dc_quorum", "--read-consistency", "dc_quorum"];
  const cluster = await startCluster({ places: places(3), flags });
  await cluster.ready();
  const [one, two, three] = cluster.members;
  const { members } = JSON.parse(await one!.page("/ring"));
  expect(await one!.page(`/peer/down/${members[1].address}`)).toBe("OK\r\n");
  await sees(one!, "up down up");
  await sees(two!, "down up up");
  // It is dialled by the other side, and refused with the reason.
  await two!.logs(/\(HELD_DOWN\): an operator holds the link/);
  expect(await states(one!)).toBe("up down up");
  expect(await one!.send(["SET", "missed", "1"])).toEqual(["+OK\r\n"]);
  expect(await one!.page("/ring")).toMatch(/held down|an operator holds the link/);

  expect(await one!.page("/peer/up/all")).toBe("OK\r\n");
  await sees(one!, "up up up");
  await sees(two!, "up up up");
  await cluster.equal();
  expect(await two!.sendAtOne(["GET", "missed"])).toEqual(["$1\r\n1\r\n"]);

  const linked = () => two!.log.match(/Linked with/g)?.length ?? 0;
  const before = linked();
  expect(await two!.page("/peer/reset/all")).toBe("OK\r\n");
  await until(
    async () => linked() >= before + 2,
    () => two!.log,
  );
  await sees(two!, "up up up");
  expect(await three!.status("/peer/down/127.0.0.9")).toBe(400);

  const info = JSON.parse(await one!.page("/info"));
  expect(info).toMatchObject({ rack: "r1", dc: "dc1", dyn_o_mite: { peer_connections: 2 } });
  expect(info.latency_max).toBeGreaterThan(0);
  expect(info.latency_max).toBeGreaterThanOrEqual(info.latency_95th);
});
