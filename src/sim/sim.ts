/**
 * The simulator: whole clusters in virtual time. `ringlet/sim`.
 *
 * ```ts
 * const report = await runSimulation({ seed: "1", platform, settle });
 * if (report.problems.length !== 0) console.log(describeRun(report));
 * ```
 */
export type { Problem } from "./checkers/problem.ts";
export type { ClusterFacts, NodePlace, NodeSabotage, SimPlatform } from "./cluster.ts";
export { places, SimCluster, SimNode } from "./cluster.ts";
export type { Fault } from "./faults/fault.ts";
export { describeFault } from "./faults/fault.ts";
export { CALM_PATH, Network } from "./network.ts";
export { drawPlan, type Focus, type PlanOptions, type RunPlan } from "./plan.ts";
export { SimProcess } from "./process.ts";
export { Random } from "./random.ts";
export { describeRun } from "./report.ts";
export { type RunOptions, type RunReport, runSimulation } from "./run.ts";
export { SABOTAGES, type Sabotage, type SabotageName } from "./sabotage.ts";
export { shrinkFaults } from "./shrink.ts";
export { EXPECTED_SITUATIONS } from "./situations.ts";
export { Sometimes } from "./sometimes.ts";
export { World } from "./world.ts";
