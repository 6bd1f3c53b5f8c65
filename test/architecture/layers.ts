// The layer table of ARCHITECTURE.md, and the rules on imports: a layer imports only from layers above it, neutral
// layers import nothing of a platform, and no imports form a cycle.
import { posix } from "node:path";
import { type Source, type Violation, violation } from "./source.ts";

/** The folders of src/, each of which may import from itself and from those before it. */
export const LAYERS = [
  "base",
  "codec",
  "transport",
  "link",
  "members",
  "store",
  "raft",
  "group",
  "ring",
  "collections",
  "node",
  "doors",
  "conf",
  "sim",
  "runtime",
  "cli",
] as const;

/** The layers that belong to one platform; all others run unchanged everywhere. */
const PLATFORM_LAYERS: ReadonlySet<string> = new Set(["runtime", "cli"]);

/** Layers that may import less than all those above them. */
const NARROW_LAYERS: Readonly<Record<string, readonly string[]>> = { raft: ["raft", "base"] };

/** npm packages without a platform of their own, which a neutral layer may import. */
const NEUTRAL_PACKAGES: ReadonlySet<string> = new Set(["@assemblyscript/loader", "yaml"]);

export function layerOf(path: string): string {
  return path.split("/")[0]!;
}

export function isNeutral(path: string): boolean {
  return !PLATFORM_LAYERS.has(layerOf(path));
}

/** Checks every import of every source. */
export function checkImports(sources: readonly Source[]): Violation[] {
  const paths = new Set(sources.map((source) => source.path));
  return sources.flatMap((source) => checkImportsOf(source, paths));
}

function checkImportsOf(source: Source, paths: ReadonlySet<string>): Violation[] {
  const found: Violation[] = [];
  const layer = layerOf(source.path);
  const rank = LAYERS.indexOf(layer as (typeof LAYERS)[number]);
  if (rank === -1 || !source.path.includes("/")) {
    found.push(violation("unknown-layer", source, source.program, `${layer} is no layer`));
    return found;
  }
  for (const { specifier, at } of source.imports) {
    const report = (rule: string, message: string) =>
      found.push(violation(rule, source, at, message));
    if (specifier === undefined) {
      if (isNeutral(source.path)) report("platform-module", "imports a module by a computed name");
      continue;
    }
    if (!specifier.startsWith(".")) {
      if (specifier === "ringlet" || specifier.startsWith("ringlet/")) {
        report("import-form", `imports this package by its name: ${specifier}`);
      } else if (isNeutral(source.path) && !NEUTRAL_PACKAGES.has(specifier)) {
        report("platform-module", `${layer} is neutral and imports ${specifier}`);
      }
      continue;
    }
    const target = resolveImport(source.path, specifier);
    if (target.endsWith(".wasm") && !isNeutral(source.path)) continue;
    if (!paths.has(target)) {
      report("import-form", `${specifier} names no source file (relative, with its .ts)`);
      continue;
    }
    const above = NARROW_LAYERS[layer] ?? LAYERS.slice(0, rank + 1);
    if (!above.includes(layerOf(target) as (typeof LAYERS)[number])) {
      report("layer-order", `${layer} may not import from ${layerOf(target)} (${specifier})`);
    }
  }
  return found;
}

/** Finds one cycle of imports, types included, for every file that begins one. */
export function checkCycles(sources: readonly Source[]): Violation[] {
  const byPath = new Map(sources.map((source) => [source.path, source]));
  const state = new Map<string, "open" | "done">();
  const trail: string[] = [];
  const found: Violation[] = [];
  const enter = (source: Source): void => {
    state.set(source.path, "open");
    trail.push(source.path);
    for (const { specifier, at } of source.imports) {
      if (specifier === undefined || !specifier.startsWith(".")) continue;
      const target = byPath.get(resolveImport(source.path, specifier));
      if (target === undefined) continue;
      if (state.get(target.path) === "open") {
        const cycle = [...trail.slice(trail.indexOf(target.path)), target.path];
        found.push(violation("cycle", source, at, cycle.join(" → ")));
      } else if (!state.has(target.path)) {
        enter(target);
      }
    }
    trail.pop();
    state.set(source.path, "done");
  };
  for (const source of sources) if (!state.has(source.path)) enter(source);
  return found;
}

function resolveImport(from: string, specifier: string): string {
  return posix.join(posix.dirname(from), specifier);
}
