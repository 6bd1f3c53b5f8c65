// A checkout whose node_modules is a link to that of another one: setting it up must not delete the other's packages.
import { spawnSync } from "node:child_process";
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, it, onTestFinished } from "vitest";

const CI = fileURLToPath(new URL("../../.ci", import.meta.url));
const PACKAGE = { name: "checkout", version: "1.0.0" };
/** How long npm may take, should it be run. */
const PATIENCE_MS = 60_000;

/** A checkout without dependencies, whose node_modules is a link to a folder that holds one package. */
function linkedCheckout(): { readonly checkout: string; readonly elsewhere: string } {
  const folder = mkdtempSync(join(tmpdir(), "ringlet-link-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const [checkout, elsewhere] = [join(folder, "checkout"), join(folder, "elsewhere")];
  mkdirSync(join(elsewhere, "a-package"), { recursive: true });
  mkdirSync(join(checkout, ".ci"), { recursive: true });
  for (const name of readdirSync(CI).filter((file) => file.endsWith(".mjs"))) {
    cpSync(join(CI, name), join(checkout, ".ci", name));
  }
  const lock = { ...PACKAGE, lockfileVersion: 3, packages: { "": PACKAGE } };
  writeFileSync(join(checkout, "package.json"), JSON.stringify(PACKAGE));
  writeFileSync(join(checkout, "package-lock.json"), JSON.stringify(lock));
  symlinkSync(elsewhere, join(checkout, "node_modules"));
  return { checkout, elsewhere };
}

it("set-up refuses to install through a link, and says what to do", () => {
  const { checkout, elsewhere } = linkedCheckout();
  const { status, stderr } = spawnSync(process.execPath, [".ci/setup.mjs"], {
    cwd: checkout,
    encoding: "utf8",
    timeout: PATIENCE_MS,
  });
  expect(stderr).toContain(`node_modules is a symbolic link to ${elsewhere}`);
  expect(stderr).toContain("Nothing was changed");
  expect(stderr).toContain("rm node_modules");
  expect(status).toBe(1);
  expect(existsSync(join(elsewhere, "a-package"))).toBe(true);
});
