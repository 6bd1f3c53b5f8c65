// The configuration file of `ringlet serve`: from a path to what the file says, or to all that is wrong with it.

import { type Configuration, readConfiguration } from "../conf/configuration.ts";
import { type Diagnostic, formatDiagnostic, inOrder } from "../conf/diagnostic.ts";
import { notServed } from "../conf/not-served.ts";
import { UsageError } from "./given.ts";

/** A configuration file that a node can start with. */
export interface ConfFile {
  readonly path: string;
  readonly configuration: Configuration;
  readonly warnings: readonly Diagnostic[];
}

/** Reads the text of a file. */
export type ReadFile = (path: string) => string;

/** A configuration file that no node can start with; the message has a line for each error. */
export class ConfFileError extends UsageError {
  readonly path: string;
  readonly errors: readonly Diagnostic[];

  constructor(path: string, errors: readonly Diagnostic[]) {
    const count = errors.length === 1 ? "an error" : `${errors.length} errors`;
    const lines = errors.map((error) => `\n  ${formatDiagnostic(path, error)}`);
    super(`the configuration file ${path} has ${count}:${lines.join("")}`);
    this.path = path;
    this.errors = errors;
  }
}

/** Reads and checks a file. `given`: the keys that need not be in it. Throws UsageError. */
export function loadConfFile(
  path: string,
  readFile: ReadFile,
  given: ReadonlySet<string>,
): ConfFile {
  const { configuration, diagnostics } = readConfiguration(textOf(path, readFile), { given });
  const found = configuration === undefined ? [] : notServed(configuration);
  const all = inOrder([...diagnostics, ...found]);
  const errors = all.filter(({ severity }) => severity === "error");
  if (configuration === undefined || errors.length > 0) throw new ConfFileError(path, errors);
  return { path, configuration, warnings: all };
}

function textOf(path: string, readFile: ReadFile): string {
  try {
    return readFile(path);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new UsageError(
      `the configuration file ${path} cannot be read: ${reason}; give --conf-file the path of one that can`,
    );
  }
}
