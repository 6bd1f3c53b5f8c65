/** Measures several ways of doing one thing against each other: a turn of each, over and over, and the median of each. */

export interface Contender {
  readonly name: string;
  /** Does the thing `times` times. A promise is awaited. */
  run(times: number): unknown;
}

/** Length of one turn, in milliseconds. */
const TURN_MS = 30;

/** Median nanoseconds per time, by name. `repetitions` turns of each contender, after two that are not counted. */
export async function interleave(
  contenders: readonly Contender[],
  repetitions = 7,
): Promise<Map<string, number>> {
  const times = new Map<string, number>();
  const samples = new Map<string, number[]>();
  for (let repetition = -2; repetition < repetitions; repetition++) {
    for (const { name, run } of contenders) {
      const count = times.get(name) ?? 1;
      const began = performance.now();
      await run(count);
      const tookMs = Math.max(performance.now() - began, 0.001);
      if (repetition < 0) {
        times.set(name, Math.max(1, Math.round((count * TURN_MS) / tookMs)));
      } else {
        samples.set(name, [...(samples.get(name) ?? []), (tookMs * 1e6) / count]);
      }
    }
  }
  return new Map([...samples].map(([name, values]) => [name, median(values)]));
}

export function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[values.length >> 1]!;
}
