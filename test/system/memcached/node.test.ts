/** The memcached door of the program: a client that others wrote, the flag and the key that open it, what it refuses, its end. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import Memcached from "memcached";
import { expect, it, onTestFinished } from "vitest";
import { freePorts } from "../cluster-harness.ts";
import { runRinglet, startNode } from "../harness.ts";
import { LineClient, startMemcachedNode } from "./servers.ts";

/** A call of the client as a promise. */
function call<T>(run: (done: (error: unknown, result: T) => void) => void): Promise<T> {
  return new Promise((resolve, reject) => {
    run((error, result) => (error ? reject(error) : resolve(result)));
  });
}

it("serves the client that most programs on Node.js use", async () => {
  const node = await startMemcachedNode();
  const client = new Memcached(`127.0.0.1:${node.memcachedPort}`, { poolSize: 3 });
  onTestFinished(() => client.end());
  expect(await call((done) => client.set("text", "some text", 100, done))).toBe(true);
  expect(await call((done) => client.get("text", done))).toBe("some text");
  // The client notes by flags what a value was: an object, a number, bytes.
  const object = { list: [1, 2, 3], nested: { yes: true } };
  await call((done) => client.set("object", object, 0, done));
  expect(await call((done) => client.get("object", done))).toEqual(object);
  await call((done) => client.set("number", 41, 0, done));
  expect(await call((done) => client.incr("number", 1, done))).toBe(42);
  expect(await call((done) => client.get("number", done))).toBe(42);
  const bytes = Buffer.from([0, 13, 10, 255]);
  await call((done) => client.set("bytes", bytes, 0, done));
  expect(await call((done) => client.get("bytes", done))).toEqual(bytes);
  await expect(call((done) => client.add("text", "other", 0, done))).rejects.toThrow(/not stored/);
  await call((done) => client.replace("text", "other", 0, done));
  await call((done) => client.append("text", " end", done));
  await call((done) => client.prepend("text", "begin ", done));
  expect(await call((done) => client.get("text", done))).toBe("begin other end");
  const held = await call<{ cas: string }>((done) => client.gets("text", done as never));
  expect(await call((done) => client.cas("text", "one", held.cas, 0, done))).toBe(true);
  expect(await call((done) => client.cas("text", "two", held.cas, 0, done))).toBe(false);
  expect(await call((done) => client.touch("text", 50, done as never))).toBe(true);
  const many = await call((done) => client.getMulti(["text", "number", "none"], done));
  expect(many).toEqual({ text: "one", number: 42 });
  expect(await call((done) => client.del("text", done))).toBe(true);
  expect(await call((done) => client.get("text", done))).toBeUndefined();
  const [stats] = await call<{ curr_items: number }[]>((done) => client.stats(done as never));
  expect(stats!.curr_items).toBe(3);
  await call((done) => client.flush(done as never));
  expect(await call((done) => client.get("object", done))).toBeUndefined();
});

it("answers what it was sent before it ends on SIGTERM", async () => {
  const node = await startMemcachedNode();
  const client = new LineClient(node.memcachedPort);
  expect(await client.ask("set a 3 0 1\r\nx\r\n")).toBe("STORED\r\n");
  client.write("get a\r\nset b 0 0 10\r\n01");
  expect(await client.until((got) => got.endsWith("END\r\n"))).toBe("VALUE a 3 1\r\nx\r\nEND\r\n");
  const { code } = await node.stop("SIGTERM");
  expect(code).toBe(0);
  await client.until(() => client.isClosed);
  expect(client.isClosed).toBe(true);
});

it("opens by a variable and by a key of the configuration file", async () => {
  const byVariable = await startNode({ env: { RINGLET_MEMCACHED_LISTEN: "127.0.0.1:0" } });
  expect(byVariable.stdout).toMatch(/, memcached on 127\.0\.0\.1:\d+/);
  const folder = mkdtempSync(join(tmpdir(), "ringlet-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const path = join(folder, "conf.yml");
  const [clients, memcached, peers] = await freePorts(3);
  const lines = [
    ...[`listen: 127.0.0.1:${clients}`, `memcached_listen: 127.0.0.1:${memcached}`],
    ...["stats_listen: off", "data_store: embedded", "tokens: 1", `dyn_listen: 127.0.0.1:${peers}`],
  ];
  writeFileSync(path, `pool:\n${lines.map((line) => `  ${line}\n`).join("")}`);
  const byFile = await startNode({ flags: ["-c", path, "--listen", `127.0.0.1:${clients}`] });
  expect(byFile.stdout).toContain(`, memcached on 127.0.0.1:${memcached}`);
  expect(await new LineClient(memcached!).ask("set a 9 0 1\r\nx\r\nget a\r\n")).toBe(
    "STORED\r\nVALUE a 9 1\r\nx\r\nEND\r\n",
  );
  expect((await startNode()).stdout).not.toContain("memcached");
});

it.each([
  [["--requirepass", "secret"], /leave out --requirepass or --memcached-listen/],
  [["--memcached-listen", "nowhere"], /--memcached-listen/],
])("does not start with %j, and says what to do", async (flags, complaint) => {
  const base = ["serve", "--listen", "127.0.0.1:0", "--memcached-listen", "127.0.0.1:0"];
  const { code, stderr } = await runRinglet([...base, ...flags]);
  expect(code).not.toBe(0);
  expect(stderr).toMatch(complaint);
});

it("goes on for others, whatever one sends", async () => {
  const node = await startMemcachedNode();
  const other = new LineClient(node.memcachedPort);
  expect(await other.ask("set a 3 0 1\r\nx\r\n")).toBe("STORED\r\n");
  const hostile = [
    "\0".repeat(100_000),
    `get ${"k ".repeat(30_000)}\r\n`.repeat(20),
    `set a 0 0 2147483647\r\n${"x".repeat(100_000)}`,
    "set a 0 0 99999999999999999999\r\n",
    "mg a v ".repeat(10_000),
    `ms a 5 ${"O".repeat(60_000)}\r\n12345\r\n`,
    "*3\r\n$3\r\nSET\r\n$1\r\na\r\n$1\r\nb\r\n",
    "GET / HTTP/1.1\r\nHost: a\r\n\r\n",
    "gat 99999999999999 a\r\nincr a 99999999999999999999\r\nflush_all x\r\n",
  ];
  for (const bytes of hostile) {
    const client = new LineClient(node.memcachedPort);
    client.write(bytes);
    client.end();
    await client.until(() => false);
    expect(client.isClosed).toBe(true);
  }
  expect(await other.ask("get a\r\n")).toBe("VALUE a 3 1\r\nx\r\nEND\r\n");
  expect(node.stderr).not.toContain("reason of our own");
});
