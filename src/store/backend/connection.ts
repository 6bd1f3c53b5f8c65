// One connection to the server behind a node: requests out in batches, replies back to those that wait for them, in order.

import type { Runtime, Timer } from "../../base/runtime.ts";
import type { ReplyCutter, ReplyTaker } from "../../codec/reply-cutter.ts";
import type { ByteStream, StreamHandler } from "../../transport/stream.ts";
import type { BackendCounters } from "./counters.ts";
import { BackendError } from "./failure.ts";
import type { BackendLimits } from "./limits.ts";

/** Who waits for replies. */
export interface ReplySink {
  /** Bytes of replies, the ends of `count` of them among them. They are there until this returns; send nothing from in here. */
  replies(bytes: Uint8Array, count: number): void;
  /** `count` replies will not come; `torn`: of the first one a part has been given. */
  failed(count: number, error: BackendError, torn: boolean): void;
  /** After replies() or failed(): the sink may send again. */
  settled(): void;
}

export interface ConnectionParts {
  readonly runtime: Runtime;
  /** Of its own: it cuts what the server sends. */
  readonly cutter: ReplyCutter;
  readonly stream: ByteStream;
  readonly limits: BackendLimits;
  readonly counters: BackendCounters;
  /** How long a request may wait for its reply; read at every use. */
  readonly timeoutMs: () => number;
  /** The connection is gone. Called once, after those that waited have been told. */
  readonly onClosed: (connection: BackendConnection, error: BackendError) => void;
}

/** How a request is sent, where not as most are. */
export interface SendOptions {
  /** Its replies may take any time. */
  readonly forEver?: boolean;
  /** Nobody knows the number of its replies: they are what comes up to so many marks of the protocol. */
  readonly marks?: number;
}

interface Waiting {
  readonly sink: ReplySink;
  count: number;
  /** Marks that end its replies; 0: they are counted. */
  marks: number;
  /** On the monotonic clock; Infinity: it may wait as long as it likes. */
  readonly since: number;
}

/** Bytes of requests that are gathered before they are written; longer ones are written by themselves. */
const BATCH_BYTES = 64 * 1024;
/** What a connection has room for at first: most connections of one client never need more. */
const FIRST_BATCH_BYTES = 1024;

export class BackendConnection implements StreamHandler, ReplyTaker {
  readonly #parts: ConnectionParts;
  readonly #stream: ByteStream;
  readonly #cutter: ReplyCutter;
  #batch = new Uint8Array(FIRST_BATCH_BYTES);
  #batchBytes = 0;
  #flushAsked = false;
  /** Those that wait, from #first on, in the order of their requests. */
  #waiting: Waiting[] = [];
  #first = 0;
  #outstanding = 0;
  /** When the last request that could wait for ever was answered: those behind it have waited since then at most. */
  #freedAt = 0;
  #timer: Timer | undefined;
  #timerAt = 0;
  /** Whose reply was too late at the last look. */
  #suspect: Waiting | undefined;
  readonly #settled = new Set<ReplySink>();
  readonly #needRoom = new Set<() => void>();
  /** Whose connection it is, where the bytes of the server go as they come. */
  #raw: ReplySink | undefined;
  #error: BackendError | undefined;
  /** The number of the connection in the server; undefined where it did not tell. */
  serverId: number | undefined;

  constructor(parts: ConnectionParts) {
    this.#parts = parts;
    this.#stream = parts.stream;
    this.#cutter = parts.cutter;
    this.#stream.start(this);
  }

  get isOpen(): boolean {
    return this.#error === undefined;
  }

  /** Why it is gone. */
  get error(): BackendError | undefined {
    return this.#error;
  }

  /** Requests without a reply. */
  get outstanding(): number {
    return this.#outstanding;
  }

  /** Bytes of requests that the server has not taken. */
  get queuedBytes(): number {
    return this.isOpen ? this.#stream.bufferedBytes + this.#batchBytes : 0;
  }

  /** Whether requests must wait; whenRoom() says until when. */
  get isFull(): boolean {
    const { maxOutstandingRequests, maxQueuedBytes } = this.#parts.limits;
    return this.#outstanding >= maxOutstandingRequests || this.queuedBytes >= maxQueuedBytes;
  }

  /** Calls `task` once when there is room, or the connection is gone. */
  whenRoom(task: () => void): void {
    this.#needRoom.add(task);
  }

  /**
   * Sends requests, `count` of which the server answers; their replies go to `sink`. `bytes` are the caller's again when this
   * returns. On a connection that is gone it fails the sink at once.
   */
  send(sink: ReplySink, count: number, bytes: Uint8Array, options: SendOptions = {}): void {
    if (this.#error !== undefined) {
      this.#parts.counters.droppedRequests += count;
      sink.failed(count, this.#error, false);
      sink.settled();
      return;
    }
    if (count !== 0) this.#await(sink, count, options);
    this.write(bytes);
  }

  /** Sends bytes that nobody waits for a reply to: a part of a request that send() began, or on a raw connection. */
  write(bytes: Uint8Array): void {
    if (this.#error !== undefined) return;
    const { length } = bytes;
    this.#parts.counters.requestBytes += length;
    if (this.#batchBytes + length > BATCH_BYTES) this.#flush();
    if (length > BATCH_BYTES) {
      this.#stream.write(bytes);
      return;
    }
    if (this.#batchBytes + length > this.#batch.length) this.#growBatch(length);
    this.#batch.set(bytes, this.#batchBytes);
    this.#batchBytes += length;
    if (this.#flushAsked) return;
    this.#flushAsked = true;
    this.#parts.runtime.endOfTurn(() => {
      this.#flushAsked = false;
      this.#flush();
    });
  }

  /** From now on all that comes goes to `sink` as it is, and nothing is too late. Only where nobody waits. */
  startRaw(sink: ReplySink): void {
    this.#raw = sink;
  }

  /** Closes it; those that wait get `error`. */
  close(error: BackendError): void {
    if (this.#error !== undefined) return;
    this.#error = error;
    this.#stream.destroy();
    this.#end(error);
  }

  received(bytes: Uint8Array): void {
    if (this.#error !== undefined) return;
    this.#parts.counters.responseBytes += bytes.length;
    if (this.#raw !== undefined) {
      this.#raw.replies(bytes, 0);
      this.#raw.settled();
      return;
    }
    const status = this.#cutter.feed(bytes, this);
    if (status !== "ok") {
      this.#parts.counters.err++;
      this.close(new BackendError("BACKEND_LOST", this.#broken(status, bytes)));
    }
    this.#settle();
    this.#makeRoom();
  }

  ended(): void {
    this.#lost("eof", "the server closed the connection");
  }

  drained(): void {
    this.#makeRoom();
  }

  closed(error?: Error): void {
    if (error === undefined) this.#lost("eof", "the server closed the connection");
    else this.#lost("err", `the connection was lost: ${error.message}`);
  }

  /** @internal of the cutter */
  expected(): number {
    const waiting = this.#waiting[this.#first];
    if (waiting === undefined) return 0;
    return waiting.marks === 0 ? waiting.count : -waiting.marks;
  }

  /** @internal of the cutter */
  take(bytes: Uint8Array, read: number): void {
    const waiting = this.#waiting[this.#first]!;
    const { sink } = waiting;
    let replies = read;
    if (waiting.marks !== 0) {
      waiting.marks -= read;
      replies = waiting.marks === 0 ? waiting.count : 0;
    }
    if (replies !== 0) {
      this.#outstanding -= replies;
      this.#parts.counters.responses += replies;
      waiting.count -= replies;
      if (waiting.count === 0) this.#shift(waiting);
    }
    this.#settled.add(sink);
    sink.replies(bytes, replies);
  }

  #await(sink: ReplySink, count: number, { forEver = false, marks = 0 }: SendOptions): void {
    this.#parts.counters.requests += count;
    this.#outstanding += count;
    const since = forEver ? Number.POSITIVE_INFINITY : this.#parts.runtime.monotonic();
    this.#waiting.push({ sink, count, marks, since });
    if (!forEver) this.#armTimer(since + this.#parts.timeoutMs());
  }

  #shift(waiting: Waiting): void {
    if (waiting.since === Number.POSITIVE_INFINITY) {
      this.#freedAt = this.#parts.runtime.monotonic();
      this.#armTimer(this.#freedAt + this.#parts.timeoutMs());
    }
    this.#first++;
    if (this.#first === this.#waiting.length) {
      this.#waiting.length = 0;
      this.#first = 0;
    } else if (this.#first > MANY_SHIFTED) {
      this.#waiting.splice(0, this.#first);
      this.#first = 0;
    }
  }

  /** Looks at the oldest request at `at`, on the monotonic clock, or before. */
  #armTimer(at: number): void {
    if (this.#timer !== undefined && this.#timerAt <= at) return;
    this.#timer?.cancel();
    this.#timerAt = at;
    const { runtime } = this.#parts;
    this.#timer = runtime.after(Math.ceil(at - runtime.monotonic()), () => {
      this.#timer = undefined;
      this.#checkTime();
    });
  }

  /** Closes the connection where the oldest request is too late: what comes could not be told from other replies any more. */
  #checkTime(): void {
    const oldest = this.#waiting[this.#first];
    if (oldest === undefined || oldest.since === Number.POSITIVE_INFINITY) return;
    const timeoutMs = this.#parts.timeoutMs();
    const since = Math.max(oldest.since, this.#freedAt);
    const now = this.#parts.runtime.monotonic();
    if (since + timeoutMs > now) {
      this.#armTimer(since + timeoutMs);
      return;
    }
    if (this.#suspect !== oldest) {
      // Where this process stood still, the reply has come and was not read yet.
      this.#suspect = oldest;
      this.#armTimer(now + SECOND_LOOK_MS);
      return;
    }
    this.#parts.counters.timedout++;
    this.#parts.counters.timedoutRequests += this.#outstanding;
    this.close(
      new BackendError(
        "BACKEND_TIMEOUT",
        `no reply within ${timeoutMs} ms: the command may have been executed`,
      ),
    );
  }

  #flush(): void {
    const length = this.#batchBytes;
    if (length === 0 || this.#error !== undefined) return;
    this.#batchBytes = 0;
    this.#stream.write(this.#batch.subarray(0, length));
  }

  #growBatch(length: number): void {
    const before = this.#batch.subarray(0, this.#batchBytes);
    const wanted = Math.max(this.#batchBytes + length, this.#batch.length * 4);
    this.#batch = new Uint8Array(Math.min(wanted, BATCH_BYTES));
    this.#batch.set(before);
  }

  #lost(counter: "eof" | "err", what: string): void {
    if (this.#error !== undefined) return;
    this.#parts.counters[counter]++;
    this.close(
      new BackendError(
        "BACKEND_LOST",
        `${what} before it answered: the command may have been executed`,
      ),
    );
  }

  #end(error: BackendError): void {
    this.#timer?.cancel();
    const waiting = this.#waiting.slice(this.#first);
    this.#waiting = [];
    this.#first = 0;
    this.#outstanding = 0;
    let torn = this.#cutter.isMidReply;
    for (const { sink, count } of waiting) {
      this.#parts.counters.droppedRequests += count;
      sink.failed(count, error, torn);
      this.#settled.add(sink);
      torn = false;
    }
    const raw = this.#raw;
    if (raw !== undefined) {
      this.#raw = undefined;
      raw.failed(0, error, false);
      this.#settled.add(raw);
    }
    this.#parts.onClosed(this, error);
    this.#settle();
    this.#makeRoom();
  }

  #settle(): void {
    if (this.#settled.size === 0) return;
    const sinks = [...this.#settled];
    this.#settled.clear();
    for (const sink of sinks) sink.settled();
  }

  #makeRoom(): void {
    if (this.#needRoom.size === 0 || (this.isOpen && this.isFull)) return;
    const tasks = [...this.#needRoom];
    this.#needRoom.clear();
    for (const task of tasks) task();
  }

  #broken(status: "error" | "unexpected", bytes: Uint8Array): string {
    if (status === "error")
      return "the server sent what is no reply: the command may have been executed";
    const text = new TextDecoder().decode(bytes.subarray(0, SHOWN_BYTES)).trim();
    return `the server sent what nobody asked for: ${text}`;
  }
}

/** How long after the first look a request that is too late is looked at again, before the connection closes. */
const SECOND_LOOK_MS = 10;
/** Entries in front of the first one that waits, before the list is cut. */
const MANY_SHIFTED = 1024;
/** Of what the server says unasked, the bytes that are shown. */
const SHOWN_BYTES = 120;
