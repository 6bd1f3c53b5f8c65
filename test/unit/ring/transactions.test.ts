// Transactions in a ring: one replica set, one executor, one frame, one stamp.
import { describe, expect, it } from "vitest";
import { RingletError } from "../../../src/base/errors.ts";
import type { ConsistencyLevel } from "../../../src/ring/levels.ts";
import { recordStamp } from "../../../src/store/apply.ts";
import { fromLatin1, latin1 } from "../../../src/store/arguments.ts";
import { clientAt, FakeCluster, type FakeNode, SIX_MEMBERS } from "./fake-cluster.ts";

const queued = (...commands: readonly string[][]) =>
  commands.map((words) => ({ database: 0, args: words.map(fromLatin1) }));

async function exec(
  node: FakeNode,
  level: ConsistencyLevel,
  commands: readonly string[][],
  watched: Awaited<ReturnType<typeof watch>> = [],
): Promise<string[] | undefined> {
  const keys = [...commands.map(([, key]) => fromLatin1(key!)), ...watched.map(({ key }) => key)];
  const set = node.commands.joinKeys(undefined, keys)!;
  const replies = await node.commands.transaction(
    ...([set, queued(...commands), watched, clientAt(level)] as const),
  );
  return replies?.map((reply) => latin1(reply, 0, reply.length));
}

const watch = (node: FakeNode, level: ConsistencyLevel, ...keys: readonly string[]) =>
  node.commands.versions(keys.map(fromLatin1), clientAt(level));

describe("EXEC", () => {
  it("runs all commands at their executor, each replying", async () => {
    const cluster = new FakeCluster();
    const key = cluster.keyOf(1);
    expect(
      await exec(cluster.node(0), "DC_QUORUM", [
        ["set", key, "1"],
        ["incr", key],
        ["hget", key, "f"],
      ]),
    ).toEqual([
      "+OK\r\n",
      ":2\r\n",
      "-WRONGTYPE Operation against a key holding the wrong kind of value\r\n",
    ]);
    expect(cluster.node(1).served).toBe(1);
    expect(cluster.held(key)).toEqual(["2", "2", "2"]);
  });

  it("replicates what it changed as one frame with one stamp", async () => {
    const cluster = new FakeCluster();
    const before = cluster.delivered;
    await exec(cluster.node(0), "DC_QUORUM", [
      ["set", "a", "1"],
      ["hset", "h", "f", "v"],
      ["del", "gone"],
    ]);
    expect(cluster.delivered).toBe(before + 2);
    for (const node of cluster.nodes) {
      const stamps = ["a", "h", "gone"].map(
        (key) => recordStamp(node.store, 0, fromLatin1(key))?.stamp,
      );
      expect(new Set(stamps).size).toBe(1);
      expect(stamps[0]).toBeDefined();
    }
  });

  it("runs once however often it is sent", async () => {
    const cluster = new FakeCluster();
    const key = cluster.keyOf(1);
    cluster.accident = "lost-after";
    expect(await exec(cluster.node(0), "DC_ONE", [["incr", key]])).toEqual([":1\r\n"]);
    expect(cluster.held(key)).toEqual(["1", "1", "1"]);
  });

  it("fails before anything is run where a quorum cannot be reached", async () => {
    const cluster = new FakeCluster();
    const key = cluster.keyOf(0);
    cluster.stop(1);
    cluster.stop(2);
    await expect(exec(cluster.node(0), "DC_QUORUM", [["incr", key]])).rejects.toThrow(
      "Dynomite: Failed to achieve Quorum (2 of 3 needed, 1 answered)",
    );
    expect(cluster.held(key)).toEqual([null, null, null]);
  });
});

describe("WATCH", () => {
  it("has EXEC run where nothing has changed, whoever executes", async () => {
    const cluster = new FakeCluster();
    const key = cluster.keyOf(1);
    await cluster.node(2).run("DC_QUORUM", "set", key, "1");
    const watched = await watch(cluster.node(0), "DC_QUORUM", key, "missing");
    expect(await exec(cluster.node(0), "DC_QUORUM", [["incr", key]], watched)).toEqual([":2\r\n"]);
  });

  it("has EXEC run nothing where a watched key was written by another node", async () => {
    const cluster = new FakeCluster();
    const key = cluster.keyOf(1);
    const watched = await watch(cluster.node(0), "DC_QUORUM", key);
    await cluster.runtime.advance(10);
    cluster.node(2).writeAlone(key, "9");
    expect(await exec(cluster.node(0), "DC_QUORUM", [["incr", key]], watched)).toBeUndefined();
    expect(await cluster.node(0).run("DC_QUORUM", "get", key)).toBe("9");
  });

  it("takes a key that is missing again for unchanged", async () => {
    const cluster = new FakeCluster();
    const watched = await watch(cluster.node(0), "DC_QUORUM", "k");
    await cluster.node(1).run("DC_QUORUM", "set", "k", "v");
    await cluster.node(1).run("DC_QUORUM", "del", "k");
    expect(await exec(cluster.node(0), "DC_QUORUM", [["set", "k", "w"]], watched)).toEqual([
      "+OK\r\n",
    ]);
  });
});

describe("what is queued", () => {
  const join = (node: FakeNode, ...commands: readonly string[][]) =>
    commands.reduce<ReturnType<typeof node.commands.join>>(
      (set, [name, ...rest]) =>
        node.commands.join(set, { name: name!, args: [name!, ...rest].map(fromLatin1) }),
      undefined,
    );
  const codeOf = (call: () => unknown) => {
    try {
      call();
    } catch (error) {
      if (error instanceof RingletError) return error.code;
      throw error;
    }
    return "none";
  };

  it("must have one replica set", () => {
    const node = new FakeCluster({ members: SIX_MEMBERS, hashTag: "{}" }).node(0);
    const keys = Array.from({ length: 20 }, (_, i) => ["set", `k${i}`, "v"]);
    expect(codeOf(() => join(node, ...keys))).toBe("CROSS_OWNER");
    const tagged = keys.map(([name, key, value]) => [name!, `{t}${key}`, value!]);
    expect(codeOf(() => join(node, ...tagged))).toBe("none");
  });

  it("may have no keys, but not those of all owners", () => {
    const node = new FakeCluster().node(0);
    expect(codeOf(() => join(node, ["ping"], ["set", "k", "v"], ["echo", "x"]))).toBe("none");
    expect(codeOf(() => join(node, ["dbsize"]))).toBe("NOT_IN_TRANSACTION");
  });
});
