// Starts the programs that take part in a benchmark, and ends each of them, however the benchmark itself ends.

import { type ChildProcess, fork, type SpawnOptions, spawn } from "node:child_process";
import { accessSync, constants } from "node:fs";
import { delimiter, join } from "node:path";

const EXIT_CODES = { SIGHUP: 129, SIGINT: 130, SIGTERM: 143 } as const;

/** How long a program may take to end when it is asked to. */
const END_MS = 3000;

/** A program that the benchmark needs is not installed. */
export class MissingProgramError extends Error {}

export class Processes {
  readonly #running = new Set<ChildProcess>();

  constructor() {
    // "exit" comes after an error that nobody caught, too.
    process.on("exit", () => {
      for (const child of this.#running) child.kill("SIGKILL");
    });
    for (const [signal, code] of Object.entries(EXIT_CODES)) {
      process.on(signal, () => process.exit(code));
    }
  }

  spawn(program: string, args: readonly string[], options: SpawnOptions): ChildProcess {
    return this.#watch(spawn(program, args, options));
  }

  /** Starts a module of the benchmark in a process of its own, with a channel for messages. */
  fork(module: string, args: readonly string[]): ChildProcess {
    return this.#watch(fork(module, args));
  }

  /** Ends a program gently, or by force when it takes too long. Resolves when it is gone. */
  async end(child: ChildProcess): Promise<void> {
    if (!this.#running.has(child)) return;
    const force = setTimeout(() => child.kill("SIGKILL"), END_MS);
    const gone = new Promise((resolve) => child.once("exit", resolve));
    child.kill("SIGTERM");
    await gone;
    clearTimeout(force);
  }

  #watch(child: ChildProcess): ChildProcess {
    this.#running.add(child);
    child.once("exit", () => this.#running.delete(child));
    // Without a process there is no "exit".
    child.once("error", () => this.#running.delete(child));
    return child;
  }
}

/** Throws MissingProgramError unless all of them can be run by name. */
export function needPrograms(...names: string[]): void {
  const missing = names.filter((name) => !isInstalled(name));
  if (missing.length === 0) return;
  throw new MissingProgramError(
    `${missing.join(" and ")} not found: install Redis 7 (Debian and Ubuntu: apt-get install redis-server; macOS: brew install redis)`,
  );
}

/** Whether a program can be run by name. */
export function isInstalled(name: string): boolean {
  return (process.env.PATH ?? "").split(delimiter).some((folder) => {
    try {
      accessSync(join(folder, name), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}
