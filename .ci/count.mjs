// Counts what .ci/run has run, by the reports in the given folder, names what failed, and prints the last line of CI.
// Exit code 1 when anything failed. <name>.check holds passed or failed; <name>.exit the exit code of a vitest run,
// <name>.json its report.
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

const folder = process.argv[2];
const count = { passed: 0, failed: 0, skipped: 0 };

for (const file of readdirSync(folder).sort()) {
  const name = file.replace(/\.\w+$/, "");
  if (file.endsWith(".check")) countCheck(name);
  if (file.endsWith(".exit")) countSuite(name);
}
if (count.passed === 0) fail("nothing was run");

const skipped = count.skipped === 0 ? "" : `, ${count.skipped} skipped`;
console.log(`${count.passed} passed, ${count.failed} failed${skipped}`);
process.exitCode = count.failed === 0 ? 0 : 1;

function countCheck(name) {
  if (read(`${name}.check`) === "passed") count.passed++;
  else fail(name);
}

function countSuite(name) {
  const before = count.failed;
  const report = existsSync(join(folder, `${name}.json`))
    ? JSON.parse(read(`${name}.json`))
    : undefined;
  for (const file of report?.testResults ?? []) {
    for (const test of file.assertionResults) {
      if (test.status === "passed") count.passed++;
      else if (test.status === "failed") fail(`${name}: ${test.fullName}`);
      else count.skipped++;
    }
    const blamed = file.assertionResults.some((test) => test.status === "failed");
    if (file.status === "failed" && !blamed) fail(`${name}: ${file.name}: ${file.message}`);
  }
  // A run that ended badly without naming a test: cut off by its time limit, or an error outside of all tests.
  const code = read(`${name}.exit`);
  if (code !== "0" && count.failed === before) fail(`${name} ended with ${code}`);
}

function fail(what) {
  count.failed++;
  console.log(`failed: ${what}`);
}

function read(file) {
  return readFileSync(join(folder, file), "utf8").trim();
}
