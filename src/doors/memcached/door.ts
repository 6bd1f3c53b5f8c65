// The memcached door: takes streams in, one connection each, and holds all of them to the limits of the RESP door.

import type { Logger } from "../../base/logger.ts";
import type { MemcachedFace, MemcachedRequests } from "../../codec/memcached.ts";
import type { RespReplyFace } from "../../codec/resp-reply.ts";
import type { RingletNode } from "../../node/node.ts";
import type { ByteStream } from "../../transport/stream.ts";
import { BackendStream } from "../backend-stream.ts";
import { isLoopback, OpenConnections, refuseClient } from "../open-connections.ts";
import type { Commander } from "../resp/commander.ts";
import type { RespDoorLimits } from "../resp/door.ts";
import { MemcachedCommands } from "./commands.ts";
import { MemcachedConnection, type MemcachedOwner } from "./connection.ts";
import { Items } from "./items.ts";
import { RelayedRequests } from "./relayed-requests.ts";
import { type Measured, MemcachedStatistics } from "./statistics.ts";

/** What a door works with. */
export interface MemcachedDoorParts {
  readonly node: RingletNode;
  readonly commander: Commander;
  readonly codec: Pick<MemcachedFace, "parseMemcachedRequests"> & Pick<RespReplyFace, "parseReply">;
  readonly limits: Omit<RespDoorLimits, "passwordIsSet">;
  /** The port that clients connect to. */
  readonly port: () => number;
}

export class MemcachedDoor implements MemcachedOwner {
  readonly log: Logger;
  readonly commands: MemcachedCommands;
  readonly statistics = new MemcachedStatistics();
  readonly #parts: MemcachedDoorParts;
  readonly #items: Items;
  readonly #open: OpenConnections<MemcachedConnection>;
  #nextId = 1;
  #closedInputBytes = 0;
  #closedOutputBytes = 0;

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
      ...{ pause: commander.pause, state: commander.state },
      measure: () => this.#measure(),
    });
    this.#open = new OpenConnections(limits, log);
    node.onTick(() => this.#open.tick(store.now, ({ waiting }) => waiting));
  }

  get outputLimitBytes(): number {
    return this.#parts.limits.outputLimitBytes;
  }

  get isOverBudget(): boolean {
    return this.#open.isOverBudget;
  }

  /** Clients that are connected. */
  get connections(): ReadonlySet<MemcachedConnection> {
    return this.#open.all;
  }

  /** Takes a client in, or refuses it with the reason. */
  accept(stream: ByteStream): void {
    const refusal = this.#refusal(stream);
    if (refusal !== undefined) {
      this.#reject(stream, refusal);
      return;
    }
    this.statistics.count("total_connections");
    const { remoteAddress } = stream;
    const served = this.#serve(stream);
    const connection = new MemcachedConnection(this, served, { id: this.#nextId++, remoteAddress });
    this.#open.add(connection);
    served.start(connection);
  }

  /** The client's stream as its connection sees it: with a server behind the node, without what passes to that. */
  #serve(stream: ByteStream): ByteStream {
    const { node, commander, limits } = this.#parts;
    const { backend, runtime, store } = node;
    if (backend === undefined) return stream;
    const { state } = commander;
    const parts = { backend, state, maxValueBytes: () => store.maxBulkBytes };
    return new BackendStream({
      ...{ stream, limits },
      requests: (client) => new RelayedRequests(client, parts),
      later: (task) => runtime.endOfTurn(task),
    });
  }

  /** The transport does not let a client in; `stream`: where it can be told why. */
  refuse(stream: ByteStream | undefined, reason: string): void {
    this.#reject(stream, `TLS: ${reason}`);
  }

  #reject(stream: ByteStream | undefined, refusal: string): void {
    this.statistics.count("rejected_connections");
    if (stream !== undefined) refuseClient(stream, `SERVER_ERROR ${refusal}\r\n`);
  }

  #refusal(stream: ByteStream): string | undefined {
    const { limits } = this.#parts;
    if (this.#open.isDraining) return "the node is shutting down";
    if (this.#open.all.size >= limits.maxClients) return "max number of clients reached";
    if (limits.protectedMode && !isLoopback(stream.remoteAddress)) {
      return "this node answers only clients on its own machine, since the memcached protocol has no password. Set --protected-mode no where only trusted machines reach it, or connect from loopback.";
    }
    return undefined;
  }

  /** Stops taking clients, and closes each one when what it has sent is answered; resolves when all are gone. */
  drain(): Promise<void> {
    return this.#open.drain();
  }

  /** Closes every connection now, and the door for good. */
  close(): void {
    this.commands.close();
    this.#open.close();
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
    this.#open.noteReplies(connection, this.now());
  }

  hold(connection: MemcachedConnection): void {
    this.#open.hold(connection);
  }

  drained(): void {
    this.#open.drained();
  }

  addPending(bytes: number): void {
    this.#open.addPending(bytes, this.now());
  }

  closed(connection: MemcachedConnection): void {
    this.#closedInputBytes += connection.inputBytes;
    this.#closedOutputBytes += connection.outputBytes;
    this.#open.remove(connection);
  }

  #measure(): Measured {
    const { node, commander } = this.#parts;
    let [inputBytes, outputBytes] = [this.#closedInputBytes, this.#closedOutputBytes];
    for (const connection of this.#open.all) {
      inputBytes += connection.inputBytes;
      outputBytes += connection.outputBytes;
    }
    return {
      ...{ store: node.store, settings: node.settings, facts: commander.facts },
      ...{ connections: this.#open.all.size, items: this.#items.count },
      ...{ inputBytes, outputBytes },
      upSeconds: (node.runtime.monotonic() - commander.startedAt) / 1000,
    };
  }
}
