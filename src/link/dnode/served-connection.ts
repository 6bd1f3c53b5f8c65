/** A version 1 connection that a peer has dialled, on its stream: requests are handed over, and their answers go back in order. */
import { concat } from "../../codec/concat.ts";
import type { ByteStream, StreamHandler } from "../../transport/stream.ts";
import { DnodeInbound, type DnodeInboundOptions, type DnodeRequest } from "./inbound.ts";

/** An answer as the bytes of a reply; "none": the request has none, and the connection is closed in its place. */
export type DnodeAnswer = Uint8Array | "none";

/** Runs a peer's request. What it promises must be kept: a promise that stays open keeps all later answers back. */
export type ServeRequest = (request: DnodeRequest) => DnodeAnswer | Promise<DnodeAnswer>;

export interface ServedConnectionOptions extends DnodeInboundOptions {
  readonly stream: ByteStream;
  readonly serve: ServeRequest;
  /** Nothing is read while more bytes of answers than these wait to leave, or more bytes of requests wait for their answers. */
  readonly maxWaitingBytes: number;
  /** The connection is over; `code` where it was closed for what the peer sent. Called once. */
  closed(connection: ServedConnection, code: string | undefined): void;
}

export class ServedConnection implements StreamHandler {
  readonly #options: ServedConnectionOptions;
  readonly #inbound: DnodeInbound;
  /** Bytes of requests that have no answer yet. */
  #waitingBytes = 0;
  /** Answers that may leave. */
  readonly #leaving: Uint8Array[] = [];
  #isPaused = false;
  /** No further request will be read: once all have their answers, the connection is over. */
  #isEnding = false;
  #code: string | undefined;
  #isOver = false;
  #hasSpoken = false;

  constructor(options: ServedConnectionOptions) {
    this.#options = options;
    this.#inbound = new DnodeInbound(options);
  }

  /** Whether anything has come over it. */
  get hasSpoken(): boolean {
    return this.#hasSpoken;
  }

  received(bytes: Uint8Array): void {
    if (this.#isOver || this.#isEnding || bytes.length === 0) return;
    this.#hasSpoken = true;
    for (const event of this.#inbound.received(bytes)) {
      if (event.kind === "request") this.#serve(event.request);
      else if (event.kind === "end") this.#endBecause(event.code);
    }
    this.#settle();
  }

  /** The peer sends nothing more; what it has asked is still answered. */
  ended(): void {
    this.#isEnding = true;
    this.#settle();
  }

  drained(): void {
    this.#settle();
  }

  closed(): void {
    this.#finish();
  }

  /** Closes it now. */
  destroy(): void {
    this.#options.stream.destroy();
    this.#finish();
  }

  #serve(request: DnodeRequest): void {
    const { ticket, payload } = request;
    const answer = this.#options.serve(request);
    if (!(answer instanceof Promise)) {
      this.#answer(ticket, answer);
      return;
    }
    this.#waitingBytes += payload.length;
    const answered = (late: DnodeAnswer) => {
      this.#waitingBytes -= payload.length;
      this.#answer(ticket, late);
      this.#settle();
    };
    answer.then(answered, () => answered("none"));
  }

  #answer(ticket: number, answer: DnodeAnswer): void {
    if (this.#isOver) return;
    const { send, isOver } = this.#inbound.answer(ticket, answer);
    if (send.length > 0) this.#leaving.push(send);
    if (isOver) this.#endBecause("NO_ANSWER");
  }

  #endBecause(code: string): void {
    this.#code ??= code;
    this.#isEnding = true;
  }

  /** Sends the answers of this turn, stops and starts reading, and ends the connection when nothing is left to do. */
  #settle(): void {
    if (this.#isOver) return;
    const { stream, maxWaitingBytes, limits } = this.#options;
    if (this.#leaving.length > 0) stream.write(concat(this.#leaving.splice(0)));
    const mayAnswerMore = this.#inbound.outstanding > 0 && this.#code !== "NO_ANSWER";
    if (this.#isEnding && !mayAnswerMore) {
      stream.end();
      this.#finish();
      return;
    }
    const isFull =
      stream.bufferedBytes > maxWaitingBytes ||
      this.#waitingBytes > maxWaitingBytes ||
      this.#inbound.outstanding > limits.maxOutstanding / 2;
    if (isFull === this.#isPaused) return;
    this.#isPaused = isFull;
    if (isFull) stream.pause();
    else stream.resume();
  }

  #finish(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#options.closed(this, this.#code);
  }
}
