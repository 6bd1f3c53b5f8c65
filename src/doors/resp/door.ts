// The RESP door: takes streams in, one connection each, and holds all of them to their limits.

import type { Logger } from "../../base/logger.ts";
import { RespWriter } from "../../codec/resp-writer.ts";
import type { RingletNode } from "../../node/node.ts";
import type { Backend } from "../../store/backend/backend.ts";
import type { ByteStream } from "../../transport/stream.ts";
import type { RequestClient } from "../backend-client.ts";
import { BackendStream } from "../backend-stream.ts";
import { isLoopback, OpenConnections, refuseClient } from "../open-connections.ts";
import { NAMED_COMMANDS } from "./backend-commands.ts";
import { BackendRequests } from "./backend-requests.ts";
import type { Commander } from "./commander.ts";
import { type ConnectionOwner, type ReplyGate, RespConnection } from "./connection.ts";
import { Feeder } from "./feeder.ts";
import { type CommandRequests, RelayedCommands } from "./relayed-commands.ts";
import { RING_NAMED_COMMANDS } from "./ring-named-commands.ts";
import { RingRequests } from "./ring-requests.ts";
import { Session } from "./session.ts";

/** What a door works with. */
export interface RespDoorParts {
  readonly node: RingletNode;
  readonly commander: Commander;
  readonly limits: RespDoorLimits;
}

/** The limits of a door; read at every use, so they may change while it is open. */
export interface RespDoorLimits {
  /** Clients at most; more are refused with an error. */
  readonly maxClients: number;
  /** Bytes of replies that may wait for one client: beyond them nothing more of it runs. */
  readonly outputLimitBytes: number;
  /** Longest command in bytes, all its arguments together. */
  readonly maxRequestBytes: number;
  /** Bytes of commands in part and replies not taken, of all clients, before reading from the heavy ones stops. */
  readonly inFlightBudgetBytes: number;
  /** A client that is heavy while the budget is exceeded is cut off when it makes no progress for so long. */
  readonly stalledRequestMs: number;
  /** A client that sends nothing for so long is closed; 0: never. */
  readonly idleTimeoutMs: number;
  /** Whether a client must send a password. */
  readonly passwordIsSet: boolean;
  /** Whether clients from other machines are refused while no password is set. */
  readonly protectedMode: boolean;
}

export class RespDoor implements ConnectionOwner {
  readonly commander: Commander;
  readonly feeder: Feeder;
  readonly gate: ReplyGate | undefined;
  readonly log: Logger;
  readonly #node: RingletNode;
  readonly #limits: RespDoorLimits;
  readonly #open: OpenConnections<RespConnection>;
  /** By the address of the connection in the kernel. */
  readonly #byAddress = new Map<number, RespConnection>();
  readonly #late = new RespWriter();
  #nextId = 1;

  constructor(parts: RespDoorParts) {
    this.commander = parts.commander;
    this.log = parts.node.log;
    this.#node = parts.node;
    this.#limits = parts.limits;
    const { ring } = parts.node;
    this.gate = ring?.replies;
    this.feeder = new Feeder(parts.node.store, ring);
    ring?.replies.onRelease(this);
    if (parts.node.backend?.options.kind === "redis") {
      const isMember = parts.node.ringServer !== undefined;
      nameCommands(parts.node.backend, isMember ? RING_NAMED_COMMANDS : NAMED_COMMANDS);
    }
    this.#open = new OpenConnections(parts.limits, this.log);
    parts.node.onTick(() =>
      this.#open.tick(parts.node.store.now, (client) => this.#mayIdle(client)),
    );
  }

  get outputLimitBytes(): number {
    return this.#limits.outputLimitBytes;
  }

  get maxRequestBytes(): number {
    return this.#limits.maxRequestBytes;
  }

  get isOverBudget(): boolean {
    return this.#open.isOverBudget;
  }

  /** Clients that are connected. */
  get connections(): ReadonlySet<RespConnection> {
    return this.#open.all;
  }

  /** Takes a client in, or refuses it with the reason. */
  accept(stream: ByteStream): void {
    const refusal = this.#refusal(stream);
    if (refusal !== undefined) {
      this.#reject(stream, refusal);
      return;
    }
    const kernelConnection = this.#node.store.kernel.connectionOpen() >>> 0;
    if (kernelConnection === 0) {
      refuseClient(stream, "-OOM no memory for another client\r\n");
      return;
    }
    const facts = {
      id: this.#nextId++,
      remoteAddress: stream.remoteAddress,
      localAddress: stream.localAddress,
      connectedAt: this.now(),
    };
    const session = new Session(
      this.#node.store,
      kernelConnection,
      facts,
      !this.#limits.passwordIsSet,
    );
    const served = this.#serve(stream, session);
    const connection = new RespConnection(this, served, session);
    this.#open.add(connection);
    this.#byAddress.set(kernelConnection, connection);
    this.commander.clients.add(connection);
    served.start(connection);
  }

  /** The transport does not let a client in; `stream`: where it can be told why. */
  refuse(stream: ByteStream | undefined, reason: string): void {
    this.#reject(stream, `ERR TLS: ${reason}`);
  }

  #reject(stream: ByteStream | undefined, refusal: string): void {
    this.commander.clients.rejected++;
    if (stream !== undefined) refuseClient(stream, `-${refusal}\r\n`);
  }

  /** The client's stream as its connection sees it: with a server behind the node, without what passes to that. */
  #serve(stream: ByteStream, session: Session): ByteStream {
    const { backend, runtime } = this.#node;
    if (backend === undefined) return stream;
    const { relay } = backend.codec;
    return new BackendStream({
      ...{ stream, limits: this.#limits },
      requests: (client) =>
        new RelayedCommands(this.#requestsOf(client, session, backend), client, { session, relay }),
      later: (task) => runtime.endOfTurn(task),
    });
  }

  /** A member of a ring has the ring run commands; a node that is alone passes them to its server. */
  #requestsOf(client: RequestClient, session: Session, backend: Backend): CommandRequests {
    const { clients, pause, ring, state } = this.commander;
    const { ringServer, runtime } = this.#node;
    if (ring === undefined || ringServer === undefined) {
      return new BackendRequests(client, {
        ...{ backend, session, pause, state },
        setWaiting: (release) => clients.setWaiting(session.facts.id, release),
      });
    }
    return new RingRequests(client, {
      ...{ ring, session, pause, state, codec: backend.codec, commands: ringServer.commands },
      later: (task) => runtime.endOfTurn(task),
    });
  }

  #refusal(stream: ByteStream): string | undefined {
    if (this.#open.isDraining) return "ERR the node is shutting down";
    if (this.#open.all.size >= this.#limits.maxClients) {
      return "ERR max number of clients reached";
    }
    if (
      this.#limits.protectedMode &&
      !this.#limits.passwordIsSet &&
      !isLoopback(stream.remoteAddress)
    ) {
      return "DENIED this node has no password and answers only clients on its own machine. Set --requirepass, or connect from loopback.";
    }
    return undefined;
  }

  /** Stops taking clients, and closes each one when what it has sent is answered; resolves when all are gone. */
  drain(): Promise<void> {
    return this.#open.drain();
  }

  /** Closes every connection now, and the door for good. */
  close(): void {
    this.#open.close();
  }

  now(): number {
    return this.#node.runtime.now();
  }

  letTimePass(): void {
    this.#node.letTimePass();
  }

  readBytes(kernelConnection: number): number {
    return this.#node.store.memory.words[(kernelConnection >>> 2) + 2]!;
  }

  writeLate(connection: RespConnection, write: (reply: RespWriter) => void): void {
    this.letTimePass();
    this.#late.protocol = connection.protocol;
    write(this.#late);
    connection.send(this.#late.view());
    this.#late.clear();
  }

  noteReplies(connection: RespConnection): void {
    this.#open.noteReplies(connection, this.now());
  }

  hold(connection: RespConnection): void {
    this.#open.hold(connection);
  }

  drained(): void {
    this.#open.drained();
  }

  addPending(bytes: number): void {
    this.#open.addPending(bytes, this.now());
  }

  release(kernelConnection: number, bytes: Uint8Array): void {
    this.#byAddress.get(kernelConnection)?.release(bytes);
  }

  released(kernelConnection: number): void {
    this.#byAddress.get(kernelConnection)?.released();
  }

  closed(connection: RespConnection): void {
    this.#byAddress.delete(connection.kernelConnection);
    this.commander.clients.remove(connection);
    this.#node.store.kernel.connectionClose(connection.kernelConnection);
    this.#node.ring?.replies.forget(connection.kernelConnection);
    this.#open.remove(connection);
  }

  #mayIdle({ waiting, isListener, session }: RespConnection): boolean {
    return waiting || isListener || this.commander.clients.isWaiting(session.facts.id);
  }
}

/** Tells what passes commands on which of them do not go the common way. */
function nameCommands({ codec }: Backend, named: typeof NAMED_COMMANDS): void {
  for (const [i, [name]] of named.entries()) codec.relay.stopAt(name, i + 1);
}
