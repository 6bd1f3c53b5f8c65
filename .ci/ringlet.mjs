#!/usr/bin/env node
// What `npx ringlet` runs. In a checkout it installs and builds first what is missing or has changed; in an installed package,
// which has no sources, the command is there already.
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";

const main = new URL("../dist/cli/main.js", import.meta.url);

if (existsSync(new URL("../src/cli/main.ts", import.meta.url))) {
  process.argv.splice(2, 0, "--quiet", "--run", fileURLToPath(main));
  await import("./setup.mjs");
} else {
  await import(main.href);
}
