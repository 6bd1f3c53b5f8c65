/** Counts of durations by size: cells whose upper bounds double, the same for every histogram, so that they add up. */

/** Upper bounds of the cells, in seconds: 64 µs and its doublings to 8.4 s; what takes longer has a cell behind them. */
export const LATENCY_BOUNDS_SECONDS: readonly number[] = Array.from(
  { length: 18 },
  (_, i) => (64 * 2 ** i) / 1e6,
);

/** What has been counted so far. */
export interface HistogramCounts {
  /** By cell, one more than there are bounds: each value counts in one. */
  readonly cells: readonly number[];
  /** Of all values, in seconds. */
  readonly sumSeconds: number;
}
