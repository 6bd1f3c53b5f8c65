// What stands between a client's stream and its connection of the door on a node with a server behind it: plain commands are passed to
// the server in runs as they came, and their replies back; what the node answers itself goes on to the door.

import { concat } from "../../codec/concat.ts";
import { INLINE_COMMAND } from "../../codec/resp-relay.ts";
import type { Backend } from "../../store/backend/backend.ts";
import type { BackendConnection, ReplySink } from "../../store/backend/connection.ts";
import { type BackendError, failureReply } from "../../store/backend/failure.ts";
import type { ByteStream, StreamHandler } from "../../transport/stream.ts";
import {
  CLIENT_OF_SERVER,
  type CommandWay,
  NAMED_COMMANDS,
  refusalOf,
  SECTIONS_OF_NODE,
} from "./backend-commands.ts";
import type { Release } from "./clients.ts";
import { HeldRequests } from "./held-requests.ts";
import { OwnState } from "./own-state.ts";

const TEXT = new TextEncoder();
const DECODER = new TextDecoder();

/** The client's connection of the door: it answers what the node answers itself. */
export interface LocalConnection extends StreamHandler {
  /** A command of the client waits in it. */
  readonly waiting: boolean;
  /** The client gets what it does not ask for. */
  isListener: boolean;
  readonly session: { readonly protocol: 2 | 3; readonly authenticated: boolean };
  /** Counts bytes that came from the client, and those that went to it, by another way than through it. */
  passedIn(bytes: number): void;
  passedOut(bytes: number): void;
  /** Counts bytes of commands that wait in front of it. */
  holdInput(bytes: number): void;
  /** Closes the connection: the client does not read its replies. */
  cutOff(): void;
}

export interface BackendStreamParts {
  readonly stream: ByteStream;
  readonly backend: Backend;
  readonly limits: {
    /** Bytes of replies that may wait for the client: beyond them nothing more of it runs. */
    readonly outputLimitBytes: number;
    /** Bytes beyond those, of replies to what was running, that may wait before the client is cut off. */
    readonly inFlightBudgetBytes: number;
    readonly maxRequestBytes: number;
  };
  /** CLIENT PAUSE. */
  readonly pause: { readonly mode: string | undefined; readonly over: Promise<void> };
  /** Notes that the client waits in a command of the server, and how to let it go on; undefined: it does no more. */
  readonly setWaiting: (release: Release | undefined) => void;
  /** Calls a task later in this turn. */
  readonly later: (task: () => void) => void;
}

/** What the client's next command waits for. */
type Wait = "replies" | "room" | "connection" | "door" | "pause" | "output";

export class BackendStream implements ByteStream, StreamHandler, ReplySink {
  readonly remoteAddress: string;
  readonly localAddress: string;
  readonly #parts: BackendStreamParts;
  readonly #stream: ByteStream;
  readonly #backend: Backend;
  #door!: LocalConnection;
  readonly #held: HeldRequests;
  #wait: Wait | undefined;
  /** Requests without a reply. */
  #outstanding = 0;
  /** The shared connection that it is on: its order holds on one only. */
  #shared: BackendConnection | undefined;
  /** The connection of its own, and what the server knows of that. */
  #own: OwnState | undefined;
  /** Why it has no connection of its own, to be told to the command that needs one. */
  #ownError: BackendError | undefined;
  /** The database that it has selected. */
  #database = 0;
  /** MULTI could not be begun: up to EXEC nothing runs. */
  #isTransactionRefused = false;
  /** Nothing more is read: when all is answered, this is said, and the stream ends. */
  #lastWords: string | undefined;
  #ended = false;
  #closed = false;
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
    if (this.#wait === "door") this.#parts.later(() => this.#goOn("door"));
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
    this.#endWith("");
  }

  destroy(): void {
    this.#stream.destroy();
  }

  // ---- What the client sends ----------------------------------------------------------------------------------------

  received(bytes: Uint8Array): void {
    if (this.#closed || this.#lastWords !== undefined) return;
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
    if (this.#own?.isBlocking === true || this.#own?.isRaw === true) this.#stream.destroy();
    else this.#endWhenDone();
  }

  drained(): void {
    this.#door.drained();
    this.#goOn("output");
  }

  closed(error?: Error): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#dropOwn();
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
        this.#endWith("ERR Protocol error: expected CR LF after bulk string");
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
      if (!this.#perform(number, concat(parts))) return false;
    } else {
      const connection = this.#open(1);
      if (connection === undefined) return false;
      if (connection !== FAILED) {
        const [first, ...others] = this.#held.peek(end);
        this.#send(connection, 1, first!);
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
      if (this.#closed || this.#lastWords !== undefined) return;
      const isStranger = !this.#door.session.authenticated;
      const { status, end, commands, name, stopEnd, wanted, resumeAt, left } = relay.commands(
        bytes,
        at,
        limit,
        isStranger,
        isStranger,
      );
      if (end > at) {
        if (commands !== 0 && !this.#pass(bytes.subarray(at, end), commands)) {
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
          if (!(isStranger ? this.#answerHere(command) : this.#perform(name, command))) {
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
          if (this.#answerHere(bytes.subarray(at))) this.#endWith("");
          else this.#keep(bytes, at);
          return;
      }
    }
  }

  /** Keeps what has not been passed on. */
  #keep(bytes: Uint8Array, at: number): void {
    if (at === bytes.length || this.#closed) return;
    this.#held.push(bytes.subarray(at));
    if (this.#wait !== undefined) this.#updateReading();
  }

  #checkLength(): void {
    if (this.#held.needed <= this.#parts.limits.maxRequestBytes) return;
    this.#endWith("ERR Protocol error: the command is longer than the limit of a request");
  }

  // ---- Where commands go --------------------------------------------------------------------------------------------

  /** Passes on a run of commands, or answers them; false: they must wait. */
  #pass(bytes: Uint8Array, commands: number): boolean {
    const connection = this.#open(commands);
    if (connection === undefined) return false;
    if (connection !== FAILED) this.#send(connection, commands, bytes);
    return true;
  }

  /**
   * Where the next `commands` commands go; `own`: to a connection of its own. Undefined: they must wait; FAILED: they have been
   * answered with an error.
   */
  #open(commands: number, own = false): BackendConnection | typeof FAILED | undefined {
    if (this.#isTransactionRefused) {
      const error = "ERR the transaction was refused: nothing is run up to EXEC or DISCARD";
      return this.#answer(error, commands) ? FAILED : undefined;
    }
    const { pause, limits } = this.#parts;
    if (pause.mode !== undefined) {
      void pause.over.then(() => this.#goOn("pause"));
      return this.#waitFor("pause");
    }
    if (this.#stream.bufferedBytes > limits.outputLimitBytes) return this.#waitFor("output");
    const needsOwn =
      own || this.#own !== undefined || this.#door.session.protocol === 3 || this.#database !== 0;
    let connection: BackendConnection | undefined;
    if (needsOwn) {
      const found = this.#takeOwn();
      if (found === undefined) return undefined;
      if (found === FAILED) return this.#answerFailure(commands);
      connection = found.connection;
    } else {
      if (this.#shared?.isOpen !== true) {
        // What was lost with it has been answered.
        this.#shared = this.#backend.share();
        if (this.#shared === undefined) {
          this.#ownError = this.#backend.error;
          return this.#answerFailure(commands);
        }
      }
      connection = this.#shared;
    }
    if (!connection.isFull) return connection;
    connection.whenRoom(() => this.#goOn("room"));
    return this.#waitFor("room");
  }

  #send(connection: BackendConnection, commands: number, bytes: Uint8Array): void {
    if (this.#own?.isRaw === true) {
      connection.write(bytes);
      return;
    }
    this.#outstanding += commands;
    connection.send(this, commands, bytes);
  }

  /** The connection of its own. Undefined: it must wait for one; FAILED: there is none, for #ownError. */
  #takeOwn(): OwnState | typeof FAILED | undefined {
    if (this.#own !== undefined) {
      if (this.#own.connection.isOpen) return this.#own;
      this.#ownError = this.#own.connection.error ?? this.#backend.error;
      return FAILED;
    }
    if (this.#ownError !== undefined) return FAILED;
    if (this.#outstanding !== 0) return this.#waitFor("replies");
    const { protocol } = this.#door.session;
    const idle = this.#backend.takeIdle(protocol, this.#database);
    if (idle !== undefined) {
      this.#own = new OwnState(idle);
      return this.#own;
    }
    this.#backend.open(protocol, this.#database).then(
      (own) => {
        if (this.#closed) this.#backend.giveBack(own);
        else this.#own = new OwnState(own);
        this.#goOn("connection");
      },
      (error: BackendError) => {
        this.#ownError = error;
        this.#goOn("connection");
      },
    );
    return this.#waitFor("connection");
  }

  /** Runs one command that has a way of its own; false: it must wait. */
  #perform(number: number, bytes: Uint8Array): boolean {
    const { codec } = this.#backend;
    const args = codec.parseRequests(bytes).commands[0];
    if (args === undefined) return true;
    if (number === INLINE_COMMAND) {
      const request = codec.writeRequest(args);
      const known = codec.relay.nameOf(request);
      return known === 0 ? this.#pass(request, 1) : this.#perform(known, request);
    }
    const [name, way] = NAMED_COMMANDS[number - 1]!;
    if (this.#isTransactionRefused && way === "end") return this.#endRefused(name);
    if (this.#own?.isRaw === true) return this.#performRaw(name, way, bytes);
    if (this.#own?.inMulti === true) return this.#performInMulti(name, way, args, bytes);
    const word = (index: number) => {
      const argument = args[index];
      return argument === undefined ? "" : DECODER.decode(argument).toLowerCase();
    };
    switch (way) {
      case "local":
        return this.#answerHere(bytes, name);
      case "client":
        return CLIENT_OF_SERVER.has(word(1)) && this.#mayStream(word(1))
          ? this.#beginRaw(bytes)
          : this.#answerHere(bytes);
      case "info":
        return args.length > 1 && args.every((_, i) => i === 0 || SECTIONS_OF_NODE.has(word(i)))
          ? this.#answerHere(bytes)
          : this.#pass(bytes, 1);
      case "refused":
        return this.#answer(refusalOf(name));
      case "multi":
        return this.#sendOwn(bytes, (own) => {
          if (own === undefined) this.#isTransactionRefused = true;
          else own.inMulti = args.length === 1;
        });
      case "watch":
        return this.#sendOwn(bytes, (own) => {
          if (own !== undefined) own.isWatching = true;
        });
      case "end":
      case "unwatch":
        if (this.#own !== undefined && args.length === 1 && name !== "discard") {
          this.#own.isWatching = false;
        }
        return this.#pass(bytes, 1);
      case "select":
        if (this.#own === undefined && this.#database === 0 && word(1) === "0") {
          return this.#pass(bytes, 1);
        }
        return this.#select(bytes, Number(word(1)));
      case "blocking":
        return this.#block(bytes);
      case "read":
        return args.some((_, i) => word(i) === "block") ? this.#block(bytes) : this.#pass(bytes, 1);
      case "wait":
        return this.#block(bytes, true);
      case "kill":
        if (word(1) === "debug") return this.#answer(refusalOf("script debug"));
        return word(1) === "kill" ? this.#block(bytes) : this.#pass(bytes, 1);
      case "stream":
        return this.#beginRaw(bytes);
    }
  }

  /** The connection of its own. Undefined: the command must wait; FAILED: it has been answered. */
  #openOwn(): OwnState | typeof FAILED | undefined {
    const connection = this.#open(1, true);
    return connection === undefined || connection === FAILED ? connection : this.#own!;
  }

  /** Sends one command over the connection of its own; `before` hears which, or that there is none. False: it must wait. */
  #sendOwn(bytes: Uint8Array, before: (own: OwnState | undefined) => void): boolean {
    const own = this.#openOwn();
    if (own === undefined) return false;
    before(own === FAILED ? undefined : own);
    if (own !== FAILED) this.#send(own.connection, 1, bytes);
    return true;
  }

  /** Sends a command that may take as long as it likes. `afterOthers`: it asks for what the connection has done. */
  #block(bytes: Uint8Array, afterOthers = false): boolean {
    const own = this.#openOwn();
    if (own === undefined) return false;
    if (own === FAILED) return true;
    if (afterOthers) this.#sendSilently(own, ["PING"]);
    own.isBlocking = true;
    this.#parts.setWaiting((reason) => this.#unblock(own, reason));
    this.#outstanding++;
    own.connection.send(this, 1, bytes, true);
    return true;
  }

  /** CLIENT UNBLOCK: the server lets the command go on; false where it does not know which. */
  #unblock(own: OwnState, reason: "timeout" | "error"): boolean {
    const { serverId } = own.connection;
    const shared = this.#backend.share();
    if (serverId === undefined || shared === undefined) return false;
    const request = ["CLIENT", "UNBLOCK", serverId, reason.toUpperCase()];
    shared.send(NOBODY, 1, this.#backend.codec.writeRequest(request));
    return true;
  }

  #select(bytes: Uint8Array, database: number): boolean {
    const own = this.#openOwn();
    if (own === undefined) return false;
    if (own === FAILED) return true;
    this.#outstanding++;
    const sink: ReplySink = {
      replies: (reply, count) => {
        if (reply[0] === PLUS) this.#database = database;
        this.replies(reply, count);
      },
      failed: (count, error, torn) => this.failed(count, error, torn),
      settled: () => this.settled(),
    };
    own.connection.send(sink, 1, bytes);
    return true;
  }

  /** Gives the client a connection of its own on which everything passes as it comes, in both directions. */
  #beginRaw(bytes: Uint8Array): boolean {
    if (this.#outstanding !== 0) {
      this.#waitFor("replies");
      return false;
    }
    const own = this.#openOwn();
    if (own === undefined) return false;
    if (own === FAILED) return true;
    own.isRaw = true;
    this.#door.isListener = true;
    own.connection.startRaw(this);
    own.connection.write(bytes);
    return true;
  }

  /** Tracking takes pushes, which only protocol 3 has on the same connection. */
  #mayStream(subcommand: string): boolean {
    return subcommand === "reply" || this.#door.session.protocol === 3;
  }

  #performRaw(name: string, way: CommandWay, bytes: Uint8Array): boolean {
    const own = this.#own!;
    if (name === "reset") return this.#answerHere(bytes, name);
    if (way === "refused" || (way === "local" && name !== "quit" && name !== "hello")) {
      this.#stream.write(TEXT.encode(`-${refusalOf(name)}\r\n`));
      return true;
    }
    own.connection.write(bytes);
    return true;
  }

  #performInMulti(
    name: string,
    way: CommandWay,
    args: readonly Uint8Array[],
    bytes: Uint8Array,
  ): boolean {
    const own = this.#own!;
    if (name === "quit" || name === "reset") return this.#answerHere(bytes, name);
    if (way === "local" || way === "client" || way === "stream" || way === "refused") {
      if (!this.#answer(`ERR ${name.toUpperCase()} cannot be part of a transaction here`))
        return false;
      own.isSpoilt = true;
      return true;
    }
    if (way === "select") own.isChanged = true;
    if (way !== "end" || args.length !== 1) return this.#pass(bytes, 1);
    if (!own.isSpoilt || name === "discard") {
      if (!this.#pass(bytes, 1)) return false;
      own.endTransaction();
      return true;
    }
    if (this.#outstanding !== 0) {
      this.#waitFor("replies");
      return false;
    }
    this.#sendSilently(own, ["DISCARD"]);
    own.endTransaction();
    return this.#answerLater("EXECABORT Transaction discarded because of previous errors.");
  }

  #endRefused(name: string): boolean {
    const isDone = this.#answer(
      name === "discard"
        ? "ERR DISCARD without MULTI"
        : "EXECABORT Transaction discarded because of previous errors.",
    );
    if (isDone) this.#isTransactionRefused = false;
    return isDone;
  }

  /** Sends a command whose reply the client does not get. */
  #sendSilently(own: OwnState, request: readonly (string | number)[]): void {
    this.#outstanding++;
    own.connection.send(
      {
        replies: (_, count) => {
          this.#outstanding -= count;
        },
        failed: (count) => {
          this.#outstanding -= count;
        },
        settled: () => this.settled(),
      },
      1,
      this.#backend.codec.writeRequest(request),
    );
  }

  // ---- What the node answers ----------------------------------------------------------------------------------------

  /** Gives a command to the door, behind all replies; false: it must wait. */
  #answerHere(bytes: Uint8Array, name = ""): boolean {
    if (this.#outstanding !== 0) {
      this.#waitFor("replies");
      return false;
    }
    if (name === "reset") {
      this.#dropOwn();
      this.#database = 0;
      this.#door.isListener = false;
    }
    // It counts them itself.
    this.#door.passedIn(-bytes.length);
    this.#door.received(bytes);
    if (this.#closed) return true;
    const { protocol } = this.#door.session;
    if (this.#own !== undefined && this.#own.protocol !== protocol) {
      this.#own.protocol = protocol;
      this.#sendSilently(this.#own, ["HELLO", protocol]);
    }
    if (this.#door.waiting) this.#waitFor("door");
    return true;
  }

  /** Answers an error `count` times, behind all replies; false: it must wait. */
  #answer(error: string, count = 1): boolean {
    if (this.#outstanding !== 0) {
      this.#waitFor("replies");
      return false;
    }
    return this.#answerLater(error, count);
  }

  #answerLater(error: string, count = 1): true {
    this.#write(TEXT.encode(`-${error}\r\n`.repeat(count)));
    return true;
  }

  /** Answers that there is no connection; for each command. */
  #answerFailure(count: number): typeof FAILED {
    const error = this.#ownError ?? this.#backend.error;
    this.#ownError = undefined;
    this.#backend.counters.droppedRequests += count;
    this.#answerLater(failureReply(error), count);
    if (this.#own?.connection.isOpen === false) this.#loseOwn();
    return FAILED;
  }

  // ---- What the server answers --------------------------------------------------------------------------------------

  replies(bytes: Uint8Array, count: number): void {
    this.#outstanding -= count;
    this.#write(bytes);
  }

  failed(count: number, error: BackendError, torn: boolean): void {
    this.#outstanding -= count;
    if (this.#closed) return;
    if (torn) this.#stream.destroy();
    else if (count !== 0) this.#write(TEXT.encode(`-${failureReply(error)}\r\n`.repeat(count)));
    if (this.#own?.connection.isOpen === false) this.#loseOwn();
  }

  settled(): void {
    if (this.#closed || this.#outstanding !== 0) return;
    const own = this.#own;
    if (own !== undefined) {
      this.#endBlocking(own);
      if (own.isClean && this.#database === 0 && this.#door.session.protocol === 2) {
        this.#own = undefined;
        this.#backend.giveBack(own);
      }
    }
    this.#goOn("replies");
    this.#endWhenDone();
  }

  #endBlocking(own: OwnState): void {
    if (!own.isBlocking) return;
    own.isBlocking = false;
    this.#parts.setWaiting(undefined);
  }

  #write(bytes: Uint8Array): void {
    if (this.#closed) return;
    this.#stream.write(bytes);
    this.#door.passedOut(bytes.length);
    const { outputLimitBytes, inFlightBudgetBytes } = this.#parts.limits;
    if (this.#stream.bufferedBytes > outputLimitBytes + inFlightBudgetBytes) this.#door.cutOff();
  }

  /** The server has forgotten what it knew of the client, who can only begin anew if that was anything. */
  #loseOwn(): void {
    const own = this.#own;
    this.#own = undefined;
    if (own === undefined) return;
    this.#endBlocking(own);
    if (!own.isClean) this.#endWith("");
  }

  #dropOwn(): void {
    const own = this.#own;
    this.#own = undefined;
    own?.discard();
  }

  // ---- Waiting and ending -------------------------------------------------------------------------------------------

  #waitFor(wait: Wait): undefined {
    this.#wait = wait;
    this.#updateReading();
  }

  /** Goes on with what was held, if that is what it waits for, and that is over. */
  #goOn(over: Wait): void {
    if (this.#wait !== over || this.#closed) return;
    if (over === "door" && this.#door.waiting) return;
    if (over === "replies" && this.#outstanding !== 0) return;
    this.#wait = undefined;
    if (this.#held.bytes !== 0) this.#runHeld();
    if (this.#wait !== undefined) return;
    this.#updateReading();
    this.#endWhenDone();
  }

  #updateReading(): void {
    const isEnough = this.#wait !== undefined && this.#held.bytes > MAX_BEHIND_WAIT_BYTES;
    const paused = this.#pausedByDoor || isEnough;
    if (paused === this.#paused || this.#closed) return;
    this.#paused = paused;
    if (paused) this.#stream.pause();
    else this.#stream.resume();
  }

  /** Reads no more; when all has been answered it says `words`, if any, and ends. */
  #endWith(words: string): void {
    this.#lastWords ??= words;
    this.#endWhenDone();
  }

  #endWhenDone(): void {
    if (this.#closed) return;
    const isIdle = this.#outstanding === 0 || this.#own?.isBlocking === true;
    if (this.#lastWords !== undefined) {
      if (!isIdle) return;
      if (this.#lastWords !== "") this.#answerLater(this.#lastWords);
      this.#lastWords = "";
      this.#dropOwn();
      this.#stream.end();
    } else if (this.#ended && isIdle && this.#wait === undefined) {
      this.#door.ended();
    }
  }
}

/** Takes replies that nobody waits for. */
const NOBODY: ReplySink = { replies() {}, failed() {}, settled() {} };
/** In the place of a connection: there is none. */
const FAILED = "failed";
const PLUS = 43;
/** Bytes behind a command with a way of its own that are looked at first. */
const WINDOW_BYTES = 16 * 1024;
/** Bytes that may come behind a command that waits, before reading stops until it goes on. */
const MAX_BEHIND_WAIT_BYTES = 64 * 1024;
