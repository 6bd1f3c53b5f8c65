// The page of results: what was measured where, the goals, and the tables.

import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { arch, cpus, loadavg, release, totalmem, type } from "node:os";
import type { BenchSection, Goal } from "./section.ts";
import { toMarkdown } from "./table.ts";

/** The machine at one moment. */
export interface Moment {
  readonly date: Date;
  /** Load averages of 1, 5 and 15 minutes. */
  readonly load: readonly number[];
}

export function moment(): Moment {
  return { date: new Date(), load: loadavg() };
}

export function resultsPage(
  sections: readonly BenchSection[],
  began: Moment,
  ended: Moment,
  command: string,
): string {
  const goals = sections.flatMap((section) => section.goals);
  return [
    "# Results of the benchmarks\n",
    `Written by \`${command}\`.\n`,
    facts(began, ended)
      .map(([name, value]) => `- ${name}: ${value}`)
      .join("\n"),
    "",
    ...(goals.length === 0 ? [] : ["## Goals\n", goalList(goals), ""]),
    "## Measurements\n",
    ...sections.map(({ tables, notes }) =>
      [...tables.map(toMarkdown), ...notes.map((note) => `${note}\n`)].join("\n"),
    ),
  ].join("\n");
}

function goalList(goals: readonly Goal[]): string {
  const missed = goals.filter(({ met }) => !met);
  return [
    `${goals.length - missed.length} of ${goals.length} met.`,
    "",
    ...missed.map(({ what, value, limit }) => `- Missed: ${what}: ${value}, goal ${limit}`),
  ]
    .join("\n")
    .trimEnd();
}

function facts(began: Moment, ended: Moment): [string, string][] {
  const processors = cpus();
  const minutes = (ended.date.getTime() - began.date.getTime()) / 60_000;
  const load = ({ load }: Moment) => load.map((value) => value.toFixed(2)).join(" ");
  return [
    [
      "Date",
      `${began.date.toISOString().slice(0, 16).replace("T", " ")} UTC, ${minutes.toFixed(0)} minutes`,
    ],
    [
      "Machine",
      `${processors.length} × ${processors[0]?.model.trim() ?? "unknown"}, ${Math.round(totalmem() / 2 ** 30)} GiB, ${type()} ${release()} ${arch()}`,
    ],
    ["Load averages", `${load(began)} before, ${load(ended)} after`],
    ["Ringlet", `${packageVersion()}, commit ${said("git", ["describe", "--always", "--dirty"])}`],
    ["redis-server", /v=(\S+)/.exec(said("redis-server", ["--version"]))?.[1] ?? "not here"],
    ["Node.js", `${process.versions.node} (V8 ${process.versions.v8})`],
  ];
}

function packageVersion(): string {
  const text = readFileSync(new URL("../../package.json", import.meta.url), "utf8");
  return (JSON.parse(text) as { version: string }).version;
}

/** What a program prints, without the last line's end; "unknown" when it cannot be run. */
function said(program: string, args: readonly string[]): string {
  try {
    return execFileSync(program, args, {
      encoding: "utf8",
      stdio: ["ignore", "pipe", "ignore"],
    }).trim();
  } catch {
    return "unknown";
  }
}
