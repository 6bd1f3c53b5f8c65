#!/usr/bin/env node
// The command `ringlet`. Exit codes: 0 done, 1 failed or cut short while running, 2 could not start as asked.

import { RINGLET_VERSION } from "../base/version.ts";
import { helpText } from "./help.ts";
import { type Invocation, readInvocation, UsageError } from "./options.ts";
import { CannotServeError, serve } from "./serve.ts";

// Whoever reads our output may be gone before we are.
process.stdout.on("error", () => {});

try {
  process.exitCode = await run(readInvocation(process.argv.slice(2), process.env));
} catch (error) {
  if (!(error instanceof UsageError) && !(error instanceof CannotServeError)) throw error;
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
  }
}
