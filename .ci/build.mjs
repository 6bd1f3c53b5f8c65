// Builds build/*.wasm from assembly/ and dist/ from src/, and knows when that is not needed. Plain JavaScript: it runs
// on every supported Node. `node .ci/build.mjs [codec] [kernel] [dist]` builds the named parts, or all, unconditionally;
// .ci/setup.mjs builds those whose sources have changed.
import { createHash } from "node:crypto";
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { dirname, join, relative, sep } from "node:path";
import { fileURLToPath } from "node:url";
import { runTool, ToolError } from "./run-tool.mjs";

export const root = fileURLToPath(new URL("..", import.meta.url));

const modules = ["codec", "kernel"];

/** In the order in which they must be built: `dist` holds copies of both modules. */
export const parts = [...modules.map(wasmPart), distPart()];

/** Whether the part's outputs exist and were built from the sources as they are now. */
export function isFresh(part) {
  if (!part.outputs.every((file) => existsSync(join(root, file)))) return false;
  try {
    return readFileSync(stampFile(part), "utf8") === contentHash(part.inputs);
  } catch {
    return false;
  }
}

/** Builds one part and records the sources it was built from. Throws ToolError with the compiler's output. */
export async function build(part) {
  // The hash is taken first: sources that change while the compiler runs make the part stale, never fresh.
  const hash = contentHash(part.inputs);
  await part.make();
  mkdirSync(dirname(stampFile(part)), { recursive: true });
  writeWhole(stampFile(part), hash);
}

function wasmPart(name) {
  return {
    name,
    outputs: [`build/${name}.wasm`],
    inputs: ["assembly", "asconfig.json", "node_modules/assemblyscript/package.json"],
    async make() {
      // Written beside the target and renamed, so that nobody ever loads half a module.
      const folder = `build/draft-${process.pid}`;
      const draft = `${folder}/${name}`;
      try {
        await runScript("node_modules/assemblyscript/bin/asc.js", [
          `assembly/${name}.ts`,
          ...["--target", name, "--outFile", `${draft}.wasm`, "--textFile", `${draft}.wat`],
        ]);
        for (const ending of ["wasm", "wat"]) {
          renameSync(join(root, `${draft}.${ending}`), join(root, `build/${name}.${ending}`));
        }
      } finally {
        rmSync(join(root, folder), { recursive: true, force: true });
      }
    },
  };
}

function distPart() {
  const files = modules.map((name) => `${name}.wasm`);
  return {
    name: "dist",
    outputs: ["dist/cli/main.js", ...files.map((file) => `dist/${file}`)],
    inputs: [
      "src",
      "tsconfig.json",
      "package.json",
      "node_modules/typescript/package.json",
      ...files.map((file) => `build/${file}`),
    ],
    async make() {
      await runScript("node_modules/typescript/bin/tsc", ["-p", "tsconfig.json"]);
      for (const file of files) {
        const draft = join(root, `dist/${file}.${process.pid}`);
        copyFileSync(join(root, `build/${file}`), draft);
        renameSync(draft, join(root, `dist/${file}`));
      }
      inlineModule("codec");
      removeOrphans();
    },
  };
}

/** Puts a module as base64 into the code that browsers load: a synchronous loader has no file to read there. */
function inlineModule(name) {
  const base64 = readFileSync(join(root, `build/${name}.wasm`)).toString("base64");
  const script = join(root, `dist/runtime/web/${name}-base64.js`);
  writeWhole(script, `export const ${name}Base64 = "${base64}";\n`);
  rmSync(`${script}.map`, { force: true });
}

/** Removes what the compiler emitted for sources that are gone: they must not reach the package. */
function removeOrphans() {
  for (const file of filesUnder("dist")) {
    const stem = /^dist\/(.*?)(\.d\.ts|\.js)(\.map)?$/.exec(file)?.[1];
    if (stem !== undefined && !existsSync(join(root, `src/${stem}.ts`))) rmSync(join(root, file));
  }
}

/** Runs a tool that is written in JavaScript with this Node. */
function runScript(script, args) {
  return runTool(process.execPath, [join(root, script), ...args], { cwd: root });
}

/** A hash over the names and contents of the given files and folders. A missing one counts as empty. */
function contentHash(paths) {
  const hash = createHash("sha256");
  for (const path of paths) {
    for (const file of filesUnder(path)) {
      const content = readFileSync(join(root, file));
      hash.update(`${file}\0${content.length}\0`).update(content);
    }
  }
  return hash.digest("hex");
}

function filesUnder(path) {
  const whole = join(root, path);
  if (!existsSync(whole)) return [];
  let names;
  try {
    names = readdirSync(whole, { withFileTypes: true });
  } catch {
    return [path];
  }
  const files = [];
  for (const entry of names.sort((a, b) => (a.name < b.name ? -1 : 1))) {
    const inside = relative(root, join(whole, entry.name)).split(sep).join("/");
    if (entry.isDirectory()) files.push(...filesUnder(inside));
    else files.push(inside);
  }
  return files;
}

function stampFile(part) {
  return join(root, "build/stamps", part.name);
}

function writeWhole(file, text) {
  writeFileSync(`${file}.${process.pid}`, text);
  renameSync(`${file}.${process.pid}`, file);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const named = new Set(process.argv.slice(2));
  for (const name of named) {
    if (!parts.some((part) => part.name === name)) {
      console.error(
        `build: no part named ${name}; there are ${parts.map((p) => p.name).join(", ")}`,
      );
      process.exit(2);
    }
  }
  for (const part of parts) {
    if (named.size > 0 && !named.has(part.name)) continue;
    try {
      await build(part);
    } catch (error) {
      if (!(error instanceof ToolError)) throw error;
      console.error(`build: ${part.name} failed\n${error.message}`);
      process.exit(1);
    }
  }
}
