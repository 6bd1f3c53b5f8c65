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

export class Histogram implements HistogramCounts {
  readonly #cells = LATENCY_BOUNDS_SECONDS.map(() => 0).concat(0);
  #sumSeconds = 0;

  get cells(): readonly number[] {
    return this.#cells;
  }

  get sumSeconds(): number {
    return this.#sumSeconds;
  }

  /** Counts a duration, in ms. */
  record(durationMs: number): void {
    const units = Math.ceil((durationMs * 1000) / 64);
    const cell = units <= 1 ? 0 : Math.min(32 - Math.clz32(units - 1), this.#cells.length - 1);
    this.#cells[cell]!++;
    this.#sumSeconds += durationMs / 1000;
  }
}

/** The sum of histograms. */
export function addCounts(all: readonly HistogramCounts[]): HistogramCounts {
  return {
    cells: LATENCY_BOUNDS_SECONDS.concat(0).map((_, i) =>
      all.reduce((sum, { cells }) => sum + (cells[i] ?? 0), 0),
    ),
    sumSeconds: all.reduce((sum, { sumSeconds }) => sum + sumSeconds, 0),
  };
}
