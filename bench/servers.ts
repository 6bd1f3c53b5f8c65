// The servers that are measured, each in a process of its own on a free port of 127.0.0.1, with nothing written to disk.

import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { connect, createServer, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Processes } from "./processes.ts";

export const SERVERS = ["redis-server", "Ringlet"] as const;
export type ServerName = (typeof SERVERS)[number];

export interface Server {
  /** What messages call it. */
  readonly name: string;
  readonly pid: number;
  readonly port: number;
  /** Of Ringlet: where /metrics is. */
  readonly statsPort: number | undefined;
  stop(): Promise<void>;
}

export type ServerPair = Readonly<Record<ServerName, Server>>;

/** How long a server may take until it answers. */
const START_MS = 10_000;
const RINGLET = fileURLToPath(new URL("../../dist/cli/main.js", import.meta.url));

/** Starts both, runs `work`, and stops them. */
export async function withServers<T>(
  processes: Processes,
  work: (servers: ServerPair) => Promise<T>,
): Promise<T> {
  const redis = await startRedis(processes);
  try {
    const ringlet = await startRinglet(processes);
    try {
      return await work({ "redis-server": redis, Ringlet: ringlet });
    } finally {
      await ringlet.stop();
    }
  } finally {
    await redis.stop();
  }
}

export async function startRedis(processes: Processes): Promise<Server> {
  const port = await freePort();
  const child = processes.spawn(
    "redis-server",
    ["--port", `${port}`, "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"],
    { cwd: tmpdir(), stdio: ["ignore", "ignore", "inherit"] },
  );
  return started(processes, child, { name: "redis-server", port, statsPort: undefined });
}

/** `flags`: of `ringlet serve`, besides those for its own addresses. */
export async function startRinglet(
  processes: Processes,
  name = "Ringlet",
  flags: readonly string[] = [],
): Promise<Server> {
  const [port, statsPort] = [await freePort(), await freePort()];
  const child = spawnRinglet(processes, port, statsPort, flags);
  return started(processes, child, { name, port, statsPort });
}

function spawnRinglet(
  processes: Processes,
  port: number,
  statsPort: number,
  flags: readonly string[],
): ChildProcess {
  return processes.spawn(
    process.execPath,
    [
      RINGLET,
      "serve",
      ...["--listen", `127.0.0.1:${port}`],
      ...["--stats-listen", `127.0.0.1:${statsPort}`],
      ...["--log-level", "warn"],
      ...flags,
    ],
    { stdio: ["ignore", "ignore", "inherit"] },
  );
}

/**
 * A node of a configuration of the C engine before a server, with one connection to it. `folder`: where its configuration is
 * written.
 */
export async function startBefore(
  processes: Processes,
  store: "redis" | "memcached",
  serverPort: number,
  folder: string,
): Promise<Server> {
  const path = join(folder, "node.yml");
  const lines = [
    "dyn_o_mite:",
    "  listen: 127.0.0.1:8102",
    `  data_store: ${store === "redis" ? 0 : 1}`,
    "  datastore_connections: 1",
    "  servers:",
    `  - 127.0.0.1:${serverPort}:1`,
  ];
  writeFileSync(path, `${lines.join("\n")}\n`);
  const [port, statsPort] = [await freePort(), await freePort()];
  const facts = { name: "Ringlet", port, statsPort };
  const child = spawnRinglet(processes, port, statsPort, ["--conf-file", path]);
  if (store === "redis") return started(processes, child, facts);
  await untilOpen(processes, child, facts.name, port);
  return { ...facts, pid: child.pid!, stop: () => processes.end(child) };
}

/** twemproxy before a redis-server, with one connection to it. `folder`: where its configuration is written. */
export async function startNutcracker(
  processes: Processes,
  redisPort: number,
  folder: string,
): Promise<Server> {
  const name = "twemproxy";
  const port = await freePort();
  const path = join(folder, "nutcracker.yml");
  writeFileSync(
    path,
    [
      "pool:",
      `  listen: 127.0.0.1:${port}`,
      "  redis: true",
      "  server_connections: 1",
      "  servers:",
      `   - 127.0.0.1:${redisPort}:1`,
      "",
    ].join("\n"),
  );
  const flags = ["-c", path, "-o", join(folder, "nutcracker.log"), "-s", `${await freePort()}`];
  const child = processes.spawn("nutcracker", flags, { stdio: "ignore" });
  // It answers no inline command.
  await untilOpen(processes, child, name, port);
  return { name, port, statsPort: undefined, pid: child.pid!, stop: () => processes.end(child) };
}

/** Waits until a server takes connections; throws when it does not. */
export async function untilOpen(
  processes: Processes,
  child: ChildProcess,
  name: string,
  port: number,
): Promise<void> {
  const until = performance.now() + START_MS;
  for (;;) {
    const socket = await open(port).catch(() => undefined);
    socket?.destroy();
    if (socket !== undefined) return;
    if (child.exitCode !== null || performance.now() > until) {
      await processes.end(child);
      throw new Error(`${name} did not start on 127.0.0.1:${port}`);
    }
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

async function started(
  processes: Processes,
  child: ChildProcess,
  facts: Pick<Server, "name" | "port" | "statsPort">,
): Promise<Server> {
  const until = performance.now() + START_MS;
  while ((await ask(facts.port, "PING").catch(() => "")) !== "+PONG") {
    if (child.exitCode !== null || performance.now() > until) {
      await processes.end(child);
      throw new Error(`${facts.name} did not start on 127.0.0.1:${facts.port}`);
    }
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  return { ...facts, pid: child.pid!, stop: () => processes.end(child) };
}

/** Sends one inline command; resolves to its reply, which must be short enough to come at once, without the last line's end. */
export async function ask(port: number, command: string): Promise<string> {
  const socket = await open(port);
  try {
    socket.write(`${command}\r\n`);
    const [reply] = await once(socket, "data");
    return String(reply).trimEnd();
  } finally {
    socket.destroy();
  }
}

export async function open(port: number): Promise<Socket> {
  const socket = connect({ port, host: "127.0.0.1", noDelay: true });
  await once(socket, "connect");
  return socket;
}

/** A port that nobody listens on, below those that the system gives to connections. */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = FIRST_PORT + Math.floor(Math.random() * (LAST_PORT - FIRST_PORT));
    const server = createServer();
    const listens = await new Promise<boolean>((resolve) => {
      server.once("error", () => resolve(false));
      server.listen(port, "127.0.0.1", () => resolve(true));
    });
    if (!listens) continue;
    server.close();
    await once(server, "close");
    return port;
  }
}

const FIRST_PORT = 12_000;
const LAST_PORT = 32_000;
