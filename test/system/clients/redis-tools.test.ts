// redis-cli and redis-benchmark, as Debian has them.
import { execFile, spawn } from "node:child_process";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it, type TestContext } from "vitest";
import { type RunningNode, startNode } from "../harness.ts";
import { requireProgram } from "../programs.ts";

let node: RunningNode;
beforeAll(async () => {
  node = await startNode({ keep: true });
});
afterAll(async () => {
  await node.stop();
});

const run = promisify(execFile);
const BUFFER = { maxBuffer: 64 * 1024 * 1024 };

describe("redis-cli", () => {
  async function cli(context: TestContext, ...args: string[]): Promise<string> {
    const program = requireProgram(context, "redis-cli");
    const { stdout } = await run(program, ["-p", String(node.port), ...args], BUFFER);
    return stdout.trimEnd();
  }

  /** Types lines into redis-cli. */
  async function typed(context: TestContext, lines: string[], ...args: string[]): Promise<string> {
    const program = requireProgram(context, "redis-cli");
    const child = spawn(program, ["-p", String(node.port), ...args]);
    let output = "";
    child.stdout.on("data", (text) => {
      output += text;
    });
    child.stdin.end(`${lines.join("\n")}\n`);
    await new Promise((resolve) => child.on("close", resolve));
    return output.trimEnd();
  }

  it("runs single commands, in RESP 2 and 3", async (context) => {
    expect(await cli(context, "set", "a", "1")).toBe("OK");
    expect(await cli(context, "incr", "a")).toBe("2");
    expect(await cli(context, "hset", "h", "f", "v")).toBe("1");
    expect(await cli(context, "hgetall", "h")).toBe("f\nv");
    expect(await cli(context, "-3", "--json", "hgetall", "h")).toBe('{"f":"v"}');
    expect(await cli(context, "-3", "--json", "config", "get", "maxmemory")).toBe(
      '{"maxmemory":"0"}',
    );
    expect(await cli(context, "get", "missing")).toBe("");
    expect(await cli(context, "nonsense")).toMatch(/^ERR unknown command 'nonsense'/);
  });

  it("runs a session with a transaction", async (context) => {
    const lines = ["multi", "set a x", "incr a", "get a", "exec", "select 3", "dbsize"];
    expect(await typed(context, lines)).toBe(
      "OK\nQUEUED\nQUEUED\nQUEUED\nOK\nERR value is not an integer or out of range\n\nx\nOK\n0",
    );
  });

  it("reads the help of commands from COMMAND DOCS", async (context) => {
    expect(await typed(context, ["help config get"])).toMatch(/CONFIG.GET[\s\S]*summary:/i);
  });

  it("loads many commands by --pipe", async (context) => {
    const program = requireProgram(context, "redis-cli");
    const child = spawn(program, ["-p", String(node.port), "--pipe"]);
    let output = "";
    child.stdout.on("data", (text) => {
      output += text;
    });
    for (let i = 0; i < 20_000; i++) child.stdin.write(`SET pipe:${i} ${i}\r\n`);
    child.stdin.end();
    await new Promise((resolve) => child.on("close", resolve));
    expect(output).toContain("errors: 0, replies: 20000");
    expect(await cli(context, "get", "pipe:19999")).toBe("19999");
  });

  it("looks through keys: --scan, --bigkeys, --memkeys, --stat", async (context) => {
    await cli(context, "flushall");
    await cli(context, "set", "big", "x".repeat(5000));
    await cli(context, "hset", "hash", "f", "v");
    const found = await cli(context, "--scan");
    expect(found.split("\n").sort()).toEqual(["big", "hash"]);
    expect(await cli(context, "--bigkeys")).toMatch(/Biggest string found .*big.* has 5000 bytes/);
    expect(await cli(context, "--memkeys")).toMatch(
      /Biggest string found .*big.* has 5\d\d\d bytes/,
    );
    expect(await cli(context, "info", "keyspace")).toContain("db0:keys=2");
  });

  it("shows its password with -a and --user", async (context) => {
    const guarded = await startNode({ flags: ["--requirepass", "s3cret"] });
    const program = requireProgram(context, "redis-cli");
    const ask = async (...args: string[]) =>
      (
        await run(program, ["--no-auth-warning", "-p", String(guarded.port), ...args])
      ).stdout.trim();
    expect(await ask("ping")).toBe("NOAUTH Authentication required.");
    expect(await ask("-a", "s3cret", "ping")).toBe("PONG");
    expect(await ask("--user", "default", "--pass", "s3cret", "ping")).toBe("PONG");
  });

  it("stops the node by SHUTDOWN", async (context) => {
    const short = await startNode();
    const program = requireProgram(context, "redis-cli");
    await run(program, ["-p", String(short.port), "shutdown", "nosave"]);
    expect((await short.ended).code).toBe(0);
  });
});

describe("redis-benchmark", () => {
  async function benchmark(context: TestContext, ...args: string[]): Promise<string> {
    const program = requireProgram(context, "redis-benchmark");
    const { stdout, stderr } = await run(program, ["-p", String(node.port), "-q", ...args], BUFFER);
    expect(stderr).toBe("");
    return stdout;
  }

  it("runs its own tests of the commands that there are", async (context) => {
    const tests = "ping_inline,ping_mbulk,set,get,incr,hset,mset";
    const output = await benchmark(context, "-t", tests, "-n", "2000", "-r", "1000", "-P", "16");
    expect(output.match(/requests per second/g)).toHaveLength(7);
    expect(output).not.toMatch(/error/i);
  });

  it("gets its SET, GET and INCR from the kernel: under 1 % go to the host", async (context) => {
    const fresh = await startNode();
    const program = requireProgram(context, "redis-benchmark");
    const flags = ["-p", String(fresh.port), "-q", "-t", "set,get,incr", "-n", "20000", "-P", "16"];
    await run(program, flags, BUFFER);
    const cli = requireProgram(context, "redis-cli");
    const { stdout } = await run(cli, ["-p", String(fresh.port), "info", "ringlet"]);
    const share = Number(/host_commands_percent:([\d.]+)/.exec(stdout)?.[1]);
    expect(share).toBeLessThan(1);
    expect(Number(/kernel_commands:(\d+)/.exec(stdout)?.[1])).toBeGreaterThanOrEqual(60_000);
  });

  it("holds 1,000 connections", async (context) => {
    const output = await benchmark(context, "-t", "set,get", "-c", "1000", "-n", "20000");
    expect(output.match(/requests per second/g)).toHaveLength(2);
  });
});
