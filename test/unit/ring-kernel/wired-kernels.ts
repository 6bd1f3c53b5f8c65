/**
 * Several kernels in one process as the nodes of a ring: outboxes are copied into each other's peerFeed(), cut and delayed as a test
 * wants, and clients send requests to any of them. Everything else is the real thing: feeder, peer feeder, streams, tables.
 */
import type { RespWriter } from "../../../src/codec/resp-writer.ts";
import { type FeedClient, Feeder, type LaterReply } from "../../../src/doors/resp/feeder.ts";
import { HostQuorums, type Retry } from "../../../src/ring/host-quorums.ts";
import { PeerFeeder } from "../../../src/ring/peer-feeder.ts";
import { ReplyGates } from "../../../src/ring/reply-gate.ts";
import { type Arguments, fromLatin1, latin1 } from "../../../src/store/arguments.ts";
import type { EmbeddedStore } from "../../../src/store/embedded-store.ts";
import { CONNECTION } from "../../../src/store/kernel.ts";
import {
  LINK,
  LINK_FLAG,
  RING_FIGURE,
  type RingFigure,
  SELF_FLAG,
} from "../../../src/store/kernel-ring.ts";
import { type Decoded, HalfReply, readReply } from "../store/decode-reply.ts";
import { type Argument, encodeRequest } from "../store/harness.ts";
import type { RandomSource } from "../store/random-source.ts";
import { openStore, START_MS } from "../store/store-under-test.ts";

/** Levels by number. */
export const ONE = 0;
export const QUORUM = 1;
export const SAFE = 2;
export const EACH = 3;

export interface WiredOptions {
  /** Nodes, numbered from 0. */
  readonly nodes: number;
  /** By range of the tokens (as many equal parts as there are sets): the replicas in their fixed order. All nodes by default. */
  readonly sets?: readonly (readonly number[])[];
  /** Datacenter of each node, by number; all in 0 by default. The first member of a set in each other one is its link there. */
  readonly datacenters?: readonly number[];
  readonly hashTag?: string;
  readonly requestTimeoutMs?: number;
  readonly maxPending?: number;
  readonly maxLinkPending?: number;
  /** Cuts and delays what is sent; without it everything arrives whole. */
  readonly random?: RandomSource;
}

export class WiredKernels {
  readonly nodes: readonly WiredNode[];
  readonly options: WiredOptions;
  /** What is on its way, by sender and receiver. */
  readonly #wires: Uint8Array[][][];
  readonly #cut = new Set<string>();
  /** Nodes that do nothing. */
  readonly stopped = new Set<number>();
  now = START_MS;
  /** Of the deadlines, in ms. */
  clock = 1000;

  constructor(options: WiredOptions) {
    this.options = options;
    const numbers = Array.from({ length: options.nodes }, (_, node) => node);
    this.#wires = numbers.map(() => numbers.map(() => []));
    this.nodes = numbers.map((node) => new WiredNode(this, node));
    for (const a of numbers) for (const b of numbers) if (a < b) this.link(a, b);
  }

  node(index: number): WiredNode {
    return this.nodes[index]!;
  }

  /** Opens the link between two nodes, anew if there is one. */
  link(a: number, b: number): void {
    this.cut(a, b);
    this.#cut.delete(wireName(a, b));
    this.node(a).linkUp(b);
    this.node(b).linkUp(a);
  }

  /** Cuts the link between two nodes; what is on its way is lost. */
  cut(a: number, b: number): void {
    this.#cut.add(wireName(a, b));
    this.#wires[a]![b]! = [];
    this.#wires[b]![a]! = [];
    this.node(a).linkDown(b);
    this.node(b).linkDown(a);
  }

  send(from: number, to: number, bytes: Uint8Array): void {
    if (!this.#cut.has(wireName(from, to))) this.#wires[from]![to]!.push(bytes);
  }

  /** Bytes on their way. */
  inFlight(from: number, to: number): number {
    return this.#wires[from]![to]!.reduce((sum, bytes) => sum + bytes.length, 0);
  }

  /** Delivers what is on its way from one node to another, at most `limit` bytes of it. Whether there was anything. */
  deliver(from: number, to: number, limit = Number.MAX_SAFE_INTEGER): boolean {
    const wire = this.#wires[from]![to]!;
    if (wire.length === 0 || this.stopped.has(to)) return false;
    const all = Buffer.concat(wire);
    const piece = all.subarray(0, limit);
    wire.length = 0;
    if (limit < all.length) wire.push(all.subarray(limit));
    this.node(to).receive(from, piece);
    return true;
  }

  /** One random step: a node ends its turn, or something arrives. */
  step(random: RandomSource): void {
    const from = random.below(this.nodes.length);
    const to = random.below(this.nodes.length);
    if (from === to || random.chance(0.3)) {
      if (!this.stopped.has(from)) this.node(from).endTurn();
    } else if (random.chance(0.5)) {
      this.deliver(from, to, 1 + random.below(200));
    } else {
      this.deliver(from, to);
    }
  }

  /** Ends turns and delivers until nothing moves any more. */
  settle(): void {
    for (let round = 0; round < 1000; round++) {
      let moved = false;
      for (const { index } of this.nodes) if (!this.stopped.has(index)) this.node(index).endTurn();
      for (const from of this.nodes) {
        for (const to of this.nodes) if (this.deliver(from.index, to.index)) moved = true;
      }
      if (!moved) return;
    }
    throw new Error("the nodes do not come to rest");
  }

  /** Lets time pass on all nodes. */
  pass(milliseconds: number): void {
    this.now += milliseconds;
    this.clock += milliseconds;
    for (const node of this.nodes) node.setTime();
  }
}

function wireName(a: number, b: number): string {
  return a < b ? `${a}-${b}` : `${b}-${a}`;
}

export class WiredNode {
  readonly index: number;
  readonly store: EmbeddedStore;
  readonly gates: ReplyGates;
  readonly #ring: WiredKernels;
  readonly #feeder: Feeder;
  readonly #peers: PeerFeeder;
  readonly quorums: HostQuorums;
  readonly clients = new Map<number, WiredClient>();
  readonly #linksUp = new Set<number>();
  /** LINK_FLAG bits of links as the host finds them. */
  readonly found = new Map<number, number>();
  /** Requests that the kernel wants to have run again. */
  readonly retries: Retry[] = [];
  /** Frames that the host was handed. */
  readonly hosted: { readonly link: number; readonly frame: Uint8Array }[] = [];
  /** Times that an outbox was full within a run. */
  fullOutboxes = 0;

  constructor(ring: WiredKernels, index: number) {
    this.#ring = ring;
    this.index = index;
    this.store = openStore({ tombstones: true, ceilingBytes: 1 << 28 });
    const { kernel } = this.store;
    kernel.setNodeIndex(index);
    kernel.ringSetLimits(
      ring.options.requestTimeoutMs ?? 5000,
      10_000,
      ring.options.maxPending ?? 1 << 20,
      ring.options.maxLinkPending ?? 1 << 18,
    );
    this.#install();
    this.gates = new ReplyGates(this.store);
    this.gates.onRelease({
      release: (connection, bytes) => this.clients.get(connection)?.take(bytes),
      released: () => {},
    });
    this.quorums = new HostQuorums(this.store);
    this.#feeder = new Feeder(this.store, { touch: () => {}, flushLinks: () => this.#flushFull() });
    this.#peers = new PeerFeeder(this.store, {
      frame: (link, frame) => {
        this.hosted.push({ link, frame });
        if (frame[4]! >= 0x10 && frame[4]! < 0x18) kernel.peerAnswer(link, 0, 0, 0);
      },
      flushLink: (link) => this.flush(link),
    });
    this.setTime();
  }

  /** A client, with its levels. */
  client(read: number, write = read, protocol: 2 | 3 = 2): WiredClient {
    const connection = this.store.kernel.connectionOpen() >>> 0;
    this.store.kernel.connectionLevels(connection, read, write);
    this.store.memory.words[connection >>> 2] = protocol === 3 ? CONNECTION.resp3 : 0;
    const client = new WiredClient(this, connection, protocol);
    this.clients.set(connection, client);
    return client;
  }

  /** A client of this node alone, whatever the ring does. */
  outsider(): WiredClient {
    return this.client(255);
  }

  setTime(): void {
    this.store.setNow(this.#ring.now);
    this.store.kernel.ringSetClock(this.#ring.clock);
  }

  setState(flags: number): void {
    this.store.kernel.ringSetSelf(flags);
  }

  linkUp(link: number, flags: number = LINK_FLAG.up): void {
    if (!this.#linksUp.has(link)) this.store.kernel.linkOpen(link);
    this.store.kernel.linkSetFlags(link, flags);
    this.#linksUp.add(link);
  }

  linkDown(link: number): void {
    this.store.kernel.linkDown(link);
    this.#peers.forget(link);
    this.#linksUp.delete(link);
  }

  feed(client: WiredClient, bytes: Uint8Array) {
    return this.#feeder.feed(client, [bytes], bytes.length);
  }

  receive(link: number, bytes: Uint8Array): void {
    if (!this.#peers.feed(link, bytes))
      throw new Error(`node ${this.index}: ${link} sent no frame`);
  }

  /** What a node does at the end of a turn: frames first, then replies. */
  endTurn(): void {
    for (const link of this.#linksUp) this.flush(link);
    this.store.kernel.turnFlushed();
    this.retries.push(...this.quorums.takeEvents());
    this.gates.release();
  }

  flush(link: number): void {
    const { kernel, memory } = this.store;
    const length = kernel.linkSeal(link) >>> 0;
    if (length !== 0) {
      const outbox = memory.words[(kernel.linkAddress(link) >>> 2) + LINK.outbox]!;
      this.#ring.send(this.index, link, memory.bytes.slice(outbox, outbox + length));
      kernel.linkFlushed(link);
    }
    kernel.linkSettle(link, this.found.get(link) ?? 0);
  }

  /** The oldest stamp that a peer was not sent, undefined for none. */
  missed(link: number): bigint | undefined {
    const { kernel, memory } = this.store;
    const at = kernel.linkAddress(link) + LINK.missed * 4;
    return memory.data.getBigUint64(at, true) || undefined;
  }

  expire(): number {
    return this.store.kernel.expireSlots();
  }

  figure(name: RingFigure): number {
    return this.store.kernel.ringFigure(RING_FIGURE[name]);
  }

  /** The value that is here, undefined for none. */
  value(key: string, database = 0): string | undefined {
    const { pointer, length } = this.store.place(fromLatin1(key));
    const entry = this.store.kernel.hostFind(database, pointer, length, 0) >>> 0;
    if (entry === 0) return undefined;
    const { data, bytes } = this.store.memory;
    const start = entry + 36 + data.getUint32(entry + 24, true);
    return latin1(bytes, start, data.getUint32(entry + 28, true));
  }

  /** Stamp and node of what is here, tombstones too; "" for nothing. */
  stamp(key: string, database = 0): string {
    const { pointer, length } = this.store.place(fromLatin1(key));
    const entry = this.store.kernel.hostPeek(database, pointer, length) >>> 0;
    if (entry === 0) return "";
    const { data } = this.store.memory;
    return `${data.getBigUint64(entry + 8, true)}/${data.getUint16(entry + 16, true)}`;
  }

  #flushFull(): void {
    this.fullOutboxes++;
    for (const link of this.#linksUp) this.flush(link);
  }

  #install(): void {
    const { options } = this.#ring;
    const all = Array.from({ length: options.nodes }, (_, node) => node);
    const sets = options.sets ?? [all];
    const datacenters = options.datacenters ?? all.map(() => 0);
    const setsAt = 32 + sets.length * 24;
    const bytes = new Uint8Array(setsAt + sets.length * 64);
    const view = new DataView(bytes.buffer);
    const [open = 0, close = 0] = fromLatin1(options.hashTag ?? "");
    for (const [i, word] of [10, open, close, sets.length, sets.length, 32, setsAt].entries()) {
      view.setUint32(4 * i, word, true);
    }
    const home = datacenters[this.index]!;
    for (const [i, set] of sets.entries()) {
      const end = BigInt(Math.ceil(((i + 1) * 2 ** 32) / sets.length) - 1);
      view.setBigUint64(32 + i * 24 + 8, end, true);
      view.setUint32(32 + i * 24 + 16, i, true);
      const local = set.filter((node) => datacenters[node] === home);
      const others = local.filter((node) => node !== this.index);
      const position = local.indexOf(this.index);
      const remotes = [...new Set(datacenters)]
        .filter((datacenter) => datacenter !== home)
        .map((datacenter) => set.find((node) => datacenters[node] === datacenter) ?? 0xffff);
      const at = setsAt + i * 64;
      const counts = [position < 0 ? 0 : 1, local.length, others.length, remotes.length];
      bytes.set([...counts, position < 0 ? 255 : position, 0], at);
      for (const [j, link] of [...others, ...remotes].entries()) {
        view.setUint16(at + 8 + 2 * j, link, true);
      }
    }
    const address = this.store.kernel.ringReserve(bytes.length) >>> 0;
    this.store.memory.bytes.set(bytes, address);
    this.store.kernel.ringInstall(address);
    this.setState(SELF_FLAG.coordinating);
  }
}

/** A client of one node. Host commands are answered with their own words behind "host:", but for those in `later`. */
export class WiredClient implements FeedClient {
  readonly kernelConnection: number;
  readonly protocol: 2 | 3;
  readonly closing = false;
  readonly mustWait = false;
  readonly #node: WiredNode;
  #received = "";
  #unread = Buffer.alloc(0);
  /** Commands that the host was handed. */
  readonly hosted: string[] = [];

  constructor(node: WiredNode, connection: number, protocol: 2 | 3) {
    this.#node = node;
    this.kernelConnection = connection;
    this.protocol = protocol;
  }

  /** Sends one command. */
  call(...words: readonly Argument[]): this {
    return this.write(encodeRequest(words));
  }

  /** Sends bytes of requests, one character per byte, cut anywhere. */
  write(text: string): this {
    this.#unread = Buffer.concat([this.#unread, Buffer.from(text, "latin1")]);
    const { consumed } = this.#node.feed(this, this.#unread);
    this.#unread = this.#unread.subarray(consumed);
    return this;
  }

  /** Replies that have come and were not taken, in order. */
  replies(): Decoded[] {
    const replies: Decoded[] = [];
    let at = 0;
    try {
      while (at < this.#received.length) {
        const { value, end } = readReply(this.#received, at);
        replies.push(value);
        at = end;
      }
    } catch (error) {
      if (!(error instanceof HalfReply)) throw error;
    }
    this.#received = this.#received.slice(at);
    return replies;
  }

  /** Whether a part of a reply has come. */
  get hasHalfReply(): boolean {
    return this.#received !== "";
  }

  close(): void {
    this.#node.clients.delete(this.kernelConnection);
    this.#node.store.kernel.connectionClose(this.kernelConnection);
  }

  take(bytes: Uint8Array): void {
    this.#received += latin1(bytes, 0, bytes.length);
  }

  // ---- FeedClient ----------------------------------------------------------------------------------------------------

  mayReplyMuch(): boolean {
    return false;
  }

  execute(args: Arguments, reply: RespWriter): LaterReply | undefined {
    const words = Array.from({ length: args.length }, (_, i) =>
      latin1(args.view(i), 0, args.view(i).length),
    );
    this.hosted.push(words.join(" "));
    reply.bulk(fromLatin1(`host:${words.join(" ")}`));
    return undefined;
  }

  send(bytes: Uint8Array): void {
    const { gates } = this.#node;
    if (gates.isGated(this.kernelConnection)) gates.append(this.kernelConnection, bytes);
    else this.take(bytes);
  }
}

/** The error of a write or read that too few replicas answered. */
export function noQuorum(needed: number, replicas: number, answered: number, unknown = false) {
  const tail = unknown ? ": the outcome of the write is unknown" : "";
  const counts = `(${needed} of ${replicas} needed, ${answered} answered)`;
  return { error: `ERR Dynomite: Failed to achieve Quorum ${counts}${tail}` };
}
