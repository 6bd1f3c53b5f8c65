/**
 * The clocks of a simulated process: a wall clock that may be off, drift and jump, over the world's time, which does neither.
 */
export class SimClock {
  /** World time and wall time at which the present rate began, in ms. */
  #from = 0;
  #wall: number;
  #rate = 1;

  /** `start`: wall time at world time 0, ms since the epoch. */
  constructor(start: number) {
    this.#wall = start;
  }

  /** The wall clock at a world time: whole ms since the epoch. */
  wall(worldMs: number): number {
    return Math.floor(this.#exact(worldMs));
  }

  /** Moves the wall clock by so many ms, forward or back. */
  jump(worldMs: number, byMs: number): void {
    this.#rebase(worldMs);
    this.#wall += byMs;
  }

  /** From now on the wall clock goes `rate` times as fast as the world. */
  drift(worldMs: number, rate: number): void {
    this.#rebase(worldMs);
    this.#rate = rate;
  }

  /** Sets the wall clock right, and its rate. */
  correct(worldMs: number, wallMs: number): void {
    this.#from = worldMs;
    this.#wall = wallMs;
    this.#rate = 1;
  }

  #rebase(worldMs: number): void {
    this.#wall = this.#exact(worldMs);
    this.#from = worldMs;
  }

  #exact(worldMs: number): number {
    return this.#wall + (worldMs - this.#from) * this.#rate;
  }
}
