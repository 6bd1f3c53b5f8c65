// `ringlet serve --conf-file`: starting from a file, what is said of one that cannot be, and reading it again on SIGHUP.
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createClient } from "@redis/client";
import { describe, expect, it, onTestFinished } from "vitest";
import { type RunningNode, runRinglet, startNode } from "./harness.ts";

/** A configuration file of this test, with the given lines of a pool. */
function confFile(...lines: string[]): string {
  const folder = mkdtempSync(join(tmpdir(), "ringlet-conf-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const path = join(folder, "dynomite.yml");
  write(path, ...lines);
  return path;
}

function write(path: string, ...lines: string[]): void {
  writeFileSync(path, ["dyn_o_mite:", ...lines.map((line) => `  ${line}`), ""].join("\n"));
}

/** A client of a node that is connected until the test ends. */
async function clientOf(node: RunningNode, password = "") {
  const socket = { host: node.host, port: node.port };
  const client = createClient(password === "" ? { socket } : { socket, password });
  client.on("error", () => {});
  await client.connect();
  onTestFinished(() => client.destroy());
  return client;
}

/** What the node has logged, line by line. */
function logOf(node: RunningNode): Record<string, unknown>[] {
  return node.stderr
    .split("\n")
    .slice(0, -1)
    .map((line) => JSON.parse(line));
}

/** Has a node read its file again, and waits until its log says that it has, or why not. */
async function reload(node: RunningNode): Promise<Record<string, unknown>[]> {
  const before = logOf(node).length;
  node.process.kill("SIGHUP");
  for (;;) {
    const lines = logOf(node).slice(before);
    const end = lines.some(({ msg }) => /has been read again|cannot be used/.test(String(msg)));
    if (end) return lines;
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

const NEEDED = ["listen: 127.0.0.1:8102", "stats_listen: off", "data_store: embedded"];

describe("ringlet serve --conf-file", () => {
  it("starts a node from the file, and flags win", async () => {
    const path = confFile(...NEEDED, "maxclients: 33", "requirepass: sesame", "maxmemory: 2mb");
    const node = await startNode({ flags: ["--conf-file", path, "--maxmemory", "3mb"] });
    const client = await clientOf(node, "sesame");
    expect(await client.configGet(["maxclients", "maxmemory", "requirepass"])).toEqual({
      maxclients: "33",
      maxmemory: "3145728",
      requirepass: "sesame",
    });
    expect(await node.stop()).toMatchObject({ code: 0 });
    expect(node.stderr).not.toContain("sesame");
  });

  it("starts a member from the file", async () => {
    const path = confFile(
      ...NEEDED,
      "tokens: '101134286'",
      "rack: rack7",
      "datacenter: dc7",
      "dyn_listen: 127.0.0.1:8101",
      "read_consistency: DC_QUORUM",
    );
    const flags = ["-c", path, "--dyn-listen", "127.0.0.1:0", "--stats-listen", "127.0.0.1:0"];
    const node = await startNode({ flags });
    const ring = await (await fetch(`${node.statsUrl}/ring`)).json();
    expect(JSON.stringify(ring)).toContain("rack7");
    expect(await (await fetch(`${node.statsUrl}/get_consistency`)).text()).toContain("DC_QUORUM");
  });

  it("warns of each key that is in vain, with file and line", async () => {
    const path = confFile(...NEEDED, "backlog: 1024", "max_msgs: 300000");
    const node = await startNode({ flags: ["-c", path] });
    await node.stop();
    const warnings = logOf(node).filter(({ level }) => level === "warn");
    expect(warnings).toMatchObject([
      {
        file: path,
        line: 5,
        column: 3,
        key: "backlog",
        msg: expect.stringMatching(/^backlog has no effect: /),
      },
      { file: path, line: 6, column: 3, key: "max_msgs" },
    ]);
  });

  it.each([
    [
      "a key that is not there",
      ["lisen: a:1", "data_store: 2"],
      [
        "1:1: error: the pool dyn_o_mite has no listen",
        "2:3: error: unknown key lisen: write listen, or remove it",
      ],
    ],
    [
      "a value that cannot be",
      [...NEEDED, "mbuf_size: 100"],
      ['5:14: error: mbuf_size cannot be "100": give a whole number from 512 to 512000'],
    ],
    [
      "two errors",
      [...NEEDED, "rak: r", "hash: sha"],
      ["5:3: error: unknown key rak", '6:9: error: hash cannot be "sha": give one of'],
    ],
    [
      "two places where memcached clients connect",
      [
        ...["listen: 127.0.0.1:8102", "data_store: 1", "servers:", "- 127.0.0.1:22122:1"],
        "memcached_listen: 127.0.0.1:11211",
      ],
      ["6:3: error: memcached_listen: before a memcached server (data_store: 1)"],
    ],
  ])("ends with 2 and all that is wrong for %s", async (_, lines, errors) => {
    const path = confFile(...lines);
    for (const args of [
      ["serve", "-c", path],
      ["serve", "-c", path, "--test-conf"],
    ]) {
      const { code, stdout, stderr } = await runRinglet(args);
      expect([code, stdout]).toEqual([2, ""]);
      const count = errors.length === 1 ? "an error" : `${errors.length} errors`;
      const said = [
        `ringlet: the configuration file ${path} has ${count}:`,
        ...errors.map((error) => `  ${path}:${error}`),
      ];
      expect(
        stderr
          .trimEnd()
          .split("\n")
          .map((line, i) => line.slice(0, said[i]?.length)),
      ).toEqual(said);
    }
  });

  it("ends with 2 and one line for a file that is not there", async () => {
    const { code, stderr } = await runRinglet(["serve", "-c", "/nowhere/node.yml"]);
    expect(code).toBe(2);
    expect(stderr).toMatch(
      /^ringlet: the configuration file \/nowhere\/node\.yml cannot be read: [^\n]+\n$/,
    );
  });
});

describe("ringlet serve --test-conf", () => {
  it("says that a file is right, with its warnings, and ends with 0", async () => {
    const path = confFile(...NEEDED, "backlog: 512");
    const { code, stdout, stderr } = await runRinglet(["serve", "-t", "-c", path]);
    expect([code, stdout]).toEqual([0, "configuration file with pool 'dyn_o_mite' is valid\n"]);
    expect(stderr).toMatch(new RegExp(`^${path}:5:3: warning: backlog has no effect: [^\\n]+\\n$`));
  });

  it("says so of the example", async () => {
    expect(
      await runRinglet(["serve", "--conf-file", "examples/ringlet.yml", "--test-conf"]),
    ).toMatchObject({
      code: 0,
      stdout: "configuration file with pool 'ringlet' is valid\n",
      stderr: "",
    });
  });
});

describe("SIGHUP", () => {
  it("applies what can change, and says what needs a restart", async () => {
    const path = confFile(...NEEDED, "maxclients: 33", "rack: r1", "tokens: 1", "timeout: 4000");
    const flags = ["-c", path, "--dyn-listen", "127.0.0.1:0", "--maxmemory", "3mb"];
    const node = await startNode({ flags });
    const client = await clientOf(node);
    write(
      path,
      ...NEEDED,
      "maxclients: 44",
      "rack: r2",
      "tokens: 1",
      "timeout: 3000",
      "maxmemory: 1mb",
      "write_consistency: dc_quorum",
    );
    const log = await reload(node);
    expect(log).toMatchObject([
      { level: "info", key: "maxclients", msg: "A change of the configuration file is in effect." },
      { level: "warn", key: "rack", msg: "A change of the configuration file needs a restart." },
      { level: "info", key: "timeout" },
      {
        level: "info",
        key: "maxmemory",
        msg: expect.stringContaining("the command line or the environment wins"),
      },
      {
        level: "info",
        key: "write_consistency",
        msg: "A change of the configuration file is in effect.",
      },
      { level: "info", file: path, changes: 5 },
    ]);
    expect(await client.configGet(["maxclients", "maxmemory"])).toEqual({
      maxclients: "44",
      maxmemory: "3145728",
    });
    expect(await client.sendCommand(["CONFIG", "GET", "request-timeout-ms"])).toEqual({
      "request-timeout-ms": "3000",
    });
    const levels = await clientOf(node);
    expect(JSON.stringify(await levels.sendCommand(["RINGLET", "CONSISTENCY"]))).toContain(
      "DC_QUORUM",
    );

    // What waits for a restart is said again; what is as it was is not. A key that is gone has its default again.
    write(path, ...NEEDED, "rack: r2", "tokens: 1", "timeout: 3000", "maxmemory: 1mb");
    expect((await reload(node)).map(({ key, changes }) => key ?? changes)).toEqual([
      "maxclients",
      "rack",
      "write_consistency",
      3,
    ]);
    expect(await client.configGet("maxclients")).toEqual({ maxclients: "10000" });
  });

  it("changes the level of the log", async () => {
    const path = confFile(...NEEDED, "log_level: error");
    const node = await startNode({ flags: ["-c", path] });
    write(path, ...NEEDED, "log_level: debug");
    expect(await reload(node)).toMatchObject([{ key: "log_level", level: "info" }, { changes: 1 }]);
  });

  it("changes nothing with a file that is wrong, and logs each error", async () => {
    const path = confFile(...NEEDED, "maxclients: 33");
    const node = await startNode({ flags: ["-c", path] });
    const client = await clientOf(node);
    write(path, ...NEEDED, "maxclients: 44", "rak: r", "hash: x");
    expect(await reload(node)).toMatchObject([
      {
        level: "error",
        file: path,
        line: 6,
        column: 3,
        reason: expect.stringContaining("unknown key rak"),
      },
      {
        level: "error",
        file: path,
        line: 7,
        column: 9,
        reason: expect.stringContaining("hash cannot be"),
      },
    ]);
    rmSync(path);
    expect(await reload(node)).toMatchObject([
      { level: "error", reason: expect.stringContaining("cannot be read") },
    ]);
    expect(await client.configGet("maxclients")).toEqual({ maxclients: "33" });
    write(path, ...NEEDED, "maxclients: 44");
    expect(await reload(node)).toMatchObject([{ key: "maxclients" }, { changes: 1 }]);
    expect(await client.configGet("maxclients")).toEqual({ maxclients: "44" });
  });

  it("changes nothing where the node refuses one of several changes", async () => {
    const path = confFile(...NEEDED, "tokens: 1", "maxclients: 33");
    const node = await startNode({ flags: ["-c", path, "--dyn-listen", "127.0.0.1:0"] });
    const client = await clientOf(node);
    write(path, ...NEEDED, "tokens: 1", "maxclients: 44", "maxmemory_policy: allkeys-lru");
    expect(await reload(node)).toMatchObject([
      { level: "error", reason: expect.stringContaining("cache") },
    ]);
    expect(await client.configGet("maxclients")).toEqual({ maxclients: "33" });
  });
});
