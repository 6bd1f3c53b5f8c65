import { RingletError } from "../base/errors.ts";
import { Database, type Key, type Table } from "./database.ts";
import { type Effect, effectsOf } from "./effect.ts";
import { Journal } from "./journal.ts";
import {
  DATABASES,
  FIGURE,
  type KernelExports,
  type MaxMemoryPolicy,
  POLICIES,
  RECORD,
} from "./kernel.ts";
import { KernelMemory } from "./memory.ts";
import { DEFAULT_HASH_LIMITS, type HashLimits } from "./objects/hash.ts";
import { ObjectRegistry } from "./objects.ts";

/** Limits of the embedded store; each has a default. */
export interface EmbeddedStoreOptions {
  /** Bytes the data may take, 0 for no limit but the ceiling. */
  readonly maxMemoryBytes?: number;
  /** What happens at maxMemoryBytes: "noeviction" refuses writes. */
  readonly maxMemoryPolicy?: MaxMemoryPolicy;
  /** Bytes of linear memory, all told: at most 4,293,918,720 (wasm32). */
  readonly ceilingBytes?: number;
  /** Longest argument and longest string value, in bytes. */
  readonly maxBulkBytes?: number;
  /** Whether removals leave tombstones: a replicated table needs them, a single node does not. */
  readonly tombstones?: boolean;
}

/** Most bytes of linear memory by default: nearly all that wasm32 can address. */
export const DEFAULT_CEILING_BYTES = 4_293_918_720;
/** Longest argument and string value by default, in bytes. */
export const DEFAULT_MAX_BULK_BYTES = 64 * 1024 * 1024;

/** A write that was refused for want of memory; nothing was changed. */
export class OutOfMemory extends RingletError {}

/**
 * The embedded store: the kernel's table, with the objects of the host that its entries point to. One instance of
 * `kernel.wasm` belongs to it alone.
 */
export class EmbeddedStore implements Table {
  readonly kernel: KernelExports;
  readonly memory: KernelMemory;
  readonly objects = new ObjectRegistry();
  /** Whether it is one of several replicas: removals leave tombstones, fields of hashes have stamps. */
  readonly replicated: boolean;
  readonly journal = new Journal();
  /** Up to which size hashes are "listpack"; may be changed. */
  readonly hashLimits: HashLimits = { ...DEFAULT_HASH_LIMITS };
  /** Whether Database.find() counts as an access (CLIENT NO-TOUCH). */
  countsAccesses = true;
  /** Whether look-ups count as hits and misses of the keyspace: while a command that reads runs on the host. */
  countsHits = false;
  /** Those that were counted on the host. */
  hostHits = 0;
  hostMisses = 0;
  readonly databases: readonly Database[];
  /** Where Database.walk() has the kernel write. */
  readonly walkArea: number;
  #scratch = 0;
  #scratchPages = 0;
  #now = 0;
  #maxMemoryBytes = 0;
  #maxMemoryPolicy: MaxMemoryPolicy = "noeviction";
  #maxBulkBytes = 0;

  /** `secret`: 16 random bytes for the hash of the table. */
  constructor(kernel: KernelExports, secret: Uint8Array, options: EmbeddedStoreOptions = {}) {
    this.kernel = kernel;
    this.replicated = options.tombstones === true;
    const seed = new DataView(secret.buffer, secret.byteOffset, 16);
    kernel.reset(
      options.ceilingBytes ?? DEFAULT_CEILING_BYTES,
      seed.getBigUint64(0, true),
      seed.getBigUint64(8, true),
      options.tombstones ? 1 : 0,
    );
    this.memory = new KernelMemory(kernel.memory);
    this.setMaxMemory(options.maxMemoryBytes ?? 0, options.maxMemoryPolicy ?? "noeviction");
    this.setMaxBulk(options.maxBulkBytes ?? DEFAULT_MAX_BULK_BYTES);
    this.walkArea = kernel.takePages(1, 1) >>> 0;
    this.databases = Array.from({ length: DATABASES }, (_, index) => new Database(this, index));
  }

  /** The time the kernel works with, in ms since the epoch. */
  get now(): number {
    return this.#now;
  }

  /** Lets time pass: sets the clock of expiry, stamps and access. */
  setNow(milliseconds: number): void {
    this.#now = milliseconds;
    this.kernel.setNow(milliseconds);
  }

  /** The newest stamp that was minted here, or seen in what came from others. */
  get newestStamp(): bigint {
    return BigInt.asUintN(64, this.kernel.lastStampSeen());
  }

  get maxMemoryBytes(): number {
    return this.#maxMemoryBytes;
  }

  get maxMemoryPolicy(): MaxMemoryPolicy {
    return this.#maxMemoryPolicy;
  }

  /** Sets the limit in bytes (0: none but the ceiling) and what happens at it. */
  setMaxMemory(bytes: number, policy: MaxMemoryPolicy): void {
    this.#maxMemoryBytes = bytes;
    this.#maxMemoryPolicy = policy;
    this.kernel.setMaxMemory(bytes, POLICIES[policy]);
  }

  get maxBulkBytes(): number {
    return this.#maxBulkBytes;
  }

  /** Sets the longest argument and string value, in bytes. */
  setMaxBulk(bytes: number): void {
    this.#maxBulkBytes = bytes;
    this.kernel.setLimits(bytes);
  }

  /** One figure of the kernel; hits and misses are those of the host too. */
  figure(name: keyof typeof FIGURE): number {
    const figure = this.kernel.figure(FIGURE[name]);
    if (name === "hits") return figure + this.hostHits;
    return name === "misses" ? figure + this.hostMisses : figure;
  }

  /** Makes sure that `bytes` more can be written, evicting as the policy says; false: the write must be refused. */
  makeRoom(bytes: number): boolean {
    return this.kernel.makeRoom(bytes) !== 0;
  }

  /** A whole number from 0 to `bound` - 1 at random, `bound` at most 2^32 - 1; not for secrets. */
  randomBelow(bound: number): number {
    return this.kernel.randomBelow(bound) >>> 0;
  }

  /** The error of a write that did not fit. */
  outOfMemory(): OutOfMemory {
    return new OutOfMemory("OOM", "command not allowed when used memory > 'maxmemory'.");
  }

  /** Writes bytes that did not come with the command into linear memory, as a key. Valid until the next place(). */
  place(bytes: Uint8Array): Key {
    this.reserveScratch(bytes.length);
    this.memory.bytes.set(bytes, this.#scratch);
    return { pointer: this.#scratch, length: bytes.length };
  }

  /** Room for `length` bytes in linear memory, valid until the next place(): its address. Throws OutOfMemory. */
  reserveScratch(length: number): number {
    const pages = Math.max(1, Math.ceil(length / PAGE_BYTES));
    if (pages > this.#scratchPages) {
      if (this.#scratch !== 0) this.kernel.freePages(this.#scratch, this.#scratchPages);
      this.#scratch = this.kernel.takePages(pages, 1) >>> 0;
      this.#scratchPages = this.#scratch === 0 ? 0 : pages;
      if (this.#scratch === 0) throw this.outOfMemory();
    }
    return this.#scratch;
  }

  /**
   * From here to endEffects() all writes have one stamp, and what they change is noted. Only for commands that the host runs, all
   * of them before anything else is written.
   */
  beginEffects(): void {
    this.journal.begin();
    this.kernel.holdStamp(1);
  }

  /** What has changed since beginEffects(), to be sent to other replicas. Call it in any case, also when a command has failed. */
  endEffects(): Effect[] {
    const stamp = BigInt.asUintN(64, this.kernel.holdStamp(0));
    return effectsOf(this, this.journal.end(), stamp);
  }

  /** Lets go of the objects whose entries are gone. Call it whenever the kernel says that some wait, and after each command. */
  releaseObjects(): void {
    for (;;) {
      const handle = this.kernel.takeReleased();
      if (handle < 0) return;
      this.objects.remove(handle);
    }
  }

  /** After a command of the host: releases objects and lets the arena compact what the command's writes have earned. */
  afterCommand(): void {
    this.releaseObjects();
    this.kernel.hostMaintain();
  }

  /**
   * The work of a quiet moment: compacts a bounded part, frees one of what was flushed, and removes what has expired in another, if
   * `expiring`. Call it several times a second.
   */
  tick(expiring = true): void {
    this.kernel.tick(expiring ? TICK_SLOTS : 0, TICK_COMPACT_BYTES);
    if (this.replicated && expiring) this.#trimObjects();
    this.releaseObjects();
  }

  /** Frees a bounded part of what was flushed, which nobody sees any more; whether there is more. */
  free(): boolean {
    const isMore = this.kernel.hostFree() !== 0;
    this.releaseObjects();
    return isMore;
  }

  /** Has objects that have expired let go of what they hold. */
  #trimObjects(): void {
    for (let trimmed = 0; trimmed < TICK_OBJECTS; trimmed++) {
      const entry = this.kernel.hostUntrimmed(TICK_SLOTS) >>> 0;
      if (entry === 0) return;
      const flags = this.memory.bytes[entry + RECORD.access]!;
      const database = this.databases[flags & RECORD.database]!;
      database.trim(this.place(database.key(entry)));
    }
  }

  /** Sets the floor of a database: all that was written at or before this stamp is gone, also what comes later. */
  setFloor(database: number, stamp: bigint, node: number): void {
    this.kernel.setFloor(database, stamp, node);
    this.releaseObjects();
    if (this.objects.count !== 0) this.databases[database]!.lowerHashes();
  }

  /** Removes every entry of every database. */
  flushAll(): void {
    for (const database of this.databases) database.flush();
    this.releaseObjects();
  }
}

const PAGE_BYTES = 65536;
/** Slots of the index that one tick() looks at for entries that have expired: well under a millisecond. */
const TICK_SLOTS = 65536;
/** Bytes of records that one tick() compacts at most. */
const TICK_COMPACT_BYTES = 256 * 1024;
/** Objects that one tick() trims at most. */
const TICK_OBJECTS = 1000;
