// What is wrong with a configuration file, and where: errors, with which it is not used, and warnings.

/** A place in a text; both count from 1. */
export interface Position {
  readonly line: number;
  readonly column: number;
}

/** One sentence about a configuration file. It names the key and what to write instead. */
export interface Diagnostic extends Position {
  readonly severity: "error" | "warning";
  /** The key that it is about; undefined: the file as a whole, or its form. */
  readonly key: string | undefined;
  readonly message: string;
}

/** Where the file begins: for what it lacks. */
export const BEGINNING: Position = { line: 1, column: 1 };

/** What has been found so far. */
export class Findings {
  readonly #found: Diagnostic[] = [];

  error(at: Position, key: string | undefined, message: string): void {
    this.#add("error", at, key, message);
  }

  warn(at: Position, key: string | undefined, message: string): void {
    this.#add("warning", at, key, message);
  }

  get hasErrors(): boolean {
    return this.#found.some(({ severity }) => severity === "error");
  }

  /** All of it, in the order of the text. */
  all(): Diagnostic[] {
    return inOrder(this.#found);
  }

  #add(severity: Diagnostic["severity"], at: Position, key: string | undefined, message: string) {
    this.#found.push({ severity, line: at.line, column: at.column, key, message });
  }
}

/** Diagnostics in the order of the text. */
export function inOrder(diagnostics: readonly Diagnostic[]): Diagnostic[] {
  return diagnostics.toSorted((a, b) => a.line - b.line || a.column - b.column);
}

/** A finding as one line, in the form that editors and terminals make clickable: `file:line:column: error: …`. */
export function formatDiagnostic(file: string, diagnostic: Diagnostic): string {
  const { line, column, severity, message } = diagnostic;
  return `${file}:${line}:${column}: ${severity}: ${message}`;
}
