/**
 * The simulated network: hosts with addresses, connections between them, and what can go wrong on the way. A Transport is
 * handed to each process; the faults are for whoever runs the simulation.
 */
import { RingletError } from "../base/errors.ts";
import type { Timer } from "../base/runtime.ts";
import type { ByteStream, Listener } from "../transport/stream.ts";
import type { PeerAddress, Transport } from "../transport/transport.ts";
import { Connection, type ConnectionNetwork, type Side } from "./network/connection.ts";
import type { PathModel } from "./network/pipe.ts";
import type { SimProcess } from "./process.ts";
import type { Random } from "./random.ts";
import type { World } from "./world.ts";

export interface NetworkOptions {
  /** How each direction between two hosts behaves. */
  readonly path: (from: string, to: string) => PathModel;
}

/** A network of a data centre, for tests that do not care. */
export const CALM_PATH: PathModel = {
  latencyMs: 0.1,
  jitterMs: 0.1,
  tailChance: 0,
  tailMs: 0,
  bandwidth: 100_000,
  windowBytes: 256 * 1024,
  cutChance: 0,
};

/** How long a dialling side waits before it sends its first segment again, in ms; each next time twice as long. */
const DIAL_RETRY_MS = 1000;
const FIRST_FREE_PORT = 40_000;

interface Place {
  readonly process: SimProcess;
  readonly accept: (stream: ByteStream) => void;
}

export class Network implements ConnectionNetwork {
  readonly #world: World;
  readonly #options: NetworkOptions;
  readonly #places = new Map<string, Place>();
  readonly #connections = new Set<Connection>();
  /** Directions "from>to" that are blocked, and how often. */
  readonly #blocked = new Map<string, number>();
  readonly #down = new Set<string>();
  readonly #refusing = new Set<string>();
  #nextPort = FIRST_FREE_PORT;
  #nextId = 1;
  readonly #dials: Random;

  constructor(world: World, options: NetworkOptions) {
    this.#world = world;
    this.#options = options;
    this.#dials = world.random.fork("dials");
  }

  get nowMs(): number {
    return this.#world.nowMs;
  }

  /** Connections that are not over on both sides, in the order in which they were opened. */
  get connections(): ReadonlySet<Connection> {
    return this.#connections;
  }

  /** What a process on a host dials and listens with. */
  transport(process: SimProcess, host: string): Transport {
    return {
      dial: (address, timeoutMs) => this.#dial(process, host, address, timeoutMs),
      listen: (address, accept) => this.#listen(process, { host, port: address.port }, accept),
    };
  }

  /** Lets nothing through from one host to another; as often as it was called, unblock() must be. */
  block(from: string, to: string): void {
    const direction = `${from}>${to}`;
    this.#blocked.set(direction, (this.#blocked.get(direction) ?? 0) + 1);
  }

  unblock(from: string, to: string): void {
    const direction = `${from}>${to}`;
    const times = (this.#blocked.get(direction) ?? 0) - 1;
    if (times > 0) {
      this.#blocked.set(direction, times);
      return;
    }
    this.#blocked.delete(direction);
    for (const connection of this.between(from, to)) connection.wake();
  }

  /** Whether a host refuses to be dialled. */
  setRefusing(host: string, refusing: boolean): void {
    if (refusing) this.#refusing.add(host);
    else this.#refusing.delete(host);
  }

  /** A machine loses its power: nobody is told, and nothing reaches it until powerUp(). Its processes must be killed behind it. */
  powerDown(host: string): void {
    this.#down.add(host);
    for (const connection of [...this.#connections]) {
      connection.sideOf(host)?.vanish();
      if (connection.isOver) this.#connections.delete(connection);
    }
  }

  /** The machine is there again; what is sent on connections from before is answered with a reset. */
  powerUp(host: string): void {
    this.#down.delete(host);
    for (const connection of [...this.#connections]) {
      if (connection.sideOf(host) !== undefined) connection.wake();
    }
  }

  /** The connections between two hosts. */
  between(one: string, other: string): Connection[] {
    return [...this.#connections].filter((connection) => {
      const hosts = [connection.dialler.side.host, connection.acceptor.side.host];
      return hosts.includes(one) && hosts.includes(other);
    });
  }

  isBlocked(from: string, to: string): boolean {
    return this.#blocked.has(`${from}>${to}`) || this.#down.has(from) || this.#down.has(to);
  }

  path(from: string, to: string): PathModel {
    return this.#options.path(from, to);
  }

  schedule(delayMs: number, what: string, task: () => void, owner?: SimProcess): Timer {
    return this.#world.schedule(delayMs, what, task, owner);
  }

  traceBytes(what: string, bytes: Uint8Array): void {
    this.#world.trace.bytes(what, bytes);
  }

  closed(connection: Connection): void {
    this.#connections.delete(connection);
  }

  #listen(
    process: SimProcess,
    at: PeerAddress,
    accept: (stream: ByteStream) => void,
  ): Promise<Listener> {
    const port = at.port === 0 ? this.#nextPort++ : at.port;
    const name = `${at.host}:${port}`;
    if (this.#places.get(name)?.process.isAlive === true) {
      return Promise.reject(new RingletError("LISTEN_IN_USE", `${name} is in use`));
    }
    const place = { process, accept };
    this.#places.set(name, place);
    const close = () => {
      if (this.#places.get(name) === place) this.#places.delete(name);
      return Promise.resolve();
    };
    process.onKill(close);
    return Promise.resolve({ host: at.host, port, close });
  }

  #dial(
    process: SimProcess,
    host: string,
    to: PeerAddress,
    timeoutMs: number,
  ): Promise<ByteStream> {
    return new Promise((resolve, reject) => {
      const name = `${to.host}:${to.port}`;
      let isOver = false;
      const fail = (code: string, text: string) => {
        if (isOver) return;
        isOver = true;
        timer.cancel();
        reject(new RingletError(code, `cannot connect to ${name}: ${text}`));
      };
      const timedOut = () => fail("DIAL_TIMEOUT", `no answer in ${timeoutMs} ms`);
      const timer = this.schedule(timeoutMs, `dial ${name} times out`, timedOut, process);
      const answer = (what: string, task: () => void) =>
        this.schedule(this.#latency(to.host, host), what, task, process);
      const knock = (retryMs: number) => {
        if (isOver || !process.isAlive) return;
        if (this.isBlocked(host, to.host) || this.isBlocked(to.host, host)) {
          this.schedule(retryMs, `dial ${name} again`, () => knock(retryMs * 2));
          return;
        }
        const place = this.#places.get(name);
        if (place === undefined || this.#refusing.has(to.host)) {
          answer(`dial ${name} refused`, () => fail("DIAL_REFUSED", "nobody listens there"));
          return;
        }
        const connection = this.#connect(process, host, to, place);
        answer(`dialled ${name}`, () => {
          if (isOver) {
            connection.dialler.destroy();
            return;
          }
          isOver = true;
          timer.cancel();
          resolve(connection.dialler);
        });
      };
      this.schedule(this.#latency(host, to.host), `dial ${name}`, () => knock(DIAL_RETRY_MS));
    });
  }

  /** Opens a connection that the listening process hears of when it runs. */
  #connect(process: SimProcess, host: string, to: PeerAddress, place: Place): Connection {
    const id = this.#nextId++;
    const dialler: Side = { process, host, port: this.#nextPort++ };
    const acceptor: Side = { process: place.process, host: to.host, port: to.port };
    const random = this.#world.random.fork(`connection ${id}`);
    const connection = new Connection(this, id, random, { dialler, acceptor });
    this.#connections.add(connection);
    const accept = () => place.accept(connection.acceptor);
    this.schedule(0, `accept ${dialler.host}:${dialler.port}`, accept, place.process);
    return connection;
  }

  #latency(from: string, to: string): number {
    const { latencyMs, jitterMs } = this.path(from, to);
    return latencyMs + this.#dials.exponential(jitterMs);
  }
}
