/** A node before a real memcached, from a configuration file of the C engine: what clients get is what memcached itself answers. */
import { once } from "node:events";
import { connect, createServer } from "node:net";
import { join } from "node:path";
import Memcached from "memcached";
import { expect, it, onTestFinished } from "vitest";
import { createNode } from "../../../src/runtime/node/create-node.ts";
import { Random } from "../../fuzz/random.ts";
import type { RunningNode } from "../harness.ts";
import { RestartableServer, startBefore, temporaryFolder } from "../restartable-server.ts";
import { until } from "../until.ts";
import { request } from "../version1/dnode-client.ts";
import { generateCommand, runCommand, withoutPadding } from "./generated-commands.ts";
import { LineClient } from "./servers.ts";

const COMMANDS = 6000;
const REFUSED = /^SERVER_ERROR Storage: Datastore refused connection \(.*\)$/;

async function metricOf(node: RunningNode, name: string): Promise<number> {
  const text = await (await fetch(`${node.statsUrl}/metrics`)).text();
  return Number(new RegExp(`^${name} (\\S+)$`, "m").exec(text)?.[1]);
}

const readiness = (node: RunningNode) =>
  fetch(`${node.statsUrl}/readyz`).then(({ status }) => status);

/** What depends on when memcached was asked. */
const withoutTime = (answer: string) => withoutPadding(answer).replace(/ t[1-9]\d*/g, " t<left>");

it("answers what memcached alone would, byte for byte", async (context) => {
  const alone = await RestartableServer.memcached(context);
  const behind = await RestartableServer.memcached(context);
  const node = await startBefore(behind, 1);
  expect(node.stdout).toMatch(/memcached at 127\.0\.0\.1:\d+ behind it/);
  const [theirs, ours] = [new LineClient(alone.port), new LineClient(node.port)];
  const random = new Random(20_261_121);
  const history: string[] = [];
  for (let i = 0; i < COMMANDS; i++) {
    const command = generateCommand(random);
    const answers = await Promise.all([runCommand(theirs, command), runCommand(ours, command)]);
    const [their, our] = answers.map(withoutTime);
    history.push(`${JSON.stringify(command)} -> ${JSON.stringify(our)}`);
    expect([i, command, our], history.slice(-12).join("\n")).toEqual([i, command, their]);
  }
}, 120_000);

it("also of clients that send much at once, cut anywhere, each beside others", async (context) => {
  const alone = await RestartableServer.memcached(context);
  const behind = await RestartableServer.memcached(context);
  const node = await startBefore(behind, 1);
  const random = new Random(7);
  for (let round = 0; round < 20; round++) {
    const clients = Array.from({ length: 4 }, (_, c) => {
      // Clients that share no keys do not see each other.
      const commands = Array.from({ length: 60 }, () => generateCommand(random, `-${c}`)).filter(
        (command) => !/\{cas:|^(flush_all|stats)/.test(command),
      );
      return { commands, cuts: Array.from({ length: 5 }, () => random.below(3000)) };
    });
    for (const { commands, cuts } of clients) {
      const bytes = commands.join("");
      const [their, our] = [alone.port, node.port].map((port) => answersOf(port, bytes, cuts));
      expect(withoutCas(await our!)).toEqual(withoutCas(await their!));
    }
    const all = clients.map(({ commands, cuts }) => answersOf(node.port, commands.join(""), cuts));
    const again = clients.map(({ commands }) => answersOf(alone.port, commands.join(""), []));
    expect((await Promise.all(all)).map(withoutCas)).toEqual(
      (await Promise.all(again)).map(withoutCas),
    );
  }
}, 120_000);

/** Numbers of versions count what all clients have written. */
function withoutCas(answer: string): string {
  return withoutTime(answer)
    .replace(/^(VALUE \S+ \d+ \d+) \d+\r\n/gm, "$1 <cas>\r\n")
    .replace(/ c\d+/g, " c<cas>");
}

/** All that is answered to `text`, which is sent in pieces, up to the end of the connection. */
async function answersOf(port: number, text: string, cuts: readonly number[]): Promise<string> {
  const client = new LineClient(port);
  const bytes = `${text}quit\r\n`;
  const places = [0, ...cuts, bytes.length].sort((a, b) => a - b);
  for (const [i, from] of places.entries()) {
    client.write(bytes.slice(from, places[i + 1] ?? bytes.length));
    await new Promise((resolve) => setImmediate(resolve));
  }
  return await client.until(() => false);
}

function call<T>(run: (done: (error: unknown, result: T) => void) => void): Promise<T> {
  return new Promise((resolve, reject) => {
    run((error, result) => (error ? reject(error) : resolve(result)));
  });
}

it("serves the client that most programs on Node.js use", async (context) => {
  const node = await startBefore(await RestartableServer.memcached(context), 1);
  const client = new Memcached(`127.0.0.1:${node.port}`, { poolSize: 3 });
  onTestFinished(() => client.end());
  await call((done) => client.set("object", { list: [1, 2] }, 0, done));
  expect(await call((done) => client.get("object", done))).toEqual({ list: [1, 2] });
  await call((done) => client.set("number", 41, 0, done));
  expect(await call((done) => client.incr("number", 1, done))).toBe(42);
  await expect(call((done) => client.add("number", 1, 0, done))).rejects.toThrow(/not stored/);
  const held = await call<{ cas: string }>((done) => client.gets("number", done as never));
  expect(await call((done) => client.cas("number", 7, held.cas, 0, done))).toBe(true);
  expect(await call((done) => client.touch("number", 50, done as never))).toBe(true);
  const many = await call((done) => client.getMulti(["object", "number", "none"], done));
  expect(many).toEqual({ object: { list: [1, 2] }, number: 7 });
  expect(await call((done) => client.del("number", done))).toBe(true);
  const [version] = await call<{ version: string }[]>((done) => client.version(done as never));
  expect(version!.version).toMatch(/^1\./);
  const [stats] = await call<{ curr_items: number }[]>((done) => client.stats(done as never));
  expect(stats!.curr_items).toBe(1);
});

it("passes values of 1 B to the item limit of the server, byte for byte, and its refusal of more", async (context) => {
  const server = await RestartableServer.memcached(context, undefined, "-I", "64m", "-m", "1024");
  const node = await startBefore(server, 1, "timeout: 60000");
  for (const size of [0, 1, 100, 16_383, 65_536, 192 * 1024 + 1, 1_048_577, 60 * 1024 * 1024]) {
    const value = Buffer.alloc(size);
    for (let i = 0; i < size; i += 997) value[i] = (i * 31) % 251;
    const end = Buffer.from("\r\n");
    const set = Buffer.concat([Buffer.from(`set large 7 0 ${size}\r\n`), value, end]);
    const stored = Buffer.from(`STORED\r\nVALUE large 7 ${size}\r\n`);
    const expected = Buffer.concat([stored, value, end, Buffer.from("END\r\n")]);
    const got = await exchange(node, Buffer.concat([set, Buffer.from("get large\r\nquit\r\n")]));
    expect([size, got.equals(expected)]).toEqual([size, true]);
  }
  const small = await startBefore(await RestartableServer.memcached(context), 1);
  const other = new LineClient(small.port);
  const refused = `set large 0 0 1048577\r\n${"x".repeat(1_048_577)}\r\n`;
  const answer = "SERVER_ERROR object too large for cache\r\n";
  expect(await other.ask(`${refused}set a 0 0 1\r\nx\r\n`)).toBe(`${answer}STORED\r\n`);
  // Above the limit of the node it is not even held.
  const huge = 64 * 1024 * 1024 + 1;
  expect(await other.ask(`set a 0 0 ${huge}\r\n${"x".repeat(huge)}\r\nget a\r\n`)).toBe(
    `${answer}VALUE a 0 1\r\nx\r\nEND\r\n`,
  );
}, 120_000);

/** All that is answered to bytes up to the end of the connection. */
async function exchange(node: RunningNode, bytes: Buffer): Promise<Buffer> {
  const socket = connect(node.port, node.host);
  onTestFinished(() => void socket.destroy());
  const parts: Buffer[] = [];
  socket.on("data", (part: Buffer) => parts.push(part));
  socket.write(bytes);
  await once(socket, "close");
  return Buffer.concat(parts);
}

it("keeps replies apart whose number nobody knows: noreply, quiet meta commands, stats", async (context) => {
  const node = await startBefore(await RestartableServer.memcached(context), 1);
  const [quiet, plain] = [new LineClient(node.port), new LineClient(node.port)];
  let answered = "";
  let asked = "";
  for (let i = 0; i < 300; i++) {
    quiet.write(
      `set q${i} 0 0 1 noreply\r\nx\r\nmg none v q\r\nmg q${i} v q O${i}\r\nms a 1 q\r\nx\r\n`,
    );
    quiet.write(
      `set q 0 0 2000000 noreply\r\n${"y".repeat(i === 100 ? 2_000_000 : 2_000_000)}\r\n`.slice(
        0,
        i === 100 ? undefined : 0,
      ),
    );
    quiet.write("version\r\nmn\r\n");
    plain.write(`set p${i} ${i} 0 1\r\nz\r\nget p${i}\r\n`);
    asked += `STORED\r\nVALUE p${i} ${i} 1\r\nz\r\nEND\r\n`;
    answered += `VA 1 O${i}\r\nx\r\nVERSION \r\nMN\r\n`;
  }
  plain.write("stats\r\n");
  const got = await quiet.until((all) => all.split("MN\r\n").length === 301);
  expect(got.replace(/VERSION \S+/g, "VERSION ")).toBe(answered);
  const others = await plain.until(
    (all) => all.includes("STAT threads") && all.endsWith("END\r\n"),
  );
  expect(others.startsWith(`${asked}STAT pid `)).toBe(true);
});

it("passes on lines that memcached takes by luck, and answers what could harm other clients", async (context) => {
  const node = await startBefore(await RestartableServer.memcached(context), 1);
  const [client, other] = [new LineClient(node.port), new LineClient(node.port)];
  const keys = Array.from({ length: 200 }, (_, i) => `${"k".repeat(200)}${i}`);
  for (const key of keys) client.write(`set ${key} 1 0 1 noreply\r\nx\r\n`);
  const items = keys.map((key) => `VALUE ${key} 1 1\r\nx\r\n`).join("");
  const [get, gat] = [`get ${keys.join(" ")}\r\n`, `gat 100 ${keys.join(" ")}\r\n`];
  expect(await client.ask(get + gat)).toBe(`${items}END\r\n${items}END\r\n`);
  // memcached takes the data of this one for requests.
  const flags = Array.from({ length: 20 }, (_, i) => `O${i}`).join(" ");
  expect(await client.ask(`ms key 7 ${flags}\r\nversion\r\n`)).toMatch(
    /^CLIENT_ERROR options flags too long\r\nVERSION \S+\r\n$/,
  );
  for (const line of ["shutdown", "watch", "lru_crawler metadump all", "cache_memlimit 1"]) {
    expect(await client.ask(`${line}\r\n`)).toBe("ERROR\r\n");
  }
  client.write(`mg a ${"O".repeat(3000)}\r\n`);
  expect(await client.until(() => false)).toBe("CLIENT_ERROR line too long\r\n");
  expect(await other.ask("get a\r\n")).toBe("END\r\n");
  expect(await metricOf(node, "ringlet_backend_connects_total")).toBe(1);
});

it("reaches memcached over a Unix socket, over several connections", async (context) => {
  const path = join(temporaryFolder(), "memcached.sock");
  const server = await RestartableServer.memcached(context, { path });
  const node = await startBefore(server, 1, "datastore_connections: 3");
  const clients = Array.from({ length: 6 }, () => new LineClient(node.port));
  for (const [i, client] of clients.entries()) {
    expect(await client.ask(`set k${i} 0 0 1\r\n${i}\r\n`)).toBe("STORED\r\n");
  }
  for (const client of clients) {
    expect(await client.ask("get k0 k5\r\n")).toBe(
      "VALUE k0 0 1\r\n0\r\nVALUE k5 0 1\r\n5\r\nEND\r\n",
    );
  }
  expect(await metricOf(node, "ringlet_backend_connects_total")).toBe(3);
});

it("answers every request when memcached is killed under load, and goes on when it is back", async (context) => {
  const server = await RestartableServer.memcached(context);
  const node = await startBefore(server, 1);
  let isOver = false;
  let isDown = false;
  let answered = 0;
  let failures = 0;
  const wrong: string[] = [];
  const load = Array.from({ length: 8 }, async (_, c) => {
    let client = new LineClient(node.port);
    for (let i = 0; !isOver; i++) {
      const value = `${c}-${i}`;
      const requests = Array.from(
        { length: 10 },
        (_, j) => `mg ${value}-${j} k v\r\nms ${value}-${j} 1 k\r\nx\r\n`,
      );
      client.write(`${requests.join("")}version\r\n`);
      const got = await client.until((all) => all.split("\r\n").length === 22);
      const lines = got.split("\r\n").slice(0, -1);
      for (const [at, line] of lines.entries()) {
        const key = `k${value}-${at >> 1}`;
        const right =
          at === 20 ? /^VERSION / : new RegExp(at % 2 === 0 ? `^EN( ${key})?$` : `^HD ${key}$`);
        if (right.test(line)) answered++;
        else if (REFUSED.test(line)) failures++;
        else wrong.push(line);
      }
      // In the middle of a reply the connection closes.
      if (client.isClosed) client = new LineClient(node.port);
      else if (lines.length !== 21) wrong.push(got);
      if (isDown) await new Promise((resolve) => setTimeout(resolve, 5));
    }
  });
  await until(() => answered > 2000);
  isDown = true;
  await server.kill();
  await until(() => failures > 100);
  expect(await readiness(node)).toBe(503);
  await server.run();
  await until(async () => (await readiness(node)) === 200);
  isDown = false;
  const before = answered;
  await until(() => answered > before + 2000);
  isOver = true;
  await Promise.all(load);
  expect(wrong).toEqual([]);
  expect(await metricOf(node, "ringlet_backend_connects_total")).toBeGreaterThan(1);
});

it("ends requests after the timeout where memcached has stopped, and goes on when it continues", async (context) => {
  const server = await RestartableServer.memcached(context);
  const node = await startBefore(server, 1, "timeout: 300");
  const [one, other] = [new LineClient(node.port), new LineClient(node.port)];
  expect(await one.ask("set a 0 0 1\r\nx\r\n")).toBe("STORED\r\n");
  server.process.kill("SIGSTOP");
  one.write("get a\r\nset b 0 0 1 noreply\r\nx\r\nincr a 1\r\n");
  other.write("get a\r\n");
  for (const [client, lines] of [
    [one, 2],
    [other, 1],
  ] as const) {
    const got = await client.until((all) => all.split("\r\n").length > lines);
    expect(got.match(/SERVER_ERROR [^\r]*no reply within 300 ms[^\r]*/g)).toHaveLength(lines);
  }
  server.process.kill("SIGCONT");
  await until(async () => {
    other.write("get a\r\n");
    return (await other.until((got) => got.endsWith("\r\n"))).endsWith("END\r\n");
  });
});

it("closes a client of which nobody knows any more what has been answered, and no other", async () => {
  let seen = "";
  const server = createServer((socket) => {
    socket.on("error", () => {});
    socket.on("data", (data) => {
      seen += data;
      // Of quiet requests it answers one, and is gone.
      if (seen.includes("get a")) socket.end("HD k1\r\n");
      else if (seen === "version\r\n") socket.write("VERSION 1\r\n");
    });
  });
  await once(server.listen(0, "127.0.0.1"), "listening");
  onTestFinished(() => void server.close());
  const { port } = server.address() as { port: number };
  const node = await startBefore({ entry: `127.0.0.1:${port}:1` }, 1);
  const [plain, quiet] = [new LineClient(node.port), new LineClient(node.port)];
  quiet.write("mg 1 q k\r\nmg 2 q k\r\nmn\r\n");
  await until(() => seen.includes("mg"));
  plain.write("get a\r\nset a 0 0 1 noreply\r\nx\r\n");
  expect(await quiet.until(() => false)).toBe("HD k1\r\n");
  expect(await plain.until((got) => got.endsWith("\r\n"))).toMatch(
    /^SERVER_ERROR Storage: [^\r]*\r\n$/,
  );
  expect(plain.isClosed).toBe(false);
});

it("standby refuses what goes to the server", async (context) => {
  const node = await startBefore(await RestartableServer.memcached(context), 1);
  const client = new LineClient(node.port);
  const page = async (path: string) => (await fetch(`${node.statsUrl}${path}`)).status;
  expect(await page("/state/standby")).toBe(200);
  client.write("set a 0 0 1\r\nx\r\nset a 0 0 1 noreply\r\nx\r\nget a\r\n");
  const refused = await client.until((got) => got.split("\r\n").length === 3);
  expect(refused).toMatch(/^(SERVER_ERROR Dynomite: Dynomite's current state [^\r]*\r\n){2}$/);
  expect(await page("/state/normal")).toBe(200);
  expect(await client.ask("get a\r\n")).toBe("END\r\n");
});

it("answers what it was sent before it ends on SIGTERM", async (context) => {
  const node = await startBefore(await RestartableServer.memcached(context), 1);
  const client = new LineClient(node.port);
  client.write("set a 3 0 1\r\nx\r\nget a\r\nset b 0 0 10\r\n01");
  await client.until((got) => got.endsWith("END\r\n"));
  const { code } = await node.stop("SIGTERM");
  expect(code).toBe(0);
  await client.until(() => client.isClosed);
});

it("is what a program embeds, with memcached clients alone", async (context) => {
  const { port } = await RestartableServer.memcached(context);
  const node = await createNode({
    listen: { host: "127.0.0.1", port: 0 },
    backend: {
      ...{ kind: "memcached", address: { host: "127.0.0.1", port }, name: "behind" },
      ...{ connections: 1, retryTimeoutMs: 1000, failureLimit: 3, requirepass: undefined },
    },
  });
  onTestFinished(() => node.close());
  expect(node.memcachedAddress).toEqual(node.address);
  expect(await new LineClient(node.address.port).ask("get a\r\n")).toBe("END\r\n");
  await expect(node.get("a")).rejects.toThrow(/runs no Redis commands: use a memcached client/);
});

it("does not run what a node of the C engine sends it in a store of its own", async (context) => {
  const node = await startBefore(await RestartableServer.memcached(context), 1);
  const peers = Number(/peers on 127\.0\.0\.1:(\d+)/.exec(node.stdout)![1]);
  const peer = new LineClient(peers);
  peer.write(request(1, ["SET", "a", "1"]));
  expect(await peer.until(() => false)).toBe("");
});

it("answers Redis clients as memcached does, and does not start with what it could not serve", async (context) => {
  const server = await RestartableServer.memcached(context);
  const node = await startBefore(server, 1);
  const redis = await exchange(node, Buffer.from("*1\r\n$4\r\nPING\r\nquit\r\n"));
  expect(String(redis)).toBe("ERROR\r\n".repeat(3));
  await expect(startBefore(server, 1, "memcached_listen: 127.0.0.1:1")).rejects.toThrow(
    /memcached clients connect at listen: remove this key/,
  );
  await expect(startBefore(server, 1, "requirepass: secret")).rejects.toThrow(
    /leave out --requirepass or data_store: 1/,
  );
});
