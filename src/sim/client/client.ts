/**
 * A simulated client: real requests over a simulated stream to a node's RESP door, and every operation in the history. It loses
 * connections, waits no longer than it wants to, and connects again, to the same node or another.
 */
import type { Timer } from "../../base/runtime.ts";
import type { ConsistencyLevel } from "../../ring/levels.ts";
import type { ByteStream, StreamHandler } from "../../transport/stream.ts";
import type { PeerAddress, Transport } from "../../transport/transport.ts";
import type { History, OpenOperation } from "../history.ts";
import type { SimProcess } from "../process.ts";
import type { Random } from "../random.ts";
import { isError, type Reply, ReplyReader } from "./replies.ts";
import { encodeCommands } from "./requests.ts";

/** A node that clients connect to. */
export interface ClientTarget {
  readonly name: string;
  readonly datacenter: string;
  readonly address: PeerAddress;
}

/** How a client behaves. Times in ms. */
export interface ClientBehaviour {
  /** Nodes that it connects to. */
  readonly targets: readonly ClientTarget[];
  /** Levels of its connections; undefined: it sets none (a single node). */
  readonly levels?: { readonly read: ConsistencyLevel; readonly write: ConsistencyLevel };
  /** Mean time between two pipelines. */
  readonly thinkMs: number;
  /** Commands in a pipeline at most. */
  readonly pipeline: number;
  /** Pipelines that may be unanswered. */
  readonly unanswered: number;
  /** Gives a connection up on which nothing is answered for so long. */
  readonly patienceMs: number;
  /** How often it goes to another node after an answer. */
  readonly roamChance: number;
}

export interface ClientParts {
  readonly name: string;
  /** Its host in the simulated network. */
  readonly host: string;
  readonly process: SimProcess;
  readonly transport: Transport;
  readonly random: Random;
  readonly history: History;
  readonly behaviour: ClientBehaviour;
  /** The next command to send; `id` is one that no other command has. */
  readonly nextCommand: (random: Random, id: string) => readonly string[];
}

const DIAL_TIMEOUT_MS = 500;
const RECONNECT_MS = 50;

export class SimClient {
  readonly #parts: ClientParts;
  #session: ClientSession | undefined;
  #running = true;
  #connections = 0;
  #commands = 0;

  constructor(parts: ClientParts) {
    this.#parts = parts;
    this.#connect();
  }

  get name(): string {
    return this.#parts.name;
  }

  get host(): string {
    return this.#parts.host;
  }

  /** Operations that wait for their answer. */
  get pending(): readonly OpenOperation[] {
    return this.#session?.pending ?? [];
  }

  /** Where it is connected; undefined while it is not. */
  get target(): ClientTarget | undefined {
    return this.#session?.target;
  }

  /** The present connection is broken, which the client does not know: when it gives up, it has lost it. */
  noteBroken(): void {
    if (this.#session !== undefined) this.#session.isBroken = true;
  }

  /** Sends nothing more; what has been sent may still be answered. */
  stop(): void {
    this.#running = false;
  }

  #connect(): void {
    if (!this.#running) return;
    const { random, transport, behaviour, process } = this.#parts;
    const target = random.pick(behaviour.targets);
    transport.dial(target.address, DIAL_TIMEOUT_MS).then(
      (stream) => this.#open(stream, target),
      () => {
        process.after(random.exponential(RECONNECT_MS), () => this.#connect());
      },
    );
  }

  #open(stream: ByteStream, target: ClientTarget): void {
    const { process, random, behaviour, history, name } = this.#parts;
    const { read = "DC_ONE", write = "DC_ONE" } = behaviour.levels ?? {};
    const connection = ++this.#connections;
    const { name: node, datacenter } = target;
    const facts = { client: name, connection, node, datacenter, read, write };
    const session = new ClientSession({
      process,
      stream,
      target,
      patienceMs: behaviour.patienceMs,
      begin: (command) => history.begin(facts, command),
      closed: () => {
        if (this.#session !== session) return;
        this.#session = undefined;
        process.after(random.exponential(RECONNECT_MS), () => this.#connect());
      },
    });
    this.#session = session;
    if (behaviour.levels !== undefined) {
      session.setUp([
        ["RINGLET", "CONSISTENCY", "READ", read],
        ["RINGLET", "CONSISTENCY", "WRITE", write],
      ]);
    }
    this.#think(session);
  }

  #think(session: ClientSession): void {
    const { process, random, behaviour } = this.#parts;
    process.after(random.exponential(behaviour.thinkMs), () => {
      if (!this.#running || this.#session !== session) return;
      if (random.chance(behaviour.roamChance)) {
        session.leave();
        return;
      }
      if (session.pipelines < behaviour.unanswered) this.#send(session);
      this.#think(session);
    });
  }

  #send(session: ClientSession): void {
    const { random, behaviour, nextCommand, name } = this.#parts;
    const count = 1 + random.below(behaviour.pipeline);
    const commands = Array.from({ length: count }, () =>
      nextCommand(random, `${name}.${this.#commands++}`),
    );
    session.send(commands);
  }
}

interface SessionParts {
  readonly process: SimProcess;
  readonly stream: ByteStream;
  readonly target: ClientTarget;
  readonly patienceMs: number;
  readonly begin: (command: readonly string[]) => OpenOperation;
  readonly closed: () => void;
}

/** One connection of a client. */
class ClientSession implements StreamHandler {
  readonly target: ClientTarget;
  /** Operations that wait for their answer, in the order in which they were sent. */
  readonly pending: OpenOperation[] = [];
  /** Unanswered commands of each pipeline, and of the set-up that comes before all. */
  readonly #pipelines: number[] = [];
  #setUp = 0;
  isBroken = false;
  readonly #parts: SessionParts;
  readonly #replies = new ReplyReader();
  #patience: Timer | undefined;
  #leaving = false;
  #over = false;

  constructor(parts: SessionParts) {
    this.#parts = parts;
    this.target = parts.target;
    parts.stream.start(this);
  }

  get pipelines(): number {
    return this.#pipelines.length;
  }

  /** Sends commands that are no operations, before all others. */
  setUp(commands: readonly (readonly string[])[]): void {
    this.#setUp += commands.length;
    this.#write(commands);
  }

  send(commands: readonly (readonly string[])[]): void {
    for (const command of commands) this.pending.push(this.#parts.begin(command));
    this.#pipelines.push(commands.length);
    this.#write(commands);
    if (this.#patience === undefined) this.#wait();
  }

  /** Closes when everything is answered. */
  leave(): void {
    this.#leaving = true;
    if (this.pending.length === 0) this.#end("lost");
  }

  received(bytes: Uint8Array): void {
    this.#replies.push(bytes);
    for (;;) {
      const reply = this.#replies.next();
      if (reply === undefined) break;
      this.#take(reply);
      if (this.#over) return;
    }
    this.#patience?.cancel();
    this.#patience = undefined;
    if (this.pending.length !== 0) this.#wait();
    else if (this.#leaving) this.#end("lost");
  }

  ended(): void {
    this.#end("lost");
  }

  drained(): void {}

  closed(): void {
    this.#end("lost");
  }

  #take(reply: Reply): void {
    if (this.#setUp !== 0) {
      if (isError(reply)) throw new Error(`the node refused the set-up: ${reply.error}`);
      this.#setUp--;
      return;
    }
    const operation = this.pending.shift();
    if (operation === undefined) throw new Error(`a reply to nothing: ${JSON.stringify(reply)}`);
    operation.answer(reply);
    if (--this.#pipelines[0]! === 0) this.#pipelines.shift();
  }

  #wait(): void {
    const { process, patienceMs } = this.#parts;
    this.#patience = process.after(patienceMs, () => this.#end("waited"));
  }

  #end(why: "lost" | "waited"): void {
    if (this.#over) return;
    this.#over = true;
    this.#patience?.cancel();
    for (const operation of this.pending.splice(0)) operation.giveUp(this.isBroken ? "lost" : why);
    this.#parts.stream.destroy();
    this.#parts.closed();
  }

  #write(commands: readonly (readonly string[])[]): void {
    this.#parts.stream.write(encodeCommands(commands));
  }
}
