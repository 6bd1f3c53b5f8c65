// ioredis 6 with its defaults: HELLO 3, the ready check, pipelines, transactions.
import { Redis } from "ioredis";
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { type RunningNode, startNode } from "../harness.ts";

let node: RunningNode;
beforeAll(async () => {
  node = await startNode({ keep: true });
});
afterAll(async () => {
  await node.stop();
});

async function connect(options: Record<string, unknown> = {}): Promise<Redis> {
  const client = new Redis({
    host: node.host,
    port: node.port,
    lazyConnect: true,
    retryStrategy: () => null,
    ...options,
  });
  onTestFinished(() => client.disconnect());
  await client.connect();
  await client.flushall();
  return client;
}

describe("ioredis", () => {
  it("connects by its defaults, in RESP 3, ready check included", async () => {
    const client = await connect({ connectionName: "tester" });
    expect(client.status).toBe("ready");
    const line = String(await client.client("INFO"));
    expect(line).toMatch(/name=tester .*resp=3 lib-name=ioredis lib-ver=6\./);
    expect(await client.call("HELLO")).toEqual(expect.arrayContaining(["server", "redis", 3]));
  });

  it("connects in RESP 2, to a database, with a password", async () => {
    const guarded = await startNode({ flags: ["--requirepass", "secret"] });
    const client = await connect({ port: guarded.port, password: "secret", db: 5, protocol: 2 });
    await client.set("a", 1);
    expect(await client.client("INFO")).toMatch(/db=5 .*resp=2/);
    const wrong = new Redis({
      host: guarded.host,
      port: guarded.port,
      password: "wrong",
      lazyConnect: true,
      retryStrategy: () => null,
    });
    onTestFinished(() => wrong.disconnect());
    const errors: string[] = [];
    wrong.on("error", (error) => errors.push(error.message));
    await expect(wrong.connect().then(() => wrong.get("a"))).rejects.toThrow();
    expect(errors.join()).toContain("WRONGPASS invalid username-password pair");
  });

  it("keeps the order of a long pipeline of commands of the kernel and the host", async () => {
    const client = await connect();
    const pipeline = client.pipeline();
    const expected: unknown[] = [];
    for (let i = 0; i < 2000; i++) {
      pipeline.set(`k${i}`, i);
      pipeline.get(`k${i}`);
      pipeline.hset(`h${i % 7}`, `f${i}`, `v${i}`);
      pipeline.incr("n");
      pipeline.hget(`h${i % 7}`, `f${i}`);
      expected.push("OK", String(i), 1, i + 1, `v${i}`);
    }
    const replies = (await pipeline.exec())!;
    expect(replies.map(([error]) => error).filter(Boolean)).toEqual([]);
    expect(replies.map(([, reply]) => reply)).toEqual(expected);
  });

  it("pipelines by itself what is asked for at once", async () => {
    const client = await connect({ enableAutoPipelining: true });
    await Promise.all(Array.from({ length: 500 }, (_, i) => client.set(`k${i}`, i)));
    const values = await Promise.all(Array.from({ length: 500 }, (_, i) => client.get(`k${i}`)));
    expect(values).toEqual(Array.from({ length: 500 }, (_, i) => String(i)));
  });

  it("runs transactions, with errors inside, and stops at a watched key", async () => {
    const client = await connect();
    const results = await client
      .multi()
      .set("a", "x")
      .incr("a")
      .hset("h", { f: "v", g: "w" })
      .hgetall("h")
      .get("a")
      .exec();
    expect(results?.map(([error, reply]) => error?.message ?? reply)).toEqual([
      "OK",
      "ERR value is not an integer or out of range",
      2,
      { f: "v", g: "w" },
      "x",
    ]);
    const other = client.duplicate({ lazyConnect: true });
    onTestFinished(() => other.disconnect());
    await other.connect();
    await client.watch("a");
    await other.set("a", "changed");
    expect(await client.multi().set("a", "mine").exec()).toBe(null);
    expect(await client.get("a")).toBe("changed");
    await expect(client.multi().call("nonsense").exec()).rejects.toThrow(/EXECABORT/);
  });

  it("carries binary keys and values, fields too", async () => {
    const client = await connect();
    const every = Buffer.from(Array.from({ length: 256 }, (_, i) => i));
    await client.set(every, every);
    expect(await client.getBuffer(every)).toEqual(every);
    await client.hset("h", every, every);
    expect(await client.hgetBuffer("h", every)).toEqual(every);
    expect(await client.keys("*")).toHaveLength(2);
  });

  it("carries values of 64 MiB, also through a transaction and a hash", async () => {
    const client = await connect();
    const big = Buffer.alloc(64 * 1024 * 1024);
    for (let i = 0; i < big.length; i += 4096) big.writeUInt32LE(i, i);
    expect(await client.set("big", big)).toBe("OK");
    expect(await client.strlen("big")).toBe(big.length);
    expect((await client.getBuffer("big"))?.equals(big)).toBe(true);
    const results = await client.multi().getBuffer("big").exec();
    expect((results?.[0]?.[1] as Buffer | undefined)?.equals(big)).toBe(true);
    await client.hset("h", "f", big);
    expect((await client.hgetBuffer("h", "f"))?.equals(big)).toBe(true);
    await expect(client.append("big", "x")).rejects.toThrow(/exceeds maximum allowed size/);
    await client.flushall();
  });

  it("reads RESP 3 types", async () => {
    const client = await connect();
    await client.hset("h", { a: "1", b: "2" });
    expect(await client.hgetall("h")).toEqual({ a: "1", b: "2" });
    expect(await client.config("GET", "time*")).toEqual(["timeout", "0"]);
    expect(await client.call("DEBUG", "PROTOCOL", "double")).toBe("3.141");
    expect(await client.call("DEBUG", "PROTOCOL", "true")).toBe(1);
    expect(await client.call("DEBUG", "PROTOCOL", "verbatim")).toBe("This is a verbatim\nstring");
    expect(await client.get("missing")).toBe(null);
    expect(await client.hincrbyfloat("h", "a", 0.5)).toBe("1.5");
    const [cursor, keys] = await client.scan(0, "COUNT", 100);
    expect([cursor, keys]).toEqual(["0", ["h"]]);
  });

  it("scans by streams", async () => {
    const client = await connect();
    const pipeline = client.pipeline();
    for (let i = 0; i < 1000; i++) pipeline.set(`k${i}`, i);
    await pipeline.exec();
    const seen = new Set<string>();
    for await (const keys of client.scanStream({ match: "k*", count: 50 })) {
      for (const key of keys as string[]) seen.add(key);
    }
    expect(seen.size).toBe(1000);
  });
});
