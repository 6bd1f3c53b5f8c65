// Starts what system tests talk to: the command `ringlet`, and nodes of it on free ports. Every process ends with its test.
import { type ChildProcess, spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import { onTestFailed, onTestFinished } from "vitest";

const MAIN = fileURLToPath(new URL("../../dist/cli/main.js", import.meta.url));

/** How long a node may take to be ready, or a command to end, before the test fails. */
const PATIENCE_MS = 30_000;

export interface RunOptions {
  /** Environment variables besides those of the test run, in which no RINGLET_ one is passed on. */
  readonly env?: Readonly<Record<string, string>>;
  /** The Node.js executable; by default the one that runs the tests. */
  readonly node?: string;
  /** The program; by default dist/cli/main.js. */
  readonly main?: string;
}

/** A started `ringlet`: what it has printed, and how it ends. */
export interface RingletProcess {
  readonly process: ChildProcess;
  readonly stdout: string;
  readonly stderr: string;
  /** Resolves when the process has ended and all that it printed has come. */
  readonly ended: Promise<Ending>;
}

export interface Ending {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Starts `ringlet` with the given arguments. */
export function startRinglet(args: readonly string[], options: RunOptions = {}): RingletProcess {
  const inherited = Object.entries(process.env).filter(([name]) => !name.startsWith("RINGLET_"));
  const child = spawn(options.node ?? process.execPath, [options.main ?? MAIN, ...args], {
    env: { ...Object.fromEntries(inherited), ...options.env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const output = { stdout: "", stderr: "" };
  for (const name of ["stdout", "stderr"] as const) {
    child[name].setEncoding("utf8").on("data", (text: string) => {
      output[name] += text;
    });
  }
  const ended = new Promise<Ending>((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (code, signal) => resolve({ code, signal, ...output }));
  });
  return {
    process: child,
    ended,
    get stdout() {
      return output.stdout;
    },
    get stderr() {
      return output.stderr;
    },
  };
}

/** Runs `ringlet` to its end. */
export async function runRinglet(args: readonly string[], options?: RunOptions): Promise<Ending> {
  const started = startRinglet(args, options);
  const timer = setTimeout(() => started.process.kill("SIGKILL"), PATIENCE_MS);
  try {
    return await started.ended;
  } finally {
    clearTimeout(timer);
  }
}

/** A running node. */
export interface RunningNode extends RingletProcess {
  readonly host: string;
  readonly port: number;
  /** Where the HTTP door is, when `--stats-listen` was among the flags; else empty. */
  readonly statsUrl: string;
  /** Sends the signal (SIGTERM) and waits for the end. */
  stop(signal?: NodeJS.Signals): Promise<Ending>;
}

export interface NodeOptions extends RunOptions {
  /** Flags of `ringlet serve`. It listens on a free port of 127.0.0.1 unless these or `env` say otherwise. */
  readonly flags?: readonly string[];
  /** Do not end the node with the test that started it: for `beforeAll`, whose `afterAll` must then stop it. */
  readonly keep?: boolean;
}

const READY = /^ringlet \S+ ready on (\S+):(\d+)[^\n]*\n/;
const STATS = /stats on (http:\/\/\S+?)[,.]? /;

/** Starts a node and waits until it says that it is ready. */
export async function startNode(options: NodeOptions = {}): Promise<RunningNode> {
  const flags = options.flags ?? [];
  const listens = flags.includes("--listen") || options.env?.RINGLET_LISTEN !== undefined;
  const listen = listens ? [] : ["--listen", "127.0.0.1:0"];
  const started = startRinglet(["serve", ...listen, ...flags], options);
  const kill = () => started.process.kill("SIGKILL");
  if (options.keep !== true) {
    onTestFinished(() => void kill());
    onTestFailed(() => console.error(`ringlet serve ${flags.join(" ")}\n${started.stderr}`));
  }
  const deadline = Date.now() + PATIENCE_MS;
  let ready = READY.exec(started.stdout);
  while (ready === null) {
    if (started.process.exitCode !== null || Date.now() > deadline) {
      kill();
      const { code, stdout, stderr } = await started.ended;
      throw new Error(`the node did not get ready (exit code ${code}):\n${stdout}${stderr}`);
    }
    await new Promise((resolve) => setTimeout(resolve, 5));
    ready = READY.exec(started.stdout);
  }
  return Object.assign(started, {
    host: ready[1]!.replace(/^\[|\]$/g, ""),
    port: Number(ready[2]),
    statsUrl: STATS.exec(ready[0])?.[1] ?? "",
    stop: (signal: NodeJS.Signals = "SIGTERM") => {
      started.process.kill(signal);
      return started.ended;
    },
  });
}
