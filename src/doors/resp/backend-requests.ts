// The requests of one client to the server behind the node: over which connection each goes, and what the client gets where it
// does not go at all.

import { INLINE_COMMAND } from "../../codec/resp-relay.ts";
import type { Backend } from "../../store/backend/backend.ts";
import type { BackendConnection, ReplySink } from "../../store/backend/connection.ts";
import { type BackendError, failureText } from "../../store/backend/failure.ts";
import { FAILED, type RequestClient, withRoom } from "../backend-client.ts";
import type { ServingState } from "../serving-state.ts";
import {
  CLIENT_OF_SERVER,
  type CommandWay,
  NAMED_COMMANDS,
  refusalOf,
  SECTIONS_OF_NODE,
} from "./backend-commands.ts";
import type { Release } from "./clients.ts";
import { OwnState } from "./own-state.ts";
import type { CommandRequests } from "./relayed-commands.ts";

const TEXT = new TextEncoder();
const DECODER = new TextDecoder();

export interface RequestParts {
  readonly backend: Backend;
  readonly session: { readonly protocol: 2 | 3; readonly authenticated: boolean };
  /** CLIENT PAUSE. */
  readonly state: Pick<ServingState, "refusal">;
  readonly pause: { readonly mode: string | undefined; readonly over: Promise<void> };
  /** Notes that the client waits in a command of the server, and how to let it go on; undefined: it does no more. */
  readonly setWaiting: (release: Release | undefined) => void;
}

export class BackendRequests implements CommandRequests, ReplySink {
  readonly #client: RequestClient;
  readonly #parts: RequestParts;
  readonly #backend: Backend;
  /** Requests without a reply. */
  outstanding = 0;
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

  constructor(client: RequestClient, parts: RequestParts) {
    this.#client = client;
    this.#parts = parts;
    this.#backend = parts.backend;
  }

  /** Whether a command waits in the server for as long as it likes. */
  get isBlocking(): boolean {
    return this.#own?.isBlocking === true;
  }

  /** Whether all bytes of the server pass as they come. */
  get isRaw(): boolean {
    return this.#own?.isRaw === true;
  }

  get #protocol(): 2 | 3 {
    return this.#parts.session.protocol;
  }

  /** Gives a command to the door, behind all replies; false: it must wait. */
  answerHere(bytes: Uint8Array, name = ""): boolean {
    if (this.outstanding !== 0) {
      this.#client.waitFor("replies");
      return false;
    }
    if (name === "reset") this.#reset();
    this.#client.answerHere(bytes);
    if (!this.#client.isClosed) this.#followProtocol();
    return true;
  }

  /** Forgets what it has selected, watched and subscribed to. */
  #reset(): void {
    this.drop();
    this.#database = 0;
    this.#client.isListener = false;
  }

  /** The client has chosen the other protocol, perhaps: its own connection follows. */
  #followProtocol(): void {
    const protocol = this.#protocol;
    if (this.#own === undefined || this.#own.protocol === protocol) return;
    this.#own.protocol = protocol;
    this.#sendSilently(this.#own, ["HELLO", protocol]);
  }

  passLong(parts: () => readonly Uint8Array[]): boolean {
    const connection = this.#open(1);
    if (connection === undefined) return false;
    if (connection === FAILED) return true;
    const [first, ...others] = parts();
    this.#send(connection, 1, first!);
    for (const part of others) connection.write(part);
    return true;
  }

  /** Passes on a run of commands, or answers them; false: they must wait. */
  pass(bytes: Uint8Array, commands: number): boolean {
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
    const { pause, state } = this.#parts;
    const refusal = state.refusal(true);
    if (refusal !== undefined) return this.#answer(`ERR ${refusal}`, commands) ? FAILED : undefined;
    if (pause.mode !== undefined) {
      void pause.over.then(() => this.#client.goOn("pause"));
      return this.#client.waitFor("pause");
    }
    if (this.#client.isFull) return this.#client.waitFor("output");
    const needsOwn = own || this.#own !== undefined || this.#protocol === 3 || this.#database !== 0;
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
    return withRoom(connection, this.#client);
  }

  #send(connection: BackendConnection, commands: number, bytes: Uint8Array): void {
    if (this.#own?.isRaw === true) {
      connection.write(bytes);
      return;
    }
    this.outstanding += commands;
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
    if (this.outstanding !== 0) return this.#client.waitFor("replies");
    const protocol = this.#protocol;
    const idle = this.#backend.takeIdle(protocol, this.#database);
    if (idle !== undefined) {
      this.#own = new OwnState(idle);
      return this.#own;
    }
    this.#backend.open(protocol, this.#database).then(
      (own) => {
        if (this.#client.isClosed) this.#backend.giveBack(own);
        else this.#own = new OwnState(own);
        this.#client.goOn("connection");
      },
      (error: BackendError) => {
        this.#ownError = error;
        this.#client.goOn("connection");
      },
    );
    return this.#client.waitFor("connection");
  }

  /** Runs one command that has a way of its own; false: it must wait. */
  perform(number: number, bytes: Uint8Array): boolean {
    const { codec } = this.#backend;
    const args = codec.parseRequests(bytes).commands[0];
    if (args === undefined) return true;
    if (number === INLINE_COMMAND) {
      const request = codec.writeRequest(args);
      const known = codec.relay.nameOf(request);
      return known === 0 ? this.pass(request, 1) : this.perform(known, request);
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
        return this.answerHere(bytes, name);
      case "client":
        return CLIENT_OF_SERVER.has(word(1)) && this.#mayStream(word(1))
          ? this.#beginRaw(bytes)
          : this.answerHere(bytes);
      case "info":
        return args.length > 1 && args.every((_, i) => i === 0 || SECTIONS_OF_NODE.has(word(i)))
          ? this.answerHere(bytes)
          : this.pass(bytes, 1);
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
        return this.pass(bytes, 1);
      case "select":
        if (this.#own === undefined && this.#database === 0 && word(1) === "0") {
          return this.pass(bytes, 1);
        }
        return this.#select(bytes, Number(word(1)));
      case "blocking":
        return this.#block(bytes);
      case "read":
        return args.some((_, i) => word(i) === "block") ? this.#block(bytes) : this.pass(bytes, 1);
      case "wait":
        return this.#block(bytes, true);
      case "kill":
        if (word(1) === "debug") return this.#answer(refusalOf("script debug"));
        return word(1) === "kill" ? this.#block(bytes) : this.pass(bytes, 1);
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
    this.outstanding++;
    own.connection.send(this, 1, bytes, { forEver: true });
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
    this.outstanding++;
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
    if (this.outstanding !== 0) {
      this.#client.waitFor("replies");
      return false;
    }
    const own = this.#openOwn();
    if (own === undefined) return false;
    if (own === FAILED) return true;
    own.isRaw = true;
    this.#client.isListener = true;
    own.connection.startRaw(this);
    own.connection.write(bytes);
    return true;
  }

  /** Tracking takes pushes, which only protocol 3 has on the same connection. */
  #mayStream(subcommand: string): boolean {
    return subcommand === "reply" || this.#protocol === 3;
  }

  #performRaw(name: string, way: CommandWay, bytes: Uint8Array): boolean {
    const own = this.#own!;
    if (name === "reset") return this.answerHere(bytes, name);
    if (way === "refused" || (way === "local" && name !== "quit" && name !== "hello")) {
      this.#client.reply(TEXT.encode(`-${refusalOf(name)}\r\n`));
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
    if (name === "quit" || name === "reset") return this.answerHere(bytes, name);
    if (way === "local" || way === "client" || way === "stream" || way === "refused") {
      if (!this.#answer(`ERR ${name.toUpperCase()} cannot be part of a transaction here`))
        return false;
      own.isSpoilt = true;
      return true;
    }
    if (way === "select") own.isChanged = true;
    if (way !== "end" || args.length !== 1) return this.pass(bytes, 1);
    if (!own.isSpoilt || name === "discard") {
      if (!this.pass(bytes, 1)) return false;
      own.endTransaction();
      return true;
    }
    if (this.outstanding !== 0) {
      this.#client.waitFor("replies");
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
    this.outstanding++;
    own.connection.send(
      {
        replies: (_, count) => {
          this.outstanding -= count;
        },
        failed: (count) => {
          this.outstanding -= count;
        },
        settled: () => this.settled(),
      },
      1,
      this.#backend.codec.writeRequest(request),
    );
  }

  // ---- What the node answers ----------------------------------------------------------------------------------------

  /** Answers an error `count` times, behind all replies; false: it must wait. */
  #answer(error: string, count = 1): boolean {
    if (this.outstanding !== 0) {
      this.#client.waitFor("replies");
      return false;
    }
    return this.#answerLater(error, count);
  }

  #answerLater(error: string, count = 1): true {
    this.#client.reply(TEXT.encode(`-${error}\r\n`.repeat(count)));
    return true;
  }

  /** Answers that there is no connection; for each command. */
  #answerFailure(count: number): typeof FAILED {
    const error = this.#ownError ?? this.#backend.error;
    this.#ownError = undefined;
    this.#backend.counters.droppedRequests += count;
    this.#answerLater(`ERR ${failureText(error)}`, count);
    if (this.#own?.connection.isOpen === false) this.#loseOwn();
    return FAILED;
  }

  // ---- What the server answers --------------------------------------------------------------------------------------

  replies(bytes: Uint8Array, count: number): void {
    this.outstanding -= count;
    this.#client.reply(bytes);
  }

  failed(count: number, error: BackendError, torn: boolean): void {
    this.outstanding -= count;
    if (this.#client.isClosed) return;
    if (torn) this.#client.destroy();
    else if (count !== 0) this.#answerLater(`ERR ${failureText(error)}`, count);
    if (this.#own?.connection.isOpen === false) this.#loseOwn();
  }

  settled(): void {
    if (this.#client.isClosed || this.outstanding !== 0) return;
    const own = this.#own;
    if (own !== undefined) {
      this.#endBlocking(own);
      if (own.isClean && this.#database === 0 && this.#protocol === 2) {
        this.#own = undefined;
        this.#backend.giveBack(own);
      }
    }
    this.#client.goOn("replies");
    this.#client.endWhenDone();
  }

  #endBlocking(own: OwnState): void {
    if (!own.isBlocking) return;
    own.isBlocking = false;
    this.#parts.setWaiting(undefined);
  }

  /** The server has forgotten what it knew of the client, who can only begin anew if that was anything. */
  #loseOwn(): void {
    const own = this.#own;
    this.#own = undefined;
    if (own === undefined) return;
    this.#endBlocking(own);
    if (!own.isClean) this.#client.endWith("");
  }

  /** Closes the connection of its own: the client is gone, or begins anew. */
  drop(): void {
    const own = this.#own;
    this.#own = undefined;
    own?.discard();
  }
}

/** Takes replies that nobody waits for. */
const NOBODY: ReplySink = { replies() {}, failed() {}, settled() {} };
const PLUS = 43;
