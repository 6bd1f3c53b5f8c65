/**
 * Items of the memcached protocol: strings of database 0 with 32 bits of flags (their tag) and a version (the stamp of their last
 * write), and what its commands do to them (memcached, doc/protocol.txt). What is no string is no item: reads do not find it, and
 * "set" and "replace" overwrite it.
 */
import { fromLatin1, latin1 } from "./arguments.ts";
import type { Database, Entry, Key } from "./database.ts";
import type { EmbeddedStore } from "./embedded-store.ts";

export type StoreMode = "set" | "add" | "replace" | "append" | "prepend";

/**
 * What is done to one item. `exptime`: seconds, as the protocol has them: 0 never, up to 30 days from now, beyond that since 1970,
 * negative at once. `cas`: nothing is done unless this is the version of the item.
 */
export type ItemOperation =
  | { readonly do: "read" }
  /** Changes when the item expires, and reads it. */
  | { readonly do: "touch"; readonly exptime: number }
  | {
      readonly do: "store";
      readonly mode: StoreMode;
      readonly flags: number;
      readonly exptime: number;
      readonly value: Uint8Array;
      readonly cas?: bigint | undefined;
      /** Of "append" and "prepend": an item that is missing is made, with this exptime. */
      readonly vivify?: number | undefined;
    }
  /** Adds to, or takes from, an unsigned number of 64 bits in decimal digits. */
  | {
      readonly do: "count";
      readonly down: boolean;
      readonly delta: bigint;
      readonly cas?: bigint | undefined;
      readonly exptime?: number | undefined;
      /** What a missing item is made with. */
      readonly vivify?: { readonly initial: bigint; readonly exptime: number } | undefined;
    }
  | { readonly do: "delete"; readonly cas?: bigint | undefined };

export interface Item {
  readonly flags: number;
  /** Equal versions, equal items. */
  readonly cas: bigint;
  /** When it expires, in ms since the epoch; 0: never. */
  readonly expiry: number;
  /** Seconds since it was read or written before. */
  readonly idleSeconds: number;
  /** Of what is in the table, a view that is there until the next write. */
  readonly value: Uint8Array;
}

/**
 * How an operation ended. "done": as asked; "exists": the item has another version; "refused": add of what is there, replace, append
 * and prepend of what is not; "tooLarge": the value would be longer than allowed.
 */
export type ItemStatus = "done" | "exists" | "missing" | "refused" | "notANumber" | "tooLarge";

export interface ItemOutcome {
  readonly status: ItemStatus;
  /** The item as it is after the operation; undefined where there is none, or nothing was done. */
  readonly item?: Item | undefined;
}

/** Whether an operation needs room for what it writes. */
export function bytesNeeded(operation: ItemOperation): number {
  switch (operation.do) {
    case "store":
      return operation.value.length + RECORD_BYTES;
    case "count":
      return RECORD_BYTES;
    default:
      return 0;
  }
}

/** Runs an operation, for which there must be room. Throws OutOfMemory with nothing changed. */
export function runItem(
  store: EmbeddedStore,
  database: Database,
  key: Key,
  operation: ItemOperation,
): ItemOutcome {
  switch (operation.do) {
    case "read":
      return read(database, key);
    case "touch":
      return touch(store, database, key, operation.exptime);
    case "store":
      return storeItem(store, database, key, operation);
    case "count":
      return count(store, database, key, operation);
    case "delete":
      return remove(database, key, operation.cas);
  }
}

/** When an item expires, in ms since the epoch: 0 never, 1 for what has expired already. `now` in ms since the epoch. */
export function expiryOfExptime(exptime: number, now: number): number {
  if (exptime === 0) return 0;
  if (exptime < 0) return EXPIRED;
  const expiry = exptime * 1000 + (exptime <= MAX_RELATIVE_SECONDS ? now : 0);
  return expiry <= now ? EXPIRED : Math.min(expiry, MAX_EXPIRY_MS);
}

/** The longest exptime that counts from now: 30 days. */
const MAX_RELATIVE_SECONDS = 60 * 60 * 24 * 30;
const MAX_EXPIRY_MS = 2 ** 48 - 1;
const EXPIRED = 1;
/** Bytes that a write needs beside its value: the header of a record, its key and its tag. */
const RECORD_BYTES = 320;
const MAX_NUMBER = 0xffff_ffff_ffff_ffffn;
/** Digits of the largest number. */
const MAX_DIGITS = 20;

function read(database: Database, key: Key): ItemOutcome {
  const entry = database.peek(key);
  if (entry === 0 || database.isObject(entry)) return MISSING;
  const idleSeconds = database.idleSeconds(entry);
  database.find(key);
  return { status: "done", item: itemOf(database, entry, idleSeconds) };
}

function touch(store: EmbeddedStore, database: Database, key: Key, exptime: number): ItemOutcome {
  const entry = database.find(key);
  if (entry === 0 || database.isObject(entry)) return MISSING;
  const expiry = expiryOfExptime(exptime, store.now);
  if (expiry === EXPIRED) {
    const item = itemOf(database, entry, 0);
    const last = { ...item, value: item.value.slice() };
    database.remove(key);
    return { status: "done", item: last };
  }
  database.setExpiry(key, expiry);
  return { status: "done", item: itemOf(database, database.peek(key), 0) };
}

function storeItem(
  store: EmbeddedStore,
  database: Database,
  key: Key,
  operation: Extract<ItemOperation, { do: "store" }>,
): ItemOutcome {
  const { mode, value, cas } = operation;
  const entry = database.find(key);
  if (entry !== 0 && mode === "add") return REFUSED;
  if (entry !== 0 && cas !== undefined && database.stamp(entry) !== cas) {
    return { status: "exists" };
  }
  if (mode === "append" || mode === "prepend") {
    if (entry !== 0) return extend(store, database, key, entry, operation);
    if (operation.vivify === undefined) return REFUSED;
  }
  if (entry === 0 && mode === "replace") return REFUSED;
  if (entry === 0 && mode === "set" && cas !== undefined) return MISSING;
  if (value.length > store.maxBulkBytes) return { status: "tooLarge" };
  const exptime = operation.vivify ?? operation.exptime;
  return write(store, database, key, value, operation.flags, expiryOfExptime(exptime, store.now));
}

/** Appends and prepends: flags and expiry stay. */
function extend(
  store: EmbeddedStore,
  database: Database,
  key: Key,
  entry: Entry,
  { mode, value }: Extract<ItemOperation, { do: "store" }>,
): ItemOutcome {
  if (database.isObject(entry)) return REFUSED;
  const old = database.value(entry).slice();
  const length = old.length + value.length;
  if (length > store.maxBulkBytes) return { status: "tooLarge" };
  const [expiry, tag] = [database.expiry(entry), database.tag(entry)];
  // The old value needs no room: it goes.
  if (!store.makeRoom(value.length + RECORD_BYTES)) throw store.outOfMemory();
  const written = database.write(key, length, expiry, true, tag);
  written.set(old, mode === "append" ? 0 : value.length);
  written.set(value, mode === "append" ? old.length : 0);
  return { status: "done", item: itemOf(database, database.peek(key), 0) };
}

function count(
  store: EmbeddedStore,
  database: Database,
  key: Key,
  operation: Extract<ItemOperation, { do: "count" }>,
): ItemOutcome {
  const { delta, down, cas, exptime, vivify } = operation;
  const entry = database.find(key);
  if (entry === 0) {
    if (vivify === undefined) return MISSING;
    const expiry = expiryOfExptime(vivify.exptime, store.now);
    return write(store, database, key, fromLatin1(String(vivify.initial)), 0, expiry);
  }
  if (cas !== undefined && database.stamp(entry) !== cas) return { status: "exists" };
  const number = database.isObject(entry) ? undefined : numberOf(database, entry);
  if (number === undefined) return { status: "notANumber" };
  const next = down ? (delta > number ? 0n : number - delta) : (number + delta) & MAX_NUMBER;
  const expiry =
    exptime === undefined ? database.expiry(entry) : expiryOfExptime(exptime, store.now);
  return write(store, database, key, fromLatin1(String(next)), database.tag(entry), expiry);
}

/** The number that a value is; undefined for what is none. Spaces may follow it, as memcached leaves them when it counts down. */
function numberOf(database: Database, entry: Entry): bigint | undefined {
  const length = database.length(entry);
  if (length === 0 || length > MAX_DIGITS + 1) return undefined;
  const match = /^(\d{1,20}) *$/.exec(latin1(database.value(entry), 0, length));
  if (match === null) return undefined;
  const number = BigInt(match[1]!);
  return number > MAX_NUMBER ? undefined : number;
}

function remove(database: Database, key: Key, cas: bigint | undefined): ItemOutcome {
  const entry = database.peek(key);
  if (entry === 0) return MISSING;
  if (cas !== undefined && database.stamp(entry) !== cas) return { status: "exists" };
  database.remove(key);
  return { status: "done" };
}

/** Writes an item anew; one that has expired already is as good as removed. */
function write(
  store: EmbeddedStore,
  database: Database,
  key: Key,
  value: Uint8Array,
  flags: number,
  expiry: number,
): ItemOutcome {
  if (expiry === EXPIRED) {
    if (database.peek(key) !== 0 || store.replicated) database.remove(key);
    return { status: "done", item: { flags, cas: 0n, expiry, idleSeconds: 0, value } };
  }
  database.write(key, value.length, expiry, false, flags).set(value);
  return { status: "done", item: itemOf(database, database.peek(key), 0) };
}

function itemOf(database: Database, entry: Entry, idleSeconds: number): Item {
  return {
    flags: database.tag(entry),
    cas: database.stamp(entry),
    expiry: database.expiry(entry),
    idleSeconds,
    value: database.value(entry),
  };
}

const MISSING: ItemOutcome = { status: "missing" };
const REFUSED: ItemOutcome = { status: "refused" };
