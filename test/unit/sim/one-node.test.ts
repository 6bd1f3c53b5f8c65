// Clients of one simulated node: real requests through the real door over simulated streams, with faults in between.
import { describe, expect, it } from "vitest";
import { checkDeadlines } from "../../../src/sim/checkers/deadlines.ts";
import { checkRegisters } from "../../../src/sim/checkers/registers.ts";
import { checkReplyOrder } from "../../../src/sim/checkers/reply-order.ts";
import { SimClient } from "../../../src/sim/client/client.ts";
import { places, SimCluster } from "../../../src/sim/cluster.ts";
import { History } from "../../../src/sim/history.ts";
import { CALM_PATH, Network } from "../../../src/sim/network.ts";
import { drawWorkload, nextCommand } from "../../../src/sim/workload/commands.ts";
import { World } from "../../../src/sim/world.ts";
import { platformUnderTest } from "./platform.ts";
import { settle } from "./settle.ts";

const platform = platformUnderTest();
const KINDS = ["reset", "fin", "half-open", "silent"] as const;

async function run(seed: string) {
  const world = new World({ seed, settle });
  const path = { ...CALM_PATH, cutChance: 0.1, jitterMs: 1, windowBytes: 8192 };
  const network = new Network(world, { path: () => path });
  const cluster = new SimCluster(world, network, platform, {
    places: places({ dc1: 1 }),
    settings: {},
  });
  cluster.startAll();
  await world.advance(10);
  const history = new History(() => world.nowMs);
  const workload = drawWorkload(world.random.fork("workload"));
  const [node] = cluster.nodes;
  for (let i = 0; i < 4; i++) {
    const process = world.process(`client${i}`);
    new SimClient({
      name: `client${i}`,
      host: `10.9.9.${i}`,
      process,
      transport: network.transport(process, `10.9.9.${i}`),
      random: world.random.fork(`client ${i}`),
      history,
      behaviour: {
        targets: [node!.target],
        thinkMs: 2,
        pipeline: 5,
        unanswered: 3,
        patienceMs: 500,
        roamChance: 0.01,
      },
      nextCommand: (random, id) => nextCommand(workload, random, id),
    });
  }
  for (const kind of KINDS) {
    await world.advance(100);
    for (const connection of [...network.connections].slice(0, 2)) connection.cut(kind);
  }
  await world.advance(100);
  node!.pause();
  await world.advance(100);
  node!.resume();
  await world.advance(600);
  cluster.end();
  return { world, network, history, cluster };
}

describe("one node", () => {
  it.each(Array.from({ length: 12 }, (_, seed) => `${seed}`))(
    "keeps its promises to clients whose connections are lost (seed %s)",
    async (seed) => {
      const { world, history, cluster } = await run(seed);
      const { operations } = history;
      // One node is a quorum of itself, whatever its clients ask for.
      const strong = operations.map((each) => ({
        ...each,
        read: "DC_QUORUM" as const,
        write: "DC_QUORUM" as const,
      }));
      const pauses = cluster.nodes[0]!.pauses.map((pause) => ({ ...pause, node: "10.0.1.1" }));
      const ended = operations.filter((each) => each.givenUp !== "waited");
      const facts = { requestTimeoutMs: 0, slackMs: 50, pauses, endMs: world.nowMs };
      expect(operations.filter((each) => each.outcome === "ok").length).toBeGreaterThan(300);
      expect(operations.filter((each) => each.givenUp !== undefined).length).toBeGreaterThan(0);
      expect(checkRegisters(strong, { datacenters: ["dc1"] })).toEqual([]);
      expect(checkReplyOrder(operations)).toEqual([]);
      expect(checkDeadlines(ended.slice(0, -20), facts)).toEqual([]);
      expect(world.failures).toEqual([]);
      expect(cluster.log.filter((line) => line.level === "error")).toEqual([]);
    },
  );

  it("does the same for the same seed, in a kernel that was used before, and something else for another", async () => {
    const first = await run("same");
    const second = await run("same");
    expect(second.world.trace.hash).toBe(first.world.trace.hash);
    expect(second.history.operations).toEqual(first.history.operations);
    expect((await run("other")).world.trace.hash).not.toBe(first.world.trace.hash);
  });
});
