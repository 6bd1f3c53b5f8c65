/** A node with its RESP door in memory: a clock that tests turn, and clients whose bytes go through the real door. */
import { SILENT } from "../../../../src/base/logger.ts";
import type { Runtime, Timer } from "../../../../src/base/runtime.ts";
import type { SettingValues } from "../../../../src/base/setting-table.ts";
import { ServedNode } from "../../../../src/doors/served-node.ts";
import { RingletNode } from "../../../../src/node/node.ts";
import { fromLatin1, latin1 } from "../../../../src/store/arguments.ts";
import type { ByteStream, StreamHandler } from "../../../../src/transport/stream.ts";
import { type Decoded, readReply } from "../../store/decode-reply.ts";
import { type Argument, encodeRequest } from "../../store/harness.ts";
import { openKernel, START_MS } from "../../store/store-under-test.ts";

/** A world whose time passes when a test says so. */
export class TestRuntime implements Runtime {
  #elapsed = 0;
  #timers: { at: number; every: number; task: () => void }[] = [];

  now(): number {
    return START_MS + this.#elapsed;
  }
  monotonic(): number {
    return this.#elapsed;
  }
  randomBytes(length: number): Uint8Array {
    return new Uint8Array(length).fill(7);
  }
  after(delayMs: number, task: () => void): Timer {
    return this.#add({ at: this.#elapsed + delayMs, every: 0, task });
  }
  every(periodMs: number, task: () => void): Timer {
    return this.#add({ at: this.#elapsed + periodMs, every: periodMs, task });
  }
  endOfTurn(task: () => void): void {
    this.after(0, task);
  }

  /** Lets time pass; tasks run in their order, and promises settle after each. */
  async advance(milliseconds: number): Promise<void> {
    const end = this.#elapsed + milliseconds;
    for (;;) {
      const next = this.#timers
        .filter((timer) => timer.at <= end)
        .sort((one, other) => one.at - other.at)[0];
      if (next === undefined) break;
      this.#elapsed = Math.max(this.#elapsed, next.at);
      if (next.every === 0) this.#timers.splice(this.#timers.indexOf(next), 1);
      else next.at += next.every;
      next.task();
      await settle();
    }
    this.#elapsed = end;
  }

  #add(timer: { at: number; every: number; task: () => void }): Timer {
    this.#timers.push(timer);
    return {
      cancel: () => {
        this.#timers = this.#timers.filter((other) => other !== timer);
      },
    };
  }
}

/** Resolves when every promise that can settle now has. */
export async function settle(): Promise<void> {
  for (let i = 0; i < 20; i++) await Promise.resolve();
}

/** A node, and clients of it. */
export class TestNode {
  readonly runtime = new TestRuntime();
  readonly served: ServedNode;
  /** How often a client asked the node to shut down. */
  shutdowns = 0;
  /** Processor time in seconds, as the process would tell it. */
  cpuSeconds = () => ({ user: 1.5, system: 0.25 });
  #accept: (stream: ByteStream) => void = () => {};
  #nextPort = 50_000;

  constructor(settings: Partial<SettingValues> = {}) {
    const node = new RingletNode({
      runtime: this.runtime,
      kernel: openKernel(),
      log: SILENT,
      settings,
    });
    this.served = new ServedNode({
      node,
      facts: {
        version: "0.0.0-test",
        platform: "test",
        processId: 1,
        residentBytes: () => 50_000_000,
        cpuSeconds: () => this.cpuSeconds(),
      },
      shutdown: () => {
        this.shutdowns++;
      },
    });
    this.served.listen((accept) => {
      this.#accept = accept;
      return Promise.resolve({ host: "127.0.0.1", port: 8102, close: () => Promise.resolve() });
    });
  }

  connect(): TestClient {
    const client = new TestClient(`127.0.0.1:${this.#nextPort++}`);
    this.#accept(client);
    return client;
  }
}

const POISON = 0xff;

/** One client; it is its own stream. */
export class TestClient implements ByteStream {
  readonly remoteAddress: string;
  readonly localAddress = "127.0.0.1:8102";
  bufferedBytes = 0;
  /** Whether the client takes what it is sent; if not, that waits in bufferedBytes. */
  isReading = true;
  /** Whether the node has closed the connection. */
  closed = false;
  #handler: StreamHandler | undefined;
  #received = "";

  constructor(remoteAddress: string) {
    this.remoteAddress = remoteAddress;
  }

  /** Sends a command and returns its reply, which must come at once, as plain values. */
  run(...words: readonly Argument[]): Decoded {
    this.send(words);
    return this.read();
  }

  /** Sends a command and returns the bytes that came, one character per byte. */
  raw(...words: readonly Argument[]): string {
    this.send(words);
    return this.take();
  }

  /** Sends commands in one chunk. */
  send(...commands: readonly (readonly Argument[])[]): void {
    this.sendBytes(commands.map(encodeRequest).join(""));
  }

  sendBytes(text: string): void {
    const bytes = fromLatin1(text);
    this.#handler?.received(bytes);
    // They were there until received() returned.
    bytes.fill(POISON);
  }

  /** The next reply that has come. */
  read(): Decoded {
    const { value, end } = readReply(this.#received, 0);
    this.#received = this.#received.slice(end);
    return value;
  }

  /** All bytes that have come and were not read. */
  take(): string {
    const bytes = this.#received;
    this.#received = "";
    return bytes;
  }

  /** Takes all that was sent. */
  takeAll(): void {
    this.bufferedBytes = 0;
    this.#handler?.drained();
  }

  /** Says that it sends nothing more. */
  endInput(): void {
    this.#handler?.ended();
  }

  /** Hangs up. */
  hangUp(): void {
    this.destroy();
  }

  start(handler: StreamHandler): void {
    this.#handler = handler;
  }
  write(bytes: Uint8Array): void {
    if (!this.isReading) this.bufferedBytes += bytes.length;
    this.#received += latin1(bytes, 0, bytes.length);
  }
  /** Whether the node has stopped reading from the client. */
  paused = false;
  pause(): void {
    this.paused = true;
  }
  resume(): void {
    this.paused = false;
  }
  end(): void {
    this.destroy();
  }
  destroy(): void {
    if (this.closed) return;
    this.closed = true;
    this.#handler?.closed();
  }
}

/** An error reply as read() gives it. */
export const failed = (error: string) => ({ error });
