// The requests of one memcached client on a node with a memcached server behind it: they go to the server in runs, as they came, over
// a connection that clients share.

import type { MemcachedRelay, MemcachedRun } from "../../codec/memcached-relay.ts";
import type { CommandRest } from "../../codec/resp-relay.ts";
import type { Backend } from "../../store/backend/backend.ts";
import type { BackendConnection, ReplySink } from "../../store/backend/connection.ts";
import { type BackendError, failureText } from "../../store/backend/failure.ts";
import { type ClientRequests, FAILED, type RequestClient, withRoom } from "../backend-client.ts";
import type { HeldRequests } from "../held-requests.ts";
import type { ServingState } from "../serving-state.ts";
import { MergedParts, partsOfGat } from "./gat-parts.ts";

const TEXT = new TextEncoder();
/** Its answer ends the replies of a run whose number nobody knows. */
const VERSION = TEXT.encode("version\r\n");
/** More bytes than the line of a long request has. */
const HEAD_BYTES = 4096;

/** What of a run decides how it is sent. */
type Sending = Pick<MemcachedRun, "answered" | "isMarked" | "versions">;

export interface RelayedParts {
  readonly backend: Backend;
  readonly state: Pick<ServingState, "refusal">;
  /** Longest value that the node holds for a client. */
  readonly maxValueBytes: () => number;
}

export class RelayedRequests implements ClientRequests<MemcachedRun>, ReplySink {
  readonly tooLong = "SERVER_ERROR object too large for cache\r\n";
  readonly isBlocking = false;
  readonly isRaw = false;
  outstanding = 0;
  readonly #client: RequestClient;
  readonly #backend: Backend;
  readonly #relay: MemcachedRelay;
  readonly #maxValueBytes: () => number;
  readonly #state: Pick<ServingState, "refusal">;
  /** The shared connection that it is on: its order holds on one only. */
  #shared: BackendConnection | undefined;

  constructor(client: RequestClient, { backend, state, maxValueBytes }: RelayedParts) {
    this.#client = client;
    this.#backend = backend;
    this.#relay = backend.codec.memcachedRelay;
    this.#maxValueBytes = maxValueBytes;
    this.#state = state;
  }

  read(bytes: Uint8Array, at: number, limit: number): MemcachedRun {
    return this.#relay.requests(bytes, at, limit, this.#maxValueBytes());
  }

  pass(bytes: Uint8Array, run: MemcachedRun): boolean {
    return this.#pass([bytes], run);
  }

  passLong(held: HeldRequests, end: number): boolean {
    const head = held.head(HEAD_BYTES);
    const { block } = this.read(head, 0, head.length);
    return this.#pass(held.peek(end), { answered: 1, isMarked: false, ...block, versions: 0 });
  }

  /** A request has one data block: nothing is read on behind it. */
  rest(): CommandRest {
    return { status: "error", end: 0, wanted: 0, left: 0 };
  }

  perform(bytes: Uint8Array, { stop }: MemcachedRun): boolean {
    switch (stop.kind) {
      case "reply":
        return this.#answer(stop.line);
      case "fatal":
        this.#client.endWith(`${stop.line}\r\n`);
        return true;
      case "quit":
        this.#client.endWith("");
        return true;
      case "long gat":
        return this.#passGat(bytes);
    }
  }

  refuseLong(): boolean {
    return this.#answer("CLIENT_ERROR bad data chunk");
  }

  drop(): void {}

  #pass(parts: readonly Uint8Array[], { answered, isMarked, versions }: Sending): boolean {
    const connection = this.#open(answered);
    if (connection === undefined) return false;
    if (connection === FAILED) return true;
    const [first, ...others] = parts;
    if (isMarked) {
      const count = answered + 1;
      this.outstanding += count;
      connection.send(this.#markedSink(), count, first!, { marks: versions + 1 });
    } else {
      this.outstanding += answered;
      connection.send(this, answered, first!);
    }
    for (const part of others) connection.write(part);
    if (isMarked) connection.write(VERSION);
    return true;
  }

  /** Takes the replies of a run that is marked: the last one that is counted is the mark. */
  #markedSink(): ReplySink {
    return {
      replies: (bytes, count) => {
        this.outstanding -= count;
        if (bytes.length !== 0) this.#client.reply(bytes);
      },
      failed: (count, error, torn) => {
        this.outstanding -= count;
        this.#fail(count - 1, error, torn);
      },
      settled: () => this.settled(),
    };
  }

  /** Passes on gat or gats in several lines, since the server takes no longer ones; the client gets one answer. */
  #passGat(line: Uint8Array): boolean {
    const connection = this.#open(1);
    if (connection === undefined) return false;
    if (connection === FAILED) return true;
    const parts = partsOfGat(line);
    this.outstanding += parts.length;
    const sink = new MergedParts(parts.length, {
      reply: (bytes) => this.#client.reply(bytes),
      fail: (error, torn) => this.#fail(1, error, torn),
      settled: (count) => {
        this.outstanding -= count;
        this.settled();
      },
    });
    for (const part of parts) connection.send(sink, 1, part);
    return true;
  }

  /** Undefined: the next requests must wait; FAILED: they have been answered with an error, `answered` times. */
  #open(answered: number): BackendConnection | typeof FAILED | undefined {
    const refusal = this.#state.refusal(true);
    if (refusal !== undefined)
      return this.#answer(`SERVER_ERROR ${refusal}`, answered) ? FAILED : undefined;
    if (this.#client.isFull) return this.#client.waitFor("output");
    if (this.#shared?.isOpen !== true) {
      // What was lost with it has been answered.
      this.#shared = this.#backend.share();
      if (this.#shared === undefined) {
        this.#backend.counters.droppedRequests += answered;
        this.#fail(answered, this.#backend.error, false);
        return FAILED;
      }
    }
    return withRoom(this.#shared, this.#client);
  }

  /** Answers a line of the node's own, behind all replies; false: it must wait. */
  #answer(line: string, count = 1): boolean {
    if (this.outstanding !== 0) {
      this.#client.waitFor("replies");
      return false;
    }
    if (count !== 0) this.#client.reply(TEXT.encode(`${line}\r\n`.repeat(count)));
    return true;
  }

  #fail(count: number, error: BackendError, torn: boolean): void {
    if (this.#client.isClosed) return;
    if (torn) this.#client.destroy();
    else if (count !== 0) {
      this.#client.reply(TEXT.encode(`SERVER_ERROR ${failureText(error)}\r\n`.repeat(count)));
    }
  }

  // ---- What the server answers --------------------------------------------------------------------------------------

  replies(bytes: Uint8Array, count: number): void {
    this.outstanding -= count;
    this.#client.reply(bytes);
  }

  failed(count: number, error: BackendError, torn: boolean): void {
    this.outstanding -= count;
    this.#fail(count, error, torn);
  }

  settled(): void {
    if (this.#client.isClosed || this.outstanding !== 0) return;
    this.#client.goOn("replies");
    this.#client.endWhenDone();
  }
}
