// What MULTI has begun, and the keys that WATCH looks after.

import type { WatchedKey } from "../../ring/execute-request.ts";
import type { ReplicaSet } from "../../ring/topology.ts";
import type { Arguments } from "../../store/arguments.ts";
import { fromLatin1, latin1 } from "../../store/arguments.ts";
import type { EmbeddedStore } from "../../store/embedded-store.ts";

/** What a transaction must know of a command. */
export interface QueuedFlags {
  /** In lower case; of a subcommand behind its parent's. */
  readonly fullName: string;
  readonly write: boolean;
  readonly denyOom: boolean;
}

/** The commands that a client has queued since MULTI. */
export class Transaction {
  /** As they came. */
  readonly commands: Uint8Array[][] = [];
  /** Their names, in lower case. */
  readonly names: string[] = [];
  /** In a ring: the replicas that the keys so far have, undefined before the first one. */
  set: ReplicaSet | undefined;
  /** Bytes of all their arguments. */
  bytes = 0;
  /** A command was wrong: EXEC will refuse. */
  broken = false;
  /** Whether one of them writes; whether one may be refused for want of memory. */
  writes = false;
  denyOom = false;

  /** `flags`: of the command; `bytes`: of all arguments. */
  add(flags: QueuedFlags, args: Arguments, bytes: number): void {
    if (this.broken) return;
    this.commands.push(Array.from({ length: args.length }, (_, index) => args.bytes(index)));
    this.names.push(flags.fullName);
    this.bytes += bytes;
    if (flags.write) this.writes = true;
    if (flags.denyOom) this.denyOom = true;
  }

  /** Lets go of the commands: the transaction cannot be run any more. */
  break(): void {
    this.broken = true;
    this.commands.length = 0;
    this.names.length = 0;
    this.bytes = 0;
  }
}

/** The keys that a client watches, each with the stamp that it had then. */
export class WatchedKeys {
  /** By database and key; undefined: the key was missing. */
  readonly #stamps = new Map<string, bigint | undefined>();
  /** The same in a ring, where their executor compares them, and the replicas that all of them have. */
  readonly #inRing = new Map<string, WatchedKey>();
  #set: ReplicaSet | undefined;

  get size(): number {
    return this.#stamps.size + this.#inRing.size;
  }

  /** In a ring: the keys that are watched. */
  get inRing(): readonly WatchedKey[] {
    return [...this.#inRing.values()];
  }

  /** In a ring: the replicas of the keys, undefined where none is watched. */
  get set(): ReplicaSet | undefined {
    return this.#set;
  }

  clear(): void {
    this.#stamps.clear();
    this.#inRing.clear();
    this.#set = undefined;
  }

  /** Watches keys in a ring, all of `set`; those that are watched already keep their versions. */
  addInRing(keys: readonly WatchedKey[], set: ReplicaSet | undefined): void {
    this.#set ??= set;
    for (const watched of keys) {
      const { database, key } = watched;
      const name = `${database}:${latin1(key, 0, key.length)}`;
      if (!this.#inRing.has(name)) this.#inRing.set(name, watched);
    }
  }

  /** Watches the key that an argument is; one that is watched already keeps its stamp. */
  add(store: EmbeddedStore, database: number, args: Arguments, index: number): void {
    const name = `${database}:${args.text(index)}`;
    if (this.#stamps.has(name)) return;
    const key = { pointer: args.pointer(index), length: args.size(index) };
    this.#stamps.set(name, stampOf(store, database, key));
  }

  /** Whether a key is not as it was: written, removed or expired since. One that is missing again is as it was. */
  haveChanged(store: EmbeddedStore): boolean {
    for (const [name, stamp] of this.#stamps) {
      const colon = name.indexOf(":");
      const key = store.place(fromLatin1(name.slice(colon + 1)));
      if (stampOf(store, Number(name.slice(0, colon)), key) !== stamp) return true;
    }
    return false;
  }
}

function stampOf(
  store: EmbeddedStore,
  index: number,
  key: { readonly pointer: number; readonly length: number },
): bigint | undefined {
  const database = store.databases[index]!;
  const entry = database.peek(key);
  return entry === 0 ? undefined : database.stamp(entry);
}
