// `npm run bench`: runs the benchmarks, prints them, and writes the page of results.

import { writeFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { fileURLToPath } from "node:url";
import { aesBench } from "./codec-aes.ts";
import { hashBench } from "./codec-hash.ts";
import { replyBench, requestBench } from "./codec-resp.ts";
import { memcachedBench } from "./memcached-throughput.ts";
import {
  type BenchOptions,
  BenchUsageError,
  readOptions,
  type SectionName,
  USAGE,
} from "./options.ts";
import { MissingProgramError, needPrograms, Processes } from "./processes.ts";
import { proxyBench } from "./proxy-throughput.ts";
import { moment, resultsPage } from "./results.ts";
import { hopBench } from "./ring-hop.ts";
import { ringKernelBench } from "./ring-kernel.ts";
import { ringBench } from "./ring-throughput.ts";
import type { BenchSection } from "./section.ts";
import { memoryBench } from "./server-memory.ts";
import { pauseBench } from "./server-pause.ts";
import { throughputBench } from "./server-throughput.ts";
import type { BenchTable } from "./table.ts";

const ROOT = new URL("../../", import.meta.url);
const NEEDING_REDIS: ReadonlySet<SectionName> = new Set([
  "throughput",
  "memory",
  "pause",
  "ring",
  "hop",
  "proxy",
]);
/** Load average per core below which a machine counts as quiet. */
const QUIET_LOAD = 0.15;

try {
  process.exitCode = await main(process.argv.slice(2));
} catch (error) {
  const expected = error instanceof BenchUsageError || error instanceof MissingProgramError;
  if (!expected) throw error;
  process.stderr.write(`bench: ${error.message.trimEnd()}\n`);
  process.exitCode = error instanceof BenchUsageError ? 2 : 1;
}

async function main(args: readonly string[]): Promise<number> {
  const options = readOptions(args);
  if (options === "help") {
    process.stdout.write(USAGE);
    return 0;
  }
  if (options.sections.some((name) => NEEDING_REDIS.has(name))) {
    needPrograms("redis-server", "redis-benchmark");
  }
  if (options.sections.includes("memcached")) needPrograms("memcached");
  const processes = new Processes();
  const began = moment();
  const cores = availableParallelism();
  if (began.load[0]! > cores * QUIET_LOAD) {
    say(
      `load average ${began.load[0]!.toFixed(2)} on ${cores} cores: other programs are running, and will be in the figures`,
    );
  }
  const sections: BenchSection[] = [];
  for (const name of options.sections) sections.push(await run(name, processes, options));
  const command = ["npm run bench", ...(args.length > 0 ? ["--", ...args] : [])].join(" ");
  const page = resultsPage(sections, began, moment(), command);
  const file = options.full ? "bench/RESULTS.md" : "build/RESULTS.md";
  writeFileSync(fileURLToPath(new URL(file, ROOT)), page);
  process.stdout.write(page);
  say(`written to ${file}`);
  return 0;
}

async function run(
  name: SectionName,
  processes: Processes,
  options: BenchOptions,
): Promise<BenchSection> {
  switch (name) {
    case "throughput":
      return throughputBench(processes, options, say);
    case "memory":
      return memoryBench(processes, options, say);
    case "pause":
      return pauseBench(processes, options, say);
    case "ring":
      return ringBench(processes, options, say);
    case "hop":
      return hopBench(processes, options, say);
    case "proxy":
      return proxyBench(processes, options, say);
    case "memcached":
      return memcachedBench(processes, options, say);
    case "ring-kernel":
      say(name);
      return ringKernelBench();
    case "resp":
      say(name);
      return codecSection(await requestBench(), await replyBench());
    case "hash":
      say(name);
      return codecSection(await hashBench());
    case "aes":
      say(name);
      return codecSection(await aesBench());
  }
}

function codecSection(...tables: BenchTable[]): BenchSection {
  return { tables, notes: [], goals: [] };
}

function say(line: string): void {
  process.stderr.write(`bench: ${line}\n`);
}
