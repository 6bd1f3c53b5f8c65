// The server behind a node: a few connections that all clients share, some that belong to one client each, and dialling it again.

import { RingletError } from "../../base/errors.ts";
import type { Logger } from "../../base/logger.ts";
import type { Runtime, Timer } from "../../base/runtime.ts";
import type { MemcachedRelayFace } from "../../codec/memcached-relay.ts";
import type { RespRelayFace } from "../../codec/resp-relay.ts";
import { Backoff } from "../../link/backoff.ts";
import type { ByteStream } from "../../transport/stream.ts";
import type { BackendOptions } from "../backend-options.ts";
import { BackendConnection } from "./connection.ts";
import { BackendCounters } from "./counters.ts";
import { BackendError } from "./failure.ts";
import { BACKEND_LIMITS, type BackendLimits } from "./limits.ts";
import { prepare as prepareMemcached } from "./memcached-opening.ts";
import { type OpeningCodec, prepare as prepareRedis } from "./redis-opening.ts";

/** Opens a stream to the server; rejects with a RingletError as Transport.dial() does. */
export type DialBackend = (
  address: BackendOptions["address"],
  timeoutMs: number,
) => Promise<ByteStream>;

export interface BackendParts {
  readonly options: BackendOptions;
  readonly dial: DialBackend;
  readonly runtime: Runtime;
  readonly log: Logger;
  /** Of its own: its scratch memory is as large as the largest chunk of the server. */
  readonly codec: OpeningCodec & RespRelayFace & MemcachedRelayFace;
  /** How long a request may wait for its reply; read at every use. */
  readonly timeoutMs: () => number;
  readonly limits?: Partial<BackendLimits>;
  /**
   * What is done over each connection that clients share before they get it. A rejection with BackendError refuses the server:
   * the connection closes, and is made anew later.
   */
  readonly greet?: ((connection: BackendConnection) => Promise<void>) | undefined;
}

/** A connection of one client. */
export interface OwnConnection {
  readonly connection: BackendConnection;
  readonly protocol: 2 | 3;
  /** The database that it began with. */
  readonly database: number;
}

/** One place for a connection that clients share. */
class Slot {
  connection: BackendConnection | undefined;
  /** When it was opened, on the monotonic clock, in ms. */
  openedAt = 0;
  readonly backoff: Backoff;
  timer: Timer | undefined;

  constructor(limits: ConstructorParameters<typeof Backoff>[0]) {
    this.backoff = new Backoff(limits);
  }
}

export class Backend {
  readonly options: BackendOptions;
  readonly counters = new BackendCounters();
  readonly codec: BackendParts["codec"];
  readonly limits: BackendLimits;
  readonly #parts: BackendParts;
  readonly #slots: Slot[];
  readonly #own = new Set<BackendConnection>();
  #opening = 0;
  /** Connections that no client needs any more, as they were at the beginning; the longest idle first. */
  readonly #idle: { readonly own: OwnConnection; readonly since: number }[] = [];
  #nextSlot = 0;
  /** Connections that could not be made, in a row. */
  #failures = 0;
  #error: BackendError = new BackendError(
    "BACKEND_UNREACHABLE",
    "not connected yet: nothing was sent",
  );
  #said = "";
  #closed = false;

  constructor(parts: BackendParts) {
    this.#parts = parts;
    this.options = parts.options;
    this.codec = parts.codec;
    this.limits = { ...BACKEND_LIMITS, ...parts.limits };
    const waits = {
      reconnectMinMs: Math.min(this.limits.reconnectMinMs, parts.options.retryTimeoutMs),
      reconnectMaxMs: parts.options.retryTimeoutMs,
    };
    this.#slots = Array.from({ length: parts.options.connections }, () => new Slot(waits));
  }

  /** Dials the server; resolves when each connection is open or has failed for the first time. */
  async start(): Promise<void> {
    await Promise.all(this.#slots.map((slot) => this.#connect(slot)));
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    const error = new BackendError("BACKEND_LOST", "the node is closing");
    this.#error = error;
    for (const { timer, connection } of this.#slots) {
      timer?.cancel();
      connection?.close(error);
    }
    for (const connection of [...this.#own]) connection.close(error);
  }

  /** Whether the server answers. */
  get isUp(): boolean {
    return this.#slots.some(({ connection }) => connection !== undefined);
  }

  /** "up"; "down" after as many failures as the options say; "connecting" before that. */
  get state(): "up" | "connecting" | "down" {
    if (this.isUp) return "up";
    return this.#failures >= this.options.failureLimit ? "down" : "connecting";
  }

  /** Why it does not answer, while it does not. */
  get error(): BackendError {
    return this.#error;
  }

  get address(): string {
    const { address } = this.options;
    return "path" in address ? address.path : `${address.host}:${address.port}`;
  }

  /** Open connections that clients share, and those of one client each, idle ones included. */
  get connectionCount(): { readonly shared: number; readonly own: number; readonly idle: number } {
    const shared = this.#slots.filter(({ connection }) => connection !== undefined).length;
    return { shared, own: this.#own.size, idle: this.#idle.length };
  }

  /** Requests that the server has not taken in bytes, and those without a reply. */
  get queues(): { readonly inBytes: number; readonly out: number } {
    let inBytes = 0;
    let out = 0;
    for (const connection of this.#all()) {
      inBytes += connection.queuedBytes;
      out += connection.outstanding;
    }
    return { inBytes, out };
  }

  /** An open connection that clients share, each time another; undefined: the server does not answer. */
  share(): BackendConnection | undefined {
    const slots = this.#slots;
    for (let i = 0; i < slots.length; i++) {
      const slot = slots[this.#nextSlot++ % slots.length]!;
      if (slot.connection !== undefined) return slot.connection;
    }
    return undefined;
  }

  /** A connection for one client that is open already; undefined: ask open() for one. */
  takeIdle(protocol: 2 | 3, database: number): OwnConnection | undefined {
    if (protocol === 3 || database !== 0) return undefined;
    return this.#idle.pop()?.own;
  }

  /**
   * A new connection for one client. Rejects with BackendError: BACKEND_BUSY where there are as many as may be, else why the
   * server could not be reached.
   */
  async open(protocol: 2 | 3, database: number): Promise<OwnConnection> {
    const { maxOwnConnections } = this.limits;
    if (this.#own.size + this.#opening >= maxOwnConnections) {
      const oldest = this.#idle.shift();
      if (oldest === undefined) {
        throw new BackendError(
          "BACKEND_BUSY",
          `${maxOwnConnections} clients have a connection of their own to the server, as many as may: nothing was sent`,
        );
      }
      this.#discard(oldest.own.connection);
    }
    if (!this.isUp) throw this.#error;
    this.#opening++;
    try {
      const connection = await this.#dial(protocol, database, (closed) => {
        this.#own.delete(closed);
        const at = this.#idle.findIndex(({ own }) => own.connection === closed);
        if (at !== -1) this.#idle.splice(at, 1);
      });
      if (connection.isOpen) this.#own.add(connection);
      return { connection, protocol, database };
    } finally {
      this.#opening--;
    }
  }

  /** Takes back a connection that is again as it was at the beginning, with no request without its reply. */
  giveBack(own: OwnConnection): void {
    if (
      own.protocol === 3 ||
      own.database !== 0 ||
      this.#idle.length >= this.limits.maxIdleConnections
    ) {
      this.#discard(own.connection);
      return;
    }
    this.#idle.push({ own, since: this.#parts.runtime.monotonic() });
  }

  /** Closes connections that have been idle for long. */
  tick(): void {
    const since = this.#parts.runtime.monotonic() - this.limits.idleConnectionMs;
    while (this.#idle[0] !== undefined && this.#idle[0].since < since) {
      this.#discard(this.#idle.shift()!.own.connection);
    }
  }

  *#all(): Iterable<BackendConnection> {
    for (const { connection } of this.#slots) if (connection !== undefined) yield connection;
    yield* this.#own;
  }

  #discard(connection: BackendConnection): void {
    connection.close(new BackendError("BACKEND_LOST", "the connection was not needed any more"));
  }

  async #connect(slot: Slot): Promise<void> {
    try {
      const connection = await this.#dial(
        2,
        0,
        (_, error) => {
          slot.connection = undefined;
          this.#lost(slot, error);
        },
        this.#parts.greet,
      );
      // It may be gone again already, and is being made anew then.
      if (!connection.isOpen) return;
      slot.connection = connection;
      slot.openedAt = this.#parts.runtime.monotonic();
      slot.backoff.reset();
      this.#reached();
    } catch (error) {
      this.#failures++;
      if (this.#failures === this.options.failureLimit) this.counters.ejects++;
      this.#failed(slot, asBackendError(error));
    }
  }

  /** `onClosed`: the connection was open, and is gone. */
  async #dial(
    protocol: 2 | 3,
    database: number,
    onClosed: (connection: BackendConnection, error: BackendError) => void,
    greet?: BackendParts["greet"],
  ): Promise<BackendConnection> {
    const { options, dial, runtime, codec, timeoutMs } = this.#parts;
    const isRedis = options.kind === "redis";
    const { counters, limits } = this;
    let isOpen = false;
    let stream: ByteStream;
    try {
      stream = await dial(options.address, limits.dialTimeoutMs);
    } catch (error) {
      counters.err++;
      throw error;
    }
    const connection = new BackendConnection({
      ...{ runtime, stream, limits, counters },
      cutter: (isRedis ? codec.relay : codec.memcachedRelay).replyCutter(),
      timeoutMs: () => (isOpen ? timeoutMs() : limits.dialTimeoutMs),
      onClosed: (closed, error) => {
        if (isOpen) onClosed(closed, error);
      },
    });
    try {
      if (isRedis) {
        await prepareRedis(
          connection,
          { protocol, database, password: options.requirepass },
          codec,
        );
      } else await prepareMemcached(connection);
      await greet?.(connection);
    } catch (error) {
      connection.close(asBackendError(error));
      if (error instanceof BackendError && error.code === "BACKEND_REFUSED") counters.err++;
      throw error;
    }
    if (this.#closed) {
      this.#discard(connection);
      throw this.#error;
    }
    if (!connection.isOpen) {
      throw new BackendError(
        "BACKEND_UNREACHABLE",
        "the server closed the connection: nothing was sent",
      );
    }
    isOpen = true;
    counters.connects++;
    return connection;
  }

  #reached(): void {
    this.#failures = 0;
    if (this.#said === "up") return;
    this.#parts.log.info("The server behind the node answers.", { server: this.address });
    this.#said = "up";
  }

  #lost(slot: Slot, error: BackendError): void {
    if (this.#closed) return;
    this.#parts.log.warn("A connection to the server behind the node was lost.", {
      server: this.address,
      reason: error.message,
    });
    this.#said = "";
    const unreachable = new BackendError(
      "BACKEND_UNREACHABLE",
      "the connection was lost and is being made anew: nothing was sent",
    );
    const livedMs = this.#parts.runtime.monotonic() - slot.openedAt;
    this.#failed(slot, unreachable, livedMs >= LIVED_MS);
  }

  /** `hasLived`: the connection was open for some time, so that it is dialled again at once. */
  #failed(slot: Slot, error: BackendError, hasLived = false): void {
    if (this.#closed) return;
    this.#error = error;
    if (!this.isUp && this.#said !== error.message) {
      this.#said = error.message;
      this.#parts.log.warn(
        "The server behind the node does not answer; clients get an error until it does.",
        {
          server: this.address,
          reason: error.message,
        },
      );
    }
    const waitMs = hasLived ? 0 : slot.backoff.next(this.#random());
    slot.timer = this.#parts.runtime.after(waitMs, () => void this.#connect(slot));
  }

  /** From 0 up to, not including, 1. */
  #random(): number {
    const [low = 0, high = 0] = this.#parts.runtime.randomBytes(2);
    return (low * 256 + high) / 65_536;
  }
}

/** A connection that was open for so long was no failed attempt. */
const LIVED_MS = 1000;

function asBackendError(error: unknown): BackendError {
  if (error instanceof BackendError) return error;
  const detail = error instanceof RingletError ? error.message : String(error);
  return new BackendError("BACKEND_UNREACHABLE", `${detail}: nothing was sent`, { cause: error });
}
