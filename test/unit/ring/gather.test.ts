// Commands over all owners: each range is told about by one replica, and no answer that lacks a part is taken for the whole.
import { describe, expect, it } from "vitest";
import { decodeCursor, SCAN_START } from "../../../src/ring/scan-cursor.ts";
import { failed } from "../doors/resp/node-under-test.ts";
import { FakeCluster, type FakeNode, SIX_MEMBERS } from "./fake-cluster.ts";

const KEYS = Array.from({ length: 40 }, (_, i) => `key:${i}`);

async function filled(): Promise<FakeCluster> {
  const cluster = new FakeCluster({ members: SIX_MEMBERS });
  for (const key of KEYS) await cluster.node(0).run("DC_QUORUM", "set", key, "v");
  return cluster;
}

/** Every key that a whole walk tells, as often as it tells it. */
async function scanAll(node: FakeNode, ...options: string[]): Promise<string[]> {
  const keys: string[] = [];
  let cursor = String(SCAN_START);
  do {
    const reply = await node.run("DC_ONE", "scan", cursor, ...options);
    const [next, found] = reply as [string, string[]];
    keys.push(...found);
    cursor = next;
  } while (cursor !== "0");
  return keys.sort();
}

const sorted = (keys: readonly string[]) => [...keys].sort();

describe("SCAN", () => {
  it("tells every key of all owners once, whoever is asked", async () => {
    const cluster = await filled();
    for (const node of cluster.nodes) {
      expect(await scanAll(node, "COUNT", "3")).toEqual(sorted(KEYS));
    }
  });

  it("tells every key once also where no rack is whole", async () => {
    const cluster = await filled();
    for (const index of [0, 3]) cluster.stop(index);
    cluster.node(4).isFenced = true;
    expect(await scanAll(cluster.node(5), "COUNT", "3")).toEqual(sorted(KEYS));
  });

  it("knows patterns and types", async () => {
    const cluster = await filled();
    await cluster.node(0).run("DC_ONE", "hset", "hash", "f", "v");
    const node = cluster.node(1);
    expect(await scanAll(node, "MATCH", "key:1?")).toEqual(
      sorted(KEYS.filter((key) => /^key:1.$/.test(key))),
    );
    expect(await scanAll(node, "TYPE", "hash")).toEqual(["hash"]);
    expect(await node.run("DC_ONE", "scan", "0", "count", "0")).toEqual(failed("ERR syntax error"));
    expect(await node.run("DC_ONE", "scan", "x")).toEqual(failed("ERR invalid cursor"));
  });

  it("misses no key when who answers changes while it walks", async () => {
    const cluster = await filled();
    const node = cluster.node(1);
    for (const index of [0, 3]) cluster.stop(index);
    cluster.node(4).isFenced = true;
    const keys = new Set<string>();
    let cursor = "0";
    let hasChanged = false;
    do {
      const reply = await node.run("DC_ONE", "scan", cursor, "COUNT", "3");
      const [next, found] = reply as [string, string[]];
      for (const key of found) keys.add(key);
      cursor = next;
      if (hasChanged || decodeCursor(BigInt(cursor)).position === 0) continue;
      // The first member has told all that it was to tell. Now others tell, in another order.
      hasChanged = true;
      cluster.heal(0, 1);
    } while (cursor !== "0");
    expect(hasChanged).toBe(true);
    expect(sorted([...keys])).toEqual(sorted(KEYS));
  });

  it("takes cursors that nobody gave as a new walk", async () => {
    const cluster = await filled();
    const reply = await cluster.node(0).run("DC_ONE", "scan", "18446744073709551615");
    expect(reply).toHaveLength(2);
  });
});

describe("KEYS, DBSIZE and RANDOMKEY", () => {
  it("work on the keys of all owners", async () => {
    const cluster = await filled();
    for (const node of cluster.nodes) {
      expect(await node.run("DC_ONE", "dbsize")).toBe(KEYS.length);
      expect(sorted((await node.run("DC_ONE", "keys", "*")) as string[])).toEqual(sorted(KEYS));
      expect(KEYS).toContain(await node.run("DC_ONE", "randomkey"));
    }
  });

  it("count each key once where no rack is whole", async () => {
    const cluster = await filled();
    for (const index of [0, 3]) cluster.stop(index);
    cluster.node(4).isFenced = true;
    const node = cluster.node(5);
    expect(await node.run("DC_ONE", "dbsize")).toBe(KEYS.length);
    for (let i = 0; i < 10; i++) expect(KEYS).toContain(await node.run("DC_ONE", "randomkey"));
  });

  it("are told by members that this node has not heard of yet, where nobody else can", async () => {
    const cluster = await filled();
    for (const { index } of cluster.node(0).topology.members) {
      if (index !== 0) cluster.node(index).seemsFenced = true;
    }
    expect(await cluster.node(0).run("DC_ONE", "dbsize")).toBe(KEYS.length);
    for (let index = 1; index < cluster.nodes.length; index++) cluster.node(index).isFenced = true;
    expect(await cluster.node(0).run("DC_ONE", "dbsize")).toEqual(
      failed(expect.stringMatching(/^ERR Dynomite: .* has not answered \(NOT_HERE\)/)),
    );
  });

  it("draw keys of every owner", async () => {
    const cluster = await filled();
    const drawn = new Set<unknown>();
    for (let i = 0; i < 400; i++) drawn.add(await cluster.node(0).run("DC_ONE", "randomkey"));
    expect(drawn.size).toBeGreaterThan(KEYS.length / 2);
  });

  it("answer null and nothing of an empty keyspace", async () => {
    const cluster = new FakeCluster();
    expect(await cluster.node(0).run("DC_ONE", "randomkey")).toBe(null);
    expect(await cluster.node(0).run("DC_ONE", "keys", "*")).toEqual([]);
    expect(await cluster.node(0).run("DC_ONE", "scan", "0")).toEqual(["0", []]);
  });

  it("have one deadline for all steps of a command", async () => {
    const cluster = await filled();
    const node = cluster.node(0);
    for (const other of cluster.nodes) other.requestMs = 400;
    node.timeouts.length = 0;
    // Each member is asked how many it holds; then one of them for a key.
    const drawn = async () => {
      const before = node.timeouts.length;
      const reply = await node.run("DC_ONE", "randomkey");
      expect(KEYS).toContain(reply);
      return node.timeouts.slice(before);
    };
    let timeouts: number[] = [];
    while (timeouts.length < 2) timeouts = await drawn();
    expect(timeouts).toEqual([1000, 600]);
    for (const other of cluster.nodes) other.requestMs = 600;
    const late = failed(expect.stringMatching(/has not answered \(DEADLINE\)/));
    const replies: unknown[] = [];
    for (let i = 0; i < 40; i++) replies.push(await node.run("DC_ONE", "randomkey"));
    expect(replies).toContainEqual(late);
    expect(Math.max(...node.timeouts)).toBe(1000);
  });

  it("end by the deadline where a member has more keys than it tells at a time", async () => {
    const cluster = new FakeCluster({ members: SIX_MEMBERS });
    const node = cluster.node(0);
    const other = cluster.nodes.find(
      ({ self }) => self.index !== node.self.index && self.rack === node.self.rack,
    )!;
    for (let i = 0; i < 30_000; i++) other.writeAlone(`key:${i}`, "v");
    node.requestMs = 600;
    const { error } = (await node.run("DC_ONE", "keys", "*")) as { error: string };
    expect(error).toMatch(/has not answered \(DEADLINE\), so the answer would not be whole/);
    node.requestMs = 10;
    const keys = (await node.run("DC_ONE", "keys", "*")) as string[];
    expect(keys.length).toBeGreaterThan(10_000);
  });

  it("say which members are missing where a range cannot be reached, and answer no part", async () => {
    const cluster = await filled();
    const node = cluster.node(0);
    const gone = node.sets.find((set) => !set.local.includes(node.self))!.local;
    for (const { index } of gone) cluster.stop(index);
    for (const words of [["dbsize"], ["keys", "*"], ["randomkey"], ["scan", "0"]]) {
      const reply = (await node.run("DC_ONE", ...words)) as { error: string };
      expect(reply.error).toMatch(/^ERR Dynomite: a part of the keys cannot be reached/);
      for (const { address } of gone) expect(reply.error).toContain(`:${address.port} `);
    }
  });
});

describe("FLUSHALL", () => {
  it("empties every member", async () => {
    const cluster = await filled();
    expect(await cluster.node(2).run("DC_QUORUM", "flushall")).toBe("OK");
    for (const node of cluster.nodes) expect(node.store.databases[0]!.size).toBe(0);
  });

  it("stays: what was written before does not come back from a replica that missed it", async () => {
    const cluster = new FakeCluster();
    await cluster.node(0).run("DC_QUORUM", "set", "k", "before");
    cluster.stop(2);
    await cluster.runtime.advance(10);
    expect(await cluster.node(0).run("DC_QUORUM", "flushdb")).toBe("OK");
    cluster.heal(2, 0);
    cluster.heal(2, 1);
    expect(cluster.held("k")).toEqual([null, null, "before"]);
    expect(await cluster.node(0).run("DC_QUORUM", "get", "k")).toBe(null);
  });

  it("needs its level in every range, and does nothing where that cannot be reached", async () => {
    const cluster = await filled();
    const gone = cluster.node(0).sets[0]!.local.slice(1);
    for (const { index } of gone) cluster.stop(index);
    const asked = cluster.nodes.find(
      ({ self }) => !gone.includes(self) && !gone.some((m) => m.index === self.index),
    )!;
    const { error } = (await asked.run("DC_QUORUM", "flushall")) as { error: string };
    expect(error).toMatch(
      /^ERR Dynomite: Failed to achieve Quorum \(2 of 3 needed, [01] answered\)$/,
    );
    expect(asked.store.databases[0]!.size).toBeGreaterThan(0);
  });

  it("refuses options that it does not know, and does nothing then", async () => {
    const cluster = await filled();
    const node = cluster.node(0);
    expect(await node.run("DC_ONE", "flushall", "now")).toEqual(failed("ERR syntax error"));
    expect(await node.run("DC_ONE", "dbsize")).toBe(KEYS.length);
  });
});
