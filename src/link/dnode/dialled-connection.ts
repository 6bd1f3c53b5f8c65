/**
 * A connection that this node has dialled to a peer that shows no more than version 1, on its stream. It is proven by the answer to a
 * PING: a peer that is only slow, and one that speaks version 2, answer by their opening first.
 */
import { RingletError } from "../../base/errors.ts";
import type { Runtime, Timer } from "../../base/runtime.ts";
import type { ByteStream, StreamHandler } from "../../transport/stream.ts";
import { DnodeOutbound, type DnodeOutboundOptions } from "./outbound.ts";

/** The way to a version 1 peer, while it is open. */
export interface Version1Session {
  /** Link number: index of the member in the topology. */
  readonly link: number;
  readonly isOpen: boolean;
  readonly remoteAddress: string;
  /**
   * Sends a command as its RESP bytes; `isForwarded`: as REQ_FORWARD. `deadlineMs` of Runtime.monotonic(). Resolves to the reply's
   * bytes; rejects with RingletError LINK_DOWN (it was not sent), LINK_LOST (whether it ran is unknown) or DEADLINE (the same).
   */
  request(payload: Uint8Array, isForwarded: boolean, deadlineMs: number): Promise<Uint8Array>;
}

export interface DialledConnectionOptions extends DnodeOutboundOptions {
  readonly link: number;
  readonly stream: ByteStream;
  readonly runtime: Runtime;
  /** How long the PING may take, in ms. */
  readonly proofTimeoutMs: number;
  /** Bytes that may wait to leave when more are sent; beyond them the connection is closed. */
  readonly maxQueueBytes: () => number;
  /** The peer has answered as a version 1 peer does. Called once. */
  proven(connection: DialledConnection): void;
  /** The connection is over. Called once. */
  closed(connection: DialledConnection, reason: string, wasProven: boolean): void;
}

interface Waiting {
  resolve(reply: Uint8Array): void;
  reject(error: RingletError): void;
}

const PING = new TextEncoder().encode("*1\r\n$4\r\nPING\r\n");
/** How often is looked for answers that are late, in ms. */
const LATE_CHECK_MS = 100;

export class DialledConnection implements StreamHandler, Version1Session {
  readonly link: number;
  readonly #options: DialledConnectionOptions;
  readonly #outbound: DnodeOutbound;
  readonly #waiting = new Map<bigint, Waiting>();
  readonly #timer: Timer;
  #isProven = false;
  #isOpen = true;

  constructor(options: DialledConnectionOptions) {
    const { runtime } = options;
    this.link = options.link;
    this.#options = options;
    this.#outbound = new DnodeOutbound(options);
    this.#timer = runtime.every(LATE_CHECK_MS, () => {
      if (this.#outbound.isLate(runtime.monotonic())) this.close("timeout");
    });
  }

  get isOpen(): boolean {
    return this.#isOpen;
  }

  get remoteAddress(): string {
    return this.#options.stream.remoteAddress;
  }

  /** Sends the PING whose answer proves what the peer is. */
  prove(): void {
    const { runtime, proofTimeoutMs, proven } = this.#options;
    const answered = (): void => {
      this.#isProven = true;
      proven(this);
    };
    // Whatever it answers: a node whose server is down says so.
    this.request(PING, false, runtime.monotonic() + proofTimeoutMs).then(answered, () => {});
  }

  request(payload: Uint8Array, isForwarded: boolean, deadlineMs: number): Promise<Uint8Array> {
    const { stream, maxQueueBytes } = this.#options;
    if (this.#isOpen && stream.bufferedBytes > maxQueueBytes()) this.close("overflow");
    if (!this.#isOpen || this.#outbound.isFull) {
      return Promise.reject(
        new RingletError(
          "LINK_DOWN",
          `${this.remoteAddress} takes no requests now; nothing was sent to it`,
        ),
      );
    }
    const { id, send } = this.#outbound.request(payload, deadlineMs, isForwarded);
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject });
      stream.write(send);
    });
  }

  received(bytes: Uint8Array): void {
    if (!this.#isOpen || bytes.length === 0) return;
    for (const event of this.#outbound.received(bytes)) {
      switch (event.kind) {
        case "answer":
          this.#take(event.id)?.resolve(event.payload);
          break;
        case "unanswered":
          this.#take(event.id)?.reject(lost("it has answered later requests, and not this one"));
          break;
        case "opening":
          if (!this.#isProven) this.close("it speaks version 2, and was slow to say so");
          break;
        case "end":
          this.close(`rejected: ${event.code}`);
          break;
      }
      if (!this.#isOpen) return;
    }
  }

  ended(): void {
    this.close("lost");
  }

  drained(): void {}

  closed(): void {
    this.close("lost");
  }

  /** Closes it; requests without an answer fail. */
  close(reason: string): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    this.#timer.cancel();
    this.#options.stream.destroy();
    const error =
      reason === "timeout"
        ? new RingletError("DEADLINE", `${this.remoteAddress} has not answered in time`)
        : lost(`the connection was closed: ${reason}`);
    for (const { reject } of this.#waiting.values()) reject(error);
    this.#waiting.clear();
    this.#options.closed(this, reason, this.#isProven);
  }

  #take(id: bigint): Waiting | undefined {
    const waiting = this.#waiting.get(id);
    this.#waiting.delete(id);
    return waiting;
  }
}

const lost = (why: string): RingletError =>
  new RingletError("LINK_LOST", `${why}; whether the request was run is unknown`);
