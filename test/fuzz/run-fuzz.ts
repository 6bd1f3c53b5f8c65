/** Runs targets for a number of inputs, and reports what was covered and what failed. */
import { FuzzBuffer } from "./fuzz-buffer.ts";
import { Random } from "./random.ts";
import { Coverage, type FuzzTarget, toHex } from "./target.ts";

/** Most bytes that the codec's memory may have after inputs of up to 512 KiB: the input, and what an index of it takes. */
export const FUZZ_MEMORY_BYTES = 8 * 1024 * 1024;

/** Below so many inputs nothing is said about what was not covered. */
export const FUZZ_MIN_INPUTS = 20_000;

export interface FuzzResult {
  readonly target: FuzzTarget;
  readonly seed: number;
  readonly inputs: number;
  readonly coverage: Coverage;
  readonly seconds: number;
  /** What is wrong: mismatches with what repeats them, uncovered states and codes, memory. Empty when all is well. */
  readonly failures: readonly string[];
}

/** Runs one target. `seed` decides every input. */
export function runFuzz(target: FuzzTarget, inputs: number, seed: number): FuzzResult {
  const coverage = new Coverage([...target.states, ...target.codes]);
  const failures: string[] = [];
  const random = new Random(seed);
  const buffer = new FuzzBuffer();
  const started = performance.now();
  const { stackTraceLimit } = Error;
  // Most inputs are wrong on purpose: their errors need no stack.
  Error.stackTraceLimit = 0;
  try {
    for (let i = 0; i < inputs && failures.length === 0; i++) {
      const variant = random.u32();
      buffer.clear();
      target.generate(random, buffer);
      try {
        target.check(buffer.view(), variant, coverage);
      } catch (error) {
        failures.push(
          [
            `${target.name}: input ${i} of seed ${seed}: ${error instanceof Error ? error.message : error}`,
            `repeat it with { target: "${target.name}", variant: ${variant}, hex: "${toHex(buffer.view().subarray(0, 4000))}" }`,
          ].join("\n"),
        );
      }
    }
  } finally {
    Error.stackTraceLimit = stackTraceLimit;
  }
  const memory = target.memoryBytes();
  if (memory > FUZZ_MEMORY_BYTES) {
    failures.push(
      `${target.name}: the codec's memory has grown to ${memory} bytes of at most ${FUZZ_MEMORY_BYTES}`,
    );
  }
  if (failures.length === 0 && inputs >= FUZZ_MIN_INPUTS) {
    const missing = coverage.missing([...target.states, ...target.codes]);
    if (missing.length > 0) failures.push(`${target.name}: never reached: ${missing.join(", ")}`);
  }
  return {
    target,
    seed,
    inputs,
    coverage,
    seconds: (performance.now() - started) / 1000,
    failures,
  };
}

/** The results as a table: parser, inputs, states covered of all, codes covered of all, inputs per second. */
export function fuzzReport(results: readonly FuzzResult[]): string {
  const rows = [["parser", "inputs", "states", "error codes", "inputs/s"]];
  for (const { target, inputs, coverage, seconds } of results) {
    const covered = (labels: readonly string[]) =>
      `${labels.length - coverage.missing(labels).length}/${labels.length}`;
    rows.push([
      target.name,
      String(inputs),
      covered(target.states),
      covered(target.codes),
      String(Math.round(inputs / seconds)),
    ]);
  }
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)));
  return rows
    .map((row) =>
      row
        .map((cell, column) => cell.padEnd(widths[column]!))
        .join("  ")
        .trimEnd(),
    )
    .join("\n");
}
