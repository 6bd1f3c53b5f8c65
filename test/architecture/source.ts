// A source file as the architecture rules see it: its syntax tree, its imports, and where each line is.
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { parseSync } from "rolldown/utils";

/** A node of the syntax tree (ESTree with TypeScript's additions). */
export interface Syntax {
  readonly type: string;
  readonly start: number;
  readonly end: number;
  readonly [key: string]: unknown;
}

/** A module specifier and the place that names it: import, export … from, import(), or a type `import("…")`. */
export interface Import {
  /** undefined when it is not a literal, as in `import(name)`. */
  readonly specifier: string | undefined;
  readonly at: Syntax;
}

export interface Source {
  /** Below src/, with slashes: `codec/hash.ts`. */
  readonly path: string;
  readonly text: string;
  readonly program: Syntax;
  readonly imports: readonly Import[];
  readonly parents: ReadonlyMap<Syntax, Syntax>;
}

export interface Violation {
  readonly rule: string;
  readonly path: string;
  readonly line: number;
  readonly message: string;
}

/** Parses one file. Throws on a syntax error: rules must never pass because a file could not be read. */
export function parseSource(path: string, text: string): Source {
  const { program, errors } = parseSync(path, text, { astType: "ts", lang: "ts", range: true });
  if (errors.length > 0) throw new Error(`${path}: ${errors[0]!.message}`);
  const root = program as unknown as Syntax;
  const imports: Import[] = [];
  const parents = new Map<Syntax, Syntax>();
  walk(root, (node, parent) => {
    if (parent !== undefined) parents.set(node, parent);
    const specifier = importedBy(node);
    if (specifier !== undefined) imports.push({ specifier: literal(specifier), at: node });
  });
  return { path, text, program: root, imports, parents };
}

/** All TypeScript files below `folder`, by path. */
export function readSources(folder: string): Source[] {
  return readdirSync(folder, { recursive: true, encoding: "utf8" })
    .map((path) => path.replaceAll("\\", "/"))
    .filter((path) => path.endsWith(".ts"))
    .sort()
    .map((path) => parseSource(path, readFileSync(join(folder, path), "utf8")));
}

export function violation(rule: string, source: Source, at: Syntax, message: string): Violation {
  const line = source.text.slice(0, at.start).split("\n").length;
  return { rule, path: source.path, line, message };
}

/** Visits every node below and including `node`, parents before their children. */
export function walk(
  node: Syntax,
  visit: (node: Syntax, parent: Syntax | undefined) => void,
  parent?: Syntax,
): void {
  visit(node, parent);
  for (const value of Object.values(node)) {
    for (const child of Array.isArray(value) ? value : [value]) {
      if (isSyntax(child)) walk(child, visit, node);
    }
  }
}

export function isSyntax(value: unknown): value is Syntax {
  return typeof value === "object" && value !== null && typeof (value as Syntax).type === "string";
}

function importedBy(node: Syntax): unknown {
  switch (node.type) {
    case "ImportDeclaration":
    case "ExportAllDeclaration":
    case "ImportExpression":
    case "TSImportType":
      return node.source;
    case "ExportNamedDeclaration":
      return node.source ?? undefined;
    case "TSExternalModuleReference":
      return node.expression;
    default:
      return undefined;
  }
}

function literal(node: unknown): string | undefined {
  if (!isSyntax(node)) return undefined;
  if (node.type === "TSLiteralType") return literal(node.literal);
  return node.type === "Literal" && typeof node.value === "string" ? node.value : undefined;
}
