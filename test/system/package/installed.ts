// The package as its users get it: packed, and installed into a folder of its own.
import { execFileSync } from "node:child_process";
import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const ROOT = fileURLToPath(new URL("../../../", import.meta.url));

export interface InstalledPackage {
  /** The folder that the package is installed in, with the smoke test beside it. */
  readonly folder: string;
  /** The packed package. */
  readonly tarball: string;
  /** The files in it. */
  readonly files: readonly string[];
  remove(): void;
}

export function installPackage(): InstalledPackage {
  const folder = mkdtempSync(join(tmpdir(), "ringlet-package-"));
  const [packed] = JSON.parse(npm(ROOT, "pack", "--json", "--pack-destination", folder));
  const tarball = join(folder, packed.filename);
  writeFileSync(join(folder, "package.json"), '{ "private": true, "type": "module" }\n');
  npm(folder, "install", "--prefer-offline", "--no-audit", "--no-fund", tarball);
  addSmokeTest(folder);
  return {
    folder,
    tarball,
    files: packed.files.map((file: { path: string }) => file.path),
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
}

/** The smoke test, and what starts it in a process, in a worker and in a page. */
function addSmokeTest(folder: string): void {
  copyFileSync(join(ROOT, "test/smoke/codec.mjs"), join(folder, "codec.mjs"));
  const vectors = readFileSync(join(ROOT, "test/fixtures/hash-vectors.json"), "utf8");
  writeFileSync(join(folder, "vectors.mjs"), `export const vectors = ${vectors};\n`);
  const begin = 'import { smoke } from "./codec.mjs";\n';
  writeFileSync(join(folder, "process.mjs"), `${begin}console.log(smoke());\n`);
  writeFileSync(
    join(folder, "worker.mjs"),
    `${begin}export default { fetch: () => new Response(String(smoke())) };\n`,
  );
  writeFileSync(join(folder, "page.mjs"), `${begin}globalThis.checks = smoke();\n`);
}

function npm(folder: string, ...args: string[]): string {
  return execFileSync("npm", args, { cwd: folder, encoding: "utf8", stdio: "pipe" });
}
