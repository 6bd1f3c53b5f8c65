/** What the fuzzer knows of a parser, and how its checks fail and count. */
import type { FuzzBuffer } from "./fuzz-buffer.ts";
import type { Random } from "./random.ts";

export interface FuzzTarget {
  readonly name: string;
  /** States of the parser, kinds of messages, and outcomes: each must have been seen at the end of a run. */
  readonly states: readonly string[];
  /** Codes of errors: each must have been seen too. */
  readonly codes: readonly string[];
  /** Writes an input. */
  generate(random: Random, out: FuzzBuffer): void;
  /**
   * Compares the parser with the slow one on `input`, and throws a Mismatch. Whatever else it chooses (limits, cuts) it chooses by
   * `variant`, so that input and variant repeat it.
   */
  check(input: Uint8Array, variant: number, coverage: Coverage): void;
  /** Bytes that the memory of the instance behind the typed face has now. */
  memoryBytes(): number;
}

/** The parser and the slow one disagree, or a rule that holds for all input was broken. */
export class Mismatch extends Error {}

/** Throws a Mismatch that names what differs. */
export function expectSame(what: string, fast: unknown, slow: unknown): void {
  if (!same(fast, slow)) {
    throw new Mismatch(`${what}: the codec says ${show(fast)}, the slow parser ${show(slow)}`);
  }
}

/** How often each label was seen. */
export class Coverage {
  readonly #seen = new Map<string, number>();

  constructor(labels: readonly string[]) {
    for (const label of labels) this.#seen.set(label, 0);
  }

  hit(label: string): void {
    const count = this.#seen.get(label);
    if (count === undefined) throw new Mismatch(`"${label}" is no state or code of this parser`);
    this.#seen.set(label, count + 1);
  }

  count(label: string): number {
    return this.#seen.get(label) ?? 0;
  }

  /** The labels that were never seen. */
  missing(labels: readonly string[]): string[] {
    return labels.filter((label) => this.count(label) === 0);
  }
}

/** Deep equality of plain values, bytes and numbers (NaN equals NaN, -0 differs from 0). */
export function same(a: unknown, b: unknown): boolean {
  if (Object.is(a, b)) return true;
  if (typeof a !== "object" || typeof b !== "object" || a === null || b === null) return false;
  if (a instanceof Uint8Array) return b instanceof Uint8Array && sameBytes(a, b);
  if (Array.isArray(a)) {
    if (!Array.isArray(b) || a.length !== b.length) return false;
    for (let i = 0; i < a.length; i++) if (!same(a[i], b[i])) return false;
    return true;
  }
  let keys = 0;
  for (const key in a) {
    keys++;
    if (!(key in b) || !same((a as never)[key], (b as never)[key])) return false;
  }
  for (const _ in b) keys--;
  return keys === 0;
}

export function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}

/** A value as short text. */
export function show(value: unknown): string {
  const text = JSON.stringify(value, (_, item) => {
    if (typeof item === "bigint") return `${item}n`;
    if (item instanceof Uint8Array) return `bytes ${toHex(item.subarray(0, 64))}`;
    if (typeof item === "number" && !Number.isFinite(item)) return String(item);
    return item;
  });
  return text === undefined ? "undefined" : text.slice(0, 1500);
}

export function toHex(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString("hex");
}
