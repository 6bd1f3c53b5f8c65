/** A node with a memcached door, and a client that speaks lines. */
import { connect, type Socket } from "node:net";
import { onTestFinished } from "vitest";
import { type NodeOptions, type RunningNode, startNode } from "../harness.ts";

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
