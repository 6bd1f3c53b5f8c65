// `npm start` as in the README: flags reach the node, and so do signals, whoever receives them first.
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { expect, it, onTestFinished } from "vitest";
import { isReachable } from "./other-servers.ts";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));

interface Started {
  readonly npm: ChildProcess;
  readonly port: number;
  readonly output: () => string;
}

/** Runs `npm start -- --listen 127.0.0.1:0` in a process group of its own, until the node is ready. */
async function npmStart(): Promise<Started> {
  const npm = spawn("npm", ["start", "--", "--listen", "127.0.0.1:0"], {
    cwd: ROOT,
    detached: true,
    stdio: ["ignore", "pipe", "pipe"],
  });
  onTestFinished(() => {
    try {
      process.kill(-npm.pid!, "SIGKILL");
    } catch {
      // All of the group have ended, as they should.
    }
  });
  let output = "";
  for (const stream of [npm.stdout, npm.stderr]) {
    stream.setEncoding("utf8").on("data", (text: string) => {
      output += text;
    });
  }
  for (;;) {
    const port = /ready on 127\.0\.0\.1:(\d+)/.exec(output)?.[1];
    if (port !== undefined) return { npm, port: Number(port), output: () => output };
    if (npm.exitCode !== null) throw new Error(`npm start ended:\n${output}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

it.each([
  ["SIGTERM to npm alone", "SIGTERM", 1],
  ["SIGINT to npm alone", "SIGINT", 1],
  ["SIGTERM to the whole group", "SIGTERM", -1],
  ["SIGINT to the whole group, as by Ctrl-C", "SIGINT", -1],
] as const)("%s stops the node, and npm ends with 0", async (_, signal, sign) => {
  const { npm, port, output } = await npmStart();
  expect(await isReachable(port)).toBe(true);
  const ended = once(npm, "close");
  process.kill(sign * npm.pid!, signal);
  expect(await ended).toEqual([0, null]);
  expect(output()).toContain('"msg":"Stopped."');
  expect(await isReachable(port)).toBe(false);
});
