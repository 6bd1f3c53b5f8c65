// Negative controls: checkers that find nothing prove nothing unless they find what is broken on purpose.
import { describe, expect, it } from "vitest";
import { type RunOptions, type RunReport, runSimulation } from "../../../src/sim/run.ts";
import { SABOTAGES, type Sabotage } from "../../../src/sim/sabotage.ts";
import { platformUnderTest } from "./platform.ts";
import { settle } from "./settle.ts";

/** Seeds that are tried; each control shows in more than half of all. */
const SEEDS = Array.from({ length: 8 }, (_, i) => String(i + 1));

const platform = platformUnderTest();

function run(seed: string, options: Pick<RunOptions, "focus" | "sabotage">): Promise<RunReport> {
  return runSimulation({ seed, platform, settle, ...options });
}

function checkersOf({ problems }: RunReport): string[] {
  return problems.map(({ checker }) => checker);
}

describe.each(Object.entries(SABOTAGES))("%s", (_, sabotage: Sabotage) => {
  it("is noticed, and the same seed finds nothing without it", async () => {
    for (const seed of SEEDS) {
      const sabotaged = await run(seed, { sabotage });
      if (!checkersOf(sabotaged).includes("registers")) continue;
      const honest = await run(seed, { focus: sabotage.focus });
      expect(honest.problems).toEqual([]);
      return;
    }
    expect.unreachable(`none of the seeds ${SEEDS.join()} has shown it`);
  });
});
