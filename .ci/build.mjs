// Builds build/*.wasm from assembly/ and dist/ from src/. Plain JavaScript: it runs on every supported Node.
import { spawnSync } from "node:child_process";
import { cpSync, mkdirSync } from "node:fs";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));
const only = new Set(process.argv.slice(2));
const wanted = (part) => only.size === 0 || only.has(part);

function run(script, args) {
  const result = spawnSync(process.execPath, [script, ...args], { cwd: root, stdio: "inherit" });
  if (result.status !== 0) process.exit(result.status ?? 1);
}

for (const name of ["codec", "kernel"]) {
  if (!wanted(name)) continue;
  run("node_modules/assemblyscript/bin/asc.js", [`assembly/${name}.ts`, "--target", name]);
}
if (wanted("dist")) {
  run("node_modules/typescript/bin/tsc", ["-p", "tsconfig.json"]);
  mkdirSync(`${root}dist`, { recursive: true });
  for (const name of ["codec", "kernel"]) {
    cpSync(`${root}build/${name}.wasm`, `${root}dist/${name}.wasm`);
  }
}
