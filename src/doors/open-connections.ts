// The clients that are connected at a door: who waits for replies to leave, what all of them hold together, and who is cut off.

import type { Logger } from "../base/logger.ts";
import type { ByteStream } from "../transport/stream.ts";
import { FlightBudget, type InFlight } from "./flight-budget.ts";

/** What a door needs of each connection. */
export interface OpenConnection extends InFlight {
  /** Whether nothing more of it may run before replies have left. */
  readonly mustWait: boolean;
  /** Runs what has waited for replies to leave. */
  goOn(): void;
  /** Answers what has come, then closes. */
  finish(): void;
  /** Looks whether the client takes the replies that wait for it; how many bytes still do. `now` in ms since the epoch. */
  noteTaken(now: number): number;
  /** Closes it: replies wait, and the client takes none of them. */
  cutOff(): void;
}

/** The limits that all connections together, and each that waits, are held to; read at every use. */
export interface ConnectionLimits {
  /** Bytes of replies that may wait for one client. */
  readonly outputLimitBytes: number;
  /** Bytes of commands in part and replies not taken, of all clients. */
  readonly inFlightBudgetBytes: number;
  /** How long a client may make no progress where too much is held, in ms. */
  readonly stalledRequestMs: number;
  /** A client that sends nothing for so many ms is closed; 0: never. */
  readonly idleTimeoutMs: number;
}

export class OpenConnections<Connection extends OpenConnection> {
  readonly #limits: ConnectionLimits;
  readonly #all = new Set<Connection>();
  readonly #budget: FlightBudget;
  /** Clients for whom many bytes of replies wait, and those of whom nothing runs until replies have left. */
  readonly #unread = new Set<Connection>();
  readonly #held = new Set<Connection>();
  #draining = false;
  /** Bytes of commands in part, of all connections. */
  #pendingBytes = 0;
  #whenEmpty: (() => void) | undefined;

  constructor(limits: ConnectionLimits, log: Logger) {
    this.#limits = limits;
    this.#budget = new FlightBudget(this.#all, limits, log);
  }

  get all(): ReadonlySet<Connection> {
    return this.#all;
  }

  /** Whether no client is taken any more. */
  get isDraining(): boolean {
    return this.#draining;
  }

  /** Whether replies wait for clients, and all that is held for clients is more than the budget. */
  get isOverBudget(): boolean {
    if (this.#unread.size === 0) return false;
    let bytes = this.#pendingBytes;
    for (const connection of this.#unread) bytes += connection.pendingOutputBytes;
    return bytes > this.#limits.inFlightBudgetBytes;
  }

  add(connection: Connection): void {
    this.#all.add(connection);
  }

  remove(connection: Connection): void {
    this.#all.delete(connection);
    this.#unread.delete(connection);
    this.#held.delete(connection);
    if (this.#all.size === 0) this.#whenEmpty?.();
  }

  /** Closes each connection when what it has sent is answered; resolves when all are gone. */
  drain(): Promise<void> {
    this.#draining = true;
    for (const connection of [...this.#all]) connection.finish();
    if (this.#all.size === 0) return Promise.resolve();
    return new Promise((resolve) => {
      this.#whenEmpty = resolve;
    });
  }

  /** Closes every connection now. */
  close(): void {
    this.#draining = true;
    for (const connection of [...this.#all]) connection.kill(false);
  }

  /** Many bytes of replies wait for a client. */
  noteReplies(connection: Connection, now: number): void {
    if (this.#unread.has(connection)) return;
    this.#unread.add(connection);
    connection.noteTaken(now);
  }

  /** A client must wait for replies to leave: goOn() when they may have. */
  hold(connection: Connection): void {
    this.#held.add(connection);
  }

  /** Replies have left. */
  drained(): void {
    for (const connection of [...this.#held]) {
      if (connection.mustWait) continue;
      this.#held.delete(connection);
      connection.goOn();
    }
  }

  /** Counts bytes of commands in part, or, below 0, that there are fewer. */
  addPending(bytes: number, now: number): void {
    this.#pendingBytes += bytes;
    if (bytes > 0 && this.#pendingBytes > this.#limits.inFlightBudgetBytes) {
      this.#budget.enforce(now);
    }
  }

  /** To be called now and then. `mayIdle`: whether a connection may send nothing for as long as it likes. */
  tick(now: number, mayIdle: (connection: Connection) => boolean): void {
    this.#budget.enforce(now);
    this.#cutOffUnread(now);
    this.drained();
    const idle = this.#limits.idleTimeoutMs;
    if (idle === 0) return;
    for (const connection of this.#all) {
      if (now - connection.lastInputAt < idle || mayIdle(connection)) continue;
      connection.kill(true);
    }
  }

  /** Looks who takes the replies that wait, and cuts off who does not where too many wait. */
  #cutOffUnread(now: number): void {
    const isOver = this.isOverBudget;
    for (const connection of [...this.#unread]) {
      const bytes = connection.noteTaken(now);
      if (bytes === 0) this.#unread.delete(connection);
      if (bytes === 0 || now - connection.takenAt < this.#limits.stalledRequestMs) continue;
      const isFull = bytes > this.#limits.outputLimitBytes;
      if (isFull || (isOver && !connection.session.noEvict)) connection.cutOff();
    }
  }
}

/** Refuses a client with the reason: `line` is all that it is sent. */
export function refuseClient(stream: ByteStream, line: string): void {
  stream.start(DEAF);
  stream.write(TEXT.encode(line));
  stream.end();
}

/** Whether the address of a stream is on this machine. */
export function isLoopback(address: string): boolean {
  return (
    address.startsWith("127.") ||
    address.startsWith("[::1]") ||
    address.startsWith("[::ffff:127.") ||
    address.startsWith("unix:") ||
    address.startsWith("sim:")
  );
}

/** Hears nothing: of a stream that was refused. */
const DEAF = { received() {}, ended() {}, drained() {}, closed() {} };

const TEXT = new TextEncoder();
