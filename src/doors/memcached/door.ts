// The memcached door: takes streams in, one connection each, and holds all of them to the limits of the RESP door.

import type { Logger } from "../../base/logger.ts";
import type { MemcachedFace, MemcachedRequests } from "../../codec/memcached.ts";
import type { RespReplyFace } from "../../codec/resp-reply.ts";
import type { RingletNode } from "../../node/node.ts";
import type { ByteStream } from "../../transport/stream.ts";
import type { Commander } from "../resp/commander.ts";
import { isLoopback, type RespDoorLimits } from "../resp/door.ts";
import { FlightBudget } from "../resp/flight-budget.ts";
import { MemcachedCommands } from "./commands.ts";
import { MemcachedConnection, type MemcachedOwner } from "./connection.ts";
import { Items } from "./items.ts";
import { type Measured, MemcachedStatistics } from "./statistics.ts";

/** What a door works with. */
export interface MemcachedDoorParts {
  readonly node: RingletNode;
  readonly commander: Commander;
  readonly codec: Pick<MemcachedFace, "parseMemcachedRequests"> & Pick<RespReplyFace, "parseReply">;
  readonly limits: Omit<RespDoorLimits, "maxRequestBytes" | "passwordIsSet">;
  /** The port that clients connect to. */
  readonly port: () => number;
}

const TEXT = new TextEncoder();

export class MemcachedDoor implements MemcachedOwner {
  readonly log: Logger;
  readonly commands: MemcachedCommands;
  readonly statistics = new MemcachedStatistics();
  readonly #parts: MemcachedDoorParts;
  readonly #items: Items;
  readonly #connections = new Set<MemcachedConnection>();
  readonly #budget: FlightBudget;
  /** Clients for whom many bytes of replies wait, and those of whom nothing runs until replies have left. */
  readonly #unread = new Set<MemcachedConnection>();
  readonly #held = new Set<MemcachedConnection>();
  #nextId = 1;
  #draining = false;
  #pendingBytes = 0;
  #closedInputBytes = 0;
  #closedOutputBytes = 0;
  #whenEmpty: (() => void) | undefined;

  constructor(parts: MemcachedDoorParts) {
    const { node, commander, codec, limits } = parts;
    const { store, runtime, log } = node;
    this.#parts = parts;
    this.log = log;
    const { ring } = commander;
    this.#items = new Items(
      store,
      ring === undefined
        ? undefined
        : {
            port: ring.ring,
            commands: ring.commands,
            get defaultLevels() {
              return ring.defaultLevels;
            },
          },
      codec,
    );
    this.commands = new MemcachedCommands({
      items: this.#items,
      ...{ runtime, log, statistics: this.statistics, port: parts.port },
      pause: commander.pause,
      measure: () => this.#measure(),
    });
    this.#budget = new FlightBudget(this.#connections, limits, log);
    node.onTick(() => this.#tick());
  }

  get outputLimitBytes(): number {
    return this.#parts.limits.outputLimitBytes;
  }

  get isOverBudget(): boolean {
    if (this.#unread.size === 0) return false;
    let bytes = this.#pendingBytes;
    for (const connection of this.#unread) bytes += connection.pendingOutputBytes;
    return bytes > this.#parts.limits.inFlightBudgetBytes;
  }

  /** Clients that are connected. */
  get connections(): ReadonlySet<MemcachedConnection> {
    return this.#connections;
  }

  /** Takes a client in, or refuses it with the reason. */
  accept(stream: ByteStream): void {
    const refusal = this.#refusal(stream);
    if (refusal !== undefined) {
      this.statistics.count("rejected_connections");
      stream.start(DEAF);
      stream.write(TEXT.encode(`SERVER_ERROR ${refusal}\r\n`));
      stream.end();
      return;
    }
    this.statistics.count("total_connections");
    const { remoteAddress } = stream;
    const connection = new MemcachedConnection(this, stream, { id: this.#nextId++, remoteAddress });
    this.#connections.add(connection);
    stream.start(connection);
  }

  #refusal(stream: ByteStream): string | undefined {
    const { limits } = this.#parts;
    if (this.#draining) return "the node is shutting down";
    if (this.#connections.size >= limits.maxClients) return "max number of clients reached";
    if (limits.protectedMode && !isLoopback(stream.remoteAddress)) {
      return "this node answers only clients on its own machine, since the memcached protocol has no password. Set --protected-mode no where only trusted machines reach it, or connect from loopback.";
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
    this.commands.close();
    for (const connection of [...this.#connections]) connection.kill(false);
  }

  parse(bytes: Uint8Array): MemcachedRequests {
    const { codec, node } = this.#parts;
    return codec.parseMemcachedRequests(bytes, 0, { maxValueBytes: node.store.maxBulkBytes });
  }

  now(): number {
    return this.#parts.node.runtime.now();
  }

  letTimePass(): void {
    this.#parts.node.letTimePass();
  }

  noteReplies(connection: MemcachedConnection): void {
    if (this.#unread.has(connection)) return;
    this.#unread.add(connection);
    connection.noteTaken(this.now());
  }

  hold(connection: MemcachedConnection): void {
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
    if (bytes > 0 && this.#pendingBytes > this.#parts.limits.inFlightBudgetBytes) {
      this.#budget.enforce(this.now());
    }
  }

  closed(connection: MemcachedConnection): void {
    this.#connections.delete(connection);
    this.#unread.delete(connection);
    this.#held.delete(connection);
    this.#closedInputBytes += connection.inputBytes;
    this.#closedOutputBytes += connection.outputBytes;
    if (this.#connections.size === 0) this.#whenEmpty?.();
  }

  #measure(): Measured {
    const { node, commander } = this.#parts;
    let [inputBytes, outputBytes] = [this.#closedInputBytes, this.#closedOutputBytes];
    for (const connection of this.#connections) {
      inputBytes += connection.inputBytes;
      outputBytes += connection.outputBytes;
    }
    return {
      ...{ store: node.store, settings: node.settings, facts: commander.facts },
      ...{ connections: this.#connections.size, items: this.#items.count },
      ...{ inputBytes, outputBytes },
      upSeconds: (node.runtime.monotonic() - commander.startedAt) / 1000,
    };
  }

  #tick(): void {
    const { limits, node } = this.#parts;
    const { now } = node.store;
    this.#budget.enforce(now);
    this.#cutOffUnread(now);
    this.drained();
    const idle = limits.idleTimeoutMs;
    if (idle === 0) return;
    for (const connection of this.#connections) {
      if (connection.waiting || now - connection.lastInputAt < idle) continue;
      connection.kill(true);
    }
  }

  /** Looks who takes the replies that wait, and cuts off who does not where too many wait. */
  #cutOffUnread(now: number): void {
    const { limits } = this.#parts;
    const isOver = this.isOverBudget;
    for (const connection of [...this.#unread]) {
      const bytes = connection.noteTaken(now);
      if (bytes === 0) this.#unread.delete(connection);
      if (bytes === 0 || now - connection.takenAt < limits.stalledRequestMs) continue;
      if (bytes > limits.outputLimitBytes || isOver) connection.cutOff();
    }
  }
}

/** Hears nothing: of a stream that was refused. */
const DEAF = { received() {}, ended() {}, drained() {}, closed() {} };
