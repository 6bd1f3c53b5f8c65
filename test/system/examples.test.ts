// The examples as a user runs them in a clone: the same program that the README shows.
import { execFile } from "node:child_process";
import { createServer } from "node:net";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { expect, it } from "vitest";

const run = promisify(execFile);
const EXAMPLE = fileURLToPath(new URL("../../examples/cluster.mjs", import.meta.url));

it("examples/cluster.mjs reads at a quorum with one node gone, and is refused with two gone", async () => {
  const { stdout, stderr } = await run(process.execPath, [EXAMPLE, String(await threePorts())]);
  const lines = stdout.trimEnd().split("\n");
  const events = lines.filter((line) => line.includes(" is "));
  const results = lines.filter((line) => !line.includes(" is "));
  expect(results.slice(0, 3)).toEqual(["hello", "2", "still here"]);
  // Whether the node knows already that the other one is gone decides which of the two it says.
  expect(results.slice(3)).toEqual([
    expect.stringMatching(
      /^(NO_QUORUM|OUTCOME_UNKNOWN) ERR Dynomite: Failed to achieve Quorum \(2 of 3 needed, 1 answered\)/,
    ),
  ]);
  expect(events).toContain("rack3 is down");
  expect(stderr).toBe("");
});

/** The first of three ports in a row that nobody listens on, below those that operating systems hand out by themselves. */
async function threePorts(): Promise<number> {
  for (;;) {
    const first = 10_000 + Math.floor(Math.random() * 2000);
    const free = await Promise.all([first, first + 1, first + 2].map(isFree));
    if (free.every(Boolean)) return first;
  }
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.on("error", () => resolve(false));
    server.listen(port, "127.0.0.1", () => server.close(() => resolve(true)));
  });
}
