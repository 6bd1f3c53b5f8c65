// Where the runtimes are that the package is tested in: .ci/runtimes, when it is installed, and what runs this test.
import { existsSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { TestContext } from "vitest";
import { requireFound } from "../programs.ts";

/** The folder of the installation. */
export const RUNTIMES = fileURLToPath(new URL("../../../.ci/runtimes", import.meta.url));

/** The Node.js versions that the package supports. */
export const NODE_MAJORS = [20, 22, 24, 26] as const;

export type NodeMajor = (typeof NODE_MAJORS)[number];

/** The executable of a Node.js version; the running one if it is of that version. */
export function requireNode(context: TestContext, major: NodeMajor): string {
  const running = Number(process.versions.node.split(".")[0]) === major;
  return running ? process.execPath : requireRuntime(context, `node${major}/bin/node`);
}

/** A file or folder of the installation, by its path in node_modules. */
export function requireRuntime(context: TestContext, path: string): string {
  const file = join(RUNTIMES, "node_modules", path);
  const advice = `${path} is missing: npm ci --prefix .ci/runtimes`;
  return requireFound(context, existsSync(file) ? file : undefined, advice);
}
