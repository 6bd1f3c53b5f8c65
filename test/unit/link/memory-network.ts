/** A clock that tests turn, and a network in memory: streams that cut bytes anywhere, stall, break and change what passes. */
import { RingletError } from "../../../src/base/errors.ts";
import type { Runtime, Timer } from "../../../src/base/runtime.ts";
import type { ByteStream, StreamHandler } from "../../../src/transport/stream.ts";
import type { PeerAddress, Transport } from "../../../src/transport/transport.ts";

/** Wall clock when a test begins, in ms. */
export const START_MS = 1_700_000_000_000;
/** How long bytes are on their way, in ms. */
export const LATENCY_MS = 1;

interface Task {
  at: number;
  readonly every: number;
  readonly run: () => void;
}

/** Time and chance of a test. */
export class TestWorld implements Runtime {
  #elapsed = 0;
  #tasks: Task[] = [];
  #state: number;

  constructor(seed = 1) {
    this.#state = seed;
  }

  now(): number {
    return START_MS + this.#elapsed;
  }
  monotonic(): number {
    return this.#elapsed;
  }
  randomBytes(length: number): Uint8Array {
    return Uint8Array.from({ length }, () => this.below(256));
  }
  after(delayMs: number, task: () => void): Timer {
    return this.#add({ at: this.#elapsed + delayMs, every: 0, run: task });
  }
  every(periodMs: number, task: () => void): Timer {
    return this.#add({ at: this.#elapsed + periodMs, every: periodMs, run: task });
  }
  endOfTurn(task: () => void): void {
    this.after(0, task);
  }

  /** A number from 0 up to, not including, `limit` (mulberry32). */
  below(limit: number): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0;
    let t = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return Math.floor((((t ^ (t >>> 14)) >>> 0) / 2 ** 32) * limit);
  }

  /** Lets time pass; tasks run in their order, and promises settle after each. */
  async advance(milliseconds: number): Promise<void> {
    const end = this.#elapsed + milliseconds;
    await settle();
    for (;;) {
      let next: Task | undefined;
      for (const task of this.#tasks) {
        if (task.at <= end && (next === undefined || task.at < next.at)) next = task;
      }
      if (next === undefined) break;
      this.#elapsed = Math.max(this.#elapsed, next.at);
      if (next.every === 0) this.#tasks.splice(this.#tasks.indexOf(next), 1);
      else next.at += next.every;
      next.run();
      await settle();
    }
    this.#elapsed = end;
  }

  /** Timers that are armed. */
  get armed(): number {
    return this.#tasks.length;
  }

  #add(task: Task): Timer {
    this.#tasks.push(task);
    return {
      cancel: () => {
        this.#tasks = this.#tasks.filter((other) => other !== task);
      },
    };
  }
}

async function settle(): Promise<void> {
  for (let i = 0; i < 10; i++) await Promise.resolve();
}

/** All streams of a test. */
export class MemoryNetwork {
  readonly world: TestWorld;
  /** Longest piece in which bytes arrive; they are cut at random. */
  maxPiece = Number.POSITIVE_INFINITY;
  /** Every connection that was made, oldest first: the dialler's end and the acceptor's. */
  readonly connections: { readonly dialler: MemoryStream; readonly acceptor: MemoryStream }[] = [];
  /** Times and addresses of all dials. */
  readonly dials: { readonly at: number; readonly address: string }[] = [];
  /** Addresses that cannot be reached. */
  readonly unreachable = new Set<string>();
  readonly #accepts = new Map<string, (stream: ByteStream) => void>();
  #nextPort = 50_000;

  constructor(world: TestWorld) {
    this.world = world;
  }

  /** The transport of a machine. */
  transport(host: string): Transport {
    return {
      dial: (address) => this.#dial(host, address),
      listen: (address, accept) => {
        const port = address.port === 0 ? this.#nextPort++ : address.port;
        const name = `${address.host}:${port}`;
        this.#accepts.set(name, accept);
        const close = async () => {
          this.#accepts.delete(name);
        };
        return Promise.resolve({ host: address.host, port, close });
      },
    };
  }

  /** Makes a connection between two tests' ends without a hub. */
  pair(from = "a:1", to = "b:2"): { dialler: MemoryStream; acceptor: MemoryStream } {
    const dialler = new MemoryStream(this, from, to);
    const acceptor = new MemoryStream(this, to, from);
    dialler.peer = acceptor;
    acceptor.peer = dialler;
    const connection = { dialler, acceptor };
    this.connections.push(connection);
    return connection;
  }

  /** Connects to a listener as some stranger. */
  connectTo(address: PeerAddress, from = "stranger"): MemoryStream {
    const name = `${address.host}:${address.port}`;
    const { dialler, acceptor } = this.pair(`${from}:${this.#nextPort++}`, name);
    this.#accepts.get(name)!(acceptor);
    return dialler;
  }

  async #dial(host: string, { host: to, port }: PeerAddress): Promise<ByteStream> {
    const name = `${to}:${port}`;
    this.dials.push({ at: this.world.monotonic(), address: name });
    await new Promise<void>((resolve) => this.world.after(LATENCY_MS, resolve));
    const accept = this.#accepts.get(name);
    if (accept === undefined || this.unreachable.has(name)) {
      throw new RingletError("DIAL_REFUSED", `nobody listens on ${name}`);
    }
    const { dialler, acceptor } = this.pair(`${host}:${this.#nextPort++}`, name);
    accept(acceptor);
    return dialler;
  }
}

/** One end of a connection. */
export class MemoryStream implements ByteStream {
  readonly remoteAddress: string;
  readonly localAddress: string;
  peer!: MemoryStream;
  /** Bytes that this end has sent, in the order of its writes. */
  readonly written: Uint8Array[] = [];
  /** What this end sends does not arrive while this is set; nor does its end. */
  isStalled = false;
  /** Changes what this end sends. */
  tamper: (bytes: Uint8Array) => Uint8Array = (bytes) => bytes;
  readonly #network: MemoryNetwork;
  #handler: StreamHandler | undefined;
  #queue: { readonly bytes: Uint8Array; readonly due: number }[] = [];
  #isPaused = false;
  #hasEnded = false;
  #endArrived = false;
  #isClosed = false;

  constructor(network: MemoryNetwork, localAddress: string, remoteAddress: string) {
    this.#network = network;
    this.localAddress = localAddress;
    this.remoteAddress = remoteAddress;
  }

  get isClosed(): boolean {
    return this.#isClosed;
  }
  get bufferedBytes(): number {
    return this.#queue.reduce((sum, { bytes }) => sum + bytes.length, 0);
  }

  start(handler: StreamHandler): void {
    this.#handler = handler;
    this.peer.flushSoon();
  }

  write(bytes: Uint8Array): void {
    if (this.#isClosed || this.#hasEnded) return;
    const copy = this.tamper(bytes.slice());
    this.written.push(copy);
    const due = this.#network.world.monotonic() + LATENCY_MS;
    if (copy.length > 0) this.#queue.push({ bytes: copy, due });
    this.flushSoon();
  }

  pause(): void {
    this.#isPaused = true;
  }
  resume(): void {
    this.#isPaused = false;
    this.peer.flushSoon();
  }

  end(): void {
    this.#hasEnded = true;
    this.flushSoon();
  }

  destroy(): void {
    if (this.#isClosed) return;
    this.#queue = [];
    this.#close();
    if (!this.isStalled) this.#network.world.after(LATENCY_MS, () => this.peer.reset());
  }

  /** The connection breaks under this end. */
  reset(): void {
    if (this.#isClosed) return;
    this.#close(new Error("connection reset"));
  }

  /** Lets go on what was stalled. */
  unstall(): void {
    this.isStalled = false;
    this.flushSoon();
  }

  flushSoon(): void {
    this.#network.world.after(LATENCY_MS, () => this.#flush());
  }

  #flush(): void {
    const { peer } = this;
    const { maxPiece, world } = this.#network;
    while (this.#queue.length > 0) {
      if (this.isStalled || peer.#isClosed || peer.#isPaused || peer.#handler === undefined) return;
      // Its own task comes when it is due.
      if (this.#queue[0]!.due > world.monotonic()) return;
      const { bytes, due } = this.#queue.shift()!;
      const most = maxPiece === Number.POSITIVE_INFINITY ? maxPiece : 1 + world.below(maxPiece);
      const length = Math.min(bytes.length, most);
      if (length < bytes.length) this.#queue.unshift({ bytes: bytes.subarray(length), due });
      const piece = bytes.slice(0, length);
      peer.#handler.received(piece);
      // They were there until received() returned.
      piece.fill(0xee);
      if (this.#queue.length === 0) this.#handler?.drained();
    }
    if (this.isStalled || !this.#hasEnded || peer.#endArrived || peer.#isClosed) return;
    peer.#endArrived = true;
    peer.#handler?.ended();
    if (peer.#hasEnded) {
      this.#close();
      peer.#close();
    }
  }

  #close(error?: Error): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#network.world.after(0, () => this.#handler?.closed(error));
  }
}
