// What the node counts of its commands: calls, time, errors, rates. CONFIG RESETSTAT sets what INFO shows to zero; the
// totals that the metrics show go on.

import { latin1 } from "../../store/arguments.ts";
import type { EmbeddedStore } from "../../store/embedded-store.ts";
import { type FIGURE, KERNEL_COMMANDS } from "../../store/kernel.ts";
import type { ClientRegistry } from "./clients.ts";

/** A number that only grows, and what it was at the last CONFIG RESETSTAT. */
export class Counter {
  total = 0;
  #resetAt = 0;

  /** What was counted since the last reset. */
  get sinceReset(): number {
    return this.total - this.#resetAt;
  }

  reset(): void {
    this.#resetAt = this.total;
  }
}

/** What the host counts of one command. Those that the kernel answers count there: see Statistics.kernelCounts(). */
export class CommandCounters {
  readonly calls = new Counter();
  readonly microseconds = new Counter();
  /** Refused before they ran. */
  readonly rejected = new Counter();
  /** Ran, and replied an error. */
  readonly failed = new Counter();

  reset(): void {
    this.calls.reset();
    this.microseconds.reset();
    this.rejected.reset();
    this.failed.reset();
  }
}

/** What the kernel counts of a command: calls, those that failed included, and refusals for want of memory. */
export interface KernelCounts {
  readonly calls: number;
  readonly failed: number;
  readonly rejected: number;
}

const NO_CALLS: KernelCounts = { calls: 0, failed: 0, rejected: 0 };

/** The code words of the kernel's errors, and where it counts them. */
const KERNEL_ERRORS = [
  ["ERR", "plainErrors"],
  ["WRONGTYPE", "wrongTypeErrors"],
  ["OOM", "outOfMemoryErrors"],
] as const;

/** Figures of the kernel that begin at zero again with CONFIG RESETSTAT. */
const GROWING_FIGURES: readonly (keyof typeof FIGURE)[] = [
  "expired",
  "evicted",
  "hits",
  "misses",
  "moved",
  "plainErrors",
  "wrongTypeErrors",
  "outOfMemoryErrors",
];

/** Samples that a rate is the mean of. */
const SAMPLES = 16;
/** Kinds of errors that are told apart; clients can make up no kinds of their own. */
const MAX_ERROR_KINDS = 128;
/** Longest code word of an error. */
const MAX_ERROR_CODE = 32;

export class Statistics {
  readonly #store: EmbeddedStore;
  readonly #clients: ClientRegistry;
  /** Commands that the host ran. */
  readonly hostCommands = new Counter();
  /** Error replies of the host by code word. */
  readonly #hostErrors = new Map<string, Counter>();
  /** What the kernel counted of each of its commands at the last reset. */
  #kernelAtReset: readonly KernelCounts[] = KERNEL_COMMANDS.map(() => NO_CALLS);
  readonly #figuresAtReset = new Map<string, number>();
  readonly #opsPerSecond = new Rate();
  readonly #inputPerSecond = new Rate();
  readonly #outputPerSecond = new Rate();
  #inputAtReset = 0;
  #outputAtReset = 0;
  #acceptedAtReset = 0;
  #rejectedAtReset = 0;
  #peakBytes = 0;

  constructor(store: EmbeddedStore, clients: ClientRegistry) {
    this.#store = store;
    this.#clients = clients;
  }

  /** Takes a sample for the rates and the peak: call it several times a second. `now`: ms of a monotonic clock. */
  sample(now: number): void {
    this.#opsPerSecond.sample(this.kernelCommands + this.hostCommands.total, now);
    this.#inputPerSecond.sample(this.#clients.inputBytes, now);
    this.#outputPerSecond.sample(this.#clients.outputBytes, now);
    this.notePeak();
  }

  /** Commands that the kernel answered, ever. */
  get kernelCommands(): number {
    let calls = 0;
    for (let number = 1; number < KERNEL_COMMANDS.length; number++) {
      calls += this.#store.kernel.callsOf(number);
    }
    return calls;
  }

  get kernelCommandsSinceReset(): number {
    return this.kernelCommands - this.#kernelAtReset.reduce((sum, { calls }) => sum + calls, 0);
  }

  /** What the kernel has counted of a command since the last reset. `number`: of KERNEL_COMMANDS, 0 for none. */
  kernelCounts(number: number): KernelCounts {
    if (number === 0) return NO_CALLS;
    const now = this.#kernelCountsEver(number);
    const before = this.#kernelAtReset[number]!;
    return {
      calls: now.calls - before.calls,
      failed: now.failed - before.failed,
      rejected: now.rejected - before.rejected,
    };
  }

  #kernelCountsEver(number: number): KernelCounts {
    const { kernel } = this.#store;
    return {
      calls: kernel.callsOf(number),
      failed: kernel.failedOf(number),
      rejected: kernel.rejectedOf(number),
    };
  }

  /** A figure of the kernel that only grows, since the last reset. */
  figureSinceReset(name: keyof typeof FIGURE): number {
    return this.#store.figure(name) - (this.#figuresAtReset.get(name) ?? 0);
  }

  get inputBytes(): number {
    return this.#clients.inputBytes - this.#inputAtReset;
  }
  get outputBytes(): number {
    return this.#clients.outputBytes - this.#outputAtReset;
  }
  get acceptedClients(): number {
    return this.#clients.accepted - this.#acceptedAtReset;
  }
  get rejectedClients(): number {
    return this.#clients.rejected - this.#rejectedAtReset;
  }
  get opsPerSecond(): number {
    return this.#opsPerSecond.mean;
  }
  get inputBytesPerSecond(): number {
    return this.#inputPerSecond.mean;
  }
  get outputBytesPerSecond(): number {
    return this.#outputPerSecond.mean;
  }

  /** Error replies by code word, ever or since the last reset; none that are 0. */
  errors(since: "ever" | "reset"): Map<string, number> {
    const counts = new Map<string, number>();
    for (const [code, counter] of this.#hostErrors) {
      counts.set(code, since === "ever" ? counter.total : counter.sinceReset);
    }
    for (const [code, figure] of KERNEL_ERRORS) {
      const count = since === "ever" ? this.#store.figure(figure) : this.figureSinceReset(figure);
      counts.set(code, (counts.get(code) ?? 0) + count);
    }
    for (const [code, count] of counts) if (count === 0) counts.delete(code);
    return counts;
  }

  /** Error replies since the last reset. */
  get errorReplies(): number {
    return [...this.errors("reset").values()].reduce((sum, count) => sum + count, 0);
  }

  /** Most bytes that the data has taken, as far as samples saw. */
  get peakBytes(): number {
    this.notePeak();
    return this.#peakBytes;
  }

  notePeak(): void {
    const used = this.#store.figure("usedBytes");
    if (used > this.#peakBytes) this.#peakBytes = used;
  }

  /** Counts an error reply: its bytes from the "-" on. */
  countError(line: Uint8Array): void {
    let end = 1;
    while (end < line.length && end <= MAX_ERROR_CODE && line[end]! > 32) end++;
    const code = latin1(line, 1, end - 1);
    let counter = this.#hostErrors.get(code);
    if (counter === undefined) {
      if (this.#hostErrors.size === MAX_ERROR_KINDS) return;
      counter = new Counter();
      this.#hostErrors.set(code, counter);
    }
    counter.total++;
  }

  /** CONFIG RESETSTAT, but for the counters of each command. */
  reset(): void {
    this.hostCommands.reset();
    for (const counter of this.#hostErrors.values()) counter.reset();
    this.#kernelAtReset = KERNEL_COMMANDS.map((_, number) => this.#kernelCountsEver(number));
    for (const name of GROWING_FIGURES) this.#figuresAtReset.set(name, this.#store.figure(name));
    this.#inputAtReset = this.#clients.inputBytes;
    this.#outputAtReset = this.#clients.outputBytes;
    this.#acceptedAtReset = this.#clients.accepted;
    this.#rejectedAtReset = this.#clients.rejected;
    this.#peakBytes = 0;
  }
}

/** How fast a total grows: the mean of the last samples. */
class Rate {
  readonly #perSecond: number[] = [];
  #next = 0;
  #total = 0;
  #at: number | undefined;

  get mean(): number {
    if (this.#perSecond.length === 0) return 0;
    return this.#perSecond.reduce((sum, rate) => sum + rate, 0) / this.#perSecond.length;
  }

  sample(total: number, now: number): void {
    const elapsed = now - (this.#at ?? now);
    if (this.#at === undefined || elapsed > 0) {
      if (elapsed > 0) {
        this.#perSecond[this.#next] = ((total - this.#total) * 1000) / elapsed;
        this.#next = (this.#next + 1) % SAMPLES;
      }
      this.#at = now;
      this.#total = total;
    }
  }
}
