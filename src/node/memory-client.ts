// A client of the RESP door in the same process: the stream that the door reads from, with a queue of who waits for which reply.

import { RingletError } from "../base/errors.ts";
import { concat, joined } from "../codec/concat.ts";
import type { RespReplyFace } from "../codec/resp-reply.ts";
import type { RespRequestFace } from "../codec/resp-request.ts";
import type { RespValue } from "../codec/resp-value.ts";
import type { ByteStream, StreamHandler } from "../transport/stream.ts";

/** What writing commands and reading replies takes. */
export type ClientCodec = Pick<RespReplyFace, "parseReplies"> &
  Pick<RespRequestFace, "writeRequest">;

/** An argument of a command: text goes as UTF-8, a number as its decimal digits. */
export type CommandArgument = string | number | bigint | Uint8Array;

interface Waiter {
  readonly answered: (value: RespValue) => void;
  readonly failed: (error: RingletError) => void;
}

export class MemoryClient implements ByteStream {
  readonly remoteAddress = "unix:embedded";
  readonly localAddress = "unix:embedded";
  /** Replies are taken as they come. */
  readonly bufferedBytes = 0;
  readonly #codec: ClientCodec;
  #handler: StreamHandler | undefined;
  /** Requests that have not been handed to the door, and replies that have come in part. */
  #requests: Uint8Array[] = [];
  #replies: Uint8Array[] = [];
  #replyBytes = 0;
  #neededBytes = 0;
  #waiters: Waiter[] = [];
  #answered = 0;
  #isPaused = false;
  #isScheduled = false;
  #isClosed = false;

  constructor(codec: ClientCodec) {
    this.#codec = codec;
  }

  get isClosed(): boolean {
    return this.#isClosed;
  }

  /** Sends a command at the end of this turn's work, with all others of it; each is answered in its order. */
  send(
    command: readonly CommandArgument[],
    answered: (value: RespValue) => void,
    failed: (error: RingletError) => void,
  ): void {
    if (this.#isClosed) {
      failed(closed());
      return;
    }
    this.#waiters.push({ answered, failed });
    this.#requests.push(this.#codec.writeRequest(command));
    this.#schedule();
  }

  /** Closes the connection; what waits fails. */
  hangUp(): void {
    this.fail(closed());
  }

  /** Closes the connection; what waits fails with `error`. */
  fail(error: RingletError): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    const waiters = this.#waiters.slice(this.#answered);
    this.#waiters = [];
    this.#requests = [];
    this.#handler?.closed();
    for (const { failed } of waiters) failed(error);
  }

  // ---- ByteStream: the door's side ------------------------------------------------------------------------------------

  start(handler: StreamHandler): void {
    this.#handler = handler;
  }

  write(bytes: Uint8Array): void {
    if (this.#isClosed) return;
    this.#replies.push(bytes.slice());
    this.#replyBytes += bytes.length;
    if (this.#replyBytes >= this.#neededBytes) this.#readReplies();
  }

  pause(): void {
    this.#isPaused = true;
  }

  resume(): void {
    this.#isPaused = false;
    this.#schedule();
  }

  end(): void {
    this.hangUp();
  }

  destroy(): void {
    this.hangUp();
  }

  /** Commands of one turn go as one chunk, and never from within the work of the node. */
  #schedule(): void {
    if (this.#isScheduled || this.#isPaused || this.#requests.length === 0) return;
    this.#isScheduled = true;
    Promise.resolve().then(() => {
      this.#isScheduled = false;
      if (this.#isClosed || this.#isPaused) return;
      const requests = this.#requests;
      this.#requests = [];
      if (requests.length !== 0) this.#handler?.received(concat(requests));
    });
  }

  #readReplies(): void {
    const bytes = joined(this.#replies);
    const { values, end, status, wanted } = this.#codec.parseReplies(bytes);
    const rest = bytes.subarray(end);
    this.#replies = rest.length === 0 ? [] : [rest];
    this.#replyBytes = rest.length;
    this.#neededBytes = rest.length + wanted;
    if (status === "error") {
      this.fail(new RingletError("BAD_REPLY", "the node has sent what is no reply"));
      return;
    }
    for (const value of values) {
      if (value.type === "push") continue;
      this.#waiters[this.#answered++]?.answered(value);
      if (this.#isClosed) return;
    }
    if (this.#answered < COMPACT_FROM) return;
    this.#waiters = this.#waiters.slice(this.#answered);
    this.#answered = 0;
  }
}

/** Waiters that have been answered, from which on they are let go. */
const COMPACT_FROM = 256;

const closed = () =>
  new RingletError(
    "CLOSED",
    "the node or its connection was closed; the command may have been run",
  );
