#!/usr/bin/env node
// The command `ringlet`. Exit codes: 0 done, 1 failed or cut short while running, 2 could not start as asked.

import { RINGLET_VERSION } from "../base/version.ts";
import { formatDiagnostic } from "../conf/diagnostic.ts";
import { askRing, CannotAskError } from "./ask.ts";
import { CannotStartError, dev } from "./dev/dev.ts";
import { UsageError } from "./given.ts";
import { helpText } from "./help.ts";
import { type Invocation, readInvocation } from "./options.ts";
import { ringText, statusText } from "./ring-text.ts";
import { CannotServeError, checkFiles, serve } from "./serve.ts";

// Whoever reads our output may be gone before we are.
process.stdout.on("error", () => {});

try {
  process.exitCode = await run(readInvocation(process.argv.slice(2), process.env));
} catch (error) {
  if (!isExpected(error)) throw error;
  process.stderr.write(`ringlet: ${error.message}\n`);
  process.exitCode = 2;
}

async function run(invocation: Invocation): Promise<number> {
  switch (invocation.command) {
    case "help":
      process.stdout.write(helpText());
      return 0;
    case "version":
      process.stdout.write(`${RINGLET_VERSION}\n`);
      return 0;
    case "serve":
      // What is still open then (a client of the HTTP door that keeps its connection) must not keep the process.
      process.exit(await serve(invocation.options));
      break;
    case "test-conf": {
      const { path, configuration, warnings } = invocation.confFile;
      checkFiles(invocation.options);
      const lines = warnings.map((warning) => `${formatDiagnostic(path, warning)}\n`);
      process.stderr.write(lines.join(""));
      process.stdout.write(`configuration file with pool '${configuration.pool}' is valid\n`);
      return 0;
    }
    case "dev":
      process.exit(await dev(invocation.options));
      break;
    case "ring":
      process.stdout.write(ringText(await askRing(invocation.options.stats)));
      return 0;
    case "status":
      process.stdout.write(statusText(await askRing(invocation.options.stats), Date.now()));
      return 0;
  }
}

/** Whether an error says in one line what the user can do. */
function isExpected(error: unknown): error is Error {
  return [UsageError, CannotServeError, CannotStartError, CannotAskError].some(
    (type) => error instanceof type,
  );
}
