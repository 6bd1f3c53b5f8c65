// The requests of one client of a ring whose nodes have servers behind them: each is a command of the ring, routed by its keys. Those on
// the same key run one after the other, all others at once; replies leave in the order of the requests.

import { concat } from "../../codec/concat.ts";
import { INLINE_COMMAND } from "../../codec/resp-relay.ts";
import { keyIndexes } from "../../ring/command-keys.ts";
import type { CommandTable } from "../../ring/local-commands.ts";
import { latin1 } from "../../store/arguments.ts";
import type { Backend } from "../../store/backend/backend.ts";
import type { RequestClient } from "../backend-client.ts";
import type { ServingState } from "../serving-state.ts";
import { CLIENT_OF_SERVER } from "./backend-commands.ts";
import type { CommandRequests } from "./relayed-commands.ts";
import type { RingClients, SessionOptions } from "./ring-clients.ts";
import { RING_NAMED_COMMANDS, refusalInRing } from "./ring-named-commands.ts";

export interface RingRequestParts {
  readonly codec: Backend["codec"];
  readonly ring: RingClients;
  readonly session: SessionOptions;
  readonly commands: CommandTable;
  readonly state: Pick<ServingState, "refusal">;
  /** CLIENT PAUSE. */
  readonly pause: { readonly mode: string | undefined; readonly over: Promise<void> };
  /** Calls a task later in this turn. */
  readonly later: (task: () => void) => void;
}

/** Requests of one client that may be under way; beyond them it waits. */
export const MAX_RUNNING_REQUESTS = 4096;

const TEXT = new TextEncoder();
const DECODER = new TextDecoder();
const OK = TEXT.encode("+OK\r\n");

interface Slot {
  reply: Uint8Array | undefined;
}

export class RingRequests implements CommandRequests {
  readonly isBlocking = false;
  readonly isRaw = false;
  readonly #client: RequestClient;
  readonly #parts: RingRequestParts;
  /** In the order of the requests; those at the beginning leave when they have their reply. */
  #slots: Slot[] = [];
  #isScheduled = false;
  /** The last command on each key that is under way, by the key. */
  readonly #last = new Map<string, Promise<void>>();
  /** MULTI was refused: up to EXEC nothing runs. */
  #isTransactionRefused = false;

  constructor(client: RequestClient, parts: RingRequestParts) {
    this.#client = client;
    this.#parts = parts;
  }

  get outstanding(): number {
    return this.#slots.length;
  }

  pass(bytes: Uint8Array, _commands: number): boolean {
    if (!this.#mayBegin()) return false;
    // The arguments outlive the call.
    for (const args of this.#parts.codec.parseRequests(bytes.slice()).commands) this.#begin(args);
    return true;
  }

  passLong(parts: () => readonly Uint8Array[]): boolean {
    return this.pass(concat(parts()), 1);
  }

  perform(number: number, bytes: Uint8Array): boolean {
    if (!this.#mayBegin()) return false;
    const { codec } = this.#parts;
    const args = codec.parseRequests(bytes).commands[0];
    if (args === undefined) return true;
    if (number === INLINE_COMMAND) {
      const request = codec.writeRequest(args);
      const known = codec.relay.nameOf(request);
      return known === 0 ? this.pass(request, 1) : this.perform(known, request);
    }
    const [name, way] = RING_NAMED_COMMANDS[number - 1]!;
    const word = (index: number) => DECODER.decode(args[index] ?? NOTHING).toLowerCase();
    if (way === "end" && this.#isTransactionRefused) return this.#endRefused(name);
    const isLeaving = name === "quit" || name === "reset";
    if (this.#isTransactionRefused && !isLeaving) return this.#answerError(IN_REFUSED);
    switch (way) {
      case "local":
        if (name !== "hello" || word(1) !== "3") return this.answerHere(bytes, name);
        return this.#answerError(NO_PROTOCOL_3);
      case "client":
        if (!CLIENT_OF_SERVER.has(word(1))) return this.answerHere(bytes);
        return this.#answerError(refusalInRing(`client ${word(1)}`));
      case "info":
        return this.answerHere(bytes);
      case "select":
        if (args.length === 2 && word(1) === "0") return this.#answer(OK);
        return this.#answerError(ONE_DATABASE);
      case "multi":
        this.#isTransactionRefused = true;
        return this.#answerError(refusalInRing(name));
      default:
        return this.#answerError(refusalInRing(name));
    }
  }

  answerHere(bytes: Uint8Array, name = ""): boolean {
    if (this.outstanding !== 0) {
      this.#client.waitFor("replies");
      return false;
    }
    if (name === "reset") this.#isTransactionRefused = false;
    this.#client.answerHere(bytes);
    return true;
  }

  drop(): void {
    this.#slots = [];
    this.#last.clear();
  }

  /** Whether a request can begin now; else the client waits. */
  #mayBegin(): boolean {
    const { pause } = this.#parts;
    if (pause.mode !== undefined) {
      void pause.over.then(() => this.#client.goOn("pause"));
      this.#client.waitFor("pause");
      return false;
    }
    if (this.#client.isFull) this.#client.waitFor("output");
    else if (this.#slots.length >= MAX_RUNNING_REQUESTS) this.#client.waitFor("room");
    else return true;
    return false;
  }

  #begin(args: readonly Uint8Array[]): void {
    const { commands, ring, session, state } = this.#parts;
    if (this.#isTransactionRefused) {
      this.#answerError(IN_REFUSED);
      return;
    }
    const found = commands.find(args);
    if (found === undefined) {
      this.#answerError(refusalInRing(latin1(args[0]!, 0, Math.min(args[0]!.length, SHOWN_BYTES))));
      return;
    }
    const { name, command } = found;
    const { arity } = command;
    if (arity < 0 ? args.length < -arity : args.length !== arity) {
      this.#answerError(`ERR wrong number of arguments for '${name}' command`);
      return;
    }
    const refusal = state.refusal(found.writes);
    if (refusal !== undefined) {
      this.#answerError(`ERR ${refusal}`);
      return;
    }
    const keys = keyIndexes(command, args).map((index) =>
      latin1(args[index]!, 0, args[index]!.length),
    );
    const reply = ring.runFor(session, name, args, this.#earlier(keys));
    const slot: Slot = { reply: undefined };
    this.#slots.push(slot);
    if (reply === undefined) {
      this.#fulfil(slot, errorOf(`ERR wrong number of arguments for '${name}' command`));
      return;
    }
    const failed = (error: unknown) => errorOf(`ERR internal error: ${String(error)}`);
    const done = reply.catch(failed).then((bytes) => this.#fulfil(slot, bytes));
    for (const key of keys) this.#last.set(key, done);
  }

  /** Resolves when the commands of the client on some of these keys are done; undefined: none is under way. */
  #earlier(keys: readonly string[]): Promise<void> | undefined {
    const before = keys.flatMap((key) => this.#last.get(key) ?? []);
    if (before.length < 2) return before[0];
    return Promise.all(before).then(() => {});
  }

  #fulfil(slot: Slot, reply: Uint8Array): void {
    slot.reply = reply;
    if (this.#isScheduled || this.#slots[0]?.reply === undefined) return;
    this.#isScheduled = true;
    this.#parts.later(() => {
      this.#isScheduled = false;
      this.#release();
    });
  }

  /** Sends the replies that need not wait. */
  #release(): void {
    const end = this.#slots.findIndex(({ reply }) => reply === undefined);
    const ready = this.#slots.splice(0, end === -1 ? this.#slots.length : end);
    if (this.#client.isClosed || ready.length === 0) return;
    this.#client.reply(concat(ready.map(({ reply }) => reply!)));
    if (this.#slots.length < MAX_RUNNING_REQUESTS) this.#client.goOn("room");
    if (this.#slots.length !== 0) return;
    this.#last.clear();
    this.#client.goOn("replies");
    this.#client.endWhenDone();
  }

  #endRefused(name: string): boolean {
    this.#isTransactionRefused = false;
    return this.#answerError(
      name === "discard"
        ? "ERR DISCARD without MULTI"
        : "EXECABORT Transaction discarded because of previous errors.",
    );
  }

  #answerError(text: string): true {
    return this.#answer(errorOf(text));
  }

  /** Answers behind the replies of what is under way. */
  #answer(reply: Uint8Array): true {
    const slot: Slot = { reply: undefined };
    this.#slots.push(slot);
    this.#fulfil(slot, reply);
    return true;
  }
}

const NOTHING = new Uint8Array(0);
/** Of a command that nobody knows, the bytes of its name that are shown. */
const SHOWN_BYTES = 64;
const IN_REFUSED = "ERR the transaction was refused: nothing is run up to EXEC or DISCARD";
const NO_PROTOCOL_3 =
  "NOPROTO unsupported protocol version: a ring whose nodes have servers behind them speaks protocol 2";
const ONE_DATABASE =
  "ERR DB index is out of range: a ring whose nodes have servers behind them has database 0 alone";

function errorOf(text: string): Uint8Array {
  return TEXT.encode(`-${text.replace(/[\r\n]+/g, " ")}\r\n`);
}
