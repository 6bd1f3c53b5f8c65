// What stands between a client's stream and its connection of the door on a node with a server behind it: plain commands are passed to
// the server in runs as they came, and their replies back; what the node answers itself goes on to the door.

import { concat } from "../../codec/concat.ts";
import type { Backend } from "../../store/backend/backend.ts";
import type { ByteStream, StreamHandler } from "../../transport/stream.ts";
import {
  BackendRequests,
  FAILED,
  type RequestClient,
  type RequestParts,
  type Wait,
} from "./backend-requests.ts";
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
  readonly session: { readonly protocol: 2 | 3; readonly authenticated: boolean };
  /** Counts bytes that came from the client, and those that went to it, by another way than through it. */
  passedIn(bytes: number): void;
  passedOut(bytes: number): void;
  /** Counts bytes of commands that wait in front of it. */
  holdInput(bytes: number): void;
  /** Closes the connection: the client does not read its replies. */
  cutOff(): void;
}

export interface BackendStreamParts extends RequestParts {
  readonly stream: ByteStream;
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

export class BackendStream implements ByteStream, StreamHandler, RequestClient {
  readonly remoteAddress: string;
  readonly localAddress: string;
  readonly #parts: BackendStreamParts;
  readonly #stream: ByteStream;
  readonly #backend: Backend;
  #door!: LocalConnection;
  readonly #held: HeldRequests;
  #wait: Wait | undefined;
  readonly #requests: BackendRequests;
  /** Nothing more is read: when all is answered, this is said, and the stream ends. */
  #lastWords: string | undefined;
  #ended = false;
  isClosed = false;
  #pausedByDoor = false;
  #paused = false;

  constructor(parts: BackendStreamParts) {
    this.#parts = parts;
    this.#stream = parts.stream;
    this.#backend = parts.backend;
    this.remoteAddress = parts.stream.remoteAddress;
    this.localAddress = parts.stream.localAddress;
    const count = (bytes: number) => this.#door.holdInput(bytes);
    this.#held = new HeldRequests(parts.backend.codec.relay, count);
    this.#requests = new BackendRequests(this, parts);
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

  get protocol(): 2 | 3 {
    return this.#door.session.protocol;
  }

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
    if (this.#held.bytes === 0 && this.#wait === undefined) {
      this.#consume(bytes);
      return;
    }
    this.#held.push(bytes);
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
        this.endWith("ERR Protocol error: expected CR LF after bulk string");
        return;
      case "long":
        if (this.#passLong(found.end) && this.#held.bytes !== 0) this.#runHeld();
        return;
      case "bytes":
        this.#held.clear();
        this.#consume(found.bytes);
    }
  }

  /** Passes on a long command that is whole. */
  #passLong(end: number): boolean {
    const { relay } = this.#backend.codec;
    const number = relay.nameOf(this.#held.head(end));
    if (number !== 0) {
      const parts = this.#held.peek(end);
      if (!this.#requests.perform(number, concat(parts))) return false;
    } else {
      const connection = this.#requests.open(1);
      if (connection === undefined) return false;
      if (connection !== FAILED) {
        const [first, ...others] = this.#held.peek(end);
        this.#requests.send(connection, 1, first!);
        for (const part of others) connection.write(part);
      }
    }
    this.#held.drop(end);
    return true;
  }

  #consume(bytes: Uint8Array): void {
    const { relay } = this.#backend.codec;
    const { length } = bytes;
    let at = 0;
    let limit = length;
    while (at < length) {
      if (this.#wait !== undefined) {
        this.#keep(bytes, at);
        return;
      }
      if (this.isClosed || this.#lastWords !== undefined) return;
      const isStranger = !this.#door.session.authenticated;
      const { status, end, commands, name, stopEnd, wanted, resumeAt, left } = relay.commands(
        bytes,
        at,
        limit,
        isStranger,
        isStranger,
      );
      if (end > at) {
        if (commands !== 0 && !this.#requests.pass(bytes.subarray(at, end), commands)) {
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
        case "stop": {
          const command = bytes.subarray(at, stopEnd);
          if (!(isStranger ? this.answerHere(command) : this.#requests.perform(name, command))) {
            this.#keep(bytes, at);
            return;
          }
          at = stopEnd;
          // What follows is looked at again from here: not all of it each time.
          limit = Math.min(length, at + WINDOW_BYTES);
          break;
        }
        case "error":
          // The door knows what to say to it, and closes.
          if (this.answerHere(bytes.subarray(at))) this.endWith("");
          else this.#keep(bytes, at);
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
    if (this.#held.needed <= this.#parts.limits.maxRequestBytes) return;
    this.endWith("ERR Protocol error: the command is longer than the limit of a request");
  }

  /** Gives a command to the door, behind all replies; false: it must wait. */
  answerHere(bytes: Uint8Array, name = ""): boolean {
    if (this.#requests.outstanding !== 0) {
      this.waitFor("replies");
      return false;
    }
    if (name === "reset") {
      this.#requests.reset();
    }
    // It counts them itself.
    this.#door.passedIn(-bytes.length);
    this.#door.received(bytes);
    if (this.isClosed) return true;
    this.#requests.followProtocol();
    if (this.#door.waiting) this.waitFor("door");
    return true;
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

  /** Reads no more; when all has been answered it says `words`, if any, and ends. */
  endWith(words: string): void {
    this.#lastWords ??= words;
    this.endWhenDone();
  }

  endWhenDone(): void {
    if (this.isClosed) return;
    const isIdle = this.#requests.outstanding === 0 || this.#requests.isBlocking;
    if (this.#lastWords !== undefined) {
      if (!isIdle) return;
      if (this.#lastWords !== "") this.reply(TEXT.encode(`-${this.#lastWords}\r\n`));
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
