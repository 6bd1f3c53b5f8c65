// Clusters in which no node holds everything, and clusters of two datacenters.
import type { Redis } from "ioredis";
import { describe, expect, it } from "vitest";
import { decodeReply } from "../../unit/store/decode-reply.ts";
import { type ClusterMember, places, startCluster } from "../cluster-harness.ts";
import { until } from "../until.ts";
import { connectRedis } from "./history.ts";

const QUORUM = ["--read-consistency", "dc_quorum", "--write-consistency", "dc_quorum"];

const ask = (member: ClusterMember, ...lines: string[]) =>
  member.send(...lines.map((line) => line.split(" ")));
const names = (prefix: string, count: number) =>
  Array.from({ length: count }, (_, i) => `${prefix}${i}`);

describe("two racks of two nodes", () => {
  it("answer at every node for all keys", { timeout: 60_000 }, async () => {
    const flags = [...QUORUM, "--hash-tag", "{}"];
    const cluster = await startCluster({ places: places(2, 2), flags });
    await cluster.ready();
    const { members } = cluster;
    const [a, b, c, d] = members as [ClusterMember, ClusterMember, ClusterMember, ClusterMember];
    const racks = [
      [a, b],
      [c, d],
    ];
    const keys = names("k", 200);
    const clients = await Promise.all(members.map((member) => connectRedis(member)));
    const [first, second, third, fourth] = clients as [Redis, Redis, Redis, Redis];

    // Keys of many owners, split and merged in order.
    expect(await first.mset(Object.fromEntries(keys.map((key) => [key, `v${key}`])))).toBe("OK");
    for (const client of clients) {
      expect(await client.mget(...keys, "missing")).toEqual([
        ...keys.map((key) => `v${key}`),
        null,
      ]);
      expect(await client.dbsize()).toBe(200);
      expect((await client.keys("k*")).sort()).toEqual([...keys].sort());
      expect(await client.exists(...keys, "missing", "k0")).toBe(201);
      expect(keys).toContain(await client.randomkey());
      const seen = new Set<string>();
      let cursor = "0";
      do {
        const [next, found] = await client.scan(cursor, "COUNT", 17);
        for (const key of found) seen.add(key);
        cursor = next;
      } while (cursor !== "0");
      expect([...seen].sort()).toEqual([...keys].sort());
    }
    await cluster.equal(racks);
    // No node holds everything, or there is nothing to see here.
    const shares = await Promise.all(members.map((member) => member.digest()));
    expect(new Set(shares.map((share) => share.get(0))).size).toBe(2);

    // Whoever is asked, the owner runs it.
    for (let round = 1; round <= 3; round++) {
      for (const client of clients) {
        await Promise.all(keys.slice(0, 20).map((key) => client.incr(`n:${key}`)));
        await client.hset(`h:${round}`, { [`f${client.options.port}`]: "v" });
      }
    }
    expect(await second.mget(...keys.slice(0, 20).map((key) => `n:${key}`))).toEqual(
      Array(20).fill("12"),
    );
    expect(await third.hlen("h:2")).toBe(4);
    expect(await fourth.del(...keys.slice(0, 100), "missing")).toBe(100);
    expect(await first.exists(...keys)).toBe(100);

    // What cannot be split is refused, and the remedy works.
    const remedy = /hash tag/;
    await expect(first.rename("k150", "k151")).rejects.toThrow(remedy);
    await expect(first.msetnx(Object.fromEntries(keys.map((key) => [key, "x"])))).rejects.toThrow(
      remedy,
    );
    const replies = (await ask(b, "MULTI", ...keys.map((key) => `SET ${key} x`), "EXEC")).map(
      decodeReply,
    );
    expect(replies.at(-1)).toEqual({ error: expect.stringMatching(/^EXECABORT/) });
    expect(replies.filter((reply) => reply === "QUEUED").length).toBeLessThan(200);
    expect(JSON.stringify(replies)).toMatch(remedy);
    for (const client of clients) {
      expect(await client.multi().set("{u}a", "1").incr("{u}a").get("{u}a").exec()).toEqual([
        [null, "OK"],
        [null, 2],
        [null, "2"],
      ]);
      expect(await client.rename("{u}a", "{u}b")).toBe("OK");
      expect(await client.getdel("{u}b")).toBe("2");
    }

    // Replies keep their order, whoever gives them.
    const pipeline = second.pipeline();
    const expected: unknown[] = [];
    for (const [i, key] of keys.entries()) {
      pipeline.set(key, i).get(key).hset(`h:${key}`, "f", i).hget(`h:${key}`, "f").append(key, "x");
      expected.push("OK", String(i), 1, String(i), String(i).length + 1);
    }
    expect((await pipeline.exec())!.map(([error, reply]) => error ?? reply)).toEqual(expected);
    await cluster.equal(racks);

    expect(await third.flushall()).toBe("OK");
    for (const client of clients) expect(await client.dbsize()).toBe(0);
    await cluster.equal(racks);
  });

  it("read at DC_ONE past a nearest replica that stands still", { timeout: 60_000 }, async () => {
    const flags = ["--link-timeout-ms", "600000", "--request-timeout-ms", "8000"];
    const cluster = await startCluster({ places: places(2, 2), flags });
    await cluster.ready();
    const [a, b, c, d] = cluster.members as [
      ClusterMember,
      ClusterMember,
      ClusterMember,
      ClusterMember,
    ];
    const keys = names("k", 8);
    await a.sendAtOne(...keys.map((key) => ["SET", key, "v"]));
    await cluster.equal([
      [a, b],
      [c, d],
    ]);
    // Its neighbour in the rack has those keys that it does not have itself.
    expect(await b.digest()).not.toEqual(new Map());
    b.pause();
    for (const command of ["GET", "STRLEN", "GETRANGE"]) {
      const replies = keys.map((key) => {
        const bounds = command === "GETRANGE" ? ["0", "-1"] : [];
        return a.sendAtOne([command, key, ...bounds]);
      });
      const expected = command === "STRLEN" ? ":1\r\n" : "$1\r\nv\r\n";
      expect((await Promise.all(replies)).flat()).toEqual(keys.map(() => expected));
    }
  });
});

describe("two datacenters of three racks", () => {
  it("bring what is written in one to all racks of the other", { timeout: 60_000 }, async () => {
    const cluster = await startCluster({
      places: [...places(3, 1, "dc1"), ...places(3, 1, "dc2")],
      flags: QUORUM,
    });
    await cluster.ready();
    const { members } = cluster;
    const keys = names("k", 100);
    const [one, , , four, five] = members as ClusterMember[];
    const near = await connectRedis(one!);
    const far = await connectRedis(five!);
    // A node is ready when it has reached most of its own datacenter.
    for (const client of [near, far]) {
      await expect
        .poll(async () => String(await client.call("RINGLET", "STATUS")), { timeout: 20_000 })
        .toContain("members_readable: 6");
    }
    await near.mset(Object.fromEntries(keys.map((key) => [key, `v${key}`])));
    await near.hset("h", { f: "v", g: "w" });
    await near.incrby("n", 41);
    await far.set("from afar", "x");
    await cluster.equal();
    for (const member of members) {
      const [found, fields, afar] = (
        await member.sendAtOne(["MGET", ...keys, "n"], ["HGETALL", "h"], ["GET", "from afar"])
      ).map(decodeReply);
      expect(found).toEqual([...keys.map((key) => `v${key}`), "41"]);
      expect(fields).toEqual(["f", "v", "g", "w"]);
      expect(afar).toBe("x");
    }

    // At its own level a write waits for a quorum of each datacenter: it can be read there at once.
    await near.call("RINGLET", "CONSISTENCY", "DC_QUORUM", "DC_EACH_SAFE_QUORUM");
    for (let i = 0; i < 20; i++) {
      await near.set("each", i);
      expect(await far.get("each")).toBe(String(i));
    }

    // A datacenter that has lost a rack goes on, and so does the other.
    await four!.kill();
    await far.set("without", "a rack");
    await until(
      async () => (await near.get("without")) === "a rack",
      () => "a write does not reach the other datacenter while a rack is down",
    );
    expect(await near.del("k0", "k1")).toBe(2);
    await four!.start();
    await cluster.ready();
    await cluster.equal();
    expect((await four!.sendAtOne(["EXISTS", "k0", "k1", "k2", "without"]))[0]).toBe(":2\r\n");
    await far.flushall();
    await cluster.equal();
    expect(await near.dbsize()).toBe(0);
  });
});
