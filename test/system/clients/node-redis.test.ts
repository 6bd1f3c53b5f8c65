// node-redis 6 with its defaults: HELLO 3, CLIENT SETINFO, pipelines, transactions, pools.
import { createClient, createClientPool, RESP_TYPES, WatchError } from "redis";
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { type RunningNode, startNode } from "../harness.ts";

let node: RunningNode;
beforeAll(async () => {
  node = await startNode({ keep: true });
});
afterAll(async () => {
  await node.stop();
});

const socket = () => ({ host: node.host, port: node.port, reconnectStrategy: false as const });

async function connect(options: Parameters<typeof createClient>[0] = {}) {
  const client = createClient({ socket: socket(), ...options });
  client.on("error", () => {});
  onTestFinished(() => client.destroy());
  await client.connect();
  await client.flushAll();
  return client;
}

describe("node-redis", () => {
  it("connects by its defaults, in RESP 3", async () => {
    const client = await connect({ name: "tester" });
    const info = await client.clientInfo();
    expect(info).toMatchObject({ name: "tester", resp: 3, libName: "node-redis" });
    expect(await client.ping()).toBe("PONG");
  });

  it("connects in RESP 2, to a database, with user and password", async () => {
    const guarded = await startNode({ flags: ["--requirepass", "secret"] });
    const client = createClient({
      url: `redis://default:secret@127.0.0.1:${guarded.port}/3`,
      RESP: 2,
    });
    onTestFinished(() => client.destroy());
    await client.connect();
    expect(await client.clientInfo()).toMatchObject({ db: 3, resp: 2 });
    const wrong = createClient({
      url: `redis://default:wrong@127.0.0.1:${guarded.port}`,
      socket: { reconnectStrategy: false },
    });
    wrong.on("error", () => {});
    await expect(wrong.connect()).rejects.toThrow(/WRONGPASS/);
  });

  it("keeps the order of commands that are sent at once", async () => {
    const client = await connect();
    const replies = await Promise.all(
      Array.from({ length: 2000 }, (_, i) => [
        client.set(`k${i}`, String(i)),
        client.hSet("h", `f${i}`, String(i)),
        client.get(`k${i}`),
        client.hGet("h", `f${i}`),
      ]).flat(),
    );
    const expected = Array.from({ length: 2000 }, (_, i) => ["OK", 1, String(i), String(i)]).flat();
    expect(replies).toEqual(expected);
  });

  it("runs transactions, and stops at a watched key", async () => {
    const client = await connect();
    const replies = await client
      .multi()
      .set("a", "1")
      .incr("a")
      .hSet("h", { f: "v" })
      .hGetAll("h")
      .get("missing")
      .exec();
    expect(replies).toEqual(["OK", 2, 1, { f: "v" }, null]);
    const other = await client.duplicate().connect();
    onTestFinished(() => other.destroy());
    await client.watch("a");
    await other.set("a", "changed");
    await expect(client.multi().set("a", "mine").exec()).rejects.toBeInstanceOf(WatchError);
    expect(await client.get("a")).toBe("changed");
  });

  it("reads RESP 3 types", async () => {
    const client = await connect();
    const debug = (type: string) => client.sendCommand(["DEBUG", "PROTOCOL", type]);
    expect(await debug("map")).toEqual({ 0: false, 1: true, 2: false });
    expect(await debug("set")).toEqual([0, 1, 2]);
    expect(await debug("double")).toBe(Number("3.141"));
    expect(await debug("true")).toBe(true);
    expect(await debug("null")).toBe(null);
    expect(await debug("verbatim")).toBe("This is a verbatim\nstring");
    expect(String(await debug("bignum"))).toBe("1234567999999999999999999999999999999");
    await client.hSet("h", { a: "1", b: "2" });
    expect(await client.hGetAll("h")).toEqual({ a: "1", b: "2" });
    expect(await client.configGet("time*")).toEqual({ timeout: "0" });
  });

  it("carries binary keys, and values of 64 MiB", async () => {
    const client = (await connect()).withTypeMapping({ [RESP_TYPES.BLOB_STRING]: Buffer });
    const every = Buffer.from(Array.from({ length: 256 }, (_, i) => i));
    await client.set(every, every);
    expect(await client.get(every)).toEqual(every);
    const big = Buffer.alloc(64 * 1024 * 1024, "ringlet ");
    await client.set("big", big);
    const back = (await client.get("big")) as unknown as Buffer;
    expect(back.equals(big)).toBe(true);
    await client.del("big");
  });

  it("parses what COMMAND, CLIENT LIST, INFO, MEMORY and the like answer", async () => {
    const client = await connect();
    await client.set("a", "1");
    const commands = await client.commandInfo(["get", "hset"]);
    expect(commands.map((command) => [command?.name, command?.arity])).toEqual([
      ["get", 2],
      ["hset", -4],
    ]);
    expect(await client.commandCount()).toBe((await client.command()).length);
    expect(await client.commandGetKeys(["mset", "a", "1", "b", "2"])).toEqual(["a", "b"]);
    expect(await client.commandGetKeysAndFlags(["get", "a"])).toEqual([
      { key: "a", flags: ["RO", "access"] },
    ]);
    expect((await client.clientList()).length).toBeGreaterThanOrEqual(1);
    expect(await client.info("server")).toContain("redis_version:7.2.4");
    expect(await client.memoryUsage("a")).toBeGreaterThan(0);
    expect(await client.moduleList()).toEqual([]);
    expect(await client.role()).toMatchObject({ role: "master" });
    expect(await client.latencyLatest()).toEqual([]);
    expect(await client.clientTrackingInfo()).toMatchObject({ redirect: -1 });
    expect(Number((await client.time())[0])).toBeGreaterThan(1_700_000_000);
  });

  it("scans by iterators", async () => {
    const client = await connect();
    await Promise.all(Array.from({ length: 1000 }, (_, i) => client.hSet("h", `f${i}`, "v")));
    const fields = new Set<string>();
    for await (const entries of client.hScanIterator("h")) {
      for (const { field } of entries) fields.add(field);
    }
    expect(fields.size).toBe(1000);
  });

  it("works as a pool", async () => {
    const pool = createClientPool({ socket: socket() }, { minimum: 5, maximum: 20 });
    pool.on("error", () => {});
    await pool.connect();
    onTestFinished(() => pool.destroy());
    await Promise.all(Array.from({ length: 200 }, () => pool.incr("pooled")));
    expect(await pool.get("pooled")).toBe("200");
  });
});
