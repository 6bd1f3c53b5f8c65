/** One kernel as a replica: links to made-up peers, frames that come over them cut anywhere, and what it answers. */
import { concat } from "../../../src/codec/concat.ts";
import { CONTEXT, type KernelExports } from "../../../src/store/kernel.ts";
import { LINK, LINK_FLAG, PEER_STATUS } from "../../../src/store/kernel-ring.ts";
import { KernelMemory } from "../../../src/store/memory.ts";
import { type PeerFrame, readPeerFrames } from "../../reference/peer-frames.ts";
import { openKernel, START_MS } from "../store/store-under-test.ts";

/** A stamp `ms` after the start of the tests, with a counter. */
export function stampAt(ms: number, counter = 0): bigint {
  return (BigInt(START_MS + ms) << 16n) | BigInt(counter);
}

/** What became of bytes that came over a link. */
export interface Fed {
  /** PEER_STATUS at the end: done, broken or noMemory. */
  readonly status: number;
  /** Bytes that are not done. */
  readonly left: number;
  /** Bytes that the frame in progress needs at least. */
  readonly wanted: number;
}

export interface HeldRecord {
  readonly stamp: bigint;
  readonly node: number;
  readonly expiry: number;
  readonly flags: number;
  readonly value: string;
}

/** The sets of a ring's tables: each takes an equal part of the tokens of `murmur`. */
export interface TestSet {
  readonly self: boolean;
  readonly locals: readonly number[];
  readonly remotes?: readonly number[];
}

export class PeerKernel {
  readonly kernel: KernelExports;
  readonly memory: KernelMemory;
  readonly context: number;
  readonly #scratch: number;
  /** Frames that the host was handed. */
  readonly hosted: Uint8Array[] = [];
  /** Links whose outboxes were full, in order; each was sealed and taken. */
  readonly fullLinks: number[] = [];
  readonly #sent = new Map<number, Uint8Array[]>();
  /** What the host does with a frame; it acknowledges requests by default. */
  onHost: (link: number, frame: Uint8Array) => void = (link, frame) => {
    if (frame[4]! >= 0x10 && frame[4]! < 0x18) this.kernel.peerAnswer(link, 0, 0, 0);
  };

  constructor(options: { kernel?: KernelExports; node?: number; ceilingBytes?: number } = {}) {
    this.kernel = options.kernel ?? openKernel();
    this.kernel.reset(options.ceilingBytes ?? 1 << 30, 0x0706050403020100n, 0x0f0e0d0c0b0a0908n, 1);
    this.kernel.setNow(START_MS);
    this.kernel.setNodeIndex(options.node ?? 0);
    this.memory = new KernelMemory(this.kernel.memory);
    this.context = this.kernel.contextOpen() >>> 0;
    this.#scratch = this.kernel.takePages(32, 1) >>> 0;
  }

  /** Opens a link that is up. */
  open(link: number, flags: number = LINK_FLAG.up): this {
    if (this.kernel.linkOpen(link) === 0) throw new Error("no memory for a link");
    this.kernel.linkSetFlags(link, flags);
    return this;
  }

  /** Puts this node into a ring. */
  install(sets: readonly TestSet[]): void {
    const setsAt = 32 + sets.length * 24;
    const bytes = new Uint8Array(setsAt + sets.length * 64);
    const view = new DataView(bytes.buffer);
    for (const [i, word] of [10, 0, 0, sets.length, sets.length, 32, setsAt].entries()) {
      view.setUint32(4 * i, word, true);
    }
    for (const [i, { self, locals, remotes = [] }] of sets.entries()) {
      const end = BigInt(Math.ceil(((i + 1) * 2 ** 32) / sets.length) - 1);
      view.setBigUint64(32 + i * 24 + 8, end, true);
      view.setUint32(32 + i * 24 + 16, i, true);
      const at = setsAt + i * 64;
      const counts = [self ? 1 : 0, locals.length + (self ? 1 : 0), locals.length, remotes.length];
      bytes.set([...counts, self ? 0 : 255, 0], at);
      for (const [j, link] of [...locals, ...remotes].entries()) {
        view.setUint16(at + 8 + 2 * j, link, true);
      }
    }
    const address = this.kernel.ringReserve(bytes.length) >>> 0;
    this.memory.bytes.set(bytes, address);
    this.kernel.ringInstall(address);
  }

  /** Which of the sets has a key. */
  setOf(key: string): number {
    return this.at(key, (pointer, length) => this.kernel.ringRoute(pointer, length));
  }

  /** Feeds bytes of whole or cut frames. What lies behind them in the input depends on `poison`. */
  feed(link: number, bytes: Uint8Array, poison = 0): Fed {
    const { kernel, memory, context } = this;
    const input = kernel.inputReserve(context, bytes.length) >>> 0;
    memory.bytes.set(bytes, input);
    for (let i = 0; i < POISON_BYTES; i++) {
      memory.bytes[input + bytes.length + i] = poison >>> (8 * (i & 3));
    }
    let status = kernel.peerFeed(context, link, input, bytes.length);
    while (status === PEER_STATUS.host || status === PEER_STATUS.outboxFull) {
      if (status === PEER_STATUS.host) {
        const at = this.#field(CONTEXT.large);
        const frame = memory.bytes.slice(at, at + this.#field(CONTEXT.largeLength));
        this.hosted.push(frame);
        this.onHost(link, frame);
      } else {
        const full = this.#field(CONTEXT.argc);
        this.fullLinks.push(full);
        this.#flush(full);
      }
      status = kernel.peerResume(context);
    }
    const left = input + bytes.length - this.#field(CONTEXT.consumed);
    return { status, left, wanted: this.#field(CONTEXT.wanted) };
  }

  /** Feeds bytes that end where a chunk ends: the rest is kept and fed again with the next. */
  feedCut(link: number, bytes: Uint8Array, cuts: readonly number[]): Fed {
    let kept = new Uint8Array(0);
    let fed: Fed = { status: PEER_STATUS.done, left: 0, wanted: 0 };
    let at = 0;
    for (const cut of [...cuts, bytes.length]) {
      const chunk = concat([kept, bytes.subarray(at, cut)]);
      at = cut;
      fed = this.feed(link, chunk);
      if (fed.status !== PEER_STATUS.done) return fed;
      kept = chunk.slice(chunk.length - fed.left);
    }
    return fed;
  }

  /** Seals the outbox of a link and takes what is in it, and what was flushed before. */
  take(link: number): Uint8Array {
    this.#flush(link);
    const bytes = concat(this.#sent.get(link) ?? []);
    this.#sent.delete(link);
    return bytes;
  }

  /** The same as frames. */
  frames(link: number): PeerFrame[] {
    const read = readPeerFrames(this.take(link));
    if (read.status !== "complete") throw new Error(`the outbox is ${read.status}`);
    return read.messages;
  }

  #flush(link: number): void {
    const length = this.kernel.linkSeal(link) >>> 0;
    const outbox = this.link(link, LINK.outbox);
    const sent = this.memory.bytes.slice(outbox, outbox + length);
    this.#sent.set(link, [...(this.#sent.get(link) ?? []), sent]);
    this.kernel.linkFlushed(link);
  }

  /** A word of a link. */
  link(link: number, word: number): number {
    return this.memory.words[(this.kernel.linkAddress(link) >>> 2) + word]!;
  }

  #field(index: number): number {
    return this.memory.words[(this.context >>> 2) + index]!;
  }

  /** Calls with bytes where they lie in linear memory. */
  at<T>(data: string | Uint8Array, call: (pointer: number, length: number) => T, offset = 0): T {
    const bytes = typeof data === "string" ? Buffer.from(data, "latin1") : data;
    this.memory.bytes.set(bytes, this.#scratch + offset);
    return call(this.#scratch + offset, bytes.length);
  }

  /** Applies a record as the host does; an APPLIED code. */
  apply(
    key: string,
    value: string,
    stamp: bigint,
    more: { node?: number; expiry?: number; flags?: number; database?: number } = {},
  ): number {
    const { node = 1, expiry = 0, flags = 0, database = 0 } = more;
    const expiryAndNode = (BigInt(expiry) << 16n) | BigInt(node);
    return this.at(
      value,
      (valueAt, valueLength) =>
        this.at(key, (keyAt, keyLength) =>
          this.kernel.hostApply(
            database,
            keyAt,
            keyLength,
            valueAt,
            valueLength,
            BigInt.asIntN(64, stamp),
            BigInt.asIntN(64, expiryAndNode),
            flags,
          ),
        ),
      1 << 20,
    );
  }

  /** The value that a reader finds. */
  get(key: string, database = 0): string | undefined {
    const entry = this.at(key, (at, length) => this.kernel.hostFind(database, at, length, 0)) >>> 0;
    return entry === 0 ? undefined : this.#record(entry).value;
  }

  /** What the table holds, tombstones too. */
  held(key: string, database = 0): HeldRecord | undefined {
    const entry = this.at(key, (at, length) => this.kernel.hostPeek(database, at, length)) >>> 0;
    return entry === 0 ? undefined : this.#record(entry);
  }

  #record(entry: number): HeldRecord {
    const { data, bytes } = this.memory;
    const value = entry + 36 + data.getUint32(entry + 24, true);
    const flags = bytes[entry + 32]!;
    const tagBytes = flags & TAGGED ? 4 : 0;
    const length = flags & OBJECT ? 0 : data.getUint32(entry + 28, true) + tagBytes;
    return {
      stamp: data.getBigUint64(entry + 8, true),
      node: data.getUint16(entry + 16, true),
      expiry: Number(data.getBigUint64(entry + 16, true) >> 16n),
      flags,
      value: Buffer.from(bytes.slice(value, value + length)).toString("latin1"),
    };
  }

  /** Puts an object of the host at a key, with a stamp. */
  object(key: string, handle: number, stamp: bigint, node = 1, database = 0): void {
    this.at(key, (at, length) =>
      this.kernel.hostInstall(
        ...([database, at, length, handle, 100, 0] as const),
        BigInt.asIntN(64, stamp),
        BigInt(node),
      ),
    );
  }
}

/** Bytes behind an input that no frame may depend on. */
const POISON_BYTES = 64;

/** The flag of a record that is an object, and of a tombstone. */
export const OBJECT = 0x10;
export const TOMBSTONE = 0x20;
export const TAGGED = 0x80;
