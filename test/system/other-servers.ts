/** Servers of other makers beside the program under test, and ports for them. */
import { type ChildProcess, spawn } from "node:child_process";
import { connect } from "node:net";
import { onTestFinished, type TestContext } from "vitest";
import { freePorts } from "./cluster-harness.ts";
import { requireProgram } from "./programs.ts";

const PATIENCE_MS = 20_000;

/** Starts memcached; it ends with the test. `more`: flags beside where it listens. */
export async function startMemcached(
  context: TestContext,
  more: readonly string[] = [],
): Promise<number> {
  const program = requireProgram(context, "memcached");
  const port = await freePort();
  const user = process.getuid?.() === 0 ? ["-u", "nobody"] : [];
  const flags = ["-l", "127.0.0.1", "-p", String(port), ...more, ...user];
  await started(spawn(program, flags, { stdio: "ignore" }), port);
  return port;
}

/** A port of loopback that nobody listens at. */
export async function freePort(): Promise<number> {
  const [port] = await freePorts(1);
  return port!;
}

/** Waits until the server takes connections; it ends with the test. */
export async function started(child: ChildProcess, port: number): Promise<void> {
  const ended = new Promise((resolve) => child.on("close", resolve));
  onTestFinished(async () => {
    child.kill("SIGKILL");
    await ended;
  });
  const deadline = Date.now() + PATIENCE_MS;
  while (!(await isReachable(port))) {
    if (child.exitCode !== null || Date.now() > deadline) {
      throw new Error("the server did not start");
    }
    await new Promise((resolve) => setTimeout(resolve, 30));
  }
}

/** Whether anybody listens at a port of loopback. */
export function isReachable(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1");
    socket.on("connect", () => {
      socket.destroy();
      resolve(true);
    });
    socket.on("error", () => resolve(false));
  });
}
