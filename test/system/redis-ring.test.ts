// A ring of three racks whose nodes each have a real redis-server behind them.
import { execFile } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { Redis } from "ioredis";
import { expect, it, onTestFinished, type TestContext } from "vitest";
import {
  type Cluster,
  type ClusterMember,
  type Place,
  places,
  startCluster,
} from "./cluster-harness.ts";
import { freePort } from "./other-servers.ts";
import { RestartableServer, temporaryFolder } from "./restartable-server.ts";
import { until } from "./until.ts";

const run = promisify(execFile);
const SIDE_DATABASE = 15;

interface RedisRing {
  readonly cluster: Cluster;
  readonly members: readonly ClusterMember[];
  readonly servers: readonly RestartableServer[];
}

async function startRing(
  context: TestContext,
  level: string,
  members: readonly Place[] = places(3),
): Promise<RedisRing> {
  const servers: RestartableServer[] = [];
  for (let i = 0; i < members.length; i++) {
    servers.push(await RestartableServer.redis(context, { port: await freePort() }));
  }
  const directory = temporaryFolder();
  const flagsOf = (index: number) => {
    const path = join(directory, `node${index}.yml`);
    const text = [
      "dyn_o_mite:",
      "  data_store: 0",
      "  server_retry_timeout: 500",
      "  servers:",
      `  - ${servers[index]!.entry}`,
    ];
    writeFileSync(path, `${text.join("\n")}\n`);
    return [
      ...["--conf-file", path],
      ...["--read-consistency", level, "--write-consistency", level],
    ];
  };
  const cluster = await startCluster({ places: members, flagsOf });
  await cluster.ready();
  return { cluster, members: cluster.members, servers };
}

function clientOf({ port }: { readonly port: number }, db = 0): Redis {
  const client = new Redis({ port, host: "127.0.0.1", db, maxRetriesPerRequest: 0 });
  client.on("error", () => {});
  onTestFinished(() => client.disconnect());
  return client;
}

/** All that a server holds: values and expiries as DUMP has them, and the side records. */
async function contentsOf(server: RestartableServer): Promise<Record<string, string>> {
  const contents: Record<string, string> = {};
  const values = clientOf(server);
  const side = clientOf(server, SIDE_DATABASE);
  for (const key of await values.keys("*")) {
    contents[key] = `${await shownValue(values, key)} ${await values.pexpiretime(key)}`;
  }
  for (const key of await side.keys("*")) contents[`stamp of ${key}`] = (await side.get(key)) ?? "";
  values.disconnect();
  side.disconnect();
  return contents;
}

/** A set has no order, and servers keep each its own. */
async function shownValue(client: Redis, key: string): Promise<string> {
  if ((await client.type(key)) === "set") return (await client.smembers(key)).sort().join();
  return (await client.dumpBuffer(key))?.toString("hex") ?? "";
}

async function becomeEqual(servers: readonly RestartableServer[]): Promise<Record<string, string>> {
  let contents: Record<string, string>[] = [];
  await until(
    async () => {
      contents = await Promise.all(servers.map(contentsOf));
      return contents.every(
        (one) => JSON.stringify(sorted(one)) === JSON.stringify(sorted(contents[0]!)),
      );
    },
    () => `the servers differ: ${JSON.stringify(contents).slice(0, 2000)}`,
  );
  return contents[0]!;
}

function sorted(contents: Record<string, string>): [string, string][] {
  return Object.entries(contents).sort(([one], [other]) => (one < other ? -1 : 1));
}

it("writes through one node what all three servers then hold, of every type", async (context) => {
  const { members, servers } = await startRing(context, "DC_SAFE_QUORUM");
  const [one, two, three] = members.map((member) => clientOf(member)) as [Redis, Redis, Redis];
  expect(await one.set("string", "a")).toBe("OK");
  expect(await two.append("string", "b")).toBe(2);
  expect(await three.get("string")).toBe("ab");
  expect(await one.getset("string", "c")).toBe("ab");
  expect(await one.set("string", "no", "NX")).toBeNull();
  expect(await two.mset("m1", "1", "m2", "2")).toBe("OK");
  expect(await three.mget("m1", "nothing", "m2")).toEqual(["1", null, "2"]);
  expect(await one.incr("counter")).toBe(1);
  expect(await two.incrby("counter", "9007199254740993")).toBe(9007199254740994);
  expect(await three.call("SETEX", "short", "1000", "x")).toBe("OK");
  expect(await one.ttl("short")).toBeGreaterThan(900);
  expect(await two.persist("short")).toBe(1);
  expect(await three.ttl("short")).toBe(-1);
  expect(await one.expire("short", 500)).toBe(1);
  expect(await two.setnx("short", "y")).toBe(0);
  expect(await two.exists("short", "m1", "nothing")).toBe(2);
  expect(await three.del("m1", "nothing")).toBe(1);
  expect(await one.get("m1")).toBeNull();
  expect(await one.rpush("list", "a", "b")).toBe(2);
  expect(await two.lpop("list")).toBe("a");
  expect(await three.lrange("list", 0, -1)).toEqual(["b"]);
  expect(await one.hset("hash", "field", "1", "other", "2")).toBe(2);
  expect(await two.hincrby("hash", "field", 4)).toBe(5);
  expect(await three.hgetall("hash")).toEqual({ field: "5", other: "2" });
  expect(await one.sadd("set", "a", "b", "c")).toBe(3);
  expect(await two.spop("set")).toMatch(/[abc]/);
  expect(await three.scard("set")).toBe(2);
  expect(await one.zadd("sorted", 1, "a", "2.5", "b")).toBe(2);
  expect(await two.zincrby("sorted", 3, "a")).toBe("4");
  expect(await three.zrange("sorted", "0", "-1", "WITHSCORES")).toEqual(["b", "2.5", "a", "4"]);
  expect(await one.xadd("stream", "1-1", "field", "value")).toBe("1-1");
  expect(await two.xlen("stream")).toBe(1);
  expect(await two.lpop("list")).toBe("b");
  await expect(three.lpush("string", "x")).rejects.toThrow(/^WRONGTYPE/);
  const contents = await becomeEqual(servers);
  expect(contents["stamp of m1"]).toMatch(/^t /);
  expect(contents["stamp of list"]).toMatch(/^t /);
  expect(contents["stamp of string"]).toMatch(/^v /);
  expect(contents).not.toHaveProperty("list");
});

it("refuses what it does not serve, and does nothing of it", async (context) => {
  const { members, servers } = await startRing(context, "DC_QUORUM");
  const [member] = members;
  const replies = await member!.send(
    ["SET", "key", "1"],
    ["MULTI"],
    ["SET", "key", "2"],
    ["EXEC"],
    ["BLPOP", "list", "1"],
    ["SELECT", "3"],
    ["SELECT", "0"],
    ["KEYS", "*"],
    ["EVAL", "return redis.call('set', 'key', '3')", "0"],
    ["SUBSCRIBE", "channel"],
    ["HELLO", "3"],
    ["GET"],
    ["RINGLET", "DIGEST"],
    ["PING"],
    ["GET", "key"],
  );
  expect(replies[0]).toBe("+OK\r\n");
  expect(replies[1]).toMatch(/^-ERR 'multi' is not served by a ring whose nodes have servers/);
  expect(replies[2]).toMatch(/^-ERR the transaction was refused/);
  expect(replies[3]).toMatch(/^-EXECABORT/);
  expect(replies[4]).toMatch(/^-ERR 'blpop' is not served/);
  expect(replies[5]).toMatch(/^-ERR DB index is out of range/);
  expect(replies[6]).toBe("+OK\r\n");
  expect(replies[7]).toMatch(/^-ERR 'KEYS' is not served/);
  expect(replies[8]).toMatch(/^-ERR 'EVAL' is not served/);
  expect(replies[9]).toMatch(/^-ERR 'subscribe' is not served/);
  expect(replies[10]).toMatch(/^-NOPROTO/);
  expect(replies[11]).toMatch(/^-ERR wrong number of arguments for 'get'/);
  expect(replies[12]).toMatch(/^-ERR the server behind this node holds the data/);
  expect(replies[13]).toBe("+PONG\r\n");
  expect(replies[14]).toBe("$1\r\n1\r\n");
  expect(await clientOf(servers[0]!).get("key")).toBe("1");
});

it("serves on by a quorum while a server is gone under load, loses nothing, and makes it equal again", async (context) => {
  const { members, servers } = await startRing(context, "DC_QUORUM");
  const acknowledged = new Map<string, string>();
  let isOver = false;
  const write = async (member: ClusterMember, name: string) => {
    const client = clientOf(member);
    for (let i = 0; !isOver; i++) {
      const key = `${name}:${i % 50}`;
      try {
        await client.set(key, String(i));
        acknowledged.set(key, String(i));
      } catch (error) {
        // It may have been done or not: what is read later must be that or what was there.
        expect(String(error)).toMatch(/unknown|Quorum|ERR/);
        acknowledged.delete(key);
      }
    }
  };
  const writers = members.map((member, i) => write(member, `writer${i}`));
  const grows = async (by: number) => {
    const key = [...acknowledged.values()].map(Number).reduce((sum, value) => sum + value, 0);
    await until(
      () =>
        [...acknowledged.values()].map(Number).reduce((sum, value) => sum + value, 0) > key + by,
      () => "the writers do not get on",
    );
  };
  await grows(200);
  await servers[0]!.kill();
  await grows(200);
  const reader = clientOf(members[0]!);
  for (const [key] of [...acknowledged].slice(0, 5)) expect(await reader.get(key)).not.toBeNull();
  await servers[0]!.run();
  await grows(200);
  isOver = true;
  await Promise.all(writers);
  await members[0]!.ready();
  const client = clientOf(members[0]!);
  for (const [key, value] of acknowledged) expect(await client.get(key)).toBe(value);
  const contents = await becomeEqual(servers);
  for (const key of acknowledged.keys()) expect(contents).toHaveProperty([key]);
});

it("gives a write that did not come through the ring a stamp when it is found, and spreads it", async (context) => {
  const { members, servers } = await startRing(context, "DC_QUORUM");
  const [one, two] = members.map((member) => clientOf(member)) as [Redis, Redis];
  await one.set("key", "through the ring");
  await becomeEqual(servers);
  await clientOf(servers[2]!).set("key", "past the ring");
  await clientOf(servers[1]!).set("new", "past the ring");
  // Each node answers for its own server, and asks at least one other: the first that finds it tells all.
  await until(
    async () => {
      await Promise.all(members.map((member) => clientOf(member).mget("key", "new")));
      const held = await Promise.all(servers.map((server) => clientOf(server).mget("key", "new")));
      return held.flat().every((value) => value === "past the ring");
    },
    () => "what was written past the ring did not spread",
  );
  await becomeEqual(servers);
  // An eviction, or a deletion past the ring, is none of the ring's.
  await clientOf(servers[0]!).del("key");
  expect(await one.get("key")).toBe("past the ring");
  await two.set("key", "again");
  expect(await one.get("key")).toBe("again");
  await becomeEqual(servers);
});

it("converges under writers of the same keys through all nodes", async (context) => {
  const { members, servers } = await startRing(context, "DC_QUORUM");
  const clients = members.map((member) => clientOf(member));
  const works = clients.flatMap((client, c) =>
    Array.from({ length: 4 }, async (_, w) => {
      for (let i = 0; i < 40; i++) {
        const key = `key${(i * 7 + w) % 5}`;
        await client.set(key, `${c}:${w}:${i}`);
        if (i % 5 === 0) await client.del(key);
        await client.incr("sum");
      }
    }),
  );
  await Promise.all(works);
  const contents = await becomeEqual(servers);
  expect(contents).toHaveProperty("sum");
  // One executor counts.
  expect(await clients[1]!.get("sum")).toBe(String(3 * 4 * 40));
});

it("copies from the others what a server lacks that was started again empty, and answers no read before", async (context) => {
  const { members, servers } = await startRing(context, "DC_ONE");
  const [one] = members.map((member) => clientOf(member)) as [Redis];
  for (let i = 0; i < 300; i++) await one.set(`key${i}`, "x".repeat(i * 20));
  await one.del("key7");
  await one.rpush("list", "a", "b");
  const before = await becomeEqual(servers);
  await servers[0]!.kill();
  await servers[0]!.run();
  // At DC_ONE a node answers from its own server, if that has everything.
  for (const i of [1, 150, 299]) {
    expect(await clientOf(members[0]!).get(`key${i}`)).toBe("x".repeat(i * 20));
  }
  expect(await becomeEqual(servers)).toEqual(before);
});

it("takes part after an outage of a node, whose server kept what it had", async (context) => {
  const { members, servers } = await startRing(context, "DC_QUORUM");
  const one = clientOf(members[0]!);
  await one.set("before", "1");
  await becomeEqual(servers);
  await members[2]!.kill();
  await one.set("before", "2");
  await one.set("meanwhile", "3");
  await members[2]!.start();
  await members[2]!.ready();
  const contents = await becomeEqual(servers);
  expect(contents).toHaveProperty("meanwhile");
});

it("splits commands by owner, and has owners run those of other nodes' clients", async (context) => {
  const { members, servers } = await startRing(context, "DC_QUORUM", places(1, 2));
  const [one, two] = members.map((member) => clientOf(member)) as [Redis, Redis];
  const keys = Array.from({ length: 20 }, (_, i) => `key${i}`);
  expect(await one.mset(keys.flatMap((key, i) => [key, String(i)]))).toBe("OK");
  expect(await two.mget(keys)).toEqual(keys.map((_, i) => String(i)));
  for (const key of keys) {
    expect(await two.incr(key)).toBe(Number(await one.get(key)));
    expect(await one.append(key, "0")).toBeGreaterThan(1);
  }
  const sizes = await Promise.all(servers.map((server) => clientOf(server).dbsize()));
  expect(Math.min(...sizes)).toBeGreaterThan(0);
  expect(sizes[0]! + sizes[1]!).toBe(keys.length);
  expect(await two.del(keys.slice(2))).toBe(keys.length - 2);
});

it("spreads what one datacenter writes to the servers of another, and long values whole", async (context) => {
  const two = [...places(2, 1, "dc1"), ...places(2, 1, "dc2")];
  const { members, servers } = await startRing(context, "DC_QUORUM", two);
  const here = clientOf(members[0]!);
  const long = Buffer.alloc(1_000_000, "0123456789abcdef");
  await here.set("key", "value");
  await here.set("long", long);
  await here.rpush("list", "a", "b");
  await here.del("key");
  await becomeEqual(servers);
  expect(await clientOf(members[3]!).getBuffer("long")).toEqual(long);
  expect(await clientOf(members[2]!).lpop("list")).toBe("a");
  await becomeEqual(servers);
});

it("refuses a server that evicts, with the reason", async (context) => {
  const server = await RestartableServer.redis(
    context,
    { port: await freePort() },
    ...["--maxmemory", "100mb", "--maxmemory-policy", "allkeys-lru"],
  );
  const path = join(temporaryFolder(), "node.yml");
  const text = `dyn_o_mite:\n  data_store: 0\n  servers:\n  - ${server.entry}\n`;
  writeFileSync(path, text);
  const cluster = await startCluster({ places: places(2), flags: ["--conf-file", path] });
  await cluster.members[0]!.logs(/it evicts keys \(maxmemory-policy allkeys-lru\)/);
});

it("takes no member that keeps its data in another way", async (context) => {
  const server = await RestartableServer.redis(context, { port: await freePort() });
  const path = join(temporaryFolder(), "node.yml");
  writeFileSync(path, `dyn_o_mite:\n  data_store: 0\n  servers:\n  - ${server.entry}\n`);
  const flagsOf = (index: number) => (index === 0 ? ["--conf-file", path] : []);
  const cluster = await startCluster({ places: places(2), flagsOf });
  await cluster.members[0]!.logs(/what keeps its data \(data_store\) differs/);
});

it("serves redis-cli and redis-benchmark", async (context) => {
  const { members, servers } = await startRing(context, "DC_QUORUM");
  const port = String(members[1]!.port);
  const cli = await run("redis-cli", ["-p", port, "set", "from", "cli"]);
  expect(cli.stdout).toBe("OK\n");
  const flags = [
    "-p",
    port,
    "-t",
    "set,get,incr,lpush,hset",
    "-n",
    "200",
    "-c",
    "5",
    "-P",
    "4",
    "-q",
  ];
  const { stdout, stderr } = await run("redis-benchmark", flags);
  expect(stdout).toContain("HSET");
  expect(stderr).not.toContain("Error");
  await becomeEqual(servers);
});
