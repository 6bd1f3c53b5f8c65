// Makes a checkout ready to run: checks the Node version, installs the packages of package-lock.json, builds what changed.
// Quick when nothing changed. `--quiet` prints nothing then; `--run <module> [arguments…]` goes on, in this same process,
// with the named program, so that signals and the exit code of `npm start` are the program's own.
const leastNode = [20, 19];

const [major, minor] = process.versions.node.split(".").map(Number);
if (major < leastNode[0] || (major === leastNode[0] && minor < leastNode[1])) {
  console.error(
    `ringlet needs Node.js ${leastNode.join(".")} or newer, and this is ${process.versions.node}: install a newer one from https://nodejs.org and run the command again.`,
  );
  process.exit(1);
}

const run = process.argv.indexOf("--run");
const own = process.argv.slice(2, run === -1 ? undefined : run);
for (const flag of own) {
  if (flag === "--quiet") continue;
  console.error(
    `setup: unknown argument ${flag}; there are --quiet and --run <module> [arguments…]`,
  );
  process.exit(2);
}

const { setUp } = await import("./steps.mjs");
if (!(await setUp({ quiet: own.includes("--quiet") }))) process.exit(1);

if (run !== -1) {
  const { resolve } = await import("node:path");
  const { pathToFileURL } = await import("node:url");
  const program = resolve(process.argv[run + 1]);
  process.argv.splice(1, run + 1, program);
  await import(pathToFileURL(program).href);
}
