/** A real redis-server on a socket of its own, and a client that returns replies as they came. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { accessSync, constants, mkdtempSync, rmSync } from "node:fs";
import { createConnection, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { readReply } from "../../unit/store/decode-reply.ts";
import { type Argument, encodeRequest } from "../../unit/store/harness.ts";

/** Path of redis-server; undefined where it is not installed. */
export const redisServerPath = (process.env.PATH ?? "")
  .split(delimiter)
  .map((folder) => join(folder, "redis-server"))
  .find((path) => {
    try {
      accessSync(path, constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });

/** What to tell about a test that needs it. */
export const REDIS_IS_MISSING =
  "skipped: redis-server is not installed (Debian: apt-get install redis-server)";

const START_TRIES = 200;
const TRY_EVERY_MS = 25;

export class RedisServer {
  readonly #process: ChildProcess;
  readonly #folder: string;
  readonly #socket: Socket;
  #received = "";
  #wake = (): void => {};

  /** Starts a server with nothing in it. `settings`: as on its command line. */
  static async start(...settings: readonly string[]): Promise<RedisServer> {
    if (redisServerPath === undefined) throw new Error(REDIS_IS_MISSING);
    const folder = mkdtempSync(join(tmpdir(), "ringlet-redis-"));
    const path = join(folder, "socket");
    const server = spawn(
      redisServerPath,
      ["--port", "0", "--unixsocket", path, "--save", "", "--dir", folder, ...settings],
      { stdio: "ignore" },
    );
    for (let tries = 0; ; tries++) {
      const socket = createConnection(path);
      try {
        await once(socket, "connect");
        return new RedisServer(server, folder, socket);
      } catch (error) {
        if (tries === START_TRIES || server.exitCode !== null) {
          server.kill("SIGKILL");
          throw error;
        }
        await delay(TRY_EVERY_MS);
      }
    }
  }

  private constructor(server: ChildProcess, folder: string, socket: Socket) {
    this.#process = server;
    this.#folder = folder;
    this.#socket = socket;
    socket.setEncoding("latin1");
    socket.on("data", (text: string) => {
      this.#received += text;
      this.#wake();
    });
    socket.on("close", () => this.#wake());
  }

  /** Sends commands in one go and returns their replies, one character per byte. */
  async send(commands: readonly (readonly Argument[])[]): Promise<string[]> {
    this.#socket.write(commands.map(encodeRequest).join(""), "latin1");
    const replies: string[] = [];
    let at = 0;
    while (replies.length < commands.length) {
      const end = replyEnd(this.#received, at);
      if (end === undefined) {
        if (this.#socket.destroyed) throw new Error("redis-server has closed the connection");
        await new Promise<void>((resolve) => {
          this.#wake = resolve;
        });
        continue;
      }
      replies.push(this.#received.slice(at, end));
      at = end;
    }
    this.#received = this.#received.slice(at);
    return replies;
  }

  async stop(): Promise<void> {
    this.#socket.destroy();
    const gone = once(this.#process, "exit");
    this.#process.kill("SIGKILL");
    await gone;
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

/** Where the reply at `start` ends; undefined while a part of it is missing. */
function replyEnd(text: string, start: number): number | undefined {
  try {
    const { end } = readReply(text, start);
    return end <= text.length ? end : undefined;
  } catch {
    return undefined;
  }
}
