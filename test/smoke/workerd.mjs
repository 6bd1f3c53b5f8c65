// Runs a bundled worker in workerd and prints what it answers. Arguments: the folder of miniflare's installation, the worker's
// script, and the modules beside it that it imports.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { basename, join } from "node:path";

const [installation, script, ...wasm] = process.argv.slice(2);
const { Miniflare } = createRequire(join(installation, "package.json"))("miniflare");

const worker = new Miniflare({
  compatibilityDate: "2026-01-01",
  // Neither looks anything up outside of this machine.
  cf: false,
  modules: [
    { type: "ESModule", path: basename(script), contents: readFileSync(script, "utf8") },
    ...wasm.map((path) => ({
      type: "CompiledWasm",
      path: basename(path),
      contents: readFileSync(path),
    })),
  ],
});
try {
  const answer = await worker.dispatchFetch("http://localhost/");
  process.stdout.write(await answer.text());
  process.exitCode = answer.ok ? 0 : 1;
} finally {
  await worker.dispose();
}
