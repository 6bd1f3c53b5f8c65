/** A node with a memcached door, a memcached beside it, and a client that speaks lines. */
import { type ChildProcess, spawn } from "node:child_process";
import { connect, createServer, type Socket } from "node:net";
import { onTestFinished, type TestContext } from "vitest";
import { type NodeOptions, type RunningNode, startNode } from "../harness.ts";
import { requireProgram } from "../programs.ts";

const PATIENCE_MS = 20_000;
const MEMCACHED = /memcached on 127\.0\.0\.1:(\d+)/;

export interface MemcachedNode extends RunningNode {
  readonly memcachedPort: number;
}

/** Starts a node that memcached clients can reach; it ends with the test. */
export async function startMemcachedNode(
  flags: readonly string[] = [],
  options: NodeOptions = {},
): Promise<MemcachedNode> {
  const node = await startNode({
    ...options,
    flags: ["--memcached-listen", "127.0.0.1:0", ...flags],
  });
  const memcachedPort = Number(MEMCACHED.exec(node.stdout)![1]);
  return Object.assign(node, { memcachedPort });
}

/** Starts memcached; it ends with the test. */
export async function startMemcached(context: TestContext): Promise<number> {
  const program = requireProgram(context, "memcached");
  const port = await freePort();
  const user = process.getuid?.() === 0 ? ["-u", "nobody"] : [];
  const flags = ["-l", "127.0.0.1", "-p", String(port), "-U", "0", "-t", "1", ...user];
  const child: ChildProcess = spawn(program, flags, { stdio: "ignore" });
  const ended = new Promise((resolve) => child.on("close", resolve));
  onTestFinished(async () => {
    child.kill("SIGKILL");
    await ended;
  });
  const deadline = Date.now() + PATIENCE_MS;
  while (!(await isReachable(port))) {
    if (child.exitCode !== null || Date.now() > deadline) {
      throw new Error("memcached did not start");
    }
    await new Promise((resolve) => setTimeout(resolve, 30));
  }
  return port;
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as { port: number };
  await new Promise((resolve) => server.close(resolve));
  return port;
}

function isReachable(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1");
    socket.on("connect", () => {
      socket.destroy();
      resolve(true);
    });
    socket.on("error", () => resolve(false));
  });
}

/** A connection over which bytes go, one character each. */
export class LineClient {
  readonly #socket: Socket;
  #received = "";
  #closed = false;
  #wake: () => void = () => {};

  constructor(port: number) {
    this.#socket = connect({ port, host: "127.0.0.1", noDelay: true });
    this.#socket.on("data", (bytes) => {
      this.#received += bytes.toString("latin1");
      this.#wake();
    });
    const closed = () => {
      this.#closed = true;
      this.#wake();
    };
    this.#socket.on("close", closed).on("error", closed);
    onTestFinished(() => void this.#socket.destroy());
  }

  get isClosed(): boolean {
    return this.#closed;
  }

  write(text: string): void {
    this.#socket.write(Buffer.from(text, "latin1"));
  }

  /** Sends requests and takes what comes back, up to the answer to the "mn" that is sent behind them. */
  async ask(text: string): Promise<string> {
    this.write(`${text}mn\r\n`);
    const answer = await this.until((got) => got.endsWith("MN\r\n"));
    return answer.slice(0, -4);
  }

  /** Takes what has come when `enough` says so, or the connection is closed. */
  async until(enough: (got: string) => boolean): Promise<string> {
    const deadline = Date.now() + PATIENCE_MS;
    while (!enough(this.#received) && !this.#closed) {
      if (Date.now() > deadline) {
        throw new Error(`not enough came: ${JSON.stringify(this.#received.slice(-300))}`);
      }
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, 1000);
        this.#wake = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
    const got = this.#received;
    this.#received = "";
    return got;
  }

  end(): void {
    this.#socket.end();
  }

  /** Reads nothing any more. */
  pause(): void {
    this.#socket.pause();
  }
}
