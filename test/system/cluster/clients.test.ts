// Three racks at DC_QUORUM through clients that others wrote: every node answers for all, replies keep their order, and the
// replicas are equal afterwards.
import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { createClient } from "redis";
import { afterAll, afterEach, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { type Cluster, type ClusterMember, places, startCluster } from "../cluster-harness.ts";
import { requireProgram } from "../programs.ts";
import { until } from "../until.ts";
import { connectRedis } from "./history.ts";

const QUORUM = ["--read-consistency", "dc_quorum", "--write-consistency", "dc_quorum"];

let cluster: Cluster;
let one: ClusterMember;
let two: ClusterMember;
let three: ClusterMember;
beforeAll(async () => {
  cluster = await startCluster({
    places: places(3),
    flags: [...QUORUM, "--hash-tag", "{}"],
    keep: true,
  });
  [one, two, three] = cluster.members as [ClusterMember, ClusterMember, ClusterMember];
  await cluster.ready();
});
afterAll(() => cluster?.stop());
afterEach(() => cluster.equal());

const run = promisify(execFile);

/** The replies to commands that one member is sent in one go. */
const ask = (member: ClusterMember, ...lines: string[]) =>
  member.send(...lines.map((line) => line.split(" ")));
/** What a member itself holds. */
const askAlone = (member: ClusterMember, ...lines: string[]) =>
  member.sendAtOne(...lines.map((line) => line.split(" ")));

describe("redis-cli", () => {
  it("reads at every node what it has written at another one", async (context) => {
    const cli = requireProgram(context, "redis-cli");
    const said = async (member: ClusterMember, ...args: string[]) =>
      (await run(cli, ["-p", String(member.port), ...args])).stdout.trim();
    for (const [i, writer] of cluster.members.entries()) {
      expect(await said(writer, "set", `key${i}`, `value${i}`)).toBe("OK");
      for (const reader of cluster.members) {
        expect(await said(reader, "get", `key${i}`)).toBe(`value${i}`);
      }
    }
    expect(await said(two, "del", "key0", "key1", "key2", "key3")).toBe("3");
    expect(await said(three, "exists", "key0", "key1", "key2")).toBe("0");
  });

  it("loads many commands by --pipe", async (context) => {
    const cli = requireProgram(context, "redis-cli");
    const lines = Array.from({ length: 1000 }, (_, i) =>
      [0, 1, 2, 3]
        .map((n) => `SET pipe:${n}:${i} ${i}\r\n`)
        .join("")
        .concat("INCR pipe:n\r\n"),
    );
    const child = execFile(cli, ["-p", String(two.port), "--pipe"]);
    let output = "";
    child.stdout!.on("data", (text) => {
      output += text;
    });
    child.stdin!.end(lines.join(""));
    await new Promise((resolve) => child.on("close", resolve));
    expect(output).toContain("errors: 0, replies: 5000");
    expect(await ask(three, "GET pipe:3:999", "GET pipe:n")).toEqual([
      "$3\r\n999\r\n",
      "$4\r\n1000\r\n",
    ]);
  });
});

describe("redis-benchmark", () => {
  const flags = () => ["-p", String(one.port), "-q", "-r", "1000", "-P", "16"];

  it("runs its tests of commands that the ring has", async (context) => {
    const program = requireProgram(context, "redis-benchmark");
    const tests = "ping_inline,ping_mbulk,set,get,incr,hset,mset";
    const { stdout } = await run(program, [...flags(), "-t", tests, "-n", "2000"]);
    expect(stdout.match(/requests per second/g)).toHaveLength(7);
  });

  it("gets its SET, GET and MSET from the kernel: under 1 % go to the host", async (context) => {
    const program = requireProgram(context, "redis-benchmark");
    const before = await commandsOf(one);
    await run(program, [...flags(), "-t", "set,get,mset", "-n", "20000"]);
    const after = await commandsOf(one);
    const host = after.host - before.host;
    expect(host / (after.kernel - before.kernel + host)).toBeLessThan(0.01);
  });
});

describe("ioredis", () => {
  it("gets the replies of a long pipeline in order, whoever runs the commands", async () => {
    for (const [n, member] of cluster.members.entries()) {
      const client = await connectRedis(member);
      const pipeline = client.pipeline();
      const expected: unknown[] = [];
      for (let i = 0; i < 300; i++) {
        pipeline.set(`p${n}:k${i}`, i);
        pipeline.get(`p${n}:k${i}`);
        pipeline.hset(`p${n}:h${i % 7}`, `f${i}`, `v${i}`);
        pipeline.incr(`p${n}:n`);
        pipeline.ping();
        pipeline.hget(`p${n}:h${i % 7}`, `f${i}`);
        pipeline.mget(`p${n}:k${i}`, "nothing");
        pipeline.append(`p${n}:a`, "x");
        pipeline.call("NONSENSE");
        expected.push("OK", String(i), 1, i + 1, "PONG", `v${i}`, [String(i), null], i + 1, null);
      }
      const replies = (await pipeline.exec())!;
      const bad = replies.filter(([error]) => error !== null).map(([error]) => error!.message);
      expect(new Set(bad.map((text) => text.slice(0, 19)))).toEqual(
        new Set(["ERR unknown command"]),
      );
      expect(replies.map(([error, reply]) => (error ? null : reply))).toEqual(expected);
    }
  });

  it("counts exactly with INCR from three nodes at once", async () => {
    const clients = await Promise.all(cluster.members.map((member) => connectRedis(member)));
    const replies = await Promise.all(
      clients.flatMap((client) => Array.from({ length: 300 }, () => client.incr("counter"))),
    );
    expect(replies.sort((a, b) => a - b)).toEqual(Array.from({ length: 900 }, (_, i) => i + 1));
    for (const member of cluster.members) {
      expect(await askAlone(member, "GET counter")).toEqual(["$3\r\n900\r\n"]);
    }
  });

  it("merges the fields of a hash that three nodes write at once", async () => {
    const clients = await Promise.all(cluster.members.map((member) => connectRedis(member)));
    await Promise.all(
      clients.flatMap((client, n) =>
        Array.from({ length: 100 }, async (_, i) => {
          await client.hset("hash", `f${n}:${i}`, `v${i}`);
          await client.hincrby("hash", "sum", 1);
          if (i % 2 === 0) await client.hdel("hash", `f${n}:${i}`);
        }),
      ),
    );
    for (const member of cluster.members) {
      expect(await askAlone(member, "HLEN hash", "HGET hash sum", "HGET hash f2:99")).toEqual([
        ":151\r\n",
        "$3\r\n300\r\n",
        "$3\r\nv99\r\n",
      ]);
    }
  });

  it("runs transactions that no replica shows in part", async () => {
    const writer = await connectRedis(one);
    const torn: unknown[] = [];
    let writing = true;
    const readers = cluster.members.map(async (member) => {
      const reader = await connectRedis(member);
      await reader.call("RINGLET", "CONSISTENCY", "DC_ONE", "DC_ONE");
      while (writing) {
        const [a, b] = await reader.mget("{t}a", "{t}b");
        if (a !== b) torn.push([a, b]);
      }
    });
    for (let i = 0; i < 200; i++) {
      const replies = await writer.multi().set("{t}a", i).set("{t}b", i).incr("{t}n").exec();
      expect(replies).toEqual([
        [null, "OK"],
        [null, "OK"],
        [null, i + 1],
      ]);
    }
    writing = false;
    await Promise.all(readers);
    expect(torn).toEqual([]);
  });

  it("does not run a transaction after another node has changed a watched key", async () => {
    const [client, other] = await Promise.all([connectRedis(one), connectRedis(two)]);
    await client.set("{w}a", "old");
    await client.watch("{w}a");
    await other.set("{w}a", "new");
    expect(await client.multi().set("{w}b", "mine").exec()).toBe(null);
    expect(await client.mget("{w}a", "{w}b")).toEqual(["new", null]);
    await client.watch("{w}a");
    expect(await client.multi().set("{w}b", "mine").exec()).toEqual([[null, "OK"]]);
  });
});

describe("node-redis", () => {
  it("writes at one node and reads at the next, in every database", async () => {
    const clients = await Promise.all(
      cluster.members.map(async ({ port }) => {
        const client = createClient({ socket: { host: "127.0.0.1", port }, database: 3 });
        client.on("error", () => {});
        onTestFinished(() => client.destroy());
        return await client.connect();
      }),
    );
    const values = Object.fromEntries(Array.from({ length: 100 }, (_, i) => [`n${i}`, `v${i}`]));
    expect(await clients[0]!.mSet(values)).toBe("OK");
    expect(await clients[1]!.mGet(Object.keys(values))).toEqual(Object.values(values));
    const seen: string[] = [];
    for await (const keys of clients[2]!.scanIterator({ MATCH: "n*" })) seen.push(...keys);
    expect(new Set(seen)).toEqual(new Set(Object.keys(values)));
    expect(await clients[2]!.dbSize()).toBe(100);
    expect(await clients[0]!.exists("n0")).toBe(1);
    await clients[0]!.select(0);
    expect(await clients[0]!.exists("n0")).toBe(0);
  });
});

describe("a key that expires", () => {
  it("does so at the same time on all replicas, by itself", async () => {
    await ask(one, "SET short x PX 400", "SET long x EX 1000", "HSET hash:short f v");
    await ask(two, "PEXPIRE hash:short 400");
    const times = await Promise.all(
      cluster.members.map((member) =>
        askAlone(member, "PEXPIRETIME short", "PEXPIRETIME long", "PEXPIRETIME hash:short"),
      ),
    );
    expect(times[0]![0]).toMatch(/^:\d{13}\r\n$/);
    expect(times[1]).toEqual(times[0]);
    expect(times[2]).toEqual(times[0]);
    for (const member of cluster.members) {
      await until(
        async () => (await askAlone(member, "EXISTS short hash:short"))[0] === ":0\r\n",
        () => "a replica has kept a key that has expired",
      );
    }
    expect(await ask(three, "PERSIST long")).toEqual([":1\r\n"]);
    for (const member of cluster.members) {
      expect(await askAlone(member, "TTL long")).toEqual([":-1\r\n"]);
    }
  });
});

describe("levels", () => {
  it("are those of the connection, by either command", async () => {
    expect(
      await ask(
        two,
        "RINGLET CONSISTENCY",
        "DYNO_CONFIG:CONN_CONSISTENCY DC_SAFE_QUORUM",
        "RINGLET CONSISTENCY",
        "SET level safe",
        "GET level",
        "RINGLET CONSISTENCY dc_one dc_quorum",
        "RINGLET CONSISTENCY",
        "RINGLET CONSISTENCY most",
      ),
    ).toEqual([
      levels("DC_QUORUM", "DC_QUORUM"),
      "+OK\r\n",
      levels("DC_SAFE_QUORUM", "DC_SAFE_QUORUM"),
      "+OK\r\n",
      "$4\r\nsafe\r\n",
      "+OK\r\n",
      levels("DC_ONE", "DC_QUORUM"),
      expect.stringMatching(/^-ERR /),
    ]);
  });
});

describe("FLUSHALL", () => {
  it("empties all replicas and databases, and what is written afterwards stays", async () => {
    await ask(one, "SET a 1", "HSET h f v", "SELECT 5", "SET b 2");
    expect(await ask(two, "FLUSHALL", "SET after 1")).toEqual(["+OK\r\n", "+OK\r\n"]);
    for (const member of cluster.members) {
      expect(await askAlone(member, "KEYS *", "DBSIZE", "SELECT 5", "DBSIZE")).toEqual([
        "*1\r\n$5\r\nafter\r\n",
        ":1\r\n",
        "+OK\r\n",
        ":0\r\n",
      ]);
    }
  });
});

function levels(read: string, write: string): string {
  const words = ["read", read, "write", write].map((word) => `$${word.length}\r\n${word}\r\n`);
  return `*4\r\n${words.join("")}`;
}

async function commandsOf(member: ClusterMember): Promise<{ kernel: number; host: number }> {
  const metrics = await member.page("/metrics");
  const count = (by: string) =>
    Number(new RegExp(`^ringlet_commands_total\\{by="${by}"\\} (\\d+)`, "m").exec(metrics)?.[1]);
  return { kernel: count("kernel"), host: count("host") };
}
