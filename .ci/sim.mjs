// Runs the simulator over many seeds: `npm run sim -- [--seed N] [--runs N] [--ms N] [--sabotage NAME] [--trace FILE] [--plan FILE]`.
// A failing run is shrunk and printed with its seed and commit. At the end: which situations the runs have met. Exit code 1
// when a run failed, or when --situations was given and one that should be met was not.
import { execFileSync } from "node:child_process";
import { createWriteStream, readFileSync, writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { loadCodec } from "../dist/runtime/node/codec.js";
import { loadKernel } from "../dist/runtime/node/kernel.js";
import { nodeLinkCrypto } from "../dist/runtime/node/link-crypto.js";
import {
  describeRun,
  EXPECTED_SITUATIONS,
  runSimulation,
  SABOTAGES,
  Sometimes,
  shrinkFaults,
} from "../dist/sim/sim.js";

const HELP = `npm run sim -- [options]
  --seed N          the first seed; the others follow it (default 1). Any text with --runs 1
  --runs N          how many seeds (default 100)
  --ms N            stop after so many ms, whatever --runs says
  --duration N      how long faults happen in each run, in ms of the simulation (default: drawn)
  --sabotage NAME   break a rule on purpose: ${Object.keys(SABOTAGES).join("; ")}
  --focus NAME      dwell on what shows a sabotage, without it
  --trace FILE      write every event of the runs to FILE
  --shrink N        runs that shrinking a failure may take (default 60; 0: none)
  --keep-going      run the other seeds when one has failed
  --save FILE       write the plan of the first failing run, with the faults that it needs, to FILE
  --plan FILE       run a plan that was saved; can be given several times
  --situations      fail when a situation that runs should meet was never met`;

const { values } = parseArgs({
  options: {
    seed: { type: "string", default: "1" },
    runs: { type: "string" },
    ms: { type: "string" },
    duration: { type: "string" },
    sabotage: { type: "string" },
    focus: { type: "string" },
    trace: { type: "string" },
    shrink: { type: "string", default: "60" },
    "keep-going": { type: "boolean", default: false },
    save: { type: "string" },
    plan: { type: "string", multiple: true },
    situations: { type: "boolean", default: false },
    help: { type: "boolean", default: false },
  },
});
if (values.help) {
  console.log(HELP);
  process.exit(0);
}

const kernels = [];
const platform = {
  takeKernel: () => kernels.pop() ?? loadKernel(),
  releaseKernel: (kernel) => kernels.push(kernel),
  codec: loadCodec(),
  crypto: nodeLinkCrypto,
};
const settle = () => new Promise((resolve) => setImmediate(resolve));
const rejections = [];
process.on("unhandledRejection", (error) => rejections.push(error));

const begin = Date.now();
const met = new Sometimes();
let runs = 0;
let failed = 0;
let events = 0;
let operations = 0;
let virtualMs = 0;
for (const start of starts()) {
  if (values.ms !== undefined && Date.now() - begin > Number(values.ms)) break;
  const report = await run(start);
  runs++;
  events += report.events;
  operations += report.operations.length;
  virtualMs += report.virtualMs;
  met.add(report.sometimes);
  if (report.problems.length === 0) continue;
  failed++;
  await tell(start, report);
  if (!values["keep-going"]) break;
}
const seconds = (Date.now() - begin) / 1000;
console.log(
  `${runs} runs, ${failed} failed; ${operations} requests, ${events} events, ${(virtualMs / 1000).toFixed(0)} s simulated in ${seconds.toFixed(0)} s; commit ${commit()}`,
);
for (const [situation, times] of met.entries())
  console.log(`${String(times).padStart(10)} ${situation}`);
if (failed !== 0) process.exitCode = 1;
if (values.situations) {
  for (const situation of EXPECTED_SITUATIONS) {
    if (met.of(situation) !== 0) continue;
    console.log(`never met: ${situation}`);
    process.exitCode = 1;
  }
}

/** What to run: seeds, or saved plans with the seed of each. */
function* starts() {
  if (values.plan !== undefined) {
    for (const file of values.plan) {
      const { seed, plan } = JSON.parse(readFileSync(file, "utf8"));
      yield { seed, plan, again: `--plan ${file}` };
    }
    return;
  }
  const count = Number(values.runs ?? (values.ms === undefined ? 100 : Number.POSITIVE_INFINITY));
  for (let i = 0; i < count; i++) {
    const seed = i === 0 ? values.seed : String(Number(values.seed) + i);
    yield { seed, again: `--seed ${seed} --runs 1` };
  }
}

async function run({ seed, plan }, faults) {
  rejections.length = 0;
  const options = { seed, plan, platform, settle, faults };
  if (values.sabotage !== undefined) options.sabotage = sabotage(values.sabotage);
  if (values.focus !== undefined) options.focus = sabotage(values.focus).focus;
  if (values.duration !== undefined) options.durationMs = Number(values.duration);
  const trace =
    values.trace !== undefined && faults === undefined
      ? createWriteStream(values.trace)
      : undefined;
  if (trace !== undefined) options.record = (line) => trace.write(`${line}\n`);
  try {
    const report = await runSimulation(options);
    const problems = rejections.map((error) => ({
      checker: "errors",
      text: `a promise was rejected and nobody handled it: ${error?.stack ?? error}`,
      operations: [],
    }));
    return { ...report, problems: [...problems, ...report.problems] };
  } finally {
    await new Promise((resolve) => (trace === undefined ? resolve() : trace.end(resolve)));
  }
}

function sabotage(name) {
  const found = SABOTAGES[name];
  if (found !== undefined) return found;
  console.error(`sim: there is no sabotage ${name}\n${HELP}`);
  process.exit(2);
}

/** Prints a failing run, with as few faults as it needs to fail in the same way. */
async function tell(start, report) {
  console.log(`failed: ${describeRun(report)}`);
  const [{ checker, text }] = report.problems;
  const fails = async (faults) => {
    const again = await run(start, faults);
    return again.problems.some((problem) => problem.checker === checker);
  };
  const most = Number(values.shrink);
  let { faults } = report;
  if (most > 0 && faults.length > 0) {
    faults = await shrinkFaults(faults, fails, most);
    console.log(`shrunk: ${describeRun(await run(start, faults))}`);
  }
  if (values.save !== undefined && failed === 1) {
    const found = `${checker}: ${text}`;
    const saved = { found, seed: start.seed, plan: { ...report.plan, faults } };
    writeFileSync(values.save, `${JSON.stringify(saved, undefined, 2)}\n`);
  }
  const options = ["sabotage", "focus", "duration"].filter((name) => values[name] !== undefined);
  const others = options.map((name) => ` --${name} ${JSON.stringify(values[name])}`).join("");
  console.log(`again: npm run sim -- ${start.again}${others}   (commit ${commit()})`);
}

function commit() {
  try {
    const git = (...args) =>
      execFileSync("git", args, { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] }).trim();
    const changed =
      git("status", "--porcelain", "--", "src", "assembly") === "" ? "" : " with changes";
    return git("rev-parse", "--short", "HEAD") + changed;
  } catch {
    return "unknown";
  }
}
