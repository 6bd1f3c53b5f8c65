/**
 * The codec against the slow parsers. RINGLET_FUZZ_INPUTS says how many inputs each parser gets (20,000 if not set; CI 1,000,000),
 * RINGLET_FUZZ_SEED which ones.
 */
import { afterAll, describe, expect, it } from "vitest";
import { FUZZ_REGRESSIONS } from "../../fuzz/regressions.ts";
import { type FuzzResult, fuzzReport, runFuzz } from "../../fuzz/run-fuzz.ts";
import { Coverage } from "../../fuzz/target.ts";
import { fuzzTargets } from "../../fuzz/targets.ts";

const inputs = Number(process.env.RINGLET_FUZZ_INPUTS ?? 20_000);
const seed = Number(process.env.RINGLET_FUZZ_SEED ?? 1);

/** Milliseconds that one input may take, by far. */
const TIMEOUT_PER_INPUT_MS = 1;

describe("the codec and the slow parsers", () => {
  const results: FuzzResult[] = [];
  afterAll(() => {
    console.log(`fuzz, seed ${seed}:\n${fuzzReport(results)}`);
  });

  it.each(fuzzTargets().map((target) => [target.name, target] as const))(
    "agree on %s",
    { timeout: 60_000 + inputs * TIMEOUT_PER_INPUT_MS },
    (_, target) => {
      const result = runFuzz(target, inputs, seed);
      results.push(result);
      expect(result.failures.join("\n")).toBe("");
    },
  );

  it.each(FUZZ_REGRESSIONS)("agree on $target with $about", ({ target: name, variant, hex }) => {
    const target = fuzzTargets().find((candidate) => candidate.name === name)!;
    const coverage = new Coverage([...target.states, ...target.codes]);
    target.check(Uint8Array.from(Buffer.from(hex, "hex")), variant, coverage);
  });
});
