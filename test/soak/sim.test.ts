/**
 * The simulator over as many seeds as were asked for: RINGLET_SIM_RUNS (10,000 if not set) from RINGLET_SIM_SEED (1) on. It is the
 * program of `npm run sim`, which prints seed and commit of what fails.
 */
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { expect, it } from "vitest";

const runs = process.env.RINGLET_SIM_RUNS ?? "10000";
const seed = process.env.RINGLET_SIM_SEED ?? "1";
const root = fileURLToPath(new URL("../..", import.meta.url));

it(`${runs} simulated runs from seed ${seed} on keep every promise, and meet what they should`, () => {
  const options = ["--seed", seed, "--runs", runs, "--keep-going", "--situations"];
  const { status } = spawnSync(process.execPath, [".ci/sim.mjs", ...options], {
    cwd: root,
    stdio: ["ignore", "inherit", "inherit"],
  });
  expect(status).toBe(0);
});
