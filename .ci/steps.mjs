// The steps of .ci/setup.mjs: install, then build. Apart from it because an old Node must be able to read that file.
import { createHash } from "node:crypto";
import { existsSync, lstatSync, readFileSync, readlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { build, isFresh, parts, root } from "./build.mjs";
import { takeLock } from "./lock.mjs";
import { killTool, runTool, ToolError } from "./run-tool.mjs";

const modules = join(root, "node_modules");
const installStamp = join(modules, ".ringlet-setup");

/** Returns whether the checkout is ready; what went wrong has been printed then. One line on stderr per step. */
export async function setUp({ quiet }) {
  if (isReady()) {
    if (!quiet) say("everything is up to date");
    return true;
  }
  const release = await takeLock(join(root, "build/setup.lock"), (pid) => {
    say(`waiting for the set-up that process ${pid} is running`);
  });
  const interrupted = (signal) => {
    killTool(signal);
    release();
    process.exit(signal === "SIGINT" ? 130 : 143);
  };
  process.on("SIGINT", interrupted).on("SIGTERM", interrupted);
  try {
    if (!isInstalled()) {
      refuseLink();
      await step("installing packages (npm ci)", install);
      writeFileSync(installStamp, installIdentity());
    }
    for (const part of parts) {
      if (!isFresh(part)) await step(`building ${part.name}`, () => build(part));
    }
    return true;
  } catch (error) {
    if (!(error instanceof ToolError)) throw error;
    process.stderr.write(`${error.message.trimEnd()}\n`);
    return false;
  } finally {
    process.off("SIGINT", interrupted).off("SIGTERM", interrupted);
    release();
  }
}

function isReady() {
  return isInstalled() && parts.every(isFresh);
}

/** Whether node_modules holds what package-lock.json says: by our stamp, or by npm's own record after `npm install`. */
function isInstalled() {
  const identity = installIdentity();
  if (existsSync(installStamp) && readFileSync(installStamp, "utf8") === identity) return true;
  if (!matchesRecord()) return false;
  writeFileSync(installStamp, identity);
  return true;
}

function installIdentity() {
  const lock = readFileSync(join(root, "package-lock.json"));
  return `${createHash("sha256").update(lock).digest("hex")} ${process.platform} ${process.arch}`;
}

/** Compares package-lock.json with the record that npm keeps of what it has put into node_modules. */
function matchesRecord() {
  const record = join(modules, ".package-lock.json");
  if (!existsSync(record)) return false;
  const wanted = JSON.parse(readFileSync(join(root, "package-lock.json"), "utf8")).packages;
  const present = JSON.parse(readFileSync(record, "utf8")).packages;
  for (const [path, entry] of Object.entries(wanted)) {
    if (path === "") continue;
    const found = present[path];
    if (found === undefined ? !entry.optional : found.integrity !== entry.integrity) return false;
  }
  return Object.keys(present).every((path) => path in wanted);
}

/** npm empties a folder before it installs into it, through a link too: the packages of another checkout would be gone. */
function refuseLink() {
  if (lstatSync(modules, { throwIfNoEntry: false })?.isSymbolicLink() !== true) return;
  throw new ToolError(
    `setup: node_modules is a symbolic link to ${readlinkSync(modules)}, and what is there are not the packages of package-lock.json. Nothing was changed: npm ci would delete the packages at the other end, which another checkout may use. Remove the link (rm node_modules) and run the command again.`,
  );
}

/** `npm ci` with the npm that runs us, when one does. Development packages are needed even in production: they build. */
function install() {
  const args = ["ci", "--include=dev", "--no-audit", "--no-fund", "--loglevel=error"];
  const npm = process.env.npm_execpath;
  return npm?.endsWith(".js")
    ? runTool(process.execPath, [npm, ...args], { cwd: root })
    : runTool("npm", args, { cwd: root, shell: process.platform === "win32" });
}

async function step(what, work) {
  process.stderr.write(`setup: ${what} …`);
  const begin = Date.now();
  try {
    await work();
  } catch (error) {
    process.stderr.write(" failed\n");
    throw error;
  }
  process.stderr.write(` ${((Date.now() - begin) / 1000).toFixed(1)} s\n`);
}

function say(text) {
  process.stderr.write(`setup: ${text}\n`);
}
