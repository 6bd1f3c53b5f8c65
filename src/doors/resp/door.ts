// The RESP door: takes streams in, one connection each, and holds all of them to their limits.

import type { Logger } from "../../base/logger.ts";
import { RespWriter } from "../../codec/resp-writer.ts";
import type { RingletNode } from "../../node/node.ts";
import type { Backend } from "../../store/backend/backend.ts";
import type { ByteStream } from "../../transport/stream.ts";
import { NAMED_COMMANDS } from "./backend-commands.ts";
import { BackendStream } from "./backend-stream.ts";
import type { Commander } from "./commander.ts";
import { type ConnectionOwner, type ReplyGate, RespConnection } from "./connection.ts";
import { Feeder } from "./feeder.ts";
import { FlightBudget } from "./flight-budget.ts";
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

const TEXT = new TextEncoder();

export class RespDoor implements ConnectionOwner {
  readonly commander: Commander;
  readonly feeder: Feeder;
  readonly gate: ReplyGate | undefined;
  readonly log: Logger;
  readonly #node: RingletNode;
  readonly #limits: RespDoorLimits;
  readonly #connections = new Set<RespConnection>();
  /** By the address of the connection in the kernel. */
  readonly #byAddress = new Map<number, RespConnection>();
  readonly #late = new RespWriter();
  readonly #budget: FlightBudget;
  /** Clients for whom many bytes of replies wait, and those of whom nothing runs until replies have left. */
  readonly #unread = new Set<RespConnection>();
  readonly #held = new Set<RespConnection>();
  #nextId = 1;
  #draining = false;
  /** Bytes of commands in part, of all connections. */
  #pendingBytes = 0;
  #whenEmpty: (() => void) | undefined;

  constructor(parts: RespDoorParts) {
    this.commander = parts.commander;
    this.log = parts.node.log;
    this.#node = parts.node;
    this.#limits = parts.limits;
    const { ring } = parts.node;
    this.gate = ring?.replies;
    this.feeder = new Feeder(parts.node.store, ring);
    ring?.replies.onRelease(this);
    if (parts.node.backend !== undefined) nameCommands(parts.node.backend);
    this.#budget = new FlightBudget(this.#connections, parts.limits, this.log);
    parts.node.onTick(() => this.#tick());
  }

  get outputLimitBytes(): number {
    return this.#limits.outputLimitBytes;
  }

  get maxRequestBytes(): number {
    return this.#limits.maxRequestBytes;
  }

  get isOverBudget(): boolean {
    if (this.#unread.size === 0) return false;
    let bytes = this.#pendingBytes;
    for (const connection of this.#unread) bytes += connection.pendingOutputBytes;
    return bytes > this.#limits.inFlightBudgetBytes;
  }

  /** Clients that are connected. */
  get connections(): ReadonlySet<RespConnection> {
    return this.#connections;
  }

  /** Takes a client in, or refuses it with the reason. */
  accept(stream: ByteStream): void {
    const refusal = this.#refusal(stream);
    if (refusal !== undefined) {
      this.commander.clients.rejected++;
      stream.start(DEAF);
      stream.write(TEXT.encode(`-${refusal}\r\n`));
      stream.end();
      return;
    }
    const kernelConnection = this.#node.store.kernel.connectionOpen() >>> 0;
    if (kernelConnection === 0) {
      stream.start(DEAF);
      stream.write(TEXT.encode("-OOM no memory for another client\r\n"));
      stream.end();
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
    const served = this.#serve(stream, facts.id);
    const connection = new RespConnection(this, served, session);
    this.#connections.add(connection);
    this.#byAddress.set(kernelConnection, connection);
    this.commander.clients.add(connection);
    served.start(connection);
  }

  /** The client's stream as its connection sees it: with a server behind the node, without what passes to that. */
  #serve(stream: ByteStream, id: number): ByteStream {
    const { backend, runtime } = this.#node;
    if (backend === undefined) return stream;
    return new BackendStream({
      ...{ stream, backend, limits: this.#limits, pause: this.commander.pause },
      setWaiting: (release) => this.commander.clients.setWaiting(id, release),
      later: (task) => runtime.endOfTurn(task),
    });
  }

  #refusal(stream: ByteStream): string | undefined {
    if (this.#draining) return "ERR the node is shutting down";
    if (this.#connections.size >= this.#limits.maxClients) {
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
    this.#draining = true;
    for (const connection of [...this.#connections]) connection.finish();
    if (this.#connections.size === 0) return Promise.resolve();
    return new Promise((resolve) => {
      this.#whenEmpty = resolve;
    });
  }

  /** Closes every connection now, and the door for good. */
  close(): void {
    this.#draining = true;
    for (const connection of [...this.#connections]) connection.kill(false);
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
    if (this.#unread.has(connection)) return;
    this.#unread.add(connection);
    connection.noteTaken(this.now());
  }

  hold(connection: RespConnection): void {
    this.#held.add(connection);
  }

  drained(): void {
    for (const connection of [...this.#held]) {
      if (connection.mustWait) continue;
      this.#held.delete(connection);
      connection.goOn();
    }
  }

  addPending(bytes: number): void {
    this.#pendingBytes += bytes;
    if (bytes > 0 && this.#pendingBytes > this.#limits.inFlightBudgetBytes) {
      this.#budget.enforce(this.now());
    }
  }

  release(kernelConnection: number, bytes: Uint8Array): void {
    this.#byAddress.get(kernelConnection)?.release(bytes);
  }

  released(kernelConnection: number): void {
    this.#byAddress.get(kernelConnection)?.released();
  }

  closed(connection: RespConnection): void {
    this.#connections.delete(connection);
    this.#byAddress.delete(connection.kernelConnection);
    this.#unread.delete(connection);
    this.#held.delete(connection);
    this.commander.clients.remove(connection);
    this.#node.store.kernel.connectionClose(connection.kernelConnection);
    this.#node.ring?.replies.forget(connection.kernelConnection);
    if (this.#connections.size === 0) this.#whenEmpty?.();
  }

  #tick(): void {
    const { now } = this.#node.store;
    this.#budget.enforce(now);
    this.#cutOffUnread(now);
    this.drained();
    const idle = this.#limits.idleTimeoutMs;
    if (idle === 0) return;
    for (const connection of this.#connections) {
      if (now - connection.lastInputAt < idle || this.#mayIdle(connection)) continue;
      connection.kill(true);
    }
  }

  #mayIdle({ waiting, isListener, session }: RespConnection): boolean {
    return waiting || isListener || this.commander.clients.isWaiting(session.facts.id);
  }

  /** Looks who takes the replies that wait, and cuts off who does not where too many wait. */
  #cutOffUnread(now: number): void {
    const isOver = this.isOverBudget;
    for (const connection of [...this.#unread]) {
      const bytes = connection.noteTaken(now);
      if (bytes === 0) this.#unread.delete(connection);
      if (bytes === 0 || now - connection.takenAt < this.#limits.stalledRequestMs) continue;
      const isFull = bytes > this.#limits.outputLimitBytes;
      if (isFull || (isOver && !connection.session.noEvict)) connection.cutOff();
    }
  }
}

/** Tells what passes commands on which of them do not go the common way. */
function nameCommands({ codec }: Backend): void {
  for (const [i, [name]] of NAMED_COMMANDS.entries()) codec.relay.stopAt(name, i + 1);
}

/** Hears nothing: of a stream that was refused. */
const DEAF = { received() {}, ended() {}, drained() {}, closed() {} };

/** Whether the address of a stream is on this machine. */
export function isLoopback(address: string): boolean {
  return (
    address.startsWith("127.") ||
    address.startsWith("[::1]") ||
    address.startsWith("[::ffff:127.") ||
    address.startsWith("unix:") ||
    address.startsWith("sim:")
  );
}
