/**
 * A cluster in a simulated world: real nodes with real kernels, doors and links, on simulated processes, clocks and streams. A node
 * can be paused, killed and started again; what it holds is in memory and goes with it.
 */
import type { LogFields, Logger } from "../base/logger.ts";
import type { SettingValues } from "../base/setting-table.ts";
import type { Codec } from "../codec/codec.ts";
import { ServedNode } from "../doors/served-node.ts";
import type { LinkCrypto } from "../link/crypto.ts";
import { type ClusterParts, RingletNode } from "../node/node.ts";
import type { ClusterOptions } from "../ring/cluster-options.ts";
import { Ring } from "../ring/ring.ts";
import type { KernelExports } from "../store/kernel.ts";
import type { PeerAddress, Transport } from "../transport/transport.ts";
import type { ClientTarget } from "./client/client.ts";
import type { Network } from "./network.ts";
import { type SimProcess, START_MS } from "./process.ts";
import type { World } from "./world.ts";

/** What the runtime that the simulation runs on lends to it. */
export interface SimPlatform {
  /** A kernel for a node; it is given back by releaseKernel(), and what was done to it must not matter to whoever gets it next. */
  takeKernel(): KernelExports;
  releaseKernel(kernel: KernelExports): void;
  readonly codec: Codec;
  readonly crypto: LinkCrypto;
}

/** Where a node of a simulated cluster stands. */
export interface NodePlace {
  /** Host in the simulated network, an IPv4 address. */
  readonly host: string;
  readonly datacenter: string;
  readonly rack: string;
  readonly tokens: string;
}

/** What may be done to nodes that breaks a promise on purpose: proof that the checkers notice. */
export interface NodeSabotage {
  readonly kernel?: (kernel: KernelExports) => KernelExports;
  readonly transport?: (transport: Transport) => Transport;
  /** Called with the ring of each node before it starts. */
  readonly ring?: (ring: Ring) => void;
}

export interface ClusterFacts {
  /** One place: a node that is alone. */
  readonly places: readonly NodePlace[];
  readonly settings: Partial<SettingValues>;
  /** What all nodes agree on besides their places. */
  readonly cluster?: Pick<ClusterOptions, "hash" | "hashTag" | "distribution" | "secret">;
  readonly sabotage?: NodeSabotage | undefined;
}

export interface LogLine {
  readonly level: "debug" | "info" | "warn" | "error";
  readonly node: string;
  readonly atMs: number;
  readonly message: string;
  readonly fields: LogFields | undefined;
}

export const CLIENT_PORT = 8102;
export const PEER_PORT = 8101;

export class SimCluster {
  readonly world: World;
  readonly network: Network;
  readonly platform: SimPlatform;
  readonly facts: ClusterFacts;
  readonly nodes: readonly SimNode[];
  /** What nodes have said that is more than debugging. */
  readonly log: LogLine[] = [];
  /** Called with each node whose process is about to end. */
  beforeEnd: (node: SimNode) => void = () => {};

  constructor(world: World, network: Network, platform: SimPlatform, facts: ClusterFacts) {
    this.world = world;
    this.network = network;
    this.platform = platform;
    this.facts = facts;
    this.nodes = facts.places.map((place) => new SimNode(this, place));
  }

  node(host: string): SimNode {
    const node = this.nodes.find((each) => each.place.host === host);
    if (node === undefined) throw new Error(`there is no node ${host}`);
    return node;
  }

  startAll(): void {
    for (const node of this.nodes) node.start();
  }

  /** Whether every node runs, reaches all others, answers reads and takes clients' requests. */
  get isWhole(): boolean {
    return this.nodes.every((node) => node.isWhole);
  }

  /** Lets go of all nodes. */
  end(): void {
    for (const node of this.nodes) node.end();
  }
}

export class SimNode {
  readonly place: NodePlace;
  readonly #cluster: SimCluster;
  #process: SimProcess | undefined;
  #served: ServedNode | undefined;
  #kernel: KernelExports | undefined;
  /** Its clock in the processes to come: they run on the same machine. */
  #clockOffMs = 0;
  #clockRate = 1;
  /** When it was paused, if it is. */
  #pausedMs: number | undefined;
  /** Times in which it did not run. */
  readonly pauses: { readonly fromMs: number; readonly toMs: number }[] = [];
  /** How often it has been started. */
  starts = 0;

  constructor(cluster: SimCluster, place: NodePlace) {
    this.#cluster = cluster;
    this.place = place;
  }

  get host(): string {
    return this.place.host;
  }

  get target(): ClientTarget {
    const { host, datacenter } = this.place;
    return { name: host, datacenter, address: { host, port: CLIENT_PORT } };
  }

  /** The node as it runs; undefined while it does not. */
  get served(): ServedNode | undefined {
    return this.isRunning ? this.#served : undefined;
  }

  get process(): SimProcess | undefined {
    return this.#process;
  }

  /** Whether its process lives, paused or not. */
  get isRunning(): boolean {
    return this.#process?.isAlive === true;
  }

  get isPaused(): boolean {
    return this.isRunning && this.#process!.isPaused;
  }

  /** Whether it runs and lacks its state, whatever a sabotage has it say. */
  get isFenced(): boolean {
    const ring = this.served?.node.ring;
    return ring !== undefined && Reflect.get(Ring.prototype, "isFenced", ring);
  }

  get isWhole(): boolean {
    const { served } = this;
    if (served === undefined || this.isPaused) return false;
    const { ring } = served.node;
    if (ring === undefined) return true;
    const { members } = ring.topology;
    return ring.refusal === undefined && members.every((member) => ring.isReadable(member));
  }

  /** Starts its process, with an empty store. */
  start(): void {
    const { world, network, platform, facts } = this.#cluster;
    const { host } = this.place;
    this.end();
    network.powerUp(host);
    this.starts++;
    const process = world.process(`${host}/${this.starts}`);
    this.#process = process;
    this.#setClock();
    this.#kernel = platform.takeKernel();
    const wired = network.transport(process, host);
    const { sabotage } = facts;
    const kernel = sabotage?.kernel?.(this.#kernel) ?? this.#kernel;
    const transport = sabotage?.transport?.(wired) ?? wired;
    const start = async () => {
      const node = new RingletNode({
        runtime: process,
        kernel,
        log: this.#logger(),
        settings: { protectedMode: false, ...facts.settings },
        cluster: this.#clusterParts(transport),
      });
      if (node.ring !== undefined) sabotage?.ring?.(node.ring);
      const served = new ServedNode({ node, facts: NODE_FACTS });
      this.#served = served;
      await node.start();
      await served.listen((accept) => transport.listen({ host, port: CLIENT_PORT }, accept));
    };
    world.schedule(0, `start ${host}`, () => this.#guard(start()), process);
  }

  /** Ends its process at once. "process": its system closes what it had open; "power": nobody is told. */
  crash(how: "process" | "power"): void {
    if (this.isRunning) this.#cluster.beforeEnd(this);
    if (how === "power") this.#cluster.network.powerDown(this.host);
    this.resume();
    this.#process?.kill();
    this.#served = undefined;
  }

  pause(): void {
    if (!this.isRunning || this.isPaused) return;
    this.#process!.pause();
    this.#pausedMs = this.#cluster.world.nowMs;
  }

  resume(): void {
    if (this.#pausedMs === undefined) return;
    this.pauses.push({ fromMs: this.#pausedMs, toMs: this.#cluster.world.nowMs });
    this.#pausedMs = undefined;
    this.#process?.resume();
  }

  /** Moves its clock by so many ms. */
  jumpClock(byMs: number): void {
    this.#clockOffMs += byMs;
    this.#process?.clock.jump(this.#cluster.world.nowMs, byMs);
  }

  driftClock(rate: number): void {
    this.#clockRate = rate;
    this.#process?.clock.drift(this.#cluster.world.nowMs, rate);
  }

  /** Sets its clock right. */
  correctClock(): void {
    this.#clockOffMs = 0;
    this.#clockRate = 1;
    this.#setClock();
  }

  /** Ends its process and gives its kernel back. */
  end(): void {
    if (this.isRunning) this.#cluster.beforeEnd(this);
    this.#process?.kill();
    this.#served = undefined;
    if (this.#kernel !== undefined) this.#cluster.platform.releaseKernel(this.#kernel);
    this.#kernel = undefined;
  }

  #setClock(): void {
    const { nowMs } = this.#cluster.world;
    this.#process?.clock.correct(nowMs, START_MS + nowMs + this.#clockOffMs);
    this.#process?.clock.drift(nowMs, this.#clockRate);
  }

  #clusterParts(transport: Transport): ClusterParts | undefined {
    const { facts, platform } = this.#cluster;
    const { host, datacenter, rack, tokens } = this.place;
    if (facts.places.length === 1) return undefined;
    const seeds = facts.places.map(
      (place) => `${place.host}:${PEER_PORT}:${place.rack}:${place.datacenter}:${place.tokens}`,
    );
    const listen: PeerAddress = { host, port: PEER_PORT };
    const options = { name: "sim", datacenter, rack, tokens, listen, seeds, ...facts.cluster };
    return { options, transport, crypto: platform.crypto, codec: platform.codec };
  }

  #logger(): Logger {
    const { log, world } = this.#cluster;
    const say = (level: LogLine["level"]) => (message: string, fields?: LogFields) => {
      log.push({ level, node: this.host, atMs: world.nowMs, message, fields });
      world.trace.note(`${this.host} ${level}: ${message} ${JSON.stringify(fields ?? {})}`);
    };
    return { debug() {}, info: say("info"), warn: say("warn"), error: say("error") };
  }

  #guard(work: Promise<void>): void {
    const process = this.#process!;
    work.catch((error: unknown) => {
      this.#cluster.world.failures.push({ process: process.name, error });
      process.kill();
    });
  }
}

const NODE_FACTS = {
  version: "0.0.0-sim",
  platform: "sim",
  processId: 1,
  residentBytes: () => 0,
  cpuSeconds: () => ({ user: 0, system: 0 }),
};

/** Places for racks in datacenters, one node in each rack, each node owning all of its rack's keys. */
export function places(shape: { readonly [datacenter: string]: number }): NodePlace[] {
  return Object.entries(shape).flatMap(([datacenter, racks], d) =>
    Array.from({ length: racks }, (_, r) => ({
      host: `10.0.${d + 1}.${r + 1}`,
      datacenter,
      rack: `rack${r + 1}`,
      tokens: `${(d * racks + r) * 100_000_000 + 7}`,
    })),
  );
}
