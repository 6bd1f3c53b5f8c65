// What a database works with: the kernel's table, the objects of the host, and how entries and keys are named.

import type { Journal } from "./journal.ts";
import type { KernelExports } from "./kernel.ts";
import type { KernelMemory } from "./memory.ts";
import type { ObjectRegistry } from "./objects.ts";

/** Address of a live entry's record in linear memory; 0 for none. Valid until the next write of any kind. */
export type Entry = number;

/** A key where it lies in linear memory: an argument of the command, or scratch (EmbeddedStore.place). */
export interface Key {
  readonly pointer: number;
  readonly length: number;
}

/** What the databases of a store share. */
export interface Table {
  readonly kernel: KernelExports;
  readonly memory: KernelMemory;
  readonly objects: ObjectRegistry;
  /** Whether it is one of several replicas: removals leave tombstones, and hashes are StampedHashObjects. */
  readonly replicated: boolean;
  /** Notes what is changed while it is active. */
  readonly journal: Journal;
  /** The time the kernel works with, in ms since the epoch. */
  readonly now: number;
  /** A page of linear memory that walk() has the kernel write to. */
  readonly walkArea: number;
  /** Whether find() counts as an access (CLIENT NO-TOUCH). */
  readonly countsAccesses: boolean;
  /** Whether look-ups count as hits and misses of the keyspace. */
  readonly countsHits: boolean;
  hostHits: number;
  hostMisses: number;
  /** The error of a write that did not fit. */
  outOfMemory(): Error;
  /** Writes bytes into linear memory as a key; valid until the next place(). */
  place(bytes: Uint8Array): Key;
}
