/** One stream between two nodes, from its first byte on: the handshake, and the session that comes of it. */
import type { Runtime, Timer } from "../base/runtime.ts";
import type { ByteStream, StreamHandler } from "../transport/stream.ts";
import type { Handshake, HandshakeEnd } from "./handshake.ts";
import type { LinkLimits } from "./limits.ts";
import type { Session } from "./session.ts";

/** How a connection ended before it was a session. */
export type ConnectionFailure =
  | Exclude<HandshakeEnd, { kind: "proven" }>
  /** It took longer than handshakeTimeoutMs. */
  | { readonly kind: "timeout" }
  /** The stream broke. */
  | { readonly kind: "lost"; readonly error: Error | undefined };

export type ProvenHandshake = Extract<HandshakeEnd, { kind: "proven" }>;

export interface ConnectionOptions {
  readonly stream: ByteStream;
  readonly handshake: Handshake;
  readonly runtime: Runtime;
  readonly limits: LinkLimits;
  /** The handshake has succeeded: the session that takes what comes now; undefined where there shall be none. */
  proven(connection: Connection, end: ProvenHandshake): Session | undefined;
  /**
   * The peer speaks no more than version 1, or has said nothing yet: who takes the stream over, which reads already; undefined: nobody,
   * and the handshake has failed.
   */
  version1?(connection: Connection): StreamHandler | undefined;
  /** The handshake has failed; called once, and not after proven() or where version1() has given a handler. */
  failed(connection: Connection, failure: ConnectionFailure): void;
}

export class Connection implements StreamHandler {
  readonly stream: ByteStream;
  readonly #options: ConnectionOptions;
  readonly #timers: Timer[];
  #isDone = false;
  #session: Session | undefined;
  #version1: StreamHandler | undefined;
  #grace: Timer | undefined;

  constructor(options: ConnectionOptions) {
    const { stream, handshake, runtime, limits } = options;
    this.#options = options;
    this.stream = stream;
    this.#timers = [
      runtime.after(limits.advertisementTimeoutMs, () => {
        if (!handshake.hasAdvertisement) this.#end({ kind: "version1" });
      }),
      runtime.after(limits.handshakeTimeoutMs, () => this.#fail({ kind: "timeout" })),
    ];
  }

  /** Begins to read, and sends what comes first. */
  start(): void {
    this.stream.start(this);
    const first = this.#options.handshake.start();
    if (first !== undefined && !this.#isDone) this.stream.write(first);
  }

  /** Gives the connection up, if it is no session yet. Nobody is told. */
  abandon(): void {
    if (this.#isDone) return;
    this.#finish();
    this.stream.destroy();
  }

  received(bytes: Uint8Array): void {
    if (this.#session !== undefined) {
      this.#session.receivedBytes(bytes);
      return;
    }
    if (this.#version1 !== undefined) {
      this.#version1.received(bytes);
      return;
    }
    if (this.#isDone) return;
    const { send, end } = this.#options.handshake.received(bytes);
    if (send !== undefined) this.stream.write(send);
    if (end === undefined || this.#isDone) return;
    if (end.kind !== "proven") {
      this.#end(end);
      return;
    }
    this.#finish();
    this.#session = this.#options.proven(this, end);
    if (end.rest.length > 0) this.#session?.receivedBytes(end.rest);
  }

  ended(): void {
    if (this.#session !== undefined) this.#session.lost();
    else if (this.#version1 !== undefined) this.#version1.ended();
    else this.#fail({ kind: "lost", error: undefined });
  }

  drained(): void {
    this.#version1?.drained();
  }

  closed(error?: Error): void {
    this.#grace?.cancel();
    if (this.#session !== undefined) this.#session.streamClosed();
    else if (this.#version1 !== undefined) this.#version1.closed(error);
    else this.#fail({ kind: "lost", error });
  }

  #end(end: Exclude<ConnectionFailure, { kind: "timeout" | "lost" }>): void {
    if (this.#isDone) return;
    if (end.kind === "version1") this.#version1 = this.#options.version1?.(this);
    if (this.#version1 === undefined) {
      this.#fail(end);
      return;
    }
    this.#finish();
    this.#version1.received(this.#options.handshake.unread);
  }

  #fail(failure: ConnectionFailure): void {
    if (this.#isDone) return;
    this.#finish();
    const { runtime, limits, failed } = this.#options;
    if (failure.kind === "refusing" || failure.kind === "refused") {
      // The reason must arrive: what is sent goes out first.
      this.#grace = runtime.after(limits.closeGraceMs, () => this.stream.destroy());
      this.stream.end();
    } else {
      this.stream.destroy();
    }
    failed(this, failure);
  }

  #finish(): void {
    this.#isDone = true;
    for (const timer of this.#timers) timer.cancel();
  }
}
