import type { Logger } from "../base/logger.ts";
import type { Runtime, Timer } from "../base/runtime.ts";
import type { SettingValues } from "../base/setting-table.ts";
import { Settings } from "../base/settings.ts";
import type { Codec } from "../codec/codec.ts";
import type { LinkCrypto } from "../link/crypto.ts";
import type { ClusterOptions } from "../ring/cluster-options.ts";
import { GuardedClock } from "../ring/guarded-clock.ts";
import { warnOfKeyLength } from "../ring/peer-security.ts";
import { buildPlacement, type Placement } from "../ring/placement.ts";
import { Ring } from "../ring/ring.ts";
import { RingServer } from "../ring/stamped/ring-server.ts";
import { buildTopology } from "../ring/topology.ts";
import { Backend, type BackendParts } from "../store/backend/backend.ts";
import { EmbeddedStore } from "../store/embedded-store.ts";
import type { KernelExports } from "../store/kernel.ts";
import type { Transport } from "../transport/transport.ts";
import { requireMeansToEncrypt } from "./encryption-rule.ts";
import { holdEvictionRule } from "./eviction-rule.ts";

/** What a runtime gives a node that is a member of a cluster. */
export interface ClusterParts {
  readonly options: ClusterOptions;
  readonly transport: Transport;
  readonly crypto: LinkCrypto;
  readonly codec: Codec;
}

/** What a runtime gives a node. */
export interface NodeParts {
  readonly runtime: Runtime;
  /** A kernel of its own. */
  readonly kernel: KernelExports;
  readonly log: Logger;
  /** The settings that differ from their defaults. */
  readonly settings: Partial<SettingValues>;
  /** What makes it a member of a cluster; without it the node is alone. */
  readonly cluster?: ClusterParts | undefined;
  /** What reaches the server that keeps the data; without it the node keeps them. */
  readonly backend?: Pick<BackendParts, "options" | "dial" | "codec" | "limits"> | undefined;
}

/** Period of a node's housekeeping (expiry, compaction, limits), in ms. */
export const TICK_MS = 100;

/**
 * One node: its settings, its store, its place in the ring and its housekeeping, without any door to clients. Two nodes in one
 * process share nothing.
 */
export class RingletNode {
  readonly settings: Settings;
  readonly store: EmbeddedStore;
  readonly runtime: Runtime;
  readonly log: Logger;
  /** The other nodes and what is shared with them; undefined for a node that is alone. */
  readonly ring: Ring | undefined;
  /** The server that keeps the data; undefined where the node itself does. */
  readonly backend: Backend | undefined;
  /** The same as the place of a member's keys; undefined for a node that has no other members, whose clients speak with the server. */
  readonly ringServer: RingServer | undefined;
  readonly #timer: Timer;
  readonly #onTick: (() => void)[] = [];
  /** Until more of what was flushed is freed. */
  #freeing: Timer | undefined;

  /** Throws SettingError where a setting cannot be what it should, RingletError where the cluster's configuration cannot be. */
  constructor(parts: NodeParts) {
    this.settings = new Settings(parts.settings);
    if (parts.cluster !== undefined) {
      const { options, crypto } = parts.cluster;
      holdEvictionRule(this.settings);
      const { secret = options.security?.key.secret } = options;
      requireMeansToEncrypt(this.settings, secret, crypto);
      if (options.security !== undefined) warnOfKeyLength(options.security, parts.log);
    }
    const clock = parts.cluster === undefined ? undefined : guard(parts.runtime);
    this.runtime = clock === undefined ? parts.runtime : withClock(parts.runtime, clock);
    this.log = parts.log;
    this.store = new EmbeddedStore(parts.kernel, parts.runtime.randomBytes(SECRET_BYTES), {
      ceilingBytes: this.settings.get("ceilingBytes"),
      tombstones: parts.cluster !== undefined,
    });
    this.letTimePass();
    const { cluster, backend } = parts;
    this.backend =
      backend === undefined
        ? undefined
        : new Backend({
            ...backend,
            ...{ runtime: this.runtime, log: this.log },
            timeoutMs: () => this.settings.get("requestTimeoutMs"),
            greet: (connection) => this.ringServer?.greet(connection) ?? Promise.resolve(),
          });
    const placement =
      cluster === undefined
        ? undefined
        : buildPlacement(buildTopology(cluster.options), cluster.codec.hashKey);
    this.ringServer = this.#serverOf(placement);
    this.ring =
      clock === undefined ? undefined : this.#joinRing(cluster!, parts.runtime, clock, placement!);
    if (this.ring !== undefined) this.ringServer?.join(this.ring);
    this.#timer = parts.runtime.every(TICK_MS, () => this.#tick());
  }

  /** Gives the store the time. */
  letTimePass(): void {
    this.store.setNow(this.runtime.now());
  }

  /** Calls `listener` after each round of housekeeping. */
  onTick(listener: () => void): void {
    this.#onTick.push(listener);
  }

  /** Listens for the other nodes and dials them, and dials the server that keeps the data, once. Throws ListenError. */
  async start(): Promise<void> {
    await this.ring?.start();
    await this.backend?.start();
  }

  /** Ends the housekeeping and leaves the other nodes; the data is gone with the node. */
  async close(): Promise<void> {
    this.#timer.cancel();
    this.backend?.close();
    this.#freeing?.cancel();
    await this.ring?.close();
  }

  #serverOf(placement: Placement | undefined): RingServer | undefined {
    const { backend, runtime, settings, log } = this;
    if (backend?.options.kind !== "redis" || placement === undefined) return undefined;
    const { members, self } = placement.topology;
    if (members.length === 1) return undefined;
    return new RingServer({
      ...{ backend, runtime, settings, log },
      clock: this.store,
      node: self.index,
    });
  }

  /** `runtime`: with the wall clock as it is, which links compare with those of other nodes. */
  #joinRing(
    cluster: ClusterParts,
    runtime: Runtime,
    clock: GuardedClock,
    placement: Placement,
  ): Ring {
    const { options, transport, crypto, codec } = cluster;
    const { log, settings, store, ringServer } = this;
    return new Ring({
      ...{ runtime, clock, log, settings, store, transport, crypto, codec, placement },
      listen: options.listen,
      secret: options.secret,
      security: options.security,
      server: ringServer,
      keptBy: this.backend === undefined ? "node" : "server",
    });
  }

  #tick(): void {
    this.letTimePass();
    this.store.tick(this.settings.get("activeExpiry"));
    if (this.#freeing === undefined) this.#free();
    this.ring?.tick();
    this.backend?.tick();
    for (const listener of this.#onTick) listener();
  }

  /** Frees what was flushed, a bounded part at a time. */
  #free(): void {
    this.#freeing = undefined;
    if (this.store.free()) {
      this.#freeing = this.runtime.after(FREE_MS, () => this.#free());
    }
  }
}

function guard(runtime: Runtime): GuardedClock {
  return new GuardedClock(
    () => runtime.now(),
    () => runtime.monotonic(),
  );
}

/** A runtime whose wall clock is the guarded one. */
function withClock(runtime: Runtime, clock: GuardedClock): Runtime {
  return {
    now: () => clock.now(),
    monotonic: () => runtime.monotonic(),
    randomBytes: (length) => runtime.randomBytes(length),
    after: (delayMs, task) => runtime.after(delayMs, task),
    every: (periodMs, task) => runtime.every(periodMs, task),
    endOfTurn: (task) => runtime.endOfTurn(task),
  };
}

/** Between two steps that free what was flushed, in ms: each takes about one. */
const FREE_MS = 10;
/** Bytes of the secret that the hash of the table works with. */
const SECRET_BYTES = 16;
