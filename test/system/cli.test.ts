// The command `ringlet` as users and process managers meet it: what it prints, its exit codes, its signals, its HTTP door.
import { once } from "node:events";
import { connect, createServer, type Socket } from "node:net";
import { networkInterfaces } from "node:os";
import { describe, expect, it, onTestFinished } from "vitest";
import { RINGLET_VERSION } from "../../src/base/version.ts";
import { parseOpenMetrics } from "../reference/open-metrics.ts";
import { runRinglet, startNode } from "./harness.ts";
import { until } from "./until.ts";

/** Connects a client that collects what it receives. */
async function dial(port: number): Promise<{ socket: Socket; received: () => string }> {
  const socket = connect(port, "127.0.0.1");
  onTestFinished(() => void socket.destroy());
  let received = "";
  socket.on("data", (bytes) => {
    received += bytes.toString("latin1");
  });
  await once(socket, "connect");
  return { socket, received: () => received };
}

/** Sends commands and returns all that the node answers until it closes the connection. */
async function ask(port: number, ...commands: string[]): Promise<string> {
  const { socket, received } = await dial(port);
  socket.end(commands.map((command) => `${command}\r\n`).join(""));
  await once(socket, "close");
  return received();
}

function hasIpv6(): boolean {
  return Object.values(networkInterfaces()).some((all) =>
    all?.some(({ address }) => address === "::1"),
  );
}

describe("ringlet", () => {
  it("prints its version", async () => {
    expect(await runRinglet(["--version"])).toMatchObject({
      code: 0,
      stdout: `${RINGLET_VERSION}\n`,
      stderr: "",
    });
  });

  it("prints its help", async () => {
    const { code, stdout, stderr } = await runRinglet(["serve", "--help"]);
    expect([code, stderr]).toEqual([0, ""]);
    expect(stdout).toContain("--listen <host:port>");
    expect(stdout).toContain("RINGLET_MAXMEMORY");
  });

  it.each([
    [[], "say what to do"],
    [["serve", "--port", "1"], "there is no flag --port"],
    [["serve", "--maxmemory", "lots"], '--maxmemory cannot be "lots"'],
    [["serve", "--listen", "nowhere"], '--listen cannot be "nowhere"'],
    [["serve", "--listen", "203.0.113.1:8102"], "203.0.113.1 is no address of this machine"],
  ])("ends with 2 and one line for %j", async (args, said) => {
    const { code, stdout, stderr } = await runRinglet(args);
    expect([code, stdout]).toEqual([2, ""]);
    expect(stderr).toMatch(/^ringlet: [^\n]+\n$/);
    expect(stderr).toContain(said);
  });

  it("ends with 2 and one line for a bad variable", async () => {
    const { code, stderr } = await runRinglet(["serve"], { env: { RINGLET_MAXCLIENTS: "many" } });
    expect(code).toBe(2);
    expect(stderr).toMatch(/^ringlet: RINGLET_MAXCLIENTS cannot be "many": [^\n]+\n$/);
  });

  it.each(["--listen", "--stats-listen"])(
    "ends with 2 and one line when the port of %s is in use",
    async (flag) => {
      const holder = createServer().listen(0, "127.0.0.1");
      onTestFinished(() => void holder.close());
      await once(holder, "listening");
      const address = holder.address();
      const port = typeof address === "object" ? address?.port : undefined;
      const listen = flag === "--listen" ? [] : ["--listen", "127.0.0.1:0"];
      const { code, stdout, stderr } = await runRinglet([
        "serve",
        ...listen,
        ...[flag, `127.0.0.1:${port}`],
      ]);
      expect([code, stdout]).toEqual([2, ""]);
      expect(stderr).toMatch(new RegExp(`^ringlet: 127\\.0\\.0\\.1:${port} is in use [^\\n]+\\n$`));
    },
  );
});

describe("ringlet serve", () => {
  it("says in one line that it is ready, and what to try", async () => {
    const node = await startNode();
    expect(node.stdout).toBe(
      `ringlet ${RINGLET_VERSION} ready on 127.0.0.1:${node.port}, embedded store. Try: redis-cli -h 127.0.0.1 -p ${node.port} ping\n`,
    );
    expect(await ask(node.port, "PING", "QUIT")).toBe("+PONG\r\n+OK\r\n");
  });

  it("listens where the variable says", async () => {
    const node = await startNode({ env: { RINGLET_LISTEN: "127.0.0.1:0" } });
    expect(await ask(node.port, "PING", "QUIT")).toBe("+PONG\r\n+OK\r\n");
  });

  it.runIf(hasIpv6())("listens on IPv6", async () => {
    const node = await startNode({ flags: ["--listen", "[::1]:0"] });
    expect(node.stdout).toContain(`ready on [::1]:${node.port},`);
    expect(node.stdout).toContain(`redis-cli -h ::1 -p ${node.port} ping`);
  });

  it("asks for the password that the variable sets", async () => {
    const node = await startNode({ env: { RINGLET_REQUIREPASS: "sesame" } });
    expect(node.stdout).toContain("--askpass");
    expect(await ask(node.port, "PING", "AUTH sesame", "PING", "QUIT")).toBe(
      "-NOAUTH Authentication required.\r\n+OK\r\n+PONG\r\n+OK\r\n",
    );
    expect(node.stdout + node.stderr).not.toContain("sesame");
  });

  it("refuses clients over --maxclients, and serves on", async () => {
    const node = await startNode({ flags: ["--maxclients", "1"] });
    const first = await dial(node.port);
    first.socket.write("PING\r\n");
    await until(() => first.received() !== "");
    expect(await ask(node.port)).toBe("-ERR max number of clients reached\r\n");
    first.socket.write("PING\r\n");
    await until(() => first.received() === "+PONG\r\n+PONG\r\n");
  });

  it("keeps to --maxmemory", async () => {
    const node = await startNode({ flags: ["--maxmemory", "1mb"] });
    const { socket, received } = await dial(node.port);
    for (let i = 0; i < 40; i++) {
      socket.write(`*3\r\n$3\r\nSET\r\n$2\r\n${10 + i}\r\n$50000\r\n${"x".repeat(50_000)}\r\n`);
    }
    await until(() => received().split("\r\n").length > 40);
    expect(received()).toMatch(/^(\+OK\r\n)+(-OOM [^\r\n]*\r\n)+$/);
  });

  it("logs lines of JSON on standard error, from the level that is asked for", async () => {
    const chatty = await (await startNode()).stop();
    const lines = chatty.stderr
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line));
    expect(lines.at(-1)).toMatchObject({ level: "info", msg: "Stopped." });
    const quiet = await (await startNode({ flags: ["--log-level", "error"] })).stop();
    expect(quiet.stderr).toBe("");
  });

  it("warns that clients of other machines are refused without a password", async () => {
    const open = await (await startNode({ flags: ["--listen", "0.0.0.0:0"] })).stop();
    expect(open.stderr).toContain("set --requirepass to let them in");
    expect(open.stdout).toContain("Try: redis-cli -h 127.0.0.1");
    const wide = await startNode({ flags: ["--listen", "0.0.0.0:0", "--protected-mode", "no"] });
    expect((await wide.stop()).stderr).toContain("Everybody who reaches this address");
  });
});

describe("a node that is told to stop", () => {
  it.each(["SIGTERM", "SIGINT"] as const)("by %s ends with 0", async (signal) => {
    const node = await startNode();
    expect(await node.stop(signal)).toMatchObject({ code: 0, signal: null });
  });

  it("ends with 0 though clients are connected and idle", async () => {
    const node = await startNode();
    const { socket, received } = await dial(node.port);
    socket.write("PING\r\n");
    await until(() => received() === "+PONG\r\n");
    const closed = once(socket, "close");
    expect(await node.stop()).toMatchObject({ code: 0 });
    await closed;
    expect(received()).toBe("+PONG\r\n");
  });

  it("answers what it has received, and takes no more clients meanwhile", async () => {
    const node = await startNode({ flags: ["--stats-listen", "127.0.0.1:0"] });
    const { socket, received } = await dial(node.port);
    socket.write("CLIENT PAUSE 700 WRITE\r\nSET a 1\r\nGET a\r\n");
    await until(() => received() === "+OK\r\n");
    const ended = node.stop();
    await until(() => node.stderr.includes("Draining"));
    const health = await fetch(`${node.statsUrl}/healthz`);
    expect([health.status, await health.text()]).toEqual([503, "draining\n"]);
    expect(await ask(node.port, "PING")).not.toContain("PONG");
    await once(socket, "close");
    expect(received()).toBe("+OK\r\n+OK\r\n$1\r\n1\r\n");
    expect(await ended).toMatchObject({ code: 0 });
  });

  it("cuts off a client that keeps it waiting longer than --drain-timeout-ms, and says so", async () => {
    const node = await startNode({ flags: ["--drain-timeout-ms", "200"] });
    const { socket, received } = await dial(node.port);
    socket.write("CLIENT PAUSE 60000 WRITE\r\nSET a 1\r\n");
    await until(() => received() === "+OK\r\n");
    const { code, stderr } = await node.stop();
    expect(code).toBe(0);
    expect(stderr).toContain("cut off");
  });

  it("ends with 0 though a request over HTTP has come in part", async () => {
    const node = await startNode({ flags: ["--stats-listen", "127.0.0.1:0"] });
    const { socket } = await dial(Number(new URL(node.statsUrl).port));
    socket.write("GET /me");
    await (await fetch(`${node.statsUrl}/healthz`)).text();
    expect(await node.stop()).toMatchObject({ code: 0, signal: null });
  });

  it("twice in one breath (a process group, npm) drains all the same", async () => {
    const node = await startNode();
    node.process.kill("SIGINT");
    expect(await node.stop("SIGTERM")).toMatchObject({ code: 0, signal: null });
  });

  it("a second time, later, ends at once with 1", async () => {
    const node = await startNode();
    const { socket, received } = await dial(node.port);
    socket.write("CLIENT PAUSE 60000 WRITE\r\nSET a 1\r\n");
    await until(() => received() === "+OK\r\n");
    node.process.kill("SIGTERM");
    await new Promise((resolve) => setTimeout(resolve, 1200));
    expect(await node.stop()).toMatchObject({ code: 1 });
  });
});

describe("the HTTP door", () => {
  it("serves health, metrics and facts at --stats-listen", async () => {
    const node = await startNode({ flags: ["--stats-listen", "127.0.0.1:0"] });
    expect(await ask(node.port, "SET a 1", "GET a", "GET b", "QUIT")).toContain("$1\r\n1\r\n");

    const health = await fetch(`${node.statsUrl}/healthz`);
    expect([health.status, await health.text()]).toEqual([200, "ok\n"]);

    const metrics = await fetch(`${node.statsUrl}/metrics`);
    expect(metrics.headers.get("content-type")).toBe(
      "application/openmetrics-text; version=1.0.0; charset=utf-8",
    );
    const families = parseOpenMetrics(await metrics.text());
    expect(families.get("ringlet_build")!.samples).toEqual([
      { name: "ringlet_build_info", labels: { version: RINGLET_VERSION }, value: 1 },
    ]);
    expect(families.get("ringlet_keys")!.samples).toEqual([
      { name: "ringlet_keys", labels: { database: "0" }, value: 1 },
    ]);
    expect(families.get("ringlet_keyspace_hits")!.samples[0]!.value).toBe(1);
    expect(families.get("ringlet_keyspace_misses")!.samples[0]!.value).toBe(1);
    expect(families.get("ringlet_clients_accepted")!.samples[0]!.value).toBe(1);
    for (const [name, { help, samples }] of families) {
      expect([name, help]).toEqual([name, expect.stringMatching(/^[A-Zm].*\.$/)]);
      for (const { value } of samples) expect(value).toBeGreaterThanOrEqual(0);
    }

    const facts = await (await fetch(`${node.statsUrl}/info`)).json();
    const told = await ask(node.port, "INFO server", "QUIT");
    const version = /^redis_version:(.*)\r$/m.exec(told)![1];
    expect(facts.server.redis_version).toBe(version);
    expect(facts.server.ringlet_version ?? RINGLET_VERSION).toBe(RINGLET_VERSION);
  });

  it("says what there is where there is nothing, and refuses bodies and other methods", async () => {
    const { statsUrl } = await startNode({ flags: ["--stats-listen", "127.0.0.1:0"] });
    const missing = await fetch(`${statsUrl}/`);
    expect([missing.status, await missing.text()]).toEqual([
      404,
      expect.stringMatching(
        /^There is nothing at \/; there are \/healthz, \/readyz, .*\/set_consistency\/\{read\|write\}\/\{level\}, .*\/help\.\n$/,
      ),
    ]);
    expect((await fetch(`${statsUrl}/info`, { method: "DELETE" })).status).toBe(405);
    expect((await fetch(`${statsUrl}/info`, { method: "POST", body: "x" })).status).toBe(413);
    const head = await fetch(`${statsUrl}/metrics`, { method: "HEAD" });
    expect([head.status, await head.text()]).toEqual([200, ""]);
  });

  it("cuts off what is no HTTP, a head that is too long, and a path that is none", async () => {
    const { statsUrl } = await startNode({ flags: ["--stats-listen", "127.0.0.1:0"] });
    const port = Number(new URL(statsUrl).port);
    expect(await ask(port, "PING")).toMatch(/^HTTP\/1\.1 400 /);
    expect(await ask(port, `GET /${"a".repeat(9000)} HTTP/1.1`, "host: a", "")).toMatch(
      /^HTTP\/1\.1 431 /,
    );
    expect(await ask(port, "GET //[ HTTP/1.1", "host: a", "connection: close", "")).toMatch(
      /^HTTP\/1\.1 4\d\d /,
    );
  });
});
