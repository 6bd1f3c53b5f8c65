// Runs that have found a bug, as plans of their own: they mean the same run whatever seeds draw.
import { readdirSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { drawPlan, type RunPlan } from "../../../src/sim/plan.ts";
import { runSimulation } from "../../../src/sim/run.ts";
import { platformUnderTest } from "./platform.ts";
import { settle } from "./settle.ts";

interface SavedPlan {
  readonly found: string;
  readonly seed: string;
  readonly plan: RunPlan;
}

const platform = platformUnderTest();
const folder = new URL("../../sim/plans/", import.meta.url);
const files = readdirSync(folder).filter((name) => name.endsWith(".json"));

describe("a plan that has found a bug", () => {
  it.each(files)("finds nothing any more: %s", async (file) => {
    const saved: SavedPlan = JSON.parse(readFileSync(new URL(file, folder), "utf8"));
    const { problems, operations } = await runSimulation({ ...saved, platform, settle });
    expect(problems).toEqual([]);
    expect(operations.length).toBeGreaterThan(0);
  });
});

describe("a plan kept as text", () => {
  it("gives the run that its seed gives", async () => {
    const seed = "a seed";
    const options = { durationMs: 300 };
    const plan: RunPlan = JSON.parse(JSON.stringify(drawPlan(seed, options)));
    const drawn = await runSimulation({ seed, platform, settle, ...options });
    const replayed = await runSimulation({ seed, platform, settle, plan });
    expect(replayed.hash).toBe(drawn.hash);
  });
});
