/**
 * A simulated connection: two streams with a pipe each way. It ends as TCP connections do: half by half, at once by either side,
 * or by a fault of the network, which both sides, one or none may hear of.
 */
import { RingletError } from "../../base/errors.ts";
import type { Timer } from "../../base/runtime.ts";
import type { ByteStream, StreamHandler } from "../../transport/stream.ts";
import type { SimProcess } from "../process.ts";
import type { Random } from "../random.ts";
import { type PathModel, Pipe, type PipeSurroundings } from "./pipe.ts";

/** How long a stream that was ended may stay half open, in ms: as the TCP of src/runtime/node/tcp.ts. */
const CLOSE_GRACE_MS = 2000;

/** What a connection needs of the network that it is in. */
export interface ConnectionNetwork {
  readonly nowMs: number;
  schedule(delayMs: number, what: string, task: () => void, owner?: SimProcess): Timer;
  /** Whether nothing gets from one host to another now. */
  isBlocked(from: string, to: string): boolean;
  path(from: string, to: string): PathModel;
  traceBytes(what: string, bytes: Uint8Array): void;
  closed(connection: Connection): void;
}

/** One side of a connection that is about to be. */
export interface Side {
  readonly process: SimProcess;
  readonly host: string;
  readonly port: number;
}

/** What a fault does to a connection: see Connection.cut(). */
export type CutKind = "reset" | "fin" | "half-open" | "silent";

export class Connection {
  readonly id: number;
  /** The side that dialled, and the one that accepted. */
  readonly dialler: SimStream;
  readonly acceptor: SimStream;
  readonly random: Random;
  readonly network: ConnectionNetwork;
  readonly #stalled = new Set<SimStream>();

  constructor(
    network: ConnectionNetwork,
    id: number,
    random: Random,
    sides: { readonly dialler: Side; readonly acceptor: Side },
  ) {
    this.id = id;
    this.network = network;
    this.random = random;
    this.dialler = new SimStream(this, sides.dialler, sides.acceptor);
    this.acceptor = new SimStream(this, sides.acceptor, sides.dialler);
    this.dialler.pair(this.acceptor);
    this.acceptor.pair(this.dialler);
  }

  /** The side that a host has; undefined where it has none. */
  sideOf(host: string): SimStream | undefined {
    return [this.dialler, this.acceptor].find((stream) => stream.side.host === host);
  }

  /** Whether both sides are gone. */
  get isOver(): boolean {
    return this.dialler.isClosed && this.acceptor.isClosed;
  }

  /** Bytes on their way, or unread, in both directions. */
  get travellingBytes(): number {
    return this.dialler.out.travellingBytes + this.acceptor.out.travellingBytes;
  }

  /**
   * Ends the connection, in each direction at any byte of what is on its way. "reset": both sides hear an error; "fin": both
   * hear an end; "half-open": only the acceptor hears of it, the dialler learns it when it sends; "silent": nothing arrives any
   * more, and nobody is told.
   */
  cut(kind: CutKind): void {
    switch (kind) {
      case "reset":
      case "fin":
        this.dialler.out.cut(kind);
        this.acceptor.out.cut(kind);
        return;
      case "half-open":
        this.acceptor.lose();
        return;
      case "silent":
        this.stall(this.dialler, true);
        this.stall(this.acceptor, true);
    }
  }

  /** Ends a connection that was cut silently: both sides hear an error. */
  end(): void {
    this.cut("reset");
    this.stall(this.dialler, false);
    this.stall(this.acceptor, false);
  }

  /** Nothing that `from` sends arrives from now on, until it is set free. */
  stall(from: SimStream, stalled: boolean): void {
    if (stalled) this.#stalled.add(from);
    else if (this.#stalled.delete(from)) from.out.wake();
  }

  isStalled(from: SimStream): boolean {
    return this.#stalled.has(from);
  }

  /** The network between the two lets through again what it held up. */
  wake(): void {
    for (const stream of [this.dialler, this.acceptor]) {
      // TCP sends again after a while that has grown with the silence.
      stream.out.wake(this.random.exponential(RETRANSMIT_MS));
    }
  }
}

/** Mean time after which TCP sends again what was lost, in ms. */
const RETRANSMIT_MS = 100;

/** One side of a connection, as its process sees it. */
export class SimStream implements ByteStream {
  readonly side: Side;
  readonly remoteAddress: string;
  readonly localAddress: string;
  readonly connection: Connection;
  readonly out: Pipe;
  readonly #name: string;
  /** What an event is called in which bytes come here. */
  readonly #arrival: string;
  #peer!: SimStream;
  #handler: StreamHandler | undefined;
  #paused = false;
  #inEnded = false;
  #outEnded = false;
  #ending = false;
  #state: "open" | "closing" | "closed" = "open";
  #error: Error | undefined;
  /** The machine is gone: nobody hears of the end. */
  #isLost = false;

  constructor(connection: Connection, side: Side, remote: Side) {
    this.connection = connection;
    this.side = side;
    this.localAddress = `${side.host}:${side.port}`;
    this.remoteAddress = `${remote.host}:${remote.port}`;
    this.#name = `${this.localAddress}<${this.remoteAddress}#${connection.id}`;
    this.#arrival = `to ${this.#name}`;
    this.out = new Pipe(this.#surroundings(remote));
    side.process.onKill(() => this.#processGone());
  }

  /** Says which stream hears what this one sends. */
  pair(peer: SimStream): void {
    this.#peer = peer;
  }

  get isClosed(): boolean {
    return this.#state === "closed";
  }

  get bufferedBytes(): number {
    return this.out.waitingBytes;
  }

  start(handler: StreamHandler): void {
    this.#handler = handler;
    if (this.#state === "closed") this.#later("closed", () => this.#sayClosed());
    else this.#peer.out.wake();
  }

  write(bytes: Uint8Array): void {
    if (this.#state === "open" && !this.#ending) this.out.write(bytes);
  }

  pause(): void {
    this.#paused = true;
  }

  resume(): void {
    this.#paused = false;
    this.#peer.out.wake();
  }

  end(): void {
    if (this.#ending || this.#state !== "open") return;
    this.#ending = true;
    this.resume();
    this.out.end();
  }

  destroy(): void {
    this.#close(undefined, this.#peer.out.travellingBytes === 0 ? "fin" : "reset");
  }

  /** The connection is gone for this side, and the other is not told. */
  lose(): void {
    this.out.vanish();
    this.#close(resetError(this.remoteAddress), undefined);
  }

  /** The machine of this side is gone, without a word to the other. */
  vanish(): void {
    this.#isLost = true;
    this.#state = "closed";
    this.#handler = undefined;
    this.out.vanish();
    this.#peer.out.receiverGone();
  }

  /** Closes this side, and tells its process in an event of its own. */
  #close(error: Error | undefined, tell: "fin" | "reset" | undefined): void {
    if (this.#state !== "open") return;
    this.#state = "closing";
    this.#error = error;
    if (tell === undefined) this.out.abandon();
    else this.out.close(tell);
    this.#later("closed", () => {
      this.#state = "closed";
      this.#sayClosed();
      this.#noteOver();
    });
  }

  #sayClosed(): void {
    const handler = this.#handler;
    this.#handler = undefined;
    handler?.closed(this.#error);
  }

  #processGone(): void {
    if (this.#isLost) return;
    this.#handler = undefined;
    const wasOpen = this.#state === "open";
    this.#state = "closed";
    // The system closes what the process had open.
    if (wasOpen) this.out.close(this.#peer.out.travellingBytes === 0 ? "fin" : "reset");
    this.#peer.out.receiverGone();
    this.#noteOver();
  }

  #noteOver(): void {
    if (this.connection.isOver) this.connection.network.closed(this.connection);
  }

  #later(what: string, task: () => void, delayMs = 0): void {
    const { network } = this.connection;
    network.schedule(delayMs, `${what} ${this.#name}`, task, this.side.process);
  }

  /** What the pipe that leads from here meets: most of it at the other side. */
  #surroundings(remote: Side): PipeSurroundings {
    const { side, connection } = this;
    const { network, random } = connection;
    const peer = () => this.#peer;
    return {
      get nowMs() {
        return network.nowMs;
      },
      random,
      get path() {
        return network.path(side.host, remote.host);
      },
      get isBlocked() {
        return network.isBlocked(side.host, remote.host) || connection.isStalled(peer().#peer);
      },
      atReceiver: (delayMs, task) => {
        const receiver = peer();
        const owner = receiver.isClosed ? undefined : receiver.side.process;
        return network.schedule(delayMs, receiver.#arrival, task, owner);
      },
      get isReading() {
        return peer().#isReading;
      },
      received: (bytes) => peer().#received(bytes),
      finished: () => peer().#finished(),
      wasReset: () => peer().#wasReset(),
      drained: () => this.#drained(),
      finSent: () => this.#finSent(),
    };
  }

  get #isReading(): boolean {
    // What nobody reads any more does not hold its sender up.
    if (this.#state !== "open") return true;
    return this.#handler !== undefined && !this.#paused;
  }

  #received(bytes: Uint8Array): void {
    if (this.#state !== "open") {
      // Who sends to a side that is gone hears of it.
      this.out.close("reset");
      return;
    }
    this.connection.network.traceBytes(this.#name, bytes);
    this.#handler?.received(bytes);
  }

  #finished(): void {
    if (this.#state !== "open") return;
    this.#inEnded = true;
    this.#handler?.ended();
    if (this.#outEnded) this.#close(undefined, "fin");
  }

  #wasReset(): void {
    this.#close(resetError(this.remoteAddress), undefined);
  }

  #drained(): void {
    this.#later("drained", () => {
      if (this.#state === "open") this.#handler?.drained();
    });
  }

  #finSent(): void {
    this.#outEnded = true;
    const delayMs = this.#inEnded ? 0 : CLOSE_GRACE_MS;
    this.#later("ended", () => this.#close(undefined, "fin"), delayMs);
  }
}

function resetError(remoteAddress: string): RingletError {
  return new RingletError("ECONNRESET", `the connection to ${remoteAddress} was reset`);
}
