// Nodes that have just started, in a simulated network: from when they say that they are ready, their clients have what is promised.
import { describe, expect, it } from "vitest";
import { type NodePlace, places, SimCluster } from "../../../src/sim/cluster.ts";
import { CALM_PATH, Network } from "../../../src/sim/network.ts";
import { World } from "../../../src/sim/world.ts";
import { codec } from "../codec/codec-under-test.ts";
import { platformUnderTest } from "./platform.ts";
import { settle } from "./settle.ts";

const platform = platformUnderTest();
const SEEDS = Array.from({ length: 20 }, (_, seed) => `${seed}`);
const PATH = { ...CALM_PATH, latencyMs: 2, jitterMs: 20 };
/** How long anything is on its way from one node to another at most, or nearly so, in ms: jitter is a mean. */
const ON_ITS_WAY_MS = 10 * PATH.jitterMs;

const THREE_RACKS = places({ dc1: 3 });
/** No node holds all keys, and a quorum is both replicas of a key. */
const TWO_RACKS_OF_TWO: readonly NodePlace[] = ["1", "2"].flatMap((rack) =>
  ["0", "2147483648"].map((tokens, i) => ({
    host: `10.0.${rack}.${i + 1}`,
    datacenter: "dc1",
    rack: `rack${rack}`,
    tokens,
  })),
);

/** A cluster whose nodes have just got ready, each by itself. */
async function ready(seed: string, shape: readonly NodePlace[]) {
  const world = new World({ seed, settle });
  const network = new Network(world, { path: () => PATH });
  const cluster = new SimCluster(world, network, platform, {
    places: shape,
    settings: { readConsistency: "dc_quorum", writeConsistency: "dc_quorum" },
  });
  // Where they were started at one moment, all of them would have the same to tell in their hellos.
  for (const node of cluster.nodes) {
    node.start();
    await world.advance(world.random.fork(node.host).below(300));
  }
  const waiting = cluster.nodes.map((node) => {
    let isReady = false;
    node.served!.node.ring!.whenReady().then(() => {
      isReady = true;
    });
    return () => isReady;
  });
  expect(await world.until(() => waiting.every((isReady) => isReady()), 10_000)).toBe(true);
  return { world, cluster };
}

describe("nodes that have got ready", () => {
  const SHAPES = { "three racks": THREE_RACKS, "two racks of two": TWO_RACKS_OF_TWO };
  const cases = Object.entries(SHAPES).flatMap(([name, shape]) =>
    SEEDS.map((seed) => ({ name, shape, seed })),
  );

  it.each(cases)(
    "read and write at a quorum at once ($name, seed $seed)",
    async ({ seed, shape }) => {
      const { world, cluster } = await ready(seed, shape);
      const failed: string[] = [];
      for (const node of cluster.nodes) {
        const client = node.served!.embed(codec);
        const keys = Array.from({ length: 10 }, (_, i) => `${node.host}:${i}`);
        const commands = [
          ...keys.map((key) => ["GET", key]),
          ["MGET", ...keys],
          ...keys.map((key) => ["INCR", key]),
          ["MSET", ...keys.flatMap((key) => [`${key}:m`, "1"])],
          ...keys.map((key) => ["HGETALL", `${key}:h`]),
          ["DBSIZE"],
        ];
        for (const command of commands) {
          client.execute(command).catch((error: Error) => failed.push(`${command}: ${error}`));
        }
      }
      await world.advance(1000);
      expect(failed).toEqual([]);
      cluster.end();
    },
  );

  it.each(SEEDS)("know that of each other as soon as they can (seed %s)", async (seed) => {
    const { world, cluster } = await ready(seed, THREE_RACKS);
    const peers = () => cluster.nodes.flatMap(({ served }) => served!.node.ring!.peers);
    const areLinked = () => peers().every(({ session }) => session !== undefined);
    expect(await world.until(areLinked, 10_000)).toBe(true);
    await world.advance(ON_ITS_WAY_MS);
    const unheard = peers().filter(({ state }) => state!.fenced);
    expect(unheard.map(({ member }) => member.rack)).toEqual([]);
    cluster.end();
  });
});
