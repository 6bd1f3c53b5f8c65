// What stands between a client's stream and its connection of the door on a node with a server behind it: plain requests are passed to
// the server in runs as they came, and their replies back; what the node answers itself goes on to the door.

import type { ByteStream, StreamHandler } from "../transport/stream.ts";
import type { ClientRequests, RequestClient, RequestRun, Wait } from "./backend-client.ts";
import { HeldRequests } from "./held-requests.ts";

const TEXT = new TextEncoder();

/** The client's connection of the door: it answers what the node answers itself. */
export interface LocalConnection extends StreamHandler {
  /** A command of the client waits in it. */
  readonly waiting: boolean;
  /** The client gets what it does not ask for. */
  isListener: boolean;
  /** Commands of the client wait in front of it. */
  waitsInFront: boolean;
  /** It is to close when what has come is answered. */
  readonly isFinishing: boolean;
  /** Counts bytes that came from the client, and those that went to it, by another way than through it. */
  passedIn(bytes: number): void;
  passedOut(bytes: number): void;
  /** Counts bytes of commands that wait in front of it. */
  holdInput(bytes: number): void;
  /** Closes the connection: the client does not read its replies. */
  cutOff(): void;
}

export interface BackendStreamParts<Run extends RequestRun> {
  readonly stream: ByteStream;
  /** What the client's protocol makes of its requests. */
  readonly requests: (client: RequestClient) => ClientRequests<Run>;
  readonly limits: {
    /** Bytes of replies that may wait for the client: beyond them nothing more of it runs. */
    readonly outputLimitBytes: number;
    /** Bytes beyond those, of replies to what was running, that may wait before the client is cut off. */
    readonly inFlightBudgetBytes: number;
    readonly maxRequestBytes: number;
  };
  /** Calls a task later in this turn. */
  readonly later: (task: () => void) => void;
}

export class BackendStream<Run extends RequestRun>
  implements ByteStream, StreamHandler, RequestClient
{
  readonly remoteAddress: string;
  readonly localAddress: string;
  readonly #parts: BackendStreamParts<Run>;
  readonly #stream: ByteStream;
  #door!: LocalConnection;
  readonly #held: HeldRequests;
  #wait: Wait | undefined;
  readonly #requests: ClientRequests<Run>;
  /** Bytes to come that belong to a request which was refused. */
  #skipped = 0;
  /** Nothing more is read: when all is answered, this is said, and the stream ends. */
  #lastWords: string | undefined;
  #ended = false;
  isClosed = false;
  #pausedByDoor = false;
  #paused = false;

  constructor(parts: BackendStreamParts<Run>) {
    this.#parts = parts;
    this.#stream = parts.stream;
    this.remoteAddress = parts.stream.remoteAddress;
    this.localAddress = parts.stream.localAddress;
    this.#requests = parts.requests(this);
    this.#held = new HeldRequests(
      (bytes, left) => this.#requests.rest(bytes, left),
      (bytes) => this.#door.holdInput(bytes),
    );
  }

  // ---- The stream as the door sees it -------------------------------------------------------------------------------

  get bufferedBytes(): number {
    return this.#stream.bufferedBytes;
  }

  start(handler: LocalConnection): void {
    this.#door = handler;
    this.#stream.start(this);
  }

  write(bytes: Uint8Array): void {
    this.#stream.write(bytes);
    if (this.#wait === "door") this.#parts.later(() => this.goOn("door"));
  }

  pause(): void {
    this.#pausedByDoor = true;
    this.#updateReading();
  }

  resume(): void {
    this.#pausedByDoor = false;
    this.#updateReading();
  }

  end(): void {
    this.endWith("");
  }

  destroy(): void {
    this.#stream.destroy();
  }

  // ---- The client as its requests see it ----------------------------------------------------------------------------

  get isFull(): boolean {
    return this.#stream.bufferedBytes > this.#parts.limits.outputLimitBytes;
  }

  get isListener(): boolean {
    return this.#door.isListener;
  }
  set isListener(isListener: boolean) {
    this.#door.isListener = isListener;
  }

  // ---- What the client sends ----------------------------------------------------------------------------------------

  received(bytes: Uint8Array): void {
    if (this.isClosed || this.#lastWords !== undefined) return;
    this.#door.passedIn(bytes.length);
    const skipped = Math.min(this.#skipped, bytes.length);
    this.#skipped -= skipped;
    const rest = skipped === 0 ? bytes : bytes.subarray(skipped);
    if (this.#held.bytes === 0 && this.#wait === undefined) {
      this.#consume(rest);
      return;
    }
    if (rest.length !== 0) this.#held.push(rest);
    if (this.#wait !== undefined) this.#updateReading();
    else this.#runHeld();
  }

  ended(): void {
    this.#ended = true;
    // Who closes while a command waits in the server takes no reply any more; the server itself sees it so.
    if (this.#requests.isBlocking || this.#requests.isRaw) this.#stream.destroy();
    else this.endWhenDone();
  }

  drained(): void {
    this.#door.drained();
    this.goOn("output");
  }

  closed(error?: Error): void {
    if (this.isClosed) return;
    this.isClosed = true;
    this.#requests.drop();
    this.#held.clear();
    this.#door.closed(error);
  }

  #runHeld(): void {
    const found = this.#held.look();
    switch (found.status) {
      case "incomplete":
        this.#checkLength();
        return;
      case "error":
        if (!this.#requests.refuseLong()) return;
        this.#held.drop(found.end);
        if (this.#held.bytes !== 0) this.#runHeld();
        return;
      case "long":
        if (!this.#requests.passLong(this.#held, found.end)) return;
        this.#held.drop(found.end);
        if (this.#held.bytes !== 0) this.#runHeld();
        return;
      case "bytes":
        this.#held.clear();
        this.#consume(found.bytes);
    }
  }

  #consume(bytes: Uint8Array): void {
    const requests = this.#requests;
    const { length } = bytes;
    let at = 0;
    let limit = length;
    while (at < length) {
      if (this.#wait !== undefined) {
        this.#keep(bytes, at);
        return;
      }
      if (this.isClosed || this.#lastWords !== undefined) return;
      const run = requests.read(bytes, at, limit);
      const { status, end, stopEnd, wanted, resumeAt, left } = run;
      if (end > at) {
        if (!requests.pass(bytes.subarray(at, end), run)) {
          this.#keep(bytes, at);
          return;
        }
        at = end;
      }
      switch (status) {
        case "end":
          limit = length;
          break;
        case "incomplete":
          if (limit < length) {
            limit = length;
            break;
          }
          this.#keep(bytes, at);
          this.#held.expect(wanted, resumeAt - at, left);
          this.#checkLength();
          return;
        case "stop":
          if (!requests.perform(bytes.subarray(at, stopEnd), run)) {
            this.#keep(bytes, at);
            return;
          }
          at = Math.min(stopEnd, length);
          this.#skipped = stopEnd - at;
          // What follows is looked at again from here: not all of it each time.
          limit = Math.min(length, at + WINDOW_BYTES);
          break;
        case "error":
          if (!requests.perform(bytes.subarray(at), run)) this.#keep(bytes, at);
          return;
      }
    }
  }

  /** Keeps what has not been passed on. */
  #keep(bytes: Uint8Array, at: number): void {
    if (at === bytes.length || this.isClosed) return;
    this.#held.push(bytes.subarray(at));
    if (this.#wait !== undefined) this.#updateReading();
  }

  #checkLength(): void {
    if (this.#held.needed > this.#parts.limits.maxRequestBytes)
      this.endWith(this.#requests.tooLong);
  }

  answerHere(bytes: Uint8Array): void {
    // It counts them itself.
    this.#door.passedIn(-bytes.length);
    this.#door.received(bytes);
    if (!this.isClosed && this.#door.waiting) this.waitFor("door");
  }

  reply(bytes: Uint8Array): void {
    if (this.isClosed) return;
    this.#stream.write(bytes);
    this.#door.passedOut(bytes.length);
    const { outputLimitBytes, inFlightBudgetBytes } = this.#parts.limits;
    if (this.#stream.bufferedBytes > outputLimitBytes + inFlightBudgetBytes) this.#door.cutOff();
  }

  // ---- Waiting and ending -------------------------------------------------------------------------------------------

  waitFor(wait: Wait): undefined {
    this.#wait = wait;
    this.#door.waitsInFront = true;
    this.#updateReading();
  }

  /** Goes on with what was held, if that is what it waits for, and that is over. */
  goOn(over: Wait): void {
    if (this.#wait !== over || this.isClosed) return;
    if (over === "door" && this.#door.waiting) return;
    if (over === "replies" && this.#requests.outstanding !== 0) return;
    this.#wait = undefined;
    if (this.#held.bytes !== 0) this.#runHeld();
    if (this.#wait !== undefined) return;
    this.#door.waitsInFront = false;
    this.#updateReading();
    this.endWhenDone();
  }

  #updateReading(): void {
    const isEnough = this.#wait !== undefined && this.#held.bytes > MAX_BEHIND_WAIT_BYTES;
    const paused = this.#pausedByDoor || isEnough;
    if (paused === this.#paused || this.isClosed) return;
    this.#paused = paused;
    if (paused) this.#stream.pause();
    else this.#stream.resume();
  }

  /** Reads no more; when all has been answered it sends `words`, if any, and ends. */
  endWith(words: string): void {
    this.#lastWords ??= words;
    this.endWhenDone();
  }

  endWhenDone(): void {
    if (this.isClosed) return;
    const isIdle = this.#requests.outstanding === 0 || this.#requests.isBlocking;
    if (this.#lastWords !== undefined) {
      if (!isIdle) return;
      if (this.#lastWords !== "") this.reply(TEXT.encode(this.#lastWords));
      this.#lastWords = "";
      this.#requests.drop();
      this.#stream.end();
    } else if ((this.#ended || this.#door.isFinishing) && isIdle && this.#wait === undefined) {
      this.#door.ended();
    }
  }
}

/** Bytes behind a command with a way of its own that are looked at first. */
const WINDOW_BYTES = 16 * 1024;
/** Bytes that may come behind a command that waits, before reading stops until it goes on. */
const MAX_BEHIND_WAIT_BYTES = 64 * 1024;
