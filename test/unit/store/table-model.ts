/**
 * A store beside a Map: every change is made to both, and verify() compares all that is there: keys, values, expiry, stamps,
 * counts, and the bytes that the arena says live. Values are slices of a fixed pattern, so that a long one costs nothing to
 * remember.
 */
import { expect } from "vitest";
import { fromLatin1 } from "../../../src/store/arguments.ts";
import type { Key } from "../../../src/store/database.ts";
import { type EmbeddedStore, OutOfMemory } from "../../../src/store/embedded-store.ts";

/** What the model remembers of an entry. */
interface ModelEntry {
  length: number;
  /** Where in the pattern the value begins. */
  seed: number;
  /** Zeros that extend() has put behind the pattern. */
  zeros: number;
  /** In ms since the epoch, 0 for never. */
  expiry: number;
  stamp: bigint;
}

/** Slots of the index in a page. */
const SEGMENT_SLOTS = 8192;
const PATTERN_BYTES = 64 * 1024;
const SEEDS = 4096;
const pattern = makePattern();

/** What a removal tells, and what a write does at the ceiling. */
export type Outcome = "done" | "missing" | "refused";

export class TableModel {
  readonly store: EmbeddedStore;
  readonly #entries: Map<string, ModelEntry>[];

  constructor(store: EmbeddedStore) {
    this.store = store;
    this.#entries = store.databases.map(() => new Map());
  }

  /** Keys of a database, those whose time has come included. */
  keys(database: number): Iterable<string> {
    return this.#entries[database]!.keys();
  }

  size(database: number): number {
    return this.#entries[database]!.size;
  }

  has(database: number, key: string): boolean {
    return this.#live(database, key) !== undefined;
  }

  /** Writes a value of `length` bytes; at the ceiling nothing may have changed. */
  write(database: number, key: string, length: number, seed: number, expiry = 0): Outcome {
    const table = this.store.databases[database]!;
    const at = this.#place(key);
    let value: Uint8Array;
    try {
      value = table.write(at, length, expiry);
    } catch (error) {
      if (!(error instanceof OutOfMemory)) throw error;
      return "refused";
    }
    fill(value, seed % SEEDS);
    const stamp = table.stamp(table.peek(at));
    this.#entries[database]!.set(key, { length, seed: seed % SEEDS, zeros: 0, expiry, stamp });
    return "done";
  }

  /** Makes a value at least `length` bytes long. */
  extend(database: number, key: string, length: number): Outcome {
    const table = this.store.databases[database]!;
    const before = this.#live(database, key);
    const at = this.#place(key);
    let extended: Uint8Array;
    try {
      extended = table.extend(at, length);
    } catch (error) {
      if (!(error instanceof OutOfMemory)) throw error;
      return "refused";
    }
    const entry = before ?? { length: 0, seed: 0, zeros: 0, expiry: 0, stamp: 0n };
    const grown = Math.max(0, length - entry.length);
    expect(extended.length).toBe(Math.max(length, entry.length));
    this.#entries[database]!.set(key, {
      ...entry,
      length: entry.length + grown,
      zeros: entry.zeros + grown,
      stamp: table.stamp(table.peek(at)),
    });
    return "done";
  }

  remove(database: number, key: string): Outcome {
    const was = this.#live(database, key) !== undefined;
    const removed = this.store.databases[database]!.remove(this.#place(key));
    expect(removed).toBe(was);
    this.#entries[database]!.delete(key);
    return removed ? "done" : "missing";
  }

  /** Moves a value to another key of the same or of another database. */
  rename(database: number, key: string, toDatabase: number, toKey: string): Outcome {
    const entry = this.#live(database, key);
    const both = this.#place(key + toKey);
    const from = { pointer: both.pointer, length: key.length };
    const to = { pointer: both.pointer + key.length, length: toKey.length };
    const target = this.store.databases[toDatabase]!;
    expect(this.store.databases[database]!.rename(from, to, target)).toBe(entry !== undefined);
    if (entry === undefined) return "missing";
    this.#entries[database]!.delete(key);
    this.#entries[toDatabase]!.set(toKey, { ...entry, stamp: target.stamp(target.peek(to)) });
    return "done";
  }

  setExpiry(database: number, key: string, expiry: number): Outcome {
    const table = this.store.databases[database]!;
    const entry = this.#live(database, key);
    const at = this.#place(key);
    expect(table.setExpiry(at, expiry)).toBe(entry !== undefined);
    if (entry === undefined) return "missing";
    if (expiry !== 0 && expiry <= this.store.now) {
      this.#entries[database]!.delete(key);
      return "done";
    }
    entry.expiry = expiry;
    entry.stamp = table.stamp(table.peek(at));
    return "done";
  }

  /** Looks a key up and compares everything about it. */
  check(database: number, key: string): void {
    const table = this.store.databases[database]!;
    const expected = this.#live(database, key);
    const entry = table.find(this.#place(key));
    if (expected === undefined) {
      if (entry !== 0) throw new Error(`${name(database, key)} is there, but should not be`);
      return;
    }
    if (entry === 0) throw new Error(`${name(database, key)} is lost`);
    this.#compare(database, key, expected, entry);
  }

  flush(database: number): void {
    this.store.databases[database]!.flush();
    this.#entries[database]!.clear();
  }

  /** Forgets what eviction has taken; returns how many entries that were. */
  noteEvicted(): number {
    let evicted = 0;
    for (const [database, entries] of this.#entries.entries()) {
      for (const key of [...entries.keys()]) {
        if (this.store.databases[database]!.peek(this.#place(key)) !== 0) continue;
        entries.delete(key);
        evicted++;
      }
    }
    return evicted;
  }

  /** Removes what has expired from both, frees what was flushed, and compares all of both. */
  verify(): void {
    while (this.store.free());
    // Twice all slots: the sweep may be anywhere when it begins.
    this.store.kernel.tick(2 * SEGMENT_SLOTS * this.store.figure("tablePages"), 0);
    this.store.releaseObjects();
    let liveBytes = 0;
    for (const [database, entries] of this.#entries.entries()) {
      for (const [key, entry] of entries) if (this.#isOver(entry)) entries.delete(key);
      const table = this.store.databases[database]!;
      expect(table.size).toBe(entries.size);
      const seen = new Set<string>();
      for (const entry of this.#walk(database)) {
        const key = table.keyText(entry);
        if (seen.has(key)) throw new Error(`${name(database, key)} was walked twice`);
        seen.add(key);
        const expected = entries.get(key);
        if (expected === undefined) throw new Error(`${name(database, key)} should not be there`);
        this.#compare(database, key, expected, entry);
        liveBytes += table.recordBytes(entry);
      }
      for (const key of entries.keys()) {
        if (!seen.has(key)) throw new Error(`${name(database, key)} is lost from the walk`);
        this.check(database, key);
      }
      let expiring = 0;
      for (const entry of entries.values()) if (entry.expiry !== 0) expiring++;
      expect(table.volatileSize).toBe(expiring);
    }
    this.#compareLiveBytes(liveBytes);
  }

  /** Bytes of live records that verify() does not see: tombstones. */
  hiddenBytes = (): number => 0;

  #compareLiveBytes(bytes: number): void {
    expect(this.store.figure("liveBytes")).toBe(bytes + this.hiddenBytes());
  }

  *#walk(database: number): Iterable<number> {
    const table = this.store.databases[database]!;
    let cursor = 0;
    do {
      const step = table.walk(cursor);
      yield* step.entries;
      cursor = step.next;
    } while (cursor !== 0);
  }

  #compare(database: number, key: string, expected: ModelEntry, entry: number): void {
    const table = this.store.databases[database]!;
    const same =
      table.keyText(entry) === key &&
      table.length(entry) === expected.length &&
      table.expiry(entry) === expected.expiry &&
      table.stamp(entry) === expected.stamp &&
      isFilled(table.value(entry), expected);
    if (same) return;
    throw new Error(
      `${name(database, key)} differs: length ${table.length(entry)}, expiry ${table.expiry(entry)}, ` +
        `stamp ${table.stamp(entry)}; expected ${expected.length}, ${expected.expiry}, ${expected.stamp}` +
        `, value ${isFilled(table.value(entry), expected) ? "equal" : "different"}`,
    );
  }

  #live(database: number, key: string): ModelEntry | undefined {
    const entry = this.#entries[database]!.get(key);
    return entry === undefined || this.#isOver(entry) ? undefined : entry;
  }

  #isOver(entry: ModelEntry): boolean {
    return entry.expiry !== 0 && entry.expiry <= this.store.now;
  }

  #place(key: string): Key {
    return this.store.place(fromLatin1(key));
  }
}

function name(database: number, key: string): string {
  return `key ${JSON.stringify(key.slice(0, 40))} (${key.length} bytes) of database ${database}`;
}

function makePattern(): Buffer {
  const bytes = Buffer.alloc(PATTERN_BYTES + SEEDS);
  let state = 0x9e3779b9;
  for (let i = 0; i < bytes.length; i++) {
    state = Math.imul(state ^ (state >>> 15), 0x2c1b3c6d) + 0x6d2b79f5;
    bytes[i] = state >>> 24;
  }
  return bytes;
}

function fill(value: Uint8Array, seed: number): void {
  for (let at = 0; at < value.length; at += PATTERN_BYTES) {
    const length = Math.min(PATTERN_BYTES, value.length - at);
    value.set(pattern.subarray(seed, seed + length), at);
  }
}

function isFilled(value: Uint8Array, expected: ModelEntry): boolean {
  const filled = value.length - expected.zeros;
  for (let at = 0; at < filled; at += PATTERN_BYTES) {
    const length = Math.min(PATTERN_BYTES, filled - at);
    const part = pattern.subarray(expected.seed, expected.seed + length);
    if (part.compare(value, at, at + length) !== 0) return false;
  }
  return value.subarray(filled).every((byte) => byte === 0);
}
