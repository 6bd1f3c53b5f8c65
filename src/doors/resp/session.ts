import { type ConsistencyLevel, LEVELS } from "../../ring/levels.ts";
import type { EmbeddedStore } from "../../store/embedded-store.ts";
import { CONNECTION } from "../../store/kernel.ts";
import { type Transaction, WatchedKeys } from "./transaction.ts";

/** What the door knows of a client's stream. */
export interface SessionFacts {
  /** Number of the connection, ascending, never used twice. */
  readonly id: number;
  readonly remoteAddress: string;
  readonly localAddress: string;
  /** When it connected, in ms since the epoch. */
  readonly connectedAt: number;
}

/**
 * What one client has chosen on its connection: protocol, database, name, transaction. Its flags and database are also in the
 * kernel, which reads them at each feed.
 */
export class Session {
  readonly facts: SessionFacts;
  /** Address of the connection in the kernel. */
  readonly kernelConnection: number;
  readonly #store: EmbeddedStore;
  #protocol: 2 | 3 = 2;
  #database = 0;
  #authenticated: boolean;
  #noTouch = false;
  #hostReasons = 0;
  #levels: SessionLevels | undefined;

  /** CLIENT SETNAME, and what CLIENT SETINFO told. */
  name = "";
  library = "";
  libraryVersion = "";
  /** What MULTI has begun. */
  transaction: Transaction | undefined;
  readonly watched = new WatchedKeys();
  /** CLIENT REPLY: what is sent. */
  replies: "on" | "off" | "skip-next" | "skip" = "on";
  /** CLIENT NO-EVICT. */
  noEvict = false;
  /** The connection is to close once what was answered has been sent. */
  closing = false;
  /** Time of the last command, ms since the epoch; its name; commands so far that the host has seen. */
  lastCommandAt: number;
  lastCommand = "NULL";

  constructor(
    store: EmbeddedStore,
    kernelConnection: number,
    facts: SessionFacts,
    authenticated: boolean,
  ) {
    this.#store = store;
    this.kernelConnection = kernelConnection;
    this.facts = facts;
    this.#authenticated = authenticated;
    this.lastCommandAt = facts.connectedAt;
    this.#writeFlags();
  }

  get protocol(): 2 | 3 {
    return this.#protocol;
  }
  set protocol(protocol: 2 | 3) {
    this.#protocol = protocol;
    this.#writeFlags();
  }

  /** The selected database, 0–15. */
  get database(): number {
    return this.#database;
  }
  set database(index: number) {
    this.#database = index;
    this.#store.memory.words[(this.kernelConnection >>> 2) + 1] = index;
  }

  get authenticated(): boolean {
    return this.#authenticated;
  }
  set authenticated(authenticated: boolean) {
    this.#authenticated = authenticated;
    this.#writeFlags();
  }

  /** CLIENT NO-TOUCH: look-ups leave the access clock alone. */
  get noTouch(): boolean {
    return this.#noTouch;
  }
  set noTouch(noTouch: boolean) {
    this.#noTouch = noTouch;
    this.#writeFlags();
  }

  /** How many replicas its reads and writes hear; undefined where there is no ring. */
  get levels(): SessionLevels | undefined {
    return this.#levels;
  }

  /** Makes it a client of the ring, or changes its levels. */
  setLevels(levels: SessionLevels): void {
    this.#levels = levels;
    this.#store.kernel.connectionLevels(
      this.kernelConnection,
      LEVELS.indexOf(levels.read),
      LEVELS.indexOf(levels.write),
    );
  }

  /** Ends the transaction, whether it ran or not, and forgets what is watched. */
  endTransaction(): void {
    this.transaction = undefined;
    this.watched.clear();
    this.setHostOnly("transaction", false);
  }

  /** Has every command of the connection come to the host while `reason` holds, whatever other reasons there are. */
  setHostOnly(reason: HostReason, holds: boolean): void {
    const bit = HOST_REASONS[reason];
    this.#hostReasons = holds ? this.#hostReasons | bit : this.#hostReasons & ~bit;
    this.#writeFlags();
  }

  #writeFlags(): void {
    let flags = 0;
    if (this.#hostReasons !== 0 || !this.#authenticated) flags |= CONNECTION.host;
    if (this.#protocol === 3) flags |= CONNECTION.resp3;
    if (this.#noTouch) flags |= CONNECTION.noTouch;
    if (!this.#authenticated) flags |= CONNECTION.unauthenticated;
    this.#store.memory.words[this.kernelConnection >>> 2] = flags;
  }
}

export interface SessionLevels {
  readonly read: ConsistencyLevel;
  readonly write: ConsistencyLevel;
}

/**
 * Why the kernel may not answer a connection's commands itself: a transaction is open, replies are off, clients are paused, a command
 * that was kept runs, whose reply goes elsewhere first, or the node's state does not allow all commands.
 */
export type HostReason = "transaction" | "replies" | "paused" | "kept" | "state";

const HOST_REASONS: Readonly<Record<HostReason, number>> = {
  transaction: 1,
  replies: 2,
  paused: 4,
  kept: 8,
  state: 16,
};
