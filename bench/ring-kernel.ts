// The replicated path inside the kernel: three kernels in this process, each a full replica of the same keys, wired by copying what
// one leaves for another. What a SET costs its coordinator and each replica, and an acknowledgement the coordinator.

import { readFileSync } from "node:fs";
import type { BenchSection, Goal } from "./section.ts";

/** Keys of 16 B with values of 3 B: three tables of them do not fit into the caches. */
const KEYS = 100_000;
const PER_CHUNK = 128;
const CHUNKS = 2000;
const REPEATS = 15;
const QUORUM = 1;

/** Most nanoseconds, and bytes of a request that waits with two other replicas. */
const LIMITS = { coordinator: 120, replica: 65, acknowledgement: 5, slotBytes: 48 };

interface RingKernel {
  readonly memory: WebAssembly.Memory;
  reset(ceilingBytes: number, seedLow: bigint, seedHigh: bigint, tombstones: number): void;
  setNow(milliseconds: number): void;
  setNodeIndex(index: number): void;
  contextOpen(): number;
  connectionOpen(): number;
  connectionLevels(connection: number, read: number, write: number): void;
  inputReserve(context: number, bytes: number): number;
  takePages(count: number, align: number): number;
  feed(context: number, connection: number, input: number, length: number): number;
  ringReserve(bytes: number): number;
  ringInstall(address: number): number;
  ringFigure(index: number): number;
  linkOpen(link: number): number;
  linkAddress(link: number): number;
  linkSetFlags(link: number, flags: number): void;
  linkSeal(link: number): number;
  linkFlushed(link: number): void;
  peerFeed(context: number, link: number, input: number, length: number): number;
  turnFlushed(): void;
  nextReady(): number;
  streamTake(connection: number, out: number, room: number): number;
}

/** One repetition: nanoseconds for each command, at the coordinator and at a replica, and for each acknowledgement of a link. */
interface Costs {
  readonly coordinator: number;
  readonly replica: number;
  readonly acknowledgement: number;
  readonly release: number;
}

export function ringKernelBench(): BenchSection {
  const bytes = readFileSync(new URL(import.meta.resolve("ringlet/kernel.wasm")));
  return measureRing(new WebAssembly.Module(bytes));
}

export function measureRing(module: WebAssembly.Module): BenchSection {
  const nodes = [0, 1, 2].map((index) => new RingNode(module, index));
  const sets = chunksOf((key) => `*3\r\n$3\r\nSET\r\n$${key.length}\r\n${key}\r\n$3\r\nxxx\r\n`);
  const gets = chunksOf((key) => `*2\r\n$3\r\nGET\r\n$${key.length}\r\n${key}\r\n`);
  const rows: string[][] = [];
  const medians = new Map<string, Costs>();
  run(nodes, sets);
  const measured = { SET: [] as Costs[], GET: [] as Costs[] };
  for (let repeat = 0; repeat < REPEATS; repeat++) {
    measured.SET.push(run(nodes, sets));
    measured.GET.push(run(nodes, gets));
  }
  for (const name of ["SET", "GET"] as const) {
    const costs = median(measured[name]);
    medians.set(name, costs);
    rows.push([
      name,
      ...[costs.coordinator, costs.replica, costs.acknowledgement, costs.release].map((value) =>
        value.toFixed(1),
      ),
    ]);
  }
  const slotBytes = bytesOfWaiting(nodes[0]!, sets);
  const set = medians.get("SET")!;
  return {
    tables: [
      {
        title: "Three replicas at DC_QUORUM inside the kernel, ns",
        columns: [
          ...["128 in a chunk", "coordinator, a command", "replica, a command"],
          ...["coordinator, an acknowledgement of a link", "coordinator, a reply released"],
        ],
        rows,
      },
      {
        title: "A request that waits for two other replicas, bytes",
        columns: ["", "slot and its places"],
        rows: [["SET", slotBytes.toFixed(0)]],
      },
    ],
    notes: [
      `${KEYS} keys of 16 B, values of 3 B, in an order without pattern; medians of ${REPEATS} times ${CHUNKS} chunks, without sockets. What a node leaves for another is copied outside of the figures.`,
    ],
    goals: [
      goal("coordinator, a SET at DC_QUORUM", set.coordinator, LIMITS.coordinator, "ns"),
      goal("replica, a SET", set.replica, LIMITS.replica, "ns"),
      goal("an acknowledgement of a link", set.acknowledgement, LIMITS.acknowledgement, "ns"),
      goal("a request that waits for two replicas", slotBytes, LIMITS.slotBytes, "B"),
    ],
  };
}

function goal(what: string, value: number, limit: number, unit: string): Goal {
  return {
    what,
    value: `${value.toFixed(unit === "B" ? 0 : 1)} ${unit}`,
    limit: `${limit} ${unit}`,
    met: value <= limit,
  };
}

/** Sends chunks through the first node; what each step takes, of the median chunk: other programs interrupt a few of them. */
function run(nodes: readonly RingNode[], chunks: readonly Uint8Array[]): Costs {
  const [coordinator, ...replicas] = nodes as [RingNode, ...RingNode[]];
  const spent = {
    ...{ feed: [], replicas: [], release: [] },
    // Those of the first link decide the requests, those of the second come when they are decided.
    ...{ firstAcks: [], lateAcks: [] },
  } as Record<string, number[]>;
  const time = (step: string, work: () => void): void => {
    const began = performance.now();
    work();
    spent[step]!.push(performance.now() - began);
  };
  for (const chunk of chunks) {
    coordinator.place(chunk);
    time("feed", () => coordinator.feed(chunk.length));
    for (const replica of replicas) {
      const frames = coordinator.take(replica.index);
      replica.place(frames);
      time("replicas", () => replica.peerFeed(0, frames.length));
      const answers = replica.take(0);
      coordinator.place(answers);
      time(replica.index === 1 ? "firstAcks" : "lateAcks", () =>
        coordinator.peerFeed(replica.index, answers.length),
      );
    }
    time("release", () => coordinator.release(PER_CHUNK));
  }
  const nanoseconds = (step: string): number => (middle(spent[step]!) * 1e6) / PER_CHUNK;
  return {
    coordinator: nanoseconds("feed"),
    replica: nanoseconds("replicas"),
    acknowledgement: (nanoseconds("firstAcks") + nanoseconds("lateAcks")) / 2,
    release: nanoseconds("release"),
  };
}

/** Bytes of slots, and of places in the FIFOs of two links, for each of as many requests as there are slots. */
function bytesOfWaiting(node: RingNode, chunks: readonly Uint8Array[]): number {
  const PENDING = 64;
  const SLOT_BYTES = 32;
  const PLACE_BYTES = 4;
  for (const chunk of chunks.slice(0, 400)) {
    node.place(chunk);
    node.feed(chunk.length);
    node.take(1);
    node.take(2);
  }
  const waiting = node.kernel.ringFigure(PENDING);
  const places = [1, 2].reduce((sum, link) => sum + node.pending(link), 0);
  return (waiting * SLOT_BYTES + places * PLACE_BYTES) / waiting;
}

class RingNode {
  readonly index: number;
  readonly kernel: RingKernel;
  readonly #context: number;
  readonly #connection: number;
  readonly #out: number;
  #input = 0;

  constructor(module: WebAssembly.Module, index: number) {
    this.index = index;
    this.kernel = new WebAssembly.Instance(module).exports as unknown as RingKernel;
    const { kernel } = this;
    kernel.reset(2 ** 30, 0x243f6a8885a308d3n, 0x13198a2e03707344n, 1);
    kernel.setNow(Date.now());
    kernel.setNodeIndex(index);
    this.#context = kernel.contextOpen() >>> 0;
    this.#connection = kernel.connectionOpen() >>> 0;
    kernel.connectionLevels(this.#connection, QUORUM, QUORUM);
    this.#out = kernel.takePages(4, 1) >>> 0;
    this.#install();
    for (const link of [0, 1, 2]) {
      if (link === index) continue;
      kernel.linkOpen(link);
      kernel.linkSetFlags(link, 1);
    }
  }

  /** Three sets, as rings of three racks have them: the same members, each first in one of them. */
  #install(): void {
    const tables = new Uint8Array(32 + 3 * 24 + 3 * 64);
    const view = new DataView(tables.buffer);
    const MURMUR = 10;
    const setsAt = 32 + 3 * 24;
    for (const [i, word] of [MURMUR, 0, 0, 3, 3, 32, setsAt].entries()) {
      view.setUint32(4 * i, word, true);
    }
    for (let i = 0; i < 3; i++) {
      view.setUint32(32 + 24 * i + 8, Math.ceil(((i + 1) * 2 ** 32) / 3) - 1, true);
      view.setUint32(32 + 24 * i + 16, i, true);
      const order = [0, 1, 2].map((n) => (n + i) % 3);
      const others = order.filter((n) => n !== this.index);
      const at = setsAt + 64 * i;
      tables.set([1, 3, 2, 0, order.indexOf(this.index)], at);
      for (const [j, link] of others.entries()) view.setUint16(at + 8 + 2 * j, link, true);
    }
    const address = this.kernel.ringReserve(tables.length) >>> 0;
    this.#bytes().set(tables, address);
    this.kernel.ringInstall(address);
  }

  #bytes(): Uint8Array {
    return new Uint8Array(this.kernel.memory.buffer);
  }

  #link(link: number, word: number): number {
    return new Uint32Array(this.kernel.memory.buffer)[
      (this.kernel.linkAddress(link) >>> 2) + word
    ]!;
  }

  place(bytes: Uint8Array): void {
    this.#input = this.kernel.inputReserve(this.#context, bytes.length) >>> 0;
    this.#bytes().set(bytes, this.#input);
  }

  feed(length: number): void {
    const status = this.kernel.feed(this.#context, this.#connection, this.#input, length);
    if (status !== 0) throw new Error(`the kernel stopped with status ${status}`);
  }

  peerFeed(link: number, length: number): void {
    const status = this.kernel.peerFeed(this.#context, link, this.#input, length);
    if (status !== 0) throw new Error(`the kernel stopped with status ${status}`);
  }

  /** What it leaves for another node. */
  take(link: number): Uint8Array {
    const length = this.kernel.linkSeal(link) >>> 0;
    const outbox = this.#link(link, 1);
    const frames = this.#bytes().slice(outbox, outbox + length);
    this.kernel.linkFlushed(link);
    return frames;
  }

  /** Requests of a link without an answer. */
  pending(link: number): number {
    return this.#link(link, 3);
  }

  /** Takes the replies that may leave: to `count` commands. */
  release(count: number): void {
    this.kernel.turnFlushed();
    let taken = 0;
    for (;;) {
      const connection = this.kernel.nextReady();
      if (connection === 0) break;
      taken += this.kernel.streamTake(connection >>> 0, this.#out, 4 * 65536);
    }
    if (taken < 4 * count) throw new Error(`${taken} bytes of replies to ${count} commands`);
  }
}

function chunksOf(request: (key: string) => string): Uint8Array[] {
  const next = mulberry32(7);
  return Array.from({ length: CHUNKS }, () => {
    let text = "";
    for (let n = 0; n < PER_CHUNK; n++) {
      text += request(`key:${String(next() % KEYS).padStart(12, "0")}`);
    }
    return Buffer.from(text);
  });
}

/** Whole numbers below 2^32. */
function mulberry32(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return (t ^ (t >>> 14)) >>> 0;
  };
}

function median(all: readonly Costs[]): Costs {
  const of = (pick: (costs: Costs) => number): number => middle(all.map(pick));
  return {
    coordinator: of((costs) => costs.coordinator),
    replica: of((costs) => costs.replica),
    acknowledgement: of((costs) => costs.acknowledgement),
    release: of((costs) => costs.release),
  };
}

function middle(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1]!;
}
