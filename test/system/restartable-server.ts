/** A server of other makers that can be killed and started again at the same place, and a node before it. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { onTestFinished, type TestContext } from "vitest";
import { type RunningNode, startNode } from "./harness.ts";
import { freePort } from "./other-servers.ts";
import { requireProgram } from "./programs.ts";
import { until } from "./until.ts";

/** Where a server listens. */
export type ServerAddress = { readonly port: number } | { readonly path: string };

export class RestartableServer {
  readonly #program: string;
  readonly #flags: readonly string[];
  readonly #address: ServerAddress;
  process!: ChildProcess;

  private constructor(program: string, address: ServerAddress, flags: readonly string[]) {
    this.#program = program;
    this.#address = address;
    this.#flags = flags;
  }

  /** Starts redis-server; it ends with the test. */
  static redis(
    context: TestContext,
    address?: ServerAddress,
    ...more: string[]
  ): Promise<RestartableServer> {
    const flags = ["--save", "", "--dir", temporaryFolder(), ...more];
    return RestartableServer.#start(context, "redis-server", address, (at) =>
      "port" in at
        ? ["--port", String(at.port), "--bind", "127.0.0.1", ...flags]
        : ["--port", "0", "--unixsocket", at.path, ...flags],
    );
  }

  /** Starts memcached with one thread; it ends with the test. */
  static memcached(
    context: TestContext,
    address?: ServerAddress,
    ...more: string[]
  ): Promise<RestartableServer> {
    const user = process.getuid?.() === 0 ? ["-u", "root"] : [];
    const flags = ["-t", "1", ...user, ...more];
    return RestartableServer.#start(context, "memcached", address, (at) =>
      "port" in at
        ? ["-l", "127.0.0.1", "-p", String(at.port), "-U", "0", ...flags]
        : ["-s", at.path, ...flags],
    );
  }

  static async #start(
    context: TestContext,
    name: "redis-server" | "memcached",
    given: ServerAddress | undefined,
    flagsOf: (address: ServerAddress) => string[],
  ): Promise<RestartableServer> {
    const program = requireProgram(context, name);
    const address = given ?? { port: await freePort() };
    const server = new RestartableServer(program, address, flagsOf(address));
    onTestFinished(() => void server.process.kill("SIGKILL"));
    await server.run();
    return server;
  }

  get port(): number {
    return "port" in this.#address ? this.#address.port : 0;
  }

  /** As it stands under "servers" in a configuration file. */
  get entry(): string {
    return "port" in this.#address
      ? `127.0.0.1:${this.#address.port}:1`
      : `${this.#address.path}:1`;
  }

  async run(): Promise<void> {
    this.process = spawn(this.#program, this.#flags, { stdio: "ignore" });
    await until(() => this.#answers());
  }

  async kill(): Promise<void> {
    this.process.kill("SIGKILL");
    await once(this.process, "exit");
  }

  #answers(): Promise<boolean> {
    return new Promise((resolve) => {
      const socket = connect(this.#address as { port: number });
      socket.on("error", () => resolve(false));
      socket.on("connect", () => {
        socket.destroy();
        resolve(true);
      });
    });
  }
}

/** Starts a node by a configuration file of the C engine before a server. `dataStore`: 0 for redis, 1 for memcached. */
export async function startBefore(
  server: Pick<RestartableServer, "entry">,
  dataStore: 0 | 1,
  ...lines: string[]
): Promise<RunningNode> {
  const path = join(temporaryFolder(), "dynomite.yml");
  const text = [
    "dyn_o_mite:",
    "  listen: 127.0.0.1:8102",
    "  tokens: 101134286",
    `  dyn_listen: 127.0.0.1:${await freePort()}`,
    `  data_store: ${dataStore}`,
    "  server_retry_timeout: 500",
    "  servers:",
    `  - ${server.entry}`,
    ...lines.map((line) => `  ${line}`),
  ];
  writeFileSync(path, `${text.join("\n")}\n`);
  const flags = ["--conf-file", path, "--listen", "127.0.0.1:0", "--stats-listen", "127.0.0.1:0"];
  return await startNode({ flags });
}

/** A folder that is gone with the test. */
export function temporaryFolder(): string {
  const path = mkdtempSync(join(tmpdir(), "ringlet-backend-"));
  onTestFinished(() => rmSync(path, { recursive: true, force: true }));
  return path;
}
