// Programs of other makers that tests need. On a contributor's machine a missing one skips the test, with what to install;
// in CI, where .ci/run installs them, it fails the test.
import { accessSync, constants } from "node:fs";
import { delimiter, join } from "node:path";
import type { TestContext } from "vitest";

/** What to install for each program. */
const PROGRAMS = {
  "redis-cli": "apt-get install redis-tools",
  "redis-benchmark": "apt-get install redis-tools",
  "redis-server": "apt-get install redis-server",
  memcached: "apt-get install memcached",
  openssl: "apt-get install openssl",
  tclsh: "apt-get install tcl",
  chromium: "apt-get install chromium",
} as const;

export type Program = keyof typeof PROGRAMS;

/** The program's path, or undefined when it is not installed. */
export function findProgram(name: Program): string | undefined {
  const folders = (process.env.PATH ?? "").split(delimiter).filter((folder) => folder !== "");
  return folders.map((folder) => join(folder, name)).find(isExecutable);
}

/** The program's path; without it the test is skipped with the command that installs it, or fails in CI. */
export function requireProgram(context: TestContext, name: Program): string {
  return requireFound(context, findProgram(name), `${name} is missing: ${PROGRAMS[name]}`);
}

/** `found`; where it is undefined, the test is skipped with `advice`, or fails in CI. */
export function requireFound<Found>(
  context: TestContext,
  found: Found | undefined,
  advice: string,
): Found {
  if (found !== undefined) return found;
  if (process.env.CI) throw new Error(`${advice} (nothing is skipped in CI)`);
  return context.skip(advice);
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
