/** A histogram of durations, counted one by one. */
import { type HistogramCounts, LATENCY_BOUNDS_SECONDS } from "../../src/base/histogram.ts";

export class Histogram implements HistogramCounts {
  readonly cells: number[] = LATENCY_BOUNDS_SECONDS.map(() => 0).concat(0);
  sumSeconds = 0;

  /** Counts a duration, in ms. */
  record(durationMs: number): void {
    const seconds = durationMs / 1000;
    const cell = LATENCY_BOUNDS_SECONDS.findIndex((bound) => seconds <= bound);
    this.cells[cell === -1 ? LATENCY_BOUNDS_SECONDS.length : cell]!++;
    this.sumSeconds += seconds;
  }
}
