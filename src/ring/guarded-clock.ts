/**
 * The time that a member works with: its wall clock, as long as that goes on as the monotonic clock does. A wall clock that jumps is
 * not believed before others confirm it: stamps from a wrong future would win over every other write until that time has come.
 */
/** A step of the wall clock that is not doubted, in ms: what keeps clocks in time makes small ones. */
export const MAX_CLOCK_STEP_MS = 1000;

export class GuardedClock {
  readonly #wall: () => number;
  readonly #monotonic: () => number;
  readonly #maxStepMs: number;
  /** The wall clock less the monotonic one, as it was last believed. */
  #base: number;
  #isInDoubt = false;

  /** `wall`: ms since the epoch; `monotonic`: ms that never go back; `maxStepMs`: a larger step is doubted. */
  constructor(wall: () => number, monotonic: () => number, maxStepMs = MAX_CLOCK_STEP_MS) {
    this.#wall = wall;
    this.#monotonic = monotonic;
    this.#maxStepMs = maxStepMs;
    this.#base = wall() - monotonic();
  }

  /** Milliseconds since the epoch: the wall clock, or while it is in doubt what it would be had it not jumped. */
  now(): number {
    const wall = this.#wall();
    const monotonic = this.#monotonic();
    const expected = this.#base + monotonic;
    if (Math.abs(wall - expected) <= this.#maxStepMs) {
      this.#base = wall - monotonic;
      this.#isInDoubt = false;
      return wall;
    }
    this.#isInDoubt = true;
    return Math.floor(expected);
  }

  /** Whether the wall clock has jumped, and nobody has confirmed where it is now. */
  get isInDoubt(): boolean {
    this.now();
    return this.#isInDoubt;
  }

  /** Others confirm the wall clock: it is believed from now on. */
  believe(): void {
    this.#base = this.#wall() - this.#monotonic();
    this.#isInDoubt = false;
  }
}
