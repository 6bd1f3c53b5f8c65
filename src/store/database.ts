import { latin1 } from "./arguments.ts";
import { hashAt, installHash, isUntrimmed, newHash } from "./hash-records.ts";
import { RECORD } from "./kernel.ts";
import { HashObject } from "./objects/hash.ts";
import { StampedHashObject } from "./objects/stamped-hash.ts";
import type { HostObject } from "./objects.ts";
import { isTagged, mintStamp, peekRecord, stampOfRecord } from "./records.ts";
import { before, nodeOf, timeOf } from "./stamp.ts";
import type { Entry, Key, Table } from "./table.ts";

export type { Entry, Key, Table } from "./table.ts";

/**
 * One of the 16 databases of the embedded store, for the commands that the host runs. Entries expire when they are looked up.
 * Every write mints a stamp. A method that takes an Entry needs one from a find() after the last write.
 */
export class Database {
  readonly index: number;
  readonly #store: Table;

  constructor(store: Table, index: number) {
    this.#store = store;
    this.index = index;
  }

  /** Entries, those included that have expired and were not found yet. */
  get size(): number {
    return this.#store.kernel.hostCount(this.index) >>> 0;
  }

  /** Entries that expire. */
  get volatileSize(): number {
    return this.#store.kernel.volatileCount(this.index) >>> 0;
  }

  /** The entry of a key, and it counts as an access, unless the client does not want that. 0: there is none. */
  find(key: Key): Entry {
    return this.#look(key, this.#store.countsAccesses ? 1 : 0);
  }

  /** The entry of a key, without counting as an access (OBJECT, TTL, TYPE). */
  peek(key: Key): Entry {
    return this.#look(key, 0);
  }

  /** Whether the entry is a host object. */
  isObject(entry: Entry): boolean {
    return (this.#flags(entry) & RECORD.object) !== 0;
  }

  /** Redis's name of the entry's type. */
  type(entry: Entry): "string" | HostObject["type"] {
    return this.isObject(entry) ? this.object(entry).type : "string";
  }

  /** The host object of an entry. */
  object(entry: Entry): HostObject {
    const store = this.#store;
    const hash = store.replicated ? hashAt(store, entry) : undefined;
    return hash ?? store.objects.get(this.#word(entry + RECORD.valueLength));
  }

  /** Length of a string value in bytes. */
  length(entry: Entry): number {
    return this.#word(entry + RECORD.valueLength);
  }

  /** Address of a string value. */
  valuePointer(entry: Entry): number {
    return entry + RECORD.key + this.#word(entry + RECORD.keyLength);
  }

  /** The bytes of a string value where they are: valid until the next write; writing into it must be followed by changed(). */
  value(entry: Entry): Uint8Array<ArrayBuffer> {
    const start = this.valuePointer(entry);
    return this.#store.memory.bytes.subarray(start, start + this.length(entry));
  }

  /** The key of an entry, copied. */
  key(entry: Entry): Uint8Array<ArrayBuffer> {
    const start = entry + RECORD.key;
    return this.#store.memory.bytes.slice(start, start + this.#word(entry + RECORD.keyLength));
  }

  /** The key of an entry where it is: valid until the next write, and not to be changed. */
  keyView(entry: Entry): Uint8Array<ArrayBuffer> {
    const start = entry + RECORD.key;
    return this.#store.memory.bytes.subarray(start, start + this.#word(entry + RECORD.keyLength));
  }

  /** The key of an entry as text, one character per byte. */
  keyText(entry: Entry): string {
    return latin1(
      this.#store.memory.bytes,
      entry + RECORD.key,
      this.#word(entry + RECORD.keyLength),
    );
  }

  /** When the entry expires, in ms since the epoch; 0: never. */
  expiry(entry: Entry): number {
    const words = this.#store.memory.words;
    const low = words[(entry + RECORD.expiry) >>> 2]!;
    const high = words[(entry + RECORD.expiry + 4) >>> 2]!;
    return high * 0x10000 + (low >>> 16);
  }

  /** The stamp of the entry's last write: equal stamps, equal values. */
  stamp(entry: Entry): bigint {
    return this.#store.memory.data.getBigUint64(entry + RECORD.stamp, true);
  }

  /**
   * What tells whether a key has changed meanwhile, the same on every node: equal versions, equal entries; undefined where there
   * is none (WATCH).
   */
  version(key: Key): string | undefined {
    const entry = this.peek(key);
    if (entry === 0) return undefined;
    const stamp = stampOfRecord(this.#store, entry);
    const object = this.isObject(entry) ? this.object(entry) : undefined;
    // Merging what other nodes did may change a hash whose newest write stays the same.
    const digest = object instanceof StampedHashObject ? object.digest() : 0n;
    return `${stamp.ms}.${stamp.tail}.${digest}`;
  }

  /** Seconds since the last access. */
  idleSeconds(entry: Entry): number {
    const access = this.#word(entry + RECORD.access) >>> 8;
    const clock = Math.floor(this.#store.now / 1000) & 0xffffff;
    return (clock - access) & 0xffffff;
  }

  /** Whether the string has been changed in place (OBJECT ENCODING "raw"). */
  isRaw(entry: Entry): boolean {
    return (this.#flags(entry) & RECORD.raw) !== 0;
  }

  /** The tag of a string: 32 bits that a memcached client has given with the value, 0 where none has. */
  tag(entry: Entry): number {
    if (!isTagged(this.#store, entry)) return 0;
    return this.#store.memory.data.getUint32(this.valuePointer(entry) + this.length(entry), true);
  }

  /** Bytes that the entry's record takes. */
  recordBytes(entry: Entry): number {
    return this.#word(entry + 4) & ~7;
  }

  /**
   * Writes a string value of `length` bytes and returns them to be filled; overwrites any type. `expiry`: ms since the epoch, 0
   * for none. `raw`: as isRaw() tells; `tag`: see tag(). Room must have been made (commands with the flag "denyoom" have it).
   * Throws OutOfMemory at the ceiling, with the old value in place.
   */
  write(key: Key, length: number, expiry: number, raw = false, tag = 0): Uint8Array<ArrayBuffer> {
    const flags = (raw ? RECORD.raw : 0) | (tag === 0 ? 0 : RECORD.tagged);
    const entry = this.#write(key, length, flags, expiry, 0);
    if (tag !== 0) {
      this.#store.memory.data.setUint32(this.valuePointer(entry) + length, tag, true);
    }
    return this.value(entry);
  }

  /** Writes `bytes` (not a view of linear memory) as a string value. */
  set(key: Key, bytes: Uint8Array, expiry = 0): void {
    this.write(key, bytes.length, expiry).set(bytes);
  }

  /**
   * Makes a string value at least `length` bytes long, zeros behind its old end, keeps its expiry, and returns all of it to be
   * changed in place. Creates it where it is missing. It counts as changed.
   */
  extend(key: Key, length: number): Uint8Array<ArrayBuffer> {
    const old = this.find(key);
    const before = old === 0 ? 0 : this.length(old);
    const entry = old !== 0 && before >= length ? old : this.#grow(key, old, before, length);
    if (entry === old) {
      this.#store.kernel.hostChanged(entry);
      this.#note(key);
    }
    this.#store.memory.bytes[entry + RECORD.access]! |= RECORD.raw;
    return this.value(entry);
  }

  #grow(key: Key, old: Entry, before: number, length: number): Entry {
    const expiry = old === 0 ? 0 : this.expiry(old);
    const from = old === 0 ? 0 : this.valuePointer(old);
    const slack = old === 0 ? 0 : Math.min(length, MAX_SLACK_BYTES);
    const entry = this.#write(key, length, RECORD.raw, expiry, slack);
    const to = this.valuePointer(entry);
    const bytes = this.#store.memory.bytes;
    // The old bytes stay readable until the next call, even where the entry was written anew.
    if (before !== 0 && from !== to) bytes.copyWithin(to, from, from + before);
    bytes.fill(0, to + before, to + length);
    return entry;
  }

  /** Notes a change that was made in value(): mints a stamp. */
  changed(entry: Entry): void {
    const { journal, kernel } = this.#store;
    kernel.hostChanged(entry);
    if (journal.isActive) journal.record(this.index, this.keyText(entry));
  }

  /** A hash for a key that has no entry, to be filled and given to addHash(). */
  newHash(key: Key): HashObject {
    const store = this.#store;
    if (!store.replicated) return new HashObject();
    const record = peekRecord(store, this.index, key);
    const hidden = record === 0 ? undefined : hashAt(store, record);
    return hidden ?? newHash(store, this.index, record);
  }

  /** Writes the hash that newHash() gave for a key. */
  addHash(key: Key, hash: HashObject): void {
    if (hash instanceof StampedHashObject) this.#sealHash(key, hash);
    else this.setObject(key, hash);
  }

  /** Writes a host object under a key; overwrites any type. `expiry`: ms since the epoch, 0 for none. */
  setObject(key: Key, object: HostObject, expiry = 0): void {
    const store = this.#store;
    if (object instanceof StampedHashObject) {
      object.overwrite(mintStamp(store), expiry);
      if (installHash(store, this.index, key, object) === 0) throw store.outOfMemory();
      this.#note(key);
      return;
    }
    if (store.replicated) throw new Error(`a ${object.type} without stamps cannot be replicated`);
    const handle = this.#store.objects.add(object);
    try {
      const entry = this.#write(key, handle, RECORD.object, expiry, 0);
      this.#store.kernel.hostObjectBytes(entry, object.bytes);
    } catch (error) {
      this.#store.objects.remove(handle);
      throw error;
    }
  }

  /**
   * Notes that a command has changed the host object of a key: mints a stamp, counts its bytes, and removes the key when the
   * object has become empty.
   */
  objectChanged(key: Key): void {
    const entry = this.peek(key);
    if (entry === 0) return;
    const object = this.object(entry);
    if (object instanceof StampedHashObject) {
      this.#sealHash(key, object);
      return;
    }
    if (object.size === 0) {
      this.remove(key);
      return;
    }
    this.#store.kernel.hostObjectBytes(entry, object.bytes);
    this.#store.kernel.hostChanged(entry);
  }

  /** Removes a key; whether it was there. */
  remove(key: Key): boolean {
    this.#note(key);
    return this.#store.kernel.hostRemove(this.index, key.pointer, key.length) !== 0;
  }

  /**
   * Moves the entry of `from` to the key `to`, which must be another key or of another database: value and expiry go with it,
   * a host object is not copied, and what was there is gone. Whether `from` was there. Throws OutOfMemory at the ceiling, with
   * nothing changed.
   */
  rename(from: Key, to: Key, target: Database = this): boolean {
    const outcome = this.#store.kernel.hostRename(
      this.index,
      from.pointer,
      from.length,
      target.index,
      to.pointer,
      to.length,
    );
    if (outcome < 0) throw this.#store.outOfMemory();
    if (outcome === 0) return false;
    this.#note(from);
    target.#noteMoved(to);
    return true;
  }

  /** Sets when a key expires, in ms since the epoch, 0 for never; whether it was there. A time that has passed removes it. */
  setExpiry(key: Key, expiry: number): boolean {
    const store = this.#store;
    if (expiry !== 0 && expiry <= store.now) return this.remove(key);
    const hash = store.replicated ? this.#hash(key) : undefined;
    const was = hash?.expiry ?? 0;
    const { kernel } = store;
    if (kernel.hostSetExpiry(this.index, key.pointer, key.length, expiry) === 0) return false;
    if (hash === undefined) {
      this.#note(key);
      return true;
    }
    const stamp = stampOfRecord(store, peekRecord(store, this.index, key));
    hash.setExpiry(expiry, stamp, store.now);
    // It may not expire before the stamp, which may be ahead of the clock.
    if (hash.expiry !== expiry) installHash(store, this.index, key, hash);
    // A replica where the hash expires before it hears of this lets go of all fields: it needs them again.
    if (was !== 0 && was - store.now < LATE_MS) this.#note(key);
    else if (store.journal.isActive) store.journal.elements(this.index, this.#text(key), []);
    return true;
  }

  /**
   * One step of a walk in the order of hashes: the live entries of the next few home slots (often none, rarely more than 40),
   * and the cursor to go on from, 0 at the end. The first cursor is 0. Each key that is there all the time is seen exactly once,
   * whatever is written in between.
   */
  walk(cursor: number): { entries: Uint32Array; next: number } {
    const { kernel, memory, walkArea } = this.#store;
    const next = kernel.hostWalk(this.index, cursor, walkArea) >>> 0;
    const start = walkArea >>> 2;
    return { entries: memory.words.slice(start, start + kernel.walkedCount()), next };
  }

  /** An entry at random, each with the same chance; 0 when the database is empty. */
  random(): Entry {
    return this.#store.kernel.hostRandom(this.index, RANDOM_TRIES) >>> 0;
  }

  /** Removes every entry. Of a replicated store: also what was written before and comes from other replicas later. */
  flush(): void {
    const { journal, kernel, replicated } = this.#store;
    kernel.hostFlush(this.index);
    if (!replicated) return;
    const stamp = mintStamp(this.#store);
    const floor = before(stamp);
    kernel.setFloor(this.index, timeOf(floor), nodeOf(floor));
    if (journal.isActive) journal.flushed(this.index, stamp);
  }

  /** Has the records of hashes say what a new floor has left of them. */
  lowerHashes(): void {
    const store = this.#store;
    let cursor = 0;
    do {
      const { entries, next } = this.walk(cursor);
      for (const entry of entries) {
        const hash = this.isObject(entry) ? hashAt(store, entry) : undefined;
        if (hash !== undefined) installHash(store, this.index, store.place(this.key(entry)), hash);
      }
      cursor = next;
    } while (cursor !== 0);
  }

  /** Lets go of the object at a key that has expired; the entry of what is left, 0 for nothing. */
  trim(key: Key): Entry {
    const store = this.#store;
    const record = peekRecord(store, this.index, key);
    if (record === 0 || !isUntrimmed(store, record)) return 0;
    const hash = hashAt(store, record)!;
    const entry = installHash(store, this.index, key, hash);
    return hash.size === 0 ? 0 : entry;
  }

  #look(key: Key, touch: 0 | 1): Entry {
    const store = this.#store;
    let entry = store.kernel.hostFind(this.index, key.pointer, key.length, touch) >>> 0;
    if (entry === 0 && store.replicated) entry = this.trim(key);
    if (store.countsHits) {
      if (entry === 0) store.hostMisses++;
      else store.hostHits++;
    }
    return entry;
  }

  #write(key: Key, length: number, flags: number, expiry: number, slack: number): Entry {
    const { kernel } = this.#store;
    const entry =
      kernel.hostWrite(this.index, key.pointer, key.length, length, flags, expiry, slack) >>> 0;
    if (entry === 0) throw this.#store.outOfMemory();
    this.#note(key);
    return entry;
  }

  /** The hash at a key, undefined where there is none. */
  #hash(key: Key): StampedHashObject | undefined {
    const entry = this.peek(key);
    return entry === 0 ? undefined : hashAt(this.#store, entry);
  }

  /** Writes a hash that a command has changed. */
  #sealHash(key: Key, hash: StampedHashObject): void {
    const store = this.#store;
    const fields = hash.seal(mintStamp(store), store.now);
    if (installHash(store, this.index, key, hash) === 0) throw store.outOfMemory();
    const { journal } = store;
    if (journal.isActive) journal.elements(this.index, this.#text(key), fields);
  }

  /** Notes that an entry has come here from another key. */
  #noteMoved(key: Key): void {
    const store = this.#store;
    this.#note(key);
    if (!store.replicated) return;
    const entry = peekRecord(store, this.index, key);
    const object = this.isObject(entry)
      ? store.objects.get(this.#word(entry + RECORD.valueLength))
      : undefined;
    if (!(object instanceof StampedHashObject)) return;
    object.overwrite(stampOfRecord(store, entry), this.expiry(entry));
    installHash(store, this.index, key, object);
  }

  #note(key: Key): void {
    const { journal } = this.#store;
    if (journal.isActive) journal.record(this.index, this.#text(key));
  }

  #text(key: Key): string {
    return latin1(this.#store.memory.bytes, key.pointer, key.length);
  }

  #flags(entry: Entry): number {
    return this.#store.memory.bytes[entry + RECORD.access]!;
  }

  #word(address: number): number {
    return this.#store.memory.words[address >>> 2]!;
  }
}

/** A change of an expiry that is nearer than this is told with all fields: one hour, longer than clocks and links are late. */
const LATE_MS = 3_600_000;
/** Empty slots that random() meets before it takes the next entry instead. */
const RANDOM_TRIES = 1000;
/** Bytes that extend() keeps free behind a value that grows. */
const MAX_SLACK_BYTES = 1024 * 1024;
