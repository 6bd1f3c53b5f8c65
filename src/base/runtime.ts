/**
 * What the engine needs from the world it runs in: time, randomness, timers. Every neutral layer gets these from here and
 * nowhere else, so that the simulator can be one of the worlds.
 */
export interface Runtime {
  /** Milliseconds since the Unix epoch. */
  now(): number;
  /** Milliseconds on a clock that never goes back, with fractions, from any start. */
  monotonic(): number;
  /** `length` bytes from a source fit for secrets. */
  randomBytes(length: number): Uint8Array;
  /** Calls `task` once after at least `delayMs`. */
  after(delayMs: number, task: () => void): Timer;
  /** Calls `task` again and again, every `periodMs` or later. */
  every(periodMs: number, task: () => void): Timer;
  /**
   * Calls `task` once, never before this returns: when all that has arrived in this turn of the event loop has been handled, or,
   * where little arrives, already when the callback that called this is through.
   */
  endOfTurn(task: () => void): void;
}

/** A timer of a Runtime. */
export interface Timer {
  /** The task will not be called any more. */
  cancel(): void;
}
