import type { HostObject } from "../objects.ts";

/** A value of a hash: short ones are text, one character per byte; long ones are bytes, which V8 keeps off its heap. */
export type HashValue = string | Uint8Array;

/** Up to which size a hash calls itself "listpack". */
export interface HashLimits {
  /** Fields. */
  entries: number;
  /** Bytes of each field and of each value. */
  valueBytes: number;
}

/** Redis's defaults. */
export const DEFAULT_HASH_LIMITS: Readonly<HashLimits> = { entries: 512, valueBytes: 64 };

/** Most fields of a hash: a Map of V8 takes no more. */
export const MAX_FIELDS = 2 ** 24 - 1;

/** Values from this length on are kept as bytes. */
export const LONG_VALUE_BYTES = 512;

/**
 * A hash: fields and values in one dense array, and from INDEXED_FIELDS on an index by field.
 *
 * A field that is removed leaves its place to the last one, so that a place at random is a field at random. A scan goes from
 * the end to the beginning: a field that it has not met yet can only move nearer to the beginning, so none is missed.
 */
export class HashObject implements HostObject {
  readonly type = "hash";
  /** Field, value, field, value … */
  readonly #items: HashValue[] = [];
  /** Where in #items each field is; undefined while there are few, and they are looked through. */
  #index: Map<string, number> | undefined;
  #isListpack = true;
  /** Bytes of the fields and values themselves. */
  #contentBytes = 0;

  get size(): number {
    return this.#items.length >>> 1;
  }

  get bytes(): number {
    const perField = this.#index === undefined ? FIELD_BYTES : INDEXED_FIELD_BYTES;
    return HASH_BYTES + this.size * perField + this.#contentBytes;
  }

  encoding(): "listpack" | "hashtable" {
    return this.#isListpack ? "listpack" : "hashtable";
  }

  /** Whether there is an index: a field that is removed then leaves its place to the last one, else all behind it move up. */
  protected get isIndexed(): boolean {
    return this.#index !== undefined;
  }

  has(field: string): boolean {
    return this.#find(field) >= 0;
  }

  /** The place of a field, -1 where it is missing. */
  placeOf(field: string): number {
    return this.#find(field) >> 1;
  }

  get(field: string): HashValue | undefined {
    const at = this.#find(field);
    return at < 0 ? undefined : this.#items[at + 1];
  }

  /** Sets a field, and whether it is new. Bytes are kept, not copied. */
  set(field: string, value: HashValue, limits: HashLimits): boolean {
    const at = this.#find(field);
    const isNew = at < 0;
    if (isNew) {
      this.#append(field, value);
    } else {
      this.#contentBytes += bytesOf(value) - bytesOf(this.#items[at + 1]!);
      this.#items[at + 1] = value;
    }
    if (this.#isListpack) this.#isListpack = this.#fits(field, value, limits);
    return isNew;
  }

  /** Removes a field; whether it was there. */
  delete(field: string): boolean {
    const at = this.#find(field);
    if (at < 0) return false;
    const items = this.#items;
    this.#contentBytes -= bytesOf(field) + bytesOf(items[at + 1]!);
    if (this.#index === undefined) {
      items.splice(at, 2);
      return true;
    }
    this.#index.delete(field);
    const value = items.pop()!;
    const last = items.pop() as string;
    if (last === field) return true;
    items[at] = last;
    items[at + 1] = value;
    this.#index.set(last, at);
    return true;
  }

  /** The field at a place from 0 to size - 1. */
  fieldAt(place: number): string {
    return this.#items[place * 2] as string;
  }

  /** The value of the field at a place. */
  valueAt(place: number): HashValue {
    return this.#items[place * 2 + 1]!;
  }

  clone(): HashObject {
    return this.copyTo(new HashObject());
  }

  /** Makes `copy`, which is empty, a deep copy of the fields. */
  protected copyTo<T extends HashObject>(copy: T): T {
    // Through the class that declares the fields: they are private to it.
    const to: HashObject = copy;
    for (const item of this.#items) to.#items.push(typeof item === "string" ? item : item.slice());
    if (this.#index !== undefined) to.#index = new Map(this.#index);
    to.#isListpack = this.#isListpack;
    to.#contentBytes = this.#contentBytes;
    return copy;
  }

  /** Where in #items a field is, -1 for nowhere. */
  #find(field: string): number {
    if (this.#index !== undefined) return this.#index.get(field) ?? -1;
    const items = this.#items;
    for (let at = 0; at < items.length; at += 2) if (items[at] === field) return at;
    return -1;
  }

  #append(field: string, value: HashValue): void {
    const items = this.#items;
    this.#index?.set(field, items.length);
    items.push(field, value);
    this.#contentBytes += bytesOf(field) + bytesOf(value);
    if (this.#index !== undefined || items.length < INDEXED_FIELDS * 2) return;
    this.#index = new Map();
    for (let at = 0; at < items.length; at += 2) this.#index.set(items[at] as string, at);
  }

  #fits(field: string, value: HashValue, limits: HashLimits): boolean {
    return (
      this.size <= limits.entries &&
      field.length <= limits.valueBytes &&
      value.length <= limits.valueBytes
    );
  }
}

/** Fields from which on there is an index. */
const INDEXED_FIELDS = 32;

// What things take in V8 with pointers of 64 bits, about, as measured. The array has room for some fields from the beginning.
const HASH_BYTES = 280;
/** Of a field beside its text: its places in the array, and its share of the index where there is one. */
const FIELD_BYTES = 20;
const INDEXED_FIELD_BYTES = 60;
/** Of a text and of bytes, beside themselves. */
const TEXT_BYTES = 16;
const ARRAY_BYTES = 160;

function bytesOf(value: HashValue): number {
  if (typeof value !== "string") return ARRAY_BYTES + value.length;
  return TEXT_BYTES + Math.ceil(value.length / 8) * 8;
}
