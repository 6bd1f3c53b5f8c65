// One node of `ringlet dev` as a child process.

import { type ChildProcess, spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { readableLog } from "./log-line.ts";
import type { PlannedNode } from "./plan.ts";

const CHILD = fileURLToPath(new URL("./child.js", import.meta.url));

/** How long a node may take to end before it is killed, in ms: it answers first what it has received. */
const END_PATIENCE_MS = 12_000;

export class DevNode {
  readonly plan: PlannedNode;
  readonly #say: (line: string) => void;
  #process: ChildProcess | undefined;
  #lastWords = "";

  /** `say` gets every line of its log, and how it ended. */
  constructor(plan: PlannedNode, say: (line: string) => void) {
    this.plan = plan;
    this.#say = say;
  }

  /** The process that runs it now. */
  get pid(): number | undefined {
    return this.#process?.pid;
  }

  /** Starts it; resolves to whether it is ready. Where it is not, it has ended, and lastWords say why. */
  start(): Promise<boolean> {
    // What it prints is read here, and the channel tells it when this process is gone.
    const child = spawn(process.execPath, [CHILD, ...this.plan.args], {
      stdio: ["ignore", "pipe", "pipe", "ipc"],
    });
    this.#process = child;
    const errors = createInterface({ input: child.stderr! });
    errors.on("line", (line) => {
      this.#lastWords = line.replace(/^ringlet: /, "");
      this.#say(readableLog(line));
    });
    return new Promise((resolve) => {
      createInterface({ input: child.stdout! }).on("line", () => resolve(true));
      child.once("error", (error) => {
        this.#lastWords = error.message;
      });
      child.once("close", (code, signal) => {
        this.#process = undefined;
        resolve(false);
        this.#say(`has ended (${signal ?? `exit code ${code}`})`);
      });
    });
  }

  /** The last line that it wrote to its log. */
  get lastWords(): string {
    return this.#lastWords;
  }

  /** Ends it at once, as a power cut would. */
  kill(): void {
    this.#process?.kill("SIGKILL");
  }

  /** Lets it answer what it has received, then it ends. */
  async stop(): Promise<void> {
    const child = this.#process;
    if (child === undefined) return;
    const ended = new Promise((resolve) => child.once("close", resolve));
    child.kill("SIGTERM");
    const timer = setTimeout(() => child.kill("SIGKILL"), END_PATIENCE_MS);
    await ended;
    clearTimeout(timer);
  }
}
