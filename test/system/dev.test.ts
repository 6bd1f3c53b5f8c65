// `ringlet dev`, `ringlet ring` and `ringlet status` as users meet them: three real nodes, killed and started again.
import { type ChildProcess, spawn } from "node:child_process";
import { createServer } from "node:http";
import { type AddressInfo, createServer as createTcpServer } from "node:net";
import { fileURLToPath } from "node:url";
import { describe, expect, it, onTestFinished } from "vitest";

import { RawClient } from "./differential/raw-client.ts";
import { runRinglet, startNode } from "./harness.ts";
import { until } from "./until.ts";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const MAIN = "dist/cli/main.js";

interface Row {
  readonly rack: string;
  readonly clients: number;
  readonly stats: string;
  readonly pid: number;
}

/** A running `ringlet dev`. */
interface Dev {
  readonly process: ChildProcess;
  readonly rows: readonly Row[];
  readonly output: () => string;
  readonly ended: Promise<{ code: number | null; signal: string | null }>;
  /** Types a line. */
  type(line: string): void;
  /** Waits until it has printed a text that was not there at the call before. */
  says(text: string | RegExp): Promise<void>;
}

/** Starts it and waits for its table. */
async function startDev(args: readonly string[], stdin: "pipe" | "ignore"): Promise<Dev> {
  const inherited = Object.entries(process.env).filter(([name]) => !name.startsWith("RINGLET_"));
  const child = spawn(process.execPath, [MAIN, "dev", ...args], {
    cwd: ROOT,
    env: Object.fromEntries(inherited),
    stdio: [stdin, "pipe", "pipe"],
  });
  let output = "";
  let seen = 0;
  for (const stream of [child.stdout!, child.stderr!]) {
    stream.setEncoding("utf8").on("data", (text: string) => {
      output += text;
    });
  }
  const ended = new Promise<{ code: number | null; signal: string | null }>((resolve) => {
    child.on("close", (code, signal) => resolve({ code, signal }));
  });
  const says = async (text: string | RegExp) => {
    const find = () =>
      typeof text === "string" ? output.indexOf(text, seen) : output.slice(seen).search(text);
    await until(
      () => find() >= 0,
      () => `ringlet dev did not say ${text}:\n${output}`,
    );
    seen = output.length;
  };
  let rows: readonly Row[] = [];
  onTestFinished(() => {
    child.kill("SIGKILL");
    for (const { pid } of rows) if (runs(pid)) process.kill(pid, "SIGKILL");
  });
  await says("Ctrl-C ends all.");
  rows = [...output.matchAll(/^\d+ +(rack\d+) +127.0.0.1:(\d+) +\S+ +(http:\S+) +(\d+)$/gm)].map(
    ([, rack, clients, stats, pid]) => ({
      rack: rack!,
      clients: Number(clients),
      stats: stats!,
      pid: Number(pid),
    }),
  );
  return {
    process: child,
    rows,
    output: () => output,
    ended,
    type: (line) => void child.stdin!.write(`${line}\n`),
    says,
  };
}

function runs(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

async function ask(port: number, ...commands: string[][]): Promise<string[]> {
  const client = await RawClient.connect({ host: "127.0.0.1", port, noDelay: true });
  try {
    return await client.send(commands);
  } finally {
    client.close();
  }
}

/** Waits until the node at this HTTP address answers reads and writes. */
async function ready(stats: string): Promise<void> {
  await until(
    async () => (await fetch(`${stats}/readyz`).catch(() => undefined))?.ok === true,
    () => `${stats} did not get ready`,
  );
}

/** A port in a range that systems do not hand out, so that several tests can begin at it. */
const FIRST_PORT = 9400;

describe("ringlet dev", () => {
  it("runs three nodes that hold the same, and ends with them, without a terminal", async () => {
    const dev = await startDev(["--port", String(FIRST_PORT)], "ignore");
    expect(dev.rows.map(({ rack }) => rack)).toEqual(["rack1", "rack2", "rack3"]);
    expect(dev.output()).toContain("3 nodes run, one in each rack: each holds all data.");
    const [first, , last] = dev.rows as [Row, Row, Row];
    expect(await ask(first.clients, ["SET", "greeting", "hello"])).toEqual(["+OK\r\n"]);
    expect(await ask(last.clients, ["GET", "greeting"])).toEqual(["$5\r\nhello\r\n"]);
    dev.process.kill("SIGTERM");
    expect(await dev.ended).toEqual({ code: 0, signal: null });
    expect(dev.rows.filter(({ pid }) => runs(pid))).toEqual([]);
  });

  it("lets a node be killed and started again by what is typed: the others go on, and it is whole again", async () => {
    const dev = await startDev(["--port", String(FIRST_PORT + 100)], "pipe");
    const [first, second, third] = dev.rows as [Row, Row, Row];
    expect(await ask(second.clients, ["SET", "before", "1"])).toEqual(["+OK\r\n"]);
    dev.type("kill 2");
    await dev.says("[2] has ended (SIGKILL)");
    expect(await ask(first.clients, ["SET", "during", "2"], ["GET", "before"])).toEqual([
      "+OK\r\n",
      "$1\r\n1\r\n",
    ]);
    dev.type("status");
    await dev.says(/^127\.0\.0\.1:\d+ +rack2 +localdc +down /m);
    dev.type("start 2");
    await dev.says(/\[2\] runs again, as process \d+/);
    await ready(second.stats);
    const one = ["RINGLET", "CONSISTENCY", "DC_ONE", "DC_ONE"];
    expect(await ask(second.clients, one, ["GET", "before"], ["GET", "during"])).toEqual([
      "+OK\r\n",
      "$1\r\n1\r\n",
      "$1\r\n2\r\n",
    ]);
    dev.type("ring");
    await dev.says(/rack3 +127\.0\.0\.1:\d+ +2863311530 +100\.0 % +up/);
    dev.type("start 2");
    await dev.says(/node 2 runs already, as process \d+/);
    dev.type("dance");
    await dev.says("Not understood. Type status, ring, kill <node>, start <node> or quit.");
    dev.type("quit");
    expect(await dev.ended).toEqual({ code: 0, signal: null });
    expect([first, third].filter(({ pid }) => runs(pid))).toEqual([]);
  });

  it("prints a command that starts a killed node in another terminal", async () => {
    const dev = await startDev(["--port", String(FIRST_PORT + 200)], "ignore");
    const [first, , third] = dev.rows as [Row, Row, Row];
    expect(await ask(first.clients, ["SET", "k", "v"])).toEqual(["+OK\r\n"]);
    expect(dev.output()).toContain(`kill -9 ${third.pid}`);
    process.kill(third.pid, "SIGKILL");
    await dev.says("[3] has ended (SIGKILL)");
    const command = /^ +(node dist\/cli\/main\.js serve .*)$/m.exec(dev.output())![1]!;
    const again = spawn(`exec ${command}`, { cwd: ROOT, shell: true, stdio: "ignore" });
    onTestFinished(() => void again.kill("SIGKILL"));
    await ready(third.stats);
    const one = ["RINGLET", "CONSISTENCY", "DC_ONE", "DC_ONE"];
    expect(await ask(third.clients, one, ["GET", "k"])).toEqual(["+OK\r\n", "$1\r\nv\r\n"]);
  });

  it("leaves no node behind when it is killed itself", async () => {
    const dev = await startDev(["--port", String(FIRST_PORT + 300), "--nodes", "2"], "ignore");
    expect(dev.rows.length).toBe(2);
    dev.process.kill("SIGKILL");
    await until(
      () => dev.rows.every(({ pid }) => !runs(pid)),
      () => "nodes of a killed ringlet dev run on",
    );
  });

  it("takes free ports where its own are in use, and says so", async () => {
    const holder = createTcpServer().listen(FIRST_PORT + 400, "127.0.0.1");
    onTestFinished(() => void holder.close());
    const dev = await startDev(["--port", String(FIRST_PORT + 400), "--nodes", "1"], "ignore");
    const [{ clients }] = dev.rows as [Row];
    expect(dev.output()).toContain(
      `port ${FIRST_PORT + 400} is in use; clients of node 1 connect to ${clients} instead`,
    );
    expect(await ask(clients, ["PING"])).toEqual(["+PONG\r\n"]);
  });
});

describe("ringlet ring and ringlet status", () => {
  it("print what a member knows", async () => {
    const node = await startNode({
      flags: [
        ...["--stats-listen", "127.0.0.1:0", "--tokens", "5", "--dyn-listen", "127.0.0.1:0"],
        ...["--dyn-seeds", "127.0.0.1:1:other:localdc:77"],
      ],
    });
    const stats = ["--stats", node.statsUrl.replace("http://", "")];
    const ring = await runRinglet(["ring", ...stats]);
    expect([ring.code, ring.stderr]).toEqual([0, ""]);
    expect(ring.stdout).toContain("ringlet: 2 members in 2 racks, vnode, hash murmur\n");
    expect(ring.stdout).toMatch(/^localdc +localrack +\S+ \(this\) +5 +100\.0 % +\S+$/m);
    expect(ring.stdout).toMatch(/^localdc +other +127\.0\.0\.1:1 +77 +100\.0 % +down$/m);
    const status = await runRinglet(["status", ...stats]);
    expect([status.code, status.stderr]).toEqual([0, ""]);
    expect(status.stdout).toContain("it takes no requests: ");
    expect(status.stdout).toMatch(/^127\.0\.0\.1:1 +other +localdc +down +\d+ s /m);
  });

  it.each(["ring", "status"])(
    "%s: one line and exit code 2 where no node answers",
    async (command) => {
      const { code, stdout, stderr } = await runRinglet([command, "--stats", "127.0.0.1:1"]);
      expect([code, stdout]).toEqual([2, ""]);
      expect(stderr).toBe(
        "ringlet: no node answers at http://127.0.0.1:1 (nothing listens there): start one with --stats-listen 127.0.0.1:1, or say where it is with --stats <host:port>\n",
      );
    },
  );

  it("say so where a node is alone", async () => {
    const node = await startNode({ flags: ["--stats-listen", "127.0.0.1:0"] });
    const stats = node.statsUrl.replace("http://", "");
    const { code, stderr } = await runRinglet(["ring", "--stats", stats]);
    expect([code, stderr]).toEqual([
      2,
      `ringlet: the node at http://${stats} has no ring to tell of: This node is no member of a ring: start it with --tokens.\n`,
    ]);
  });

  it("say so where something else answers", async () => {
    const other = createServer((_, answer) => answer.end("<html>")).listen(0, "127.0.0.1");
    onTestFinished(() => void other.close());
    await new Promise((resolve) => other.once("listening", resolve));
    const stats = `127.0.0.1:${(other.address() as AddressInfo).port}`;
    const { code, stderr } = await runRinglet(["status", "--stats", stats]);
    expect([code, stderr]).toEqual([
      2,
      `ringlet: what answers at http://${stats} is no Ringlet node: say where one is with --stats <host:port>\n`,
    ]);
  });
});

describe("ringlet serve with flags of a cluster", () => {
  it.each([
    [["--rack", "r1"], "--rack is for members of a cluster: give --tokens too, as in --tokens 0"],
    [["--tokens", "x"], '127.0.0.1:8101: token "x" is not a decimal number'],
    [["--tokens", "1,1"], "token 1 is there twice in rack localrack of localdc"],
    [["--tokens", "1", "--dyn-seeds", "nowhere"], '"nowhere" names no member: write host:port:'],
    [
      ["--tokens", "1", "--cluster-secret-file", "/nowhere"],
      "the secret of the cluster cannot be read: ENOENT",
    ],
    [
      ["--tokens", "1", "--maxmemory-policy", "allkeys-lru"],
      "maxMemoryPolicy: allkeys-lru makes the replicas of a ring differ: start all members with --cache yes",
    ],
    [["--tokens", "1", "--hash", "sha1"], 'there is no hash function "sha1": use one of'],
  ])("ends with 2 and one line for %j", async (flags, said) => {
    const { code, stdout, stderr } = await runRinglet([
      "serve",
      "--listen",
      "127.0.0.1:0",
      ...flags,
    ]);
    expect([code, stdout]).toEqual([2, ""]);
    expect(stderr).toMatch(/^ringlet: [^\n]+\n$/);
    expect(stderr).toContain(said);
  });

  it("evicts only as a cache, also when asked by CONFIG SET", async () => {
    const flags = ["--tokens", "1", "--dyn-listen", "127.0.0.1:0"];
    const set = ["CONFIG", "SET", "maxmemory-policy", "allkeys-lru"];
    const get = ["CONFIG", "GET", "maxmemory-policy"];
    const strict = await startNode({ flags });
    const [refusal, policy] = await ask(strict.port, set, get);
    expect(refusal).toMatch(/^-ERR CONFIG SET failed .*makes the replicas of a ring differ/);
    expect(policy).toContain("noeviction");
    const cache = await startNode({ flags: [...flags, "--cache", "yes"] });
    expect((await ask(cache.port, set, get)).join("")).toMatch(/^\+OK\r\n.*allkeys-lru/s);
    const alone = await startNode({ flags: ["--maxmemory-policy", "allkeys-lru"] });
    expect((await ask(alone.port, get)).join("")).toContain("allkeys-lru");
  });

  it("warns when its links are open to other machines, and not when they have a secret", async () => {
    const flags = ["--tokens", "1", "--dyn-listen", "0.0.0.0:0"];
    const open = await (await startNode({ flags })).stop();
    expect(open.stderr).toContain("The links between members are open");
    const secured = await startNode({ flags, env: { RINGLET_CLUSTER_SECRET: "sixteen letters!" } });
    const { stderr, stdout } = await secured.stop();
    expect(stderr).not.toContain("The links between members are open");
    expect(stderr + stdout).not.toContain("sixteen");
  });
});
