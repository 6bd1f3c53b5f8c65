// One run of redis-benchmark.

import { once } from "node:events";
import type { Processes } from "./processes.ts";

/** Keys that redis-benchmark draws from: 16 bytes each. */
export const KEYS = 100_000;
const CLIENTS = 50;
/** A run that takes longer hangs, and is ended. */
const LONGEST_RUN_MS = 120_000;

export type Command = "SET" | "GET";

export interface Load {
  readonly command: Command;
  readonly valueBytes: number;
  readonly pipeline: number;
  readonly keys: number;
  /** Connections, each of which waits for its replies before it sends more; 50 by default. */
  readonly clients?: number;
}

export interface Measured {
  readonly perSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
}

/** Sends `count` commands to the server on `port`. Throws what redis-benchmark says when it fails. */
export async function redisBenchmark(
  processes: Processes,
  port: number,
  load: Load,
  count: number,
): Promise<Measured> {
  const { command, valueBytes, pipeline, keys, clients = CLIENTS } = load;
  const child = processes.spawn(
    "redis-benchmark",
    [
      ...["-h", "127.0.0.1", "-p", port, "-t", command.toLowerCase(), "-c", clients],
      ...["-d", valueBytes, "-P", pipeline, "-r", keys, "-n", count, "--csv"],
    ].map(String),
    { stdio: ["ignore", "pipe", "pipe"], timeout: LONGEST_RUN_MS },
  );
  let printed = "";
  let complaints = "";
  child.stdout!.on("data", (text) => (printed += text));
  child.stderr!.on("data", (text) => (complaints += text));
  const [code, signal] = await once(child, "close");
  const rows = printed
    .trim()
    .split("\n")
    .map((line) => line.split(",").map((cell) => cell.replaceAll('"', "")));
  const row = rows.find(([name]) => name === command);
  const column = (name: string) => Number(row?.[rows[0]!.indexOf(name)]);
  const measured = {
    perSecond: column("rps"),
    p50Ms: column("p50_latency_ms"),
    p99Ms: column("p99_latency_ms"),
  };
  if (code === 0 && Object.values(measured).every(Number.isFinite)) return measured;
  throw new Error(
    `redis-benchmark failed (${signal ?? `code ${code}`}, ${JSON.stringify(load)}): ${complaints}${printed}`,
  );
}
