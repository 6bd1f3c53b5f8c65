// Holds src/ to the layer rules of ARCHITECTURE.md, and shows with small bad sources that each rule bites.
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { checkGlobals } from "../architecture/globals.ts";
import { checkCycles, checkImports } from "../architecture/layers.ts";
import { checkModuleState } from "../architecture/module-state.ts";
import { parseSource, readSources, type Source, type Violation } from "../architecture/source.ts";

function check(sources: readonly Source[]): Violation[] {
  return [
    ...checkImports(sources),
    ...checkCycles(sources),
    ...checkGlobals(sources),
    ...checkModuleState(sources),
  ];
}

describe("the sources in src/", () => {
  it("keep every layer rule", () => {
    const sources = readSources(fileURLToPath(new URL("../../src", import.meta.url)));
    expect(sources.map((source) => source.path)).toContain("base/errors.ts");
    const said = check(sources).map((v) => `src/${v.path}:${v.line} [${v.rule}] ${v.message}`);
    expect(said.join("\n")).toBe("");
  });
});

/** What the rules say about the given files. */
function rulesBrokenBy(files: Readonly<Record<string, string>>): string[] {
  return check(Object.entries(files).map(([path, text]) => parseSource(path, text))).map(
    (v) => `${v.rule} ${v.path}:${v.line}`,
  );
}

describe("a source that breaks a rule is reported:", () => {
  it.each<[string, Record<string, string>, string]>([
    [
      "an import from a layer below",
      { "base/a.ts": 'import { b } from "../codec/b.ts";', "codec/b.ts": "export const b = 1;" },
      "layer-order base/a.ts:1",
    ],
    [
      "an import of a type from a layer below",
      {
        "base/a.ts": 'import type { B } from "../codec/b.ts";',
        "codec/b.ts": "export type B = 1;",
      },
      "layer-order base/a.ts:1",
    ],
    [
      "a type import() from a layer below",
      {
        "base/a.ts": 'export type A = import("../codec/b.ts").B;',
        "codec/b.ts": "export type B = 1;",
      },
      "layer-order base/a.ts:1",
    ],
    [
      "a re-export from a layer below",
      { "node/a.ts": 'export * from "../doors/b.ts";', "doors/b.ts": "export const b = 1;" },
      "layer-order node/a.ts:1",
    ],
    [
      "raft importing anything but base",
      { "raft/a.ts": 'import { b } from "../codec/b.ts";', "codec/b.ts": "export const b = 1;" },
      "layer-order raft/a.ts:1",
    ],
    [
      "a folder that is no layer",
      { "utils/a.ts": "export const a = 1;" },
      "unknown-layer utils/a.ts:1",
    ],
    ["a file outside of the layers", { "a.ts": "export const a = 1;" }, "unknown-layer a.ts:1"],
    [
      "an import without its ending",
      { "base/a.ts": 'import { b } from "./b";', "base/b.ts": "export const b = 1;" },
      "import-form base/a.ts:1",
    ],
    [
      "an import of the package by its own name",
      { "cli/a.ts": 'import { loadCodec } from "ringlet/codec";' },
      "import-form cli/a.ts:1",
    ],
    [
      "a node: module in a neutral layer",
      { "store/a.ts": '\nimport { readFileSync } from "node:fs";' },
      "platform-module store/a.ts:2",
    ],
    [
      "an npm package in a neutral layer",
      { "doors/a.ts": 'import pino from "pino";' },
      "platform-module doors/a.ts:1",
    ],
    [
      "a dynamic import in a neutral layer",
      { "doors/a.ts": 'export const a = () => import("node:fs");' },
      "platform-module doors/a.ts:1",
    ],
    [
      "an import by a computed name",
      { "doors/a.ts": "export const a = (name: string) => import(name);" },
      "platform-module doors/a.ts:1",
    ],
    [
      "a cycle of imports",
      {
        "base/a.ts": 'import { b } from "./b.ts"; export const a = b;',
        "base/b.ts": 'import { c } from "./c.ts"; export const b = c;',
        "base/c.ts": 'import { a } from "./a.ts"; export const c = a;',
      },
      "cycle base/c.ts:1",
    ],
    [
      "a cycle of types",
      {
        "base/a.ts": 'import type { B } from "./b.ts"; export type A = B;',
        "base/b.ts": 'import type { A } from "./a.ts"; export type B = A;',
      },
      "cycle base/b.ts:1",
    ],
    ["let in a module", { "cli/a.ts": "export let a = 1;" }, "module-state cli/a.ts:1"],
    ["var in a module", { "base/a.ts": "var a = 1; export { a };" }, "module-state base/a.ts:1"],
    ["a Map in a module", { "base/a.ts": "const seen = new Map();" }, "module-state base/a.ts:1"],
    [
      "a static that can change",
      { "base/a.ts": "export class A {\n  static #count = 0;\n}" },
      "module-state base/a.ts:2",
    ],
    [
      "a static collection",
      { "base/a.ts": "export class A { static readonly all = new Set<A>(); }" },
      "module-state base/a.ts:1",
    ],
    [
      "an element of a module's array being assigned",
      { "base/a.ts": "const A = [0];\nexport const f = () => {\n  A[0] = 1;\n};" },
      "module-state base/a.ts:3",
    ],
    [
      "a counter in a module's object",
      { "base/a.ts": "const A = { n: 0 };\nexport const f = () => A.n++;" },
      "module-state base/a.ts:2",
    ],
    [
      "a call that changes a module's array",
      { "base/a.ts": "const A: number[] = [];\nexport const f = () => A.push(1);" },
      "module-state base/a.ts:2",
    ],
    [
      "a property of an import being assigned",
      {
        "base/a.ts": 'import { B } from "./b.ts";\nB.n = 1;',
        "base/b.ts": "export const B = { n: 0 };",
      },
      "module-state base/a.ts:2",
    ],
  ])("%s", (_, files, expected) => {
    expect(rulesBrokenBy(files)).toEqual([expected]);
  });

  it.each([
    "Buffer.from([])",
    "process.env",
    "Deno.env",
    "Bun.version",
    "Date.now()",
    "Date['now']()",
    "new Date()",
    "new Date(...[])",
    "Date()",
    "[Date]",
    "Math.random()",
    "Math['random']()",
    "(({ random }) => random())(Math)",
    "setTimeout(() => {}, 1)",
    "setInterval(() => {}, 1)",
    "setImmediate(() => {})",
    "queueMicrotask(() => {})",
    "console.log(1)",
    "performance.now()",
    "require('fs')",
    "__dirname",
    "window.name",
    "document.title",
    "navigator.userAgent",
    "self.name",
    "globalThis.process",
    "global.process",
    "crypto.getRandomValues(new Uint8Array(1))",
    "AbortSignal.timeout(1)",
    "fetch('http://127.0.0.1')",
    "new WebSocket('ws://127.0.0.1')",
    "new Worker('a.js')",
    "new Function('return process')()",
    "eval('process')",
    "import.meta.url",
  ])("%s in a neutral layer", (expression) => {
    expect(rulesBrokenBy({ "codec/a.ts": `export const a = () =>\n  ${expression};` })).toEqual([
      "global codec/a.ts:2",
    ]);
  });

  it.each([
    ["a platform type", "export type A = Buffer;"],
    ["a platform type's value", "export type A = typeof process;"],
    ["a platform's namespace", "export type A = NodeJS.Timeout;"],
    ["a global that the file declares for itself", "declare const process: { pid: number };"],
    ["a global scope that the file extends", "export {}; declare global { const a: number; }"],
  ])("%s in a neutral layer", (_, text) => {
    expect(rulesBrokenBy({ "codec/a.ts": text })).toEqual(["global codec/a.ts:1"]);
  });
});

describe("a source that keeps the rules is not reported:", () => {
  it.each<[string, Record<string, string>]>([
    [
      "a local name that a platform also has",
      { "base/a.ts": "export const f = (process: { env: number }) => process.env;" },
    ],
    [
      "a member that a platform also has",
      { "base/a.ts": "export const f = (a: { process: number }) => ({ Buffer: a.process });" },
    ],
    [
      "dates and numbers made from arguments",
      {
        "base/a.ts":
          "export const f = (ms: number) => [new Date(ms), Date.UTC(1970), Math.max(1)];",
      },
    ],
    [
      "tables that never change",
      {
        "base/a.ts":
          "export const A = [1, 2] as const; export const B: ReadonlySet<number> = new Set(A);",
      },
    ],
    [
      "state in functions and instances",
      {
        "base/a.ts":
          "export class A { #seen = new Map(); f() { let n = 0; this.#seen.set(n++, 1); } }",
      },
    ],
    [
      "platform use in the platform's own layer",
      { "runtime/node/a.ts": 'import "node:fs"; Date.now();' },
    ],
    [
      "an import from a layer above",
      { "codec/a.ts": 'import { b } from "../base/b.ts";', "base/b.ts": "export const b = 1;" },
    ],
  ])("%s", (_, files) => {
    expect(rulesBrokenBy(files)).toEqual([]);
  });
});
