// A node with its doors: what serves clients and operators on any runtime.

import { RingletError } from "../base/errors.ts";
import { MetricRegistry } from "../base/metrics.ts";
import type { Settings } from "../base/settings.ts";
import { hostOf } from "../link/failure.ts";
import { RepeatedLog } from "../link/repeated-log.ts";
import type { ClientCodec } from "../node/memory-client.ts";
import type { RingletNode } from "../node/node.ts";
import { NodeClient } from "../node/node-client.ts";
import { RingReport } from "../ring/report.ts";
import type { RingView } from "../ring/view.ts";
import type { ByteStream, Listener, RefusedStream } from "../transport/stream.ts";
import { addBackendMetrics, addRingServerMetrics } from "./backend-metrics.ts";
import { engineInfo } from "./http/engine-info.ts";
import { type HttpHandler, statsHandler } from "./http/stats.ts";
import { TimeoutFactor } from "./http/timeout-factor.ts";
import { MemcachedDoor, type MemcachedDoorParts } from "./memcached/door.ts";
import { addMemcachedMetrics } from "./memcached/metrics.ts";
import { holdPasswordRule } from "./memcached/password-rule.ts";
import { addNodeMetrics } from "./node-metrics.ts";
import { Commander } from "./resp/commander.ts";
import { infoSnapshot } from "./resp/commands/info/index.ts";
import { RespDoor, type RespDoorLimits } from "./resp/door.ts";
import type { NodeFacts } from "./resp/session-command.ts";
import { addRingMetrics } from "./ring-metrics.ts";

/** What a runtime gives a node that serves. */
export interface ServedNodeParts {
  readonly node: RingletNode;
  /** What the runtime knows of the process; the port is the node's own to tell. */
  readonly facts: Omit<NodeFacts, "port">;
  /** Begins to close the node, for the command SHUTDOWN; undefined: clients may not. */
  readonly shutdown?: (() => void) | undefined;
}

/** Opens a place for streams: listenTcp() of a runtime with its address. `refused` hears of connections that become none. */
export type Listen = (
  accept: (stream: ByteStream) => void,
  refused: (connection: RefusedStream) => void,
) => Promise<Listener>;

/** Opens a place for HTTP: listenHttp() of a runtime with its address. */
export type ListenHttp = (handler: HttpHandler) => Promise<Listener>;

export class ServedNode {
  readonly node: RingletNode;
  readonly commander: Commander;
  readonly metrics = new MetricRegistry();
  /** What operators see of the ring; undefined for a node that is alone. */
  readonly ring: RingView | undefined;
  readonly #door: RespDoor;
  #memcached: MemcachedDoor | undefined;
  readonly #listeners: Listener[] = [];
  readonly #said: RepeatedLog;
  #clientPort = 0;
  #draining = false;
  #closed = false;

  constructor(parts: ServedNodeParts) {
    this.node = parts.node;
    this.#said = new RepeatedLog(parts.node.log);
    this.commander = new Commander({
      store: parts.node.store,
      settings: parts.node.settings,
      runtime: parts.node.runtime,
      log: parts.node.log,
      facts: { ...parts.facts, port: () => this.#clientPort },
      ring: parts.node.ring,
      ringServer: parts.node.ringServer,
      backend: parts.node.backend,
      ...(parts.shutdown === undefined ? {} : { shutdown: parts.shutdown }),
    });
    this.#door = new RespDoor({
      node: parts.node,
      commander: this.commander,
      limits: doorLimits(parts.node.settings),
    });
    parts.node.onTick(() => this.commander.tick());
    addNodeMetrics(this.metrics, this.commander, this.#door);
    const { ring, store } = parts.node;
    this.ring = ring === undefined ? undefined : new RingReport(ring, store);
    if (this.ring !== undefined) addRingMetrics(this.metrics, this.ring);
    const { backend, ringServer } = parts.node;
    if (backend !== undefined) addBackendMetrics(this.metrics, backend);
    if (ringServer !== undefined) addRingServerMetrics(this.metrics, ringServer);
  }

  /** Lets Redis clients in; resolves to where. Throws RingletError MEMCACHED_BEHIND for a node with a memcached server behind it. */
  async listen(listen: Listen): Promise<Listener> {
    if (this.#keepsInMemcached) throw new RingletError("MEMCACHED_BEHIND", MEMCACHED_BEHIND);
    const listener = await listen(
      (stream) => this.#door.accept(stream),
      (connection) => this.#refused(connection, this.#door),
    );
    this.#clientPort = listener.port;
    this.#listeners.push(listener);
    return listener;
  }

  /**
   * Lets memcached clients in; resolves to where. Call it once. Throws SettingError while a password is set, which the memcached
   * protocol cannot ask for (none can be set from then on), and RingletError MEMCACHED_NEEDS_EMBEDDED_STORE for a node with a Redis
   * server behind it.
   */
  async listenMemcached(listen: Listen, codec: MemcachedDoorParts["codec"]): Promise<Listener> {
    const kind = this.node.backend?.options.kind;
    if (kind === "redis") {
      throw new RingletError(
        "MEMCACHED_NEEDS_EMBEDDED_STORE",
        "memcached clients are not served from a redis server: leave out --memcached-listen, or set data_store: embedded",
      );
    }
    const isRelayed = this.#keepsInMemcached;
    holdPasswordRule(this.node.settings, isRelayed ? "data_store: 1" : "--memcached-listen");
    let port = 0;
    const door = new MemcachedDoor({
      node: this.node,
      commander: this.commander,
      codec,
      limits: doorLimits(this.node.settings),
      port: () => port,
    });
    this.#memcached = door;
    addMemcachedMetrics(this.metrics, door, isRelayed);
    const listener = await listen(
      (stream) => door.accept(stream),
      (connection) => this.#refused(connection, door),
    );
    port = listener.port;
    if (isRelayed) this.#clientPort = port;
    this.#listeners.push(listener);
    return listener;
  }

  /** A client could not be let in. */
  #refused(connection: RefusedStream, door: RespDoor | MemcachedDoor): void {
    const { remoteAddress, reason, stream } = connection;
    const host = hostOf(remoteAddress);
    this.#said.say(`host ${host}`, reason, `Refused a client at ${host}: ${reason}.`);
    door.refuse(stream, reason);
  }

  get #keepsInMemcached(): boolean {
    return this.node.backend?.options.kind === "memcached";
  }

  /** Takes a client of this process in: its commands go the way of all others'. */
  embed(codec: ClientCodec): NodeClient {
    const { runtime, settings } = this.node;
    return new NodeClient({
      runtime,
      codec,
      accept: (stream) => this.#door.accept(stream),
      password: () => settings.get("password"),
      refusal: this.#keepsInMemcached
        ? { code: "MEMCACHED_BEHIND", message: `${MEMCACHED_BEHIND}; nothing was sent` }
        : undefined,
    });
  }

  /** Serves the HTTP door for operators; resolves to where. It answers until close(), also while the node drains. */
  async listenStats(listen: ListenHttp): Promise<Listener> {
    const listener = await listen(
      statsHandler({
        isDraining: () => this.#draining,
        metrics: this.metrics,
        info: () => ({
          ...engineInfo({
            ...{ commander: this.commander, ring: this.ring, clientCount: this.clientCount },
            backend: this.node.backend,
          }),
          ...infoSnapshot(this.commander),
        }),
        settings: this.node.settings,
        ring: this.ring,
        links: this.node.ring?.hub,
        backend: this.node.backend,
        state: this.commander.state,
        timeoutFactor: new TimeoutFactor(this.node.settings),
        log: this.node.log,
      }),
    );
    this.#listeners.push(listener);
    return listener;
  }

  /** Clients that are connected. */
  get clientCount(): number {
    return this.#door.connections.size + (this.#memcached?.connections.size ?? 0);
  }

  /**
   * Takes no more clients, answers what has been received, and closes each connection when its replies have left. Resolves when
   * all are gone, or after the setting drainTimeoutMs; how many were left then.
   */
  async drain(): Promise<number> {
    this.#draining = true;
    const timeoutMs = this.node.settings.get("drainTimeoutMs");
    await new Promise<void>((resolve) => {
      const timer = this.node.runtime.after(timeoutMs, resolve);
      Promise.all([this.#door.drain(), this.#memcached?.drain()]).then(() => {
        timer.cancel();
        resolve();
      });
    });
    return this.clientCount;
  }

  /** Closes every connection and listener, and the node. Safe to call again. */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    this.#draining = true;
    this.#door.close();
    this.#memcached?.close();
    await this.node.close();
    await Promise.all(this.#listeners.map((listener) => listener.close()));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }
}

const MEMCACHED_BEHIND =
  "the data of this node is in a memcached server, which runs no Redis commands: use a memcached client";

/** The settings of a node as the door reads them, at every use. */
function doorLimits(settings: Settings): RespDoorLimits {
  return {
    get maxClients() {
      return settings.get("maxClients");
    },
    get outputLimitBytes() {
      return settings.get("outputLimitBytes") || Number.POSITIVE_INFINITY;
    },
    get maxRequestBytes() {
      return settings.get("maxRequestBytes");
    },
    get inFlightBudgetBytes() {
      return settings.get("inFlightBudgetBytes");
    },
    get stalledRequestMs() {
      return settings.get("stalledRequestMs");
    },
    get idleTimeoutMs() {
      return settings.get("idleTimeoutSeconds") * 1000;
    },
    get passwordIsSet() {
      return settings.get("password") !== "";
    },
    get protectedMode() {
      return settings.get("protectedMode");
    },
  };
}
