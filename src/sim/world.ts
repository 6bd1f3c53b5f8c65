/**
 * A world in virtual time: one queue of events for all processes and the network between them. Events happen one after the
 * other, and after each everything that promises have to do is done before the next. Equal seeds give equal runs.
 */
import type { Timer } from "../base/runtime.ts";
import { EventQueue, type SimEvent } from "./event-queue.ts";
import { type HeldEvent, type ProcessWorld, SimProcess } from "./process.ts";
import { Random } from "./random.ts";
import { Sometimes } from "./sometimes.ts";
import { Trace } from "./trace.ts";

export interface WorldOptions {
  readonly seed: string;
  /**
   * Resolves when every promise that can settle has: a turn of the runtime's event loop (setImmediate). By default, 64
   * microtasks, which is enough for chains of promises up to that length.
   */
  readonly settle?: (() => Promise<void>) | undefined;
  /** Gets a line for each event. */
  readonly record?: ((line: string) => void) | undefined;
}

/** A process has thrown. */
export interface ProcessFailure {
  readonly process: string;
  readonly error: unknown;
}

interface WorldEvent extends SimEvent, HeldEvent {
  readonly owner: SimProcess | undefined;
  readonly task: () => void;
}

export class World implements ProcessWorld {
  readonly random: Random;
  readonly trace: Trace;
  readonly sometimes = new Sometimes();
  /** What processes have thrown: each was killed by it. */
  readonly failures: ProcessFailure[] = [];
  readonly #queue = new EventQueue<WorldEvent>();
  readonly #settle: () => Promise<void>;
  #time = 0;
  #sequence = 0;

  constructor(options: WorldOptions) {
    this.random = new Random(options.seed);
    this.trace = new Trace(options.record);
    this.#settle = options.settle ?? settleMicrotasks;
  }

  get nowMs(): number {
    return this.#time / 1000;
  }

  /** A new process; names of processes that live at the same time must differ. */
  process(name: string): SimProcess {
    return new SimProcess(this, name, this.random.fork(`process ${name} ${this.#time}`));
  }

  /** Has a task run after `delayMs`, in a process or, without `owner`, in nobody's. */
  schedule(delayMs: number, what: string, task: () => void, owner?: SimProcess): Timer {
    const time = this.#time + Math.max(0, Math.round(delayMs * 1000));
    const tie = owner === undefined ? 0 : owner.tieAt(time);
    const sequence = this.#sequence++;
    const event: WorldEvent = { time, tie, sequence, cancelled: false, owner, what, task };
    this.#queue.push(event);
    return {
      cancel: () => {
        event.cancelled = true;
      },
    };
  }

  release(held: readonly HeldEvent[]): void {
    for (const event of held as readonly WorldEvent[]) {
      event.time = this.#time;
      event.tie = event.owner?.tieAt(this.#time) ?? 0;
      event.sequence = this.#sequence++;
      this.#queue.push(event);
    }
  }

  /** Lets `ms` pass. */
  async advance(ms: number): Promise<void> {
    await this.#runTo(this.#time + Math.round(ms * 1000), () => false);
  }

  /** Lets time pass until `condition` holds, which is looked at after each event, at most `ms`; whether it holds. */
  async until(condition: () => boolean, ms: number): Promise<boolean> {
    await this.#settle();
    if (condition()) return true;
    return this.#runTo(this.#time + Math.round(ms * 1000), condition);
  }

  async #runTo(end: number, condition: () => boolean): Promise<boolean> {
    await this.#settle();
    for (;;) {
      const event = this.#queue.next;
      if (event === undefined || event.time > end) break;
      this.#queue.pop();
      if (event.cancelled) continue;
      this.#time = event.time;
      const { owner } = event;
      if (owner !== undefined) {
        if (!owner.isAlive) continue;
        if (owner.isPaused) {
          owner.hold(event);
          continue;
        }
      }
      this.#happen(event);
      await this.#settle();
      if (condition()) return true;
    }
    this.#time = end;
    return false;
  }

  #happen(event: WorldEvent): void {
    const { owner } = event;
    this.trace.event(this.#time, owner?.name ?? "", event.what);
    try {
      event.task();
    } catch (error) {
      if (owner === undefined) throw error;
      this.failures.push({ process: owner.name, error });
      owner.kill();
    }
  }
}

/** Microtasks that a world waits for where nobody has told it how to wait for all. */
const MICROTASKS = 64;

async function settleMicrotasks(): Promise<void> {
  for (let i = 0; i < MICROTASKS; i++) await undefined;
}
