/**
 * Several nodes with real stores and the real code of the ring's host, and between them a RingPort that delivers at once: links
 * can be cut, members fenced, answers lost. What replicas hold is decided by src/store/apply.ts.
 */
import { RingletError } from "../../../src/base/errors.ts";
import { SILENT } from "../../../src/base/logger.ts";
import { decodeBatch, FRAME, FRAME_FLAG, frameHead } from "../../../src/link/frame.ts";
import type { ConsistencyLevel } from "../../../src/ring/levels.ts";
import { buildPlacement, type Placement } from "../../../src/ring/placement.ts";
import type {
  QuorumOutcome,
  QuorumWishes,
  RequestHandler,
  RingPort,
} from "../../../src/ring/port.ts";
import { type ClientOptions, RingCommands } from "../../../src/ring/ring-commands.ts";
import { buildTopology, type Member, type ReplicaSet } from "../../../src/ring/topology.ts";
import { applyFrame, recordStamp } from "../../../src/store/apply.ts";
import { fromLatin1, latin1 } from "../../../src/store/arguments.ts";
import type { Key } from "../../../src/store/database.ts";
import type { EmbeddedStore } from "../../../src/store/embedded-store.ts";
import { compareStamps, stampFrom } from "../../../src/store/stamp.ts";
import { codec } from "../codec/codec-under-test.ts";
import { TestRuntime } from "../doors/resp/node-under-test.ts";
import { type Decoded, decodeReply } from "../store/decode-reply.ts";
import { recordFrame } from "../store/record-frame.ts";
import { openStore, START_MS } from "../store/store-under-test.ts";

export interface FakeClusterOptions {
  /** rack:datacenter:tokens of each member; three racks with the same token by default. */
  readonly members?: readonly string[];
  readonly hashTag?: string;
  readonly requestTimeoutMs?: number;
}

export const THREE_RACKS = ["rack1:dc1:0", "rack2:dc1:0", "rack3:dc1:0"];
/** Six members: each key has a replica in each of three racks, which have two members each. */
export const SIX_MEMBERS = [1, 2, 3].flatMap((rack) => [
  `rack${rack}:dc1:0`,
  `rack${rack}:dc1:2147483648`,
]);

export class FakeCluster {
  readonly runtime = new TestRuntime();
  readonly nodes: readonly FakeNode[];
  readonly requestTimeoutMs: number;
  /** Pairs of indexes without a link, "low-high". */
  readonly #cut = new Set<string>();
  /** What happens to the next host request, by kind of accident. */
  accident: "none" | "lost-before" | "lost-after" | "silent" = "none";
  /** Data frames that were delivered. */
  delivered = 0;

  constructor(options: FakeClusterOptions = {}) {
    const { members = THREE_RACKS, hashTag, requestTimeoutMs = 1000 } = options;
    this.requestTimeoutMs = requestTimeoutMs;
    const seeds = members.map((member, i) => `127.0.0.1:${9000 + i}:${member}`);
    this.nodes = members
      .map((member, i) => {
        const [rack, datacenter, tokens] = member.split(":") as [string, string, string];
        const topology = buildTopology({
          ...{ rack, datacenter, tokens, seeds },
          listen: { host: "127.0.0.1", port: 9000 + i },
          ...(hashTag === undefined ? {} : { hashTag }),
        });
        return new FakeNode(this, buildPlacement(topology, codec.hashKey));
      })
      .sort((one, other) => one.self.index - other.self.index);
  }

  node(index: number): FakeNode {
    return this.nodes[index]!;
  }

  cut(one: number, other: number): void {
    this.#cut.add(pair(one, other));
  }

  heal(one: number, other: number): void {
    this.#cut.delete(pair(one, other));
  }

  /** Cuts a member off from everybody. */
  stop(index: number): void {
    for (const { self } of this.nodes) if (self.index !== index) this.cut(index, self.index);
  }

  isLinked(one: number, other: number): boolean {
    return one === other || !this.#cut.has(pair(one, other));
  }

  /** The node that runs what depends on what is at a key. */
  executorOf(key: string): FakeNode {
    const [first] = this.nodes[0]!.replicasOf(fromLatin1(key)).local;
    return this.node(first!.index);
  }

  /** A key of which `index` is the executor, if it begins with `prefix`. */
  keyOf(index: number, prefix = "key"): string {
    for (let i = 0; ; i++) {
      if (this.executorOf(`${prefix}${i}`).self.index === index) return `${prefix}${i}`;
    }
  }

  /** What each member holds of a string key in database 0; null for nothing. */
  held(key: string): (string | null)[] {
    return this.nodes.map((node) => node.held(key));
  }
}

export class FakeNode implements RingPort {
  readonly topology;
  readonly sets;
  readonly epoch: string;
  readonly self: Member;
  readonly store: EmbeddedStore;
  readonly commands: RingCommands;
  isFenced = false;
  forgotten = 0n;
  /** The others have not heard yet that it answers reads. */
  seemsFenced = false;
  refusal: string | undefined = undefined;
  remembered = 100;
  readonly #cluster: FakeCluster;
  readonly #placement: Placement;
  readonly #handlers = new Map<number, RequestHandler>();
  /** Requests of other nodes that were served. */
  served = 0;
  /** The deadlines of the quorum operations that this node began. */
  readonly deadlines: (number | undefined)[] = [];
  /** How long a quorum operation takes, and a request of the host, in ms. */
  quorumMs = 0;
  requestMs = 0;
  /** How much time each request of the host to another node was given, in ms. */
  readonly timeouts: number[] = [];

  constructor(cluster: FakeCluster, placement: Placement) {
    this.#cluster = cluster;
    this.#placement = placement;
    this.topology = placement.topology;
    this.sets = placement.sets;
    this.self = this.topology.self;
    this.epoch = `epoch-${this.self.index}`;
    this.store = openStore({ tombstones: true });
    this.store.kernel.setNodeIndex(this.self.index);
    this.commands = new RingCommands({
      port: this,
      store: this.store,
      runtime: cluster.runtime,
      log: SILENT,
      requestTimeoutMs: () => cluster.requestTimeoutMs,
      rememberedWrites: () => this.remembered,
    });
  }

  /** Runs a command as a client of this node at a level. */
  async run(level: ConsistencyLevel, ...words: readonly string[]): Promise<Decoded> {
    return decodeReply(await this.raw(level, ...words));
  }

  /** The reply as it is, one character per byte. */
  async raw(level: ConsistencyLevel, ...words: readonly string[]): Promise<string> {
    const args = words.map(fromLatin1);
    const name = words[0] === "object" ? `object|${words[1]}` : words[0]!;
    const reply = await this.commands.run({ name, args, client: clientAt(level) });
    if (reply === undefined) throw new Error(`${name} has no keys`);
    return latin1(reply, 0, reply.length);
  }

  /** Writes to this node alone, as the kernel does where no frame has left yet. */
  writeAlone(key: string, value: string): void {
    this.store.setNow(this.#cluster.runtime.now());
    this.store.databases[0]!.set(this.store.place(fromLatin1(key)), fromLatin1(value));
  }

  held(key: string): string | null {
    const database = this.store.databases[0]!;
    const entry = database.peek(this.store.place(fromLatin1(key)));
    if (entry === 0) return null;
    if (database.isObject(entry)) return "(object)";
    const value = database.value(entry);
    return latin1(value, 0, value.length);
  }

  version1(): undefined {}

  sendVersion1(): Promise<Uint8Array> {
    return Promise.reject(new RingletError("LINK_DOWN", "no member is a node of the C engine"));
  }

  isUp(member: Member): boolean {
    return this.#cluster.isLinked(this.self.index, member.index);
  }

  isReadable(member: Member): boolean {
    const { isFenced, seemsFenced } = this.#cluster.node(member.index);
    return this.isUp(member) && !isFenced && (!seemsFenced || member === this.self);
  }

  epochOf(member: Member): string | undefined {
    return this.isUp(member) ? this.#cluster.node(member.index).epoch : undefined;
  }

  replicasOf(key: Uint8Array): ReplicaSet {
    return this.#placement.replicasOf(key);
  }

  onRequest(kind: number, handler: RequestHandler): void {
    this.#handlers.set(kind, handler);
  }

  async request(
    member: Member,
    kind: number,
    body: Uint8Array,
    timeoutMs: number,
  ): Promise<Uint8Array> {
    const cluster = this.#cluster;
    this.timeouts.push(timeoutMs);
    if (!this.isUp(member)) throw new RingletError("LINK_DOWN", "no link");
    const { accident } = cluster;
    cluster.accident = "none";
    if (accident === "lost-before") throw new RingletError("LINK_LOST", "the link is gone");
    if (accident === "silent") {
      return new Promise((_, reject) => {
        cluster.runtime.after(timeoutMs, () => reject(new RingletError("DEADLINE", "too late")));
      });
    }
    const target = cluster.node(member.index);
    target.served++;
    const deadline = cluster.runtime.monotonic() + timeoutMs;
    const request = { link: this.self.index, body: body.slice(), deadline };
    if (this.requestMs !== 0) await cluster.runtime.advance(this.requestMs);
    if (cluster.runtime.monotonic() > deadline) throw new RingletError("DEADLINE", "too late");
    const reply = await target.#handlers.get(kind)!(request);
    if (accident === "lost-after") throw new RingletError("LINK_LOST", "the link is gone");
    return reply.slice();
  }

  async replicate(
    database: number,
    key: Key,
    need: number,
    { among, deadline }: QuorumWishes = {},
  ): Promise<QuorumOutcome> {
    const bytes = this.store.memory.bytes.slice(key.pointer, key.pointer + key.length);
    await this.#begin(deadline);
    const frame = recordFrame(this.store, database, bytes);
    if (frame === undefined) return { ok: true, got: need, need, stale: false };
    // Who holds something newer holds enough.
    const receivers = among ?? this.#others(bytes);
    return this.#deliver(receivers, frame, need, true);
  }

  async readAround(
    database: number,
    key: Key,
    need: number,
    { among, deadline }: QuorumWishes = {},
  ): Promise<QuorumOutcome> {
    const bytes = this.store.memory.bytes.slice(key.pointer, key.pointer + key.length);
    await this.#begin(deadline);
    let got = 0;
    for (const member of among ?? this.#others(bytes)) {
      if (!this.isUp(member) || this.#cluster.node(member.index).isFenced) continue;
      const other = this.#cluster.node(member.index).store;
      const theirs = recordFrame(other, database, bytes);
      if (theirs !== undefined && this.#isBehind(other, database, bytes)) {
        applyFrame(this.store, theirs.slice());
      }
      got++;
    }
    return { ok: got >= need, got, need, stale: false };
  }

  async send(
    members: readonly Member[],
    frame: Uint8Array,
    need: number,
    { deadline }: QuorumWishes = {},
  ): Promise<QuorumOutcome> {
    await this.#begin(deadline);
    return this.#deliver(members, frame, need, false);
  }

  async #deliver(
    members: readonly Member[],
    frame: Uint8Array,
    need: number,
    staleCounts: boolean,
  ): Promise<QuorumOutcome> {
    if (members.length === 0) throw new Error("send() to nobody");
    let got = 0;
    let stale = false;
    for (const member of members) {
      if (!this.isUp(member)) continue;
      const answer = this.#cluster.node(member.index).take(frame.slice());
      if (answer === "stale") stale = true;
      if (answer !== "stale" || staleCounts) got++;
    }
    return { ok: got >= need, got, need, stale };
  }

  async #begin(deadline: number | undefined): Promise<void> {
    this.deadlines.push(deadline);
    if (this.quorumMs !== 0) await this.#cluster.runtime.advance(this.quorumMs);
  }

  /** Applies a data request of another node. */
  take(frame: Uint8Array): "acknowledged" | "stale" {
    const { type, flags } = frameHead(frame);
    this.#cluster.delivered++;
    this.store.setNow(this.#cluster.runtime.now());
    const writes = type === FRAME.batch ? decodeBatch(frame).writes : [frame];
    const outcomes = writes.map((write) => applyFrame(this.store, write.slice()));
    if ((flags & FRAME_FLAG.spread) !== 0) this.#spread(frame, writes[0]!);
    return outcomes.includes("stale") ? "stale" : "acknowledged";
  }

  #spread(frame: Uint8Array, first: Uint8Array): void {
    const keyLength = new DataView(first.buffer, first.byteOffset).getUint32(24, true);
    frame[5]! &= ~FRAME_FLAG.spread;
    for (const member of this.#others(first.subarray(28, 28 + keyLength))) {
      if (this.isUp(member)) this.#cluster.node(member.index).take(frame.slice());
    }
  }

  #others(key: Uint8Array): Member[] {
    return this.replicasOf(key).local.filter((member) => member !== this.self);
  }

  #isBehind(other: EmbeddedStore, database: number, key: Uint8Array): boolean {
    const mine = recordStamp(this.store, database, key);
    const theirs = recordStamp(other, database, key);
    if (mine === undefined || theirs === undefined) return theirs !== undefined;
    const order = compareStamps(
      stampFrom(theirs.stamp, theirs.node),
      stampFrom(mine.stamp, mine.node),
    );
    return order > 0 || theirs.digest !== mine.digest;
  }
}

/** A client that reads and writes at one level. */
export function clientAt(level: ConsistencyLevel): ClientOptions {
  return { database: 0, protocol: 2, noTouch: false, readLevel: level, writeLevel: level };
}

/** The time that the cluster begins with, in ms since the epoch. */
export const BEGINNING_MS = START_MS;

const pair = (one: number, other: number): string =>
  `${Math.min(one, other)}-${Math.max(one, other)}`;
