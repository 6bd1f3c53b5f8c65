/**
 * The codec against the slow parsers for as long as it takes: RINGLET_FUZZ_INPUTS inputs for each parser (10,000,000 if not set), other
 * ones in every run. RINGLET_FUZZ_SEED repeats a run.
 */
import { describe, expect, it } from "vitest";
import { fuzzReport, runFuzz } from "../fuzz/run-fuzz.ts";
import { fuzzTargets } from "../fuzz/targets.ts";

const inputs = Number(process.env.RINGLET_FUZZ_INPUTS ?? 10_000_000);
const seed = Number(process.env.RINGLET_FUZZ_SEED ?? Date.now() % 2 ** 32);

describe("the codec and the slow parsers", () => {
  it.each(fuzzTargets().map((target) => [target.name, target] as const))(
    `agree on %s (seed ${seed})`,
    (_, target) => {
      const result = runFuzz(target, inputs, seed);
      console.log(fuzzReport([result]));
      expect(result.failures.join("\n")).toBe("");
    },
  );
});
