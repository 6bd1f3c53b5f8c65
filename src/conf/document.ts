// A configuration file as YAML: one pool with keys, each with one value or a list of values. Scalars stay texts as written, so
// that a token of 20 digits stays what it is, and every one keeps its place.

import {
  isAlias,
  isMap,
  isNode,
  isScalar,
  isSeq,
  LineCounter,
  parseAllDocuments,
  type YAMLParseError,
} from "yaml";
import { shown } from "../ring/seed.ts";
import { BEGINNING, type Findings, type Position } from "./diagnostic.ts";

/** What stands behind a key. */
export type Value =
  | { readonly kind: "text"; readonly at: Position; readonly text: string }
  | { readonly kind: "list"; readonly at: Position; readonly items: readonly Value[] }
  | { readonly kind: "mapping" | "nothing"; readonly at: Position }
  /** What is wrong with it has been said. */
  | { readonly kind: "refused"; readonly at: Position };

export interface Entry {
  readonly key: string;
  readonly at: Position;
  readonly value: Value;
}

/** A file with one pool. No key is there twice. */
export interface PoolDocument {
  readonly pool: string;
  readonly at: Position;
  readonly entries: ReadonlyMap<string, Entry>;
}

/** Longest configuration file, in characters: 1023 members with some hundred tokens each. */
export const MAX_FILE_LENGTH = 4 * 1024 * 1024;

/** Reads a file; undefined where it has no pool that can be looked at, which `findings` then say why. */
export function readDocument(text: string, findings: Findings): PoolDocument | undefined {
  if (text.length > MAX_FILE_LENGTH) {
    findings.error(
      BEGINNING,
      undefined,
      `the file has ${text.length} characters, more than ${MAX_FILE_LENGTH}: is it the right one?`,
    );
    return undefined;
  }
  try {
    return new DocumentReader(text, findings).read();
  } catch (error) {
    // Where the parser itself has not noticed that the stack is full.
    if (!(error instanceof RangeError)) throw error;
    findings.error(BEGINNING, undefined, TOO_DEEP);
    return undefined;
  }
}

/** Errors of form that are said at a time. */
const MAX_YAML_ERRORS = 10;

const TOO_DEEP = "the file is nested too deeply: a pool has keys, and these a value or a list";

const POOL_FORM =
  "write one name with the keys below it, indented, as in `dyn_o_mite:` and `  listen: 127.0.0.1:8102`";

class DocumentReader {
  readonly #lines = new LineCounter();
  readonly #text: string;
  readonly #findings: Findings;

  constructor(text: string, findings: Findings) {
    this.#text = text;
    this.#findings = findings;
  }

  read(): PoolDocument | undefined {
    const documents = parseAllDocuments(this.#text, {
      lineCounter: this.#lines,
      schema: "failsafe",
      merge: false,
      uniqueKeys: false,
      prettyErrors: false,
      logLevel: "silent",
    });
    const [document, second] = "empty" in documents ? [] : documents;
    if (document === undefined || (document.contents === null && document.errors.length === 0)) {
      this.#findings.error(BEGINNING, undefined, `the file is empty: ${POOL_FORM}`);
      return undefined;
    }
    this.#sayNoYaml(document.errors);
    if (second !== undefined) {
      this.#findings.error(
        this.#at(second.range[0]),
        undefined,
        "a second document begins here: a file has one only, so remove it with its ---",
      );
    }
    return this.#findings.hasErrors ? undefined : this.#pool(document.contents);
  }

  /** Of several errors at one place the first; and not more than a few, as one may cause many. */
  #sayNoYaml(errors: readonly YAMLParseError[]): void {
    const places = new Map<number, YAMLParseError>();
    for (const error of errors) {
      if (!places.has(error.pos[0])) places.set(error.pos[0], error);
    }
    for (const { code, message, pos } of [...places.values()].slice(0, MAX_YAML_ERRORS)) {
      const remedy = code === "TAB_AS_INDENT" ? ": use spaces" : "";
      this.#findings.error(
        this.#at(pos[0]),
        undefined,
        // The parser calls itself for everything nested, and the stack of a program is finite.
        code === "RESOURCE_EXHAUSTION"
          ? TOO_DEEP
          : `this is no YAML: ${onOneLine(message)}${remedy}`,
      );
    }
  }

  #pool(contents: unknown): PoolDocument | undefined {
    if (!isMap(contents)) {
      this.#findings.error(
        this.#placeOf(contents),
        undefined,
        `the file has no pool: ${POOL_FORM}`,
      );
      return undefined;
    }
    const [pair, second] = contents.items;
    if (pair === undefined || second !== undefined) {
      this.#findings.error(
        this.#placeOf(second?.key ?? contents),
        undefined,
        `the file must have exactly one pool, and has ${contents.items.length}: ${POOL_FORM}`,
      );
      return undefined;
    }
    const at = this.#placeOf(pair.key);
    const pool = this.#value(pair.key);
    if (pool.kind === "refused") return undefined;
    if (pool.kind !== "text" || pool.text.trim() === "") {
      this.#findings.error(at, undefined, `the pool has no name: ${POOL_FORM}`);
      return undefined;
    }
    if (!isMap(pair.value)) {
      this.#findings.error(
        this.#placeOf(pair.value, at),
        undefined,
        `the pool ${shown(pool.text)} has no keys: ${POOL_FORM}`,
      );
      return undefined;
    }
    this.#refuseMarks(pair.value, undefined);
    const entries = new Map<string, Entry>();
    for (const { key, value } of pair.value.items) this.#addEntry(entries, key, value);
    return { pool: pool.text, at, entries };
  }

  #addEntry(entries: Map<string, Entry>, keyNode: unknown, valueNode: unknown): void {
    const at = this.#placeOf(keyNode);
    const key = this.#value(keyNode);
    if (key.kind === "refused") return;
    if (key.kind !== "text" || key.text === "") {
      this.#findings.error(at, undefined, "this is no key: write a name, a colon and a value");
      return;
    }
    const name = key.text;
    const first = entries.get(name);
    if (first !== undefined) {
      this.#findings.error(
        at,
        name,
        `duplicate key ${shownKey(name)}: it is in line ${first.at.line} already; remove one of them`,
      );
      return;
    }
    entries.set(name, { key: name, at, value: this.#value(valueNode, at, name) });
  }

  /** A value, and the values of a list. What lies deeper is refused by who wants no mapping there. */
  #value(node: unknown, fallback: Position = BEGINNING, key?: string): Value {
    const at = this.#placeOf(node, fallback);
    if (this.#refuseMarks(node, key)) return { kind: "refused", at };
    if (isSeq(node)) {
      const items = node.items.map((item): Value => {
        if (!isSeq(item)) return this.#value(item, at, key);
        return { kind: "mapping", at: this.#placeOf(item, at) };
      });
      return { kind: "list", at, items };
    }
    if (!isScalar(node)) return { kind: isMap(node) ? "mapping" : "nothing", at };
    const text = typeof node.value === "string" ? node.value : "";
    return text === "" && node.type === "PLAIN"
      ? { kind: "nothing", at: fallback }
      : { kind: "text", at, text };
  }

  /** Anchors, aliases and tags would make a file mean something else to the C engine, which refuses them. */
  #refuseMarks(node: unknown, key: string | undefined): boolean {
    const marked = isAlias(node) || (isNode(node) && (hasAnchor(node) || node.tag !== undefined));
    if (!marked) return false;
    const what = isAlias(node) ? "an alias" : hasAnchor(node) ? "an anchor" : "a tag";
    const message = `${what} of YAML is not understood here: write the value itself`;
    const named = key === undefined ? message : `${shownKey(key)} cannot have this: ${message}`;
    this.#findings.error(this.#placeOf(node), key, named);
    return true;
  }

  #placeOf(node: unknown, fallback: Position = BEGINNING): Position {
    const offset = isNode(node) ? node.range?.[0] : undefined;
    return offset === undefined ? fallback : this.#at(offset);
  }

  #at(offset: number): Position {
    const { line, col } = this.#lines.linePos(offset);
    return { line: Math.max(line, 1), column: Math.max(col, 1) };
  }
}

function hasAnchor(node: { anchor?: string | undefined }): boolean {
  return node.anchor !== undefined;
}

/** What the parser says may quote the file, control characters and all. */
function onOneLine(message: string): string {
  const line = message.replace(/\p{Cc}/gu, (char) => JSON.stringify(char).slice(1, -1));
  return line.length > 200 ? `${line.slice(0, 200)}…` : line;
}

/** A key in a message: as it is, where it is a word, else quoted. */
export function shownKey(key: string): string {
  return /^\w{1,60}$/.test(key) ? key : shown(key);
}
