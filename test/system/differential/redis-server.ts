/** A real redis-server on a socket of its own. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { accessSync, constants, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { RawClient } from "./raw-client.ts";

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
  readonly client: RawClient;
  readonly #process: ChildProcess;
  readonly #folder: string;

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
      try {
        return new RedisServer(server, folder, await RawClient.connect({ path }));
      } catch (error) {
        if (tries === START_TRIES || server.exitCode !== null) {
          server.kill("SIGKILL");
          throw error;
        }
        await delay(TRY_EVERY_MS);
      }
    }
  }

  private constructor(server: ChildProcess, folder: string, client: RawClient) {
    this.#process = server;
    this.#folder = folder;
    this.client = client;
  }

  /** Path of the socket it listens on. */
  get path(): string {
    return join(this.#folder, "socket");
  }

  async stop(): Promise<void> {
    this.client.close();
    const gone = once(this.#process, "exit");
    this.#process.kill("SIGKILL");
    await gone;
    rmSync(this.#folder, { recursive: true, force: true });
  }
}
