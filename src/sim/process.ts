/**
 * A simulated process: the Runtime of one node or client. It may be paused (what is to happen to it waits, time goes on) and
 * killed (what was to happen to it never does).
 */
import type { Runtime, Timer } from "../base/runtime.ts";
import { SimClock } from "./clock.ts";
import { mix, type Random } from "./random.ts";

/** What a process needs of the world that it is in. */
export interface ProcessWorld {
  /** Ms since the world began, with fractions. */
  readonly nowMs: number;
  schedule(delayMs: number, what: string, task: () => void, owner: SimProcess): Timer;
  /** Puts back what waited while a process was paused. */
  release(held: readonly HeldEvent[]): void;
}

/** An event that waits for its process. */
export interface HeldEvent {
  readonly what: string;
}

/** Wall time of every clock that is right when a world begins, ms since the epoch. */
export const START_MS = 1_800_000_000_000;
/** How much later than asked a timer comes at most, in ms. */
const MAX_TIMER_LATENESS_MS = 1;

export class SimProcess implements Runtime {
  readonly name: string;
  readonly clock = new SimClock(START_MS);
  /** Stirs the order of events of the same moment, which differs from process to process. */
  readonly #key: number;
  readonly #world: ProcessWorld;
  readonly #random: Random;
  readonly #turns: Random;
  readonly #timers: Random;
  readonly #startedMs: number;
  readonly #onKill: (() => void)[] = [];
  #turn: (() => void)[] = [];
  #alive = true;
  #paused = false;
  #held: HeldEvent[] = [];
  /** How long this process gathers what arrives before a turn ends, in ms at most. */
  turnMs = 0.2;

  constructor(world: ProcessWorld, name: string, random: Random) {
    this.#world = world;
    this.name = name;
    this.#key = random.fork("ties").u32();
    this.#random = random.fork("bytes");
    this.#turns = random.fork("turns");
    this.#timers = random.fork("timers");
    this.#startedMs = world.nowMs;
  }

  get isAlive(): boolean {
    return this.#alive;
  }

  get isPaused(): boolean {
    return this.#paused;
  }

  now(): number {
    return this.clock.wall(this.#world.nowMs);
  }

  monotonic(): number {
    return this.#world.nowMs - this.#startedMs;
  }

  randomBytes(length: number): Uint8Array {
    return this.#random.bytes(length);
  }

  after(delayMs: number, task: () => void): Timer {
    return this.#world.schedule(this.#late(delayMs), "timer", task, this);
  }

  every(periodMs: number, task: () => void): Timer {
    let timer: Timer;
    const again = () => {
      timer = this.#world.schedule(this.#late(periodMs), "interval", run, this);
    };
    const run = () => {
      again();
      task();
    };
    again();
    return { cancel: () => timer.cancel() };
  }

  endOfTurn(task: () => void): void {
    this.#turn.push(task);
    if (this.#turn.length > 1) return;
    this.#world.schedule(this.#turns.between(0, this.turnMs), "end of turn", this.#endTurn, this);
  }

  /** Has what happens to this process wait until resume(): SIGSTOP. */
  pause(): void {
    this.#paused = true;
  }

  resume(): void {
    if (!this.#paused) return;
    this.#paused = false;
    const held = this.#held;
    this.#held = [];
    if (this.#alive) this.#world.release(held);
  }

  /** Keeps an event that comes while the process is paused. */
  hold(event: HeldEvent): void {
    this.#held.push(event);
  }

  /** Ends the process where it is: none of its tasks runs any more. */
  kill(): void {
    if (!this.#alive) return;
    this.#alive = false;
    this.#held = [];
    this.#turn = [];
    for (const listener of this.#onKill) listener();
  }

  /** Calls `listener` when the process is killed. */
  onKill(listener: () => void): void {
    this.#onKill.push(listener);
  }

  /** Where an event of this process comes among the events of the same microsecond; its own keep their order. */
  tieAt(time: number): number {
    return mix(this.#key, time >>> 0) >>> 0;
  }

  #late(delayMs: number): number {
    return Math.max(0, delayMs) + this.#timers.between(0, MAX_TIMER_LATENESS_MS);
  }

  readonly #endTurn = (): void => {
    const tasks = this.#turn;
    this.#turn = [];
    for (const task of tasks) task();
  };
}
