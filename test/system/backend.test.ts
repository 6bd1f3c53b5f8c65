// A node before a real redis-server, from a configuration file, with the clients that people use.
import { execFile } from "node:child_process";
import { once } from "node:events";
import { connect } from "node:net";
import { join } from "node:path";
import { promisify } from "node:util";
import { Redis } from "ioredis";
import { expect, it, onTestFinished } from "vitest";
import { Random } from "../fuzz/random.ts";
import type { RunningNode } from "./harness.ts";
import { requireProgram } from "./programs.ts";
import { RestartableServer, startBefore, temporaryFolder } from "./restartable-server.ts";
import { until } from "./until.ts";

const run = promisify(execFile);
const REFUSED = /^ERR Storage: Datastore refused connection \(/;

function clientOf(node: RunningNode, options: object = {}): Redis {
  const client = new Redis({ host: node.host, port: node.port, ...options });
  client.on("error", () => {});
  onTestFinished(() => client.disconnect());
  return client;
}

async function infoOf(client: Redis, name: string): Promise<string> {
  const text = await client.call("INFO", "backend");
  return new RegExp(`^${name}:(.*)\r$`, "m").exec(String(text))?.[1] ?? "";
}

it("serves ioredis as the server itself would", async (context) => {
  const server = await RestartableServer.redis(context);
  const node = await startBefore(server, 0);
  expect(node.stdout).toMatch(/redis at 127\.0\.0\.1:\d+ behind it/);
  const client = clientOf(node);
  await client.set("a", "1");
  expect(await client.incr("a")).toBe(2);
  expect(await client.multi().set("a", "5").incr("a").get("a").exec()).toEqual([
    [null, "OK"],
    [null, 6],
    [null, "6"],
  ]);
  await client.xadd("stream", "1-1", "field", "value");
  expect(await client.xread("STREAMS", "stream", "0")).toEqual([
    ["stream", [["1-1", ["field", "value"]]]],
  ]);
  expect(await client.eval("return redis.call('GET', KEYS[1])", 1, "a")).toBe("6");
  expect(await client.geoadd("places", 13.4, 52.5, "Berlin")).toBe(1);
  expect(await client.call("NO.SUCH", "x").catch((error: Error) => error.message)).toMatch(
    "unknown command 'NO.SUCH'",
  );
  const pipeline = client.pipeline();
  for (let i = 0; i < 5000; i++) pipeline.set(`k${i % 100}`, `${i}`).get(`k${i % 100}`);
  const results = (await pipeline.exec())!;
  expect(results.filter((_, i) => i % 2 === 1).map(([, value]) => value)).toEqual(
    Array.from({ length: 5000 }, (_, i) => `${i}`),
  );
});

it("keeps apart what belongs to one client: transactions, WATCH, databases, blocking, subscribing", async (context) => {
  const server = await RestartableServer.redis(context);
  const node = await startBefore(server, 0);
  const [one, other] = [clientOf(node), clientOf(node)];
  await one.watch("w");
  await other.set("w", "changed");
  expect(await one.multi().set("w", "mine").exec()).toBeNull();
  expect(await other.get("w")).toBe("changed");

  await one.select(3);
  await one.set("a", "three");
  expect(await other.get("a")).toBeNull();
  await one.select(0);
  expect(await one.get("a")).toBeNull();

  const popped = one.blpop("list", 0);
  await until(async () => (await infoOf(other, "out_queue")) === "1");
  await other.rpush("list", "x");
  expect(await popped).toEqual(["list", "x"]);
  const released = one.brpop("list", 0);
  await until(async () => (await infoOf(other, "out_queue")) === "1");
  one.disconnect();
  await released.catch(() => {});
  await other.rpush("list", "kept");
  expect(await other.lrange("list", 0, -1)).toEqual(["kept"]);

  const waiting = clientOf(node);
  const id = await waiting.client("ID");
  const unblocked = waiting.blpop("nothing", 0);
  await until(async () => (await infoOf(other, "out_queue")) === "1");
  expect(await other.client("UNBLOCK", id, "ERROR")).toBe(1);
  await expect(unblocked).rejects.toThrow("UNBLOCKED");
  await waiting.set("a", "1");
  expect(await waiting.wait(0, 100)).toBe(0);

  const listener = clientOf(node);
  const heard: string[] = [];
  listener.on("message", (channel, message) => heard.push(`${channel}:${message}`));
  await listener.subscribe("news");
  expect(await other.publish("news", "first")).toBe(1);
  await until(() => heard.length === 1);
  expect(heard).toEqual(["news:first"]);
  await listener.unsubscribe("news");
  expect(await other.publish("news", "second")).toBe(0);
});

it("answers what the server alone would, byte for byte, however requests are cut", async (context) => {
  const alone = await RestartableServer.redis(context);
  const behind = await RestartableServer.redis(context);
  const node = await startBefore(behind, 0);
  const random = new Random(20_261_121);
  const key = () => `k${random.below(6)}`;
  const commands: (() => string[])[] = [
    () => ["SET", key(), "v".repeat(random.below(3) * random.below(5000))],
    () => ["GET", key()],
    () => ["INCR", "counter"],
    () => ["RPUSH", `l${random.below(2)}`, key(), key()],
    () => ["LRANGE", `l${random.below(2)}`, "0", "-1"],
    () => ["BLPOP", `l${random.below(2)}`, "0.01"],
    () => ["XREAD", "BLOCK", "10", "STREAMS", "s", "$"],
    () => ["MULTI"],
    () => ["EXEC"],
    () => ["DISCARD"],
    () => ["WATCH", key()],
    () => ["UNWATCH"],
    () => ["SELECT", String(random.below(3))],
    () => ["SELECT", "99"],
    () => ["GET"],
    () => ["NOT.THERE", key()],
    () => ["WAIT", "0", "1"],
    () => ["SCRIPT", "KILL"],
    () => ["EVAL", "return {1, 'a', {redis.call('GET', KEYS[1])}}", "1", key()],
    () => ["ECHO", "\r\n*1\r\n"],
    () => ["PING"],
    () => ["FLUSHALL"],
    () => ["RESET"],
  ];
  for (let round = 0; round < 30; round++) {
    const requests = Array.from({ length: 40 }, () =>
      requestOf(commands[random.below(commands.length)]!()),
    );
    const bytes = Buffer.concat([...requests, Buffer.from("QUIT\r\n")]);
    const cuts = Array.from({ length: 5 }, () => random.below(bytes.length)).sort((a, b) => a - b);
    const [expected, got] = await Promise.all([
      answersOf(alone.port, bytes, []),
      answersOf(node.port, bytes, cuts),
    ]);
    expect(got).toBe(expected);
  }
});

function requestOf(words: readonly string[]): Buffer {
  if (words.length < 3 && !words.some((word) => /\s/.test(word))) {
    return Buffer.from(`${words.join(" ")}\r\n`);
  }
  const bulks = words.map((word) => `$${word.length}\r\n${word}\r\n`);
  return Buffer.from(`*${words.length}\r\n${bulks.join("")}`);
}

/** All that is answered to `bytes`, which are sent in pieces, until the connection closes. */
async function answersOf(port: number, bytes: Buffer, cuts: readonly number[]): Promise<string> {
  const socket = connect({ port, host: "127.0.0.1", noDelay: true });
  let text = "";
  socket.on("data", (data) => {
    text += data.toString("latin1");
  });
  const closed = once(socket, "close");
  for (const [i, from] of [0, ...cuts].entries()) {
    socket.write(bytes.subarray(from, cuts[i] ?? bytes.length));
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
  await closed;
  return text;
}

it("passes protocol 3 through, pushes of tracked keys too", async (context) => {
  const server = await RestartableServer.redis(context);
  const node = await startBefore(server, 0);
  const socket = connect(node.port, node.host);
  onTestFinished(() => void socket.destroy());
  let text = "";
  socket.on("data", (bytes) => {
    text += bytes.toString("latin1");
  });
  socket.write("HELLO 3\r\nHSET h f v\r\nHGETALL h\r\n");
  await until(() => text.endsWith(":1\r\n%1\r\n$1\r\nf\r\n$1\r\nv\r\n"));
  socket.write("CLIENT TRACKING ON\r\nGET t\r\n");
  await until(() => text.endsWith("+OK\r\n_\r\n"));
  await clientOf(node).set("t", "1");
  await until(() => text.endsWith(">2\r\n$10\r\ninvalidate\r\n*1\r\n$1\r\nt\r\n"));
});

it("passes values of 1 B to 64 MiB, byte for byte", async (context) => {
  const server = await RestartableServer.redis(context);
  const node = await startBefore(server, 0, "timeout: 60000");
  const client = clientOf(node);
  for (const size of [0, 1, 16_383, 65_536, 192 * 1024 + 1, 3_000_000, 64 * 1024 * 1024]) {
    const value = Buffer.alloc(size);
    for (let i = 0; i < size; i += 997) value[i] = (i * 31) % 251;
    await client.set("value", value);
    const [got, length] = await Promise.all([client.getBuffer("value"), client.strlen("value")]);
    expect([size, length, got?.equals(value)]).toEqual([size, size, true]);
  }
});

it("serves redis-cli and redis-benchmark", async (context) => {
  const server = await RestartableServer.redis(context);
  const node = await startBefore(server, 0, "datastore_connections: 3");
  const cli = requireProgram(context, "redis-cli");
  const at = ["-h", node.host, "-p", String(node.port)];
  expect((await run(cli, [...at, "-3", "set", "a", "1"])).stdout).toBe("OK\n");
  expect((await run(cli, [...at, "-n", "2", "dbsize"])).stdout).toBe("0\n");
  const benchmark = requireProgram(context, "redis-benchmark");
  const flags = ["-c", "20", "-P", "16", "-n", "20000", "-q", "-t", "ping,set,get,lpush,mset"];
  const { stdout } = await run(benchmark, [...at, ...flags]);
  expect(stdout.match(/requests per second/g)).toHaveLength(6);
});

it("reaches the server over a Unix socket, with a password", async (context) => {
  const path = join(temporaryFolder(), "redis.sock");
  const server = await RestartableServer.redis(context, { path }, "--requirepass", "secret");
  const node = await startBefore(server, 0, "redis_requirepass: secret");
  const client = clientOf(node);
  expect(await client.set("a", "1")).toBe("OK");
  expect(await client.multi().get("a").exec()).toEqual([[null, "1"]]);
  const wrong = await startBefore(server, 0, "redis_requirepass: other");
  await expect(clientOf(wrong).get("a")).rejects.toThrow(
    "refuses the password of redis_requirepass",
  );
});

it("answers every request when the server is killed under load, and goes on when it is back", async (context) => {
  const server = await RestartableServer.redis(context);
  const node = await startBefore(server, 0);
  const clients = Array.from({ length: 8 }, () => clientOf(node));
  const ready = () => fetch(`${node.statsUrl}/readyz`).then(({ status }) => status);
  expect(await ready()).toBe(200);
  let isOver = false;
  let isDown = false;
  let answered = 0;
  const failures: string[] = [];
  const wrong: string[] = [];
  const load = clients.map(async (client, c) => {
    for (let i = 0; !isOver; i++) {
      const value = `${c}-${i}`;
      const batch = client.pipeline();
      for (let j = 0; j < 10; j++) batch.echo(`${value}-${j}`);
      for (const [j, [error, reply]] of (await batch.exec())!.entries()) {
        if (error !== null) failures.push(error.message);
        else if (reply !== `${value}-${j}`) wrong.push(`${reply} for ${value}-${j}`);
        else answered++;
      }
      if (isDown) await new Promise((resolve) => setTimeout(resolve, 5));
    }
  });
  await until(() => answered > 2000);
  isDown = true;
  await server.kill();
  await until(() => failures.length > 100);
  expect(await ready()).toBe(503);
  // It has dialled in vain.
  await until(async () => Number(await infoOf(clients[0]!, "server_err")) > 0);
  await server.run();
  await until(async () => (await ready()) === 200);
  isDown = false;
  const before = answered;
  await until(() => answered > before + 2000);
  isOver = true;
  await Promise.all(load);
  expect(wrong).toEqual([]);
  for (const message of failures) expect(message).toMatch(REFUSED);
  expect(Number(await infoOf(clients[0]!, "server_connects"))).toBeGreaterThan(1);
});

it("ends requests after the timeout where the server has stopped, and goes on when it continues", async (context) => {
  const server = await RestartableServer.redis(context);
  const node = await startBefore(server, 0, "timeout: 300");
  const [one, other] = [clientOf(node), clientOf(node)];
  await one.set("a", "1");
  await other.get("a");
  server.process.kill("SIGSTOP");
  const ends = await Promise.allSettled([one.get("a"), one.incr("a"), other.get("a")]);
  for (const end of ends) {
    expect(end.status === "rejected" && end.reason.message).toMatch(/no reply within 300 ms/);
  }
  server.process.kill("SIGCONT");
  await until(async () => (await one.get("a").catch(() => null)) !== null);
  expect(Number(await infoOf(one, "server_timedout"))).toBeGreaterThan(0);
});

it("standby refuses what goes to the server, and the states that need to know what writes are refused", async (context) => {
  const server = await RestartableServer.redis(context);
  const node = await startBefore(server, 0);
  const client = clientOf(node);
  const page = async (path: string) => (await fetch(`${node.statsUrl}${path}`)).status;
  const state = /^ERR Dynomite: Dynomite's current state does not allow this request/;
  expect(await client.lpush("list", "a")).toBe(1);
  expect(await page("/state/standby")).toBe(200);
  await expect(client.lrange("list", 0, -1)).rejects.toThrow(state);
  await expect(client.lpush("list", "b")).rejects.toThrow(state);
  await expect(client.multi().get("a").exec()).rejects.toThrow();
  expect(await page("/state/writes_only")).toBe(400);
  expect(await page("/state/normal")).toBe(200);
  expect(await client.lrange("list", 0, -1)).toEqual(["a"]);
});
