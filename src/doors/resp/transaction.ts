// What MULTI has begun, and the keys that WATCH looks after.

import type { Arguments } from "../../store/arguments.ts";
import { fromLatin1 } from "../../store/arguments.ts";
import type { EmbeddedStore } from "../../store/embedded-store.ts";
import type { CommandRow } from "./command-table.ts";
import type { Session } from "./session.ts";

/** The commands that a client has queued since MULTI. */
export class Transaction {
  /** As they came. */
  readonly commands: Uint8Array[][] = [];
  /** Bytes of all their arguments. */
  bytes = 0;
  /** A command was wrong: EXEC will refuse. */
  broken = false;
  /** Whether one of them writes; whether one may be refused for want of memory. */
  writes = false;
  denyOom = false;

  add(row: CommandRow, args: Arguments, bytes: number): void {
    if (this.broken) return;
    this.commands.push(Array.from({ length: args.length }, (_, index) => args.bytes(index)));
    this.bytes += bytes;
    if (row.write) this.writes = true;
    if (row.denyOom) this.denyOom = true;
  }

  /** Lets go of the commands: the transaction cannot be run any more. */
  break(): void {
    this.broken = true;
    this.commands.length = 0;
    this.bytes = 0;
  }
}

/** Ends the transaction of a session, whether it ran or not, and forgets what the session watches. */
export function endTransaction(session: Session): void {
  session.transaction = undefined;
  session.watched.clear();
  session.setHostOnly("transaction", false);
}

/** The keys that a client watches, each with the stamp that it had then. */
export class WatchedKeys {
  /** By database and key; undefined: the key was missing. */
  readonly #stamps = new Map<string, bigint | undefined>();

  get size(): number {
    return this.#stamps.size;
  }

  clear(): void {
    this.#stamps.clear();
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
