// The commands of one client of the RESP door as they come, on a node with a Redis server behind it: which go in runs, which one by
// one, and what is no command.

import { concat } from "../../codec/concat.ts";
import type { CommandRest, CommandRun, RespRelay } from "../../codec/resp-relay.ts";
import type { ClientRequests, RequestClient } from "../backend-client.ts";
import type { HeldRequests } from "../held-requests.ts";

/** What becomes of the commands of one client. */
export interface CommandRequests
  extends Pick<ClientRequests<CommandRun>, "outstanding" | "isBlocking" | "isRaw" | "drop"> {
  /** Begins a run of commands that have no way of their own, or answers them; false: they must wait. */
  pass(bytes: Uint8Array, commands: number): boolean;
  /** The same with one long command. */
  passLong(parts: () => readonly Uint8Array[]): boolean;
  /** Runs one command that has a way of its own, known to the relay by a number; false: it must wait. */
  perform(number: number, bytes: Uint8Array): boolean;
  /** Gives a command to the door, behind all replies; false: it must wait. */
  answerHere(bytes: Uint8Array): boolean;
}

export interface RelayedCommandsParts {
  readonly session: { readonly authenticated: boolean };
  readonly relay: RespRelay;
}

/** Bytes of a command that tell its name. */
const HEAD_BYTES = 128;

export class RelayedCommands implements ClientRequests<CommandRun> {
  readonly tooLong = "-ERR Protocol error: the command is longer than the limit of a request\r\n";
  readonly #requests: CommandRequests;
  readonly #client: RequestClient;
  readonly #session: RelayedCommandsParts["session"];
  readonly #relay: RespRelay;

  constructor(requests: CommandRequests, client: RequestClient, parts: RelayedCommandsParts) {
    this.#requests = requests;
    this.#client = client;
    this.#session = parts.session;
    this.#relay = parts.relay;
  }

  get outstanding(): number {
    return this.#requests.outstanding;
  }

  get isBlocking(): boolean {
    return this.#requests.isBlocking;
  }

  get isRaw(): boolean {
    return this.#requests.isRaw;
  }

  read(bytes: Uint8Array, at: number, limit: number): CommandRun {
    const isStranger = !this.#session.authenticated;
    return this.#relay.commands(bytes, at, limit, isStranger, isStranger);
  }

  pass(bytes: Uint8Array, { commands }: CommandRun): boolean {
    // Arrays without an argument are no commands, and nothing answers them.
    return commands === 0 || this.#requests.pass(bytes, commands);
  }

  perform(bytes: Uint8Array, { status, name }: CommandRun): boolean {
    if (status === "error") return this.#refuse(bytes);
    return this.#session.authenticated
      ? this.#requests.perform(name, bytes)
      : this.#requests.answerHere(bytes);
  }

  passLong(held: HeldRequests, end: number): boolean {
    const requests = this.#requests;
    const number = this.#relay.nameOf(held.head(HEAD_BYTES));
    if (number !== 0) return requests.perform(number, concat(held.peek(end)));
    return requests.passLong(() => held.peek(end));
  }

  rest(bytes: Uint8Array, left: number): CommandRest {
    return this.#relay.rest(bytes, left);
  }

  refuseLong(): boolean {
    this.#client.endWith("-ERR Protocol error: expected CR LF after bulk string\r\n");
    return false;
  }

  drop(): void {
    this.#requests.drop();
  }

  /** Has the door say what is wrong: it knows, and closes. */
  #refuse(bytes: Uint8Array): boolean {
    if (!this.#requests.answerHere(bytes)) return false;
    this.#client.endWith("");
    return true;
  }
}
