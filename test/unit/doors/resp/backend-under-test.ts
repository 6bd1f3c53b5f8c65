/** A node with a server behind it, all in memory: a small server that speaks RESP, a clock that tests turn, and clients. */
import { SILENT } from "../../../../src/base/logger.ts";
import type { SettingValues } from "../../../../src/base/setting-table.ts";
import { ServedNode } from "../../../../src/doors/served-node.ts";
import { RingletNode } from "../../../../src/node/node.ts";
import { loadCodec } from "../../../../src/runtime/node/codec.ts";
import type { BackendLimits } from "../../../../src/store/backend/limits.ts";
import type { BackendOptions } from "../../../../src/store/backend-options.ts";
import type { StreamHandler } from "../../../../src/transport/stream.ts";
import { MemoryNetwork, type MemoryStream, TestWorld } from "../../link/memory-network.ts";
import { openKernel } from "../../store/store-under-test.ts";

const SERVER = { host: "server", port: 6379 };
const codec = loadCodec();
const latin1 = (bytes: Uint8Array) => Buffer.from(bytes).toString("latin1");
const bytesOf = (text: string) => Uint8Array.from(Buffer.from(text, "latin1"));

/** A connection of the server. */
interface Served {
  readonly stream: MemoryStream;
  readonly id: number;
  isTrusted: boolean;
  database: number;
  protocol: number;
  /** Replies of a transaction that has begun. */
  queued: string[][] | undefined;
  /** It waits in a command: those behind it wait too. */
  isBlocked: boolean;
  waiting: string[][];
}

/** Speaks enough RESP for tests. What it is sent is noted with the connection that it came by. */
export class MemoryServer {
  readonly data = new Map<string, string>();
  readonly seen: { readonly connection: number; readonly words: string[] }[] = [];
  readonly connections = new Set<Served>();
  password = "";
  /** Replies in place of the ones that it would give, by the command's name. */
  readonly replies = new Map<string, string>();
  readonly #network: MemoryNetwork;
  #nextId = 1;

  constructor(network: MemoryNetwork) {
    this.#network = network;
    void network.transport("server").listen(SERVER, (stream) => this.#take(stream as MemoryStream));
  }

  /** Nobody listens any more, and every connection breaks; or it is there again. */
  set isDown(isDown: boolean) {
    const { unreachable } = this.#network;
    if (isDown) unreachable.add("server:6379");
    else unreachable.delete("server:6379");
    if (isDown) for (const { stream } of this.connections) stream.destroy();
  }

  /** Nothing that it says arrives while this is set. */
  set isStalled(isStalled: boolean) {
    for (const { stream } of this.connections) {
      if (isStalled) stream.isStalled = true;
      else stream.unstall();
    }
  }

  /** The commands that came, without those that open a connection. */
  get commands(): string[] {
    return this.seen
      .map(({ words }) => words.join(" "))
      .filter((text) => !/^(CLIENT ID|PING|AUTH|HELLO)/.test(text));
  }

  #take(stream: MemoryStream): void {
    const served: Served = {
      ...{ stream, id: this.#nextId++, isTrusted: this.password === "", database: 0, protocol: 2 },
      ...{ queued: undefined, isBlocked: false, waiting: [] },
    };
    this.connections.add(served);
    let held = new Uint8Array(0);
    stream.start({
      received: (bytes) => {
        held = Uint8Array.from([...held, ...bytes]);
        const { commands, consumed, status } = codec.parseRequests(held);
        if (status === "error") stream.destroy();
        served.waiting.push(...commands.map((args) => args.map(latin1)));
        held = held.slice(consumed);
        this.#runAll(served);
      },
      ended: () => stream.end(),
      drained() {},
      closed: () => this.connections.delete(served),
    });
  }

  /** Sends bytes over a connection, by its number. */
  say(id: number, text: string): void {
    for (const served of this.connections) if (served.id === id) served.stream.write(bytesOf(text));
  }

  /** Answers the command that a connection waits in. */
  unblock(id: number, reply: string): void {
    this.say(id, reply);
    for (const served of this.connections) {
      if (served.id !== id) continue;
      served.isBlocked = false;
      this.#runAll(served);
    }
  }

  #runAll(served: Served): void {
    while (!served.isBlocked) {
      const words = served.waiting.shift();
      if (words === undefined) return;
      this.seen.push({ connection: served.id, words });
      const reply = this.#answer(served, words);
      if (reply !== "") served.stream.write(bytesOf(reply));
    }
  }

  #answer(served: Served, words: string[]): string {
    const name = words[0]!.toLowerCase();
    const fixed = this.replies.get(name);
    if (fixed !== undefined) return fixed;
    if (name === "auth") {
      served.isTrusted = words[1] === this.password;
      return served.isTrusted ? "+OK\r\n" : "-WRONGPASS invalid password\r\n";
    }
    if (!served.isTrusted) return "-NOAUTH Authentication required.\r\n";
    if (served.queued !== undefined && !["exec", "discard"].includes(name)) {
      served.queued.push(words);
      return "+QUEUED\r\n";
    }
    return this.#run(served, name, words);
  }

  #run(served: Served, name: string, words: string[]): string {
    const key = `${served.database}:${words[1]}`;
    switch (name) {
      case "ping":
        return "+PONG\r\n";
      case "client":
        return `:${served.id}\r\n`;
      case "hello":
        served.protocol = Number(words[1]);
        return served.protocol === 3 ? "%1\r\n+proto\r\n:3\r\n" : "*2\r\n+proto\r\n:2\r\n";
      case "select":
        if (Number(words[1]) > 15) return "-ERR DB index is out of range\r\n";
        served.database = Number(words[1]);
        return "+OK\r\n";
      case "set":
        this.data.set(key, words[2]!);
        return "+OK\r\n";
      case "get": {
        const value = this.data.get(key);
        if (value === undefined) return served.protocol === 3 ? "_\r\n" : "$-1\r\n";
        return `$${value.length}\r\n${value}\r\n`;
      }
      case "whoami":
        return `:${served.id}\r\n`;
      case "multi":
        served.queued = [];
        return "+OK\r\n";
      case "watch":
      case "unwatch":
        return "+OK\r\n";
      case "discard":
        served.queued = undefined;
        return "+OK\r\n";
      case "exec": {
        const queued = served.queued;
        served.queued = undefined;
        if (queued === undefined) return "-ERR EXEC without MULTI\r\n";
        const replies = queued.map((each) => this.#run(served, each[0]!.toLowerCase(), each));
        return `*${replies.length}\r\n${replies.join("")}`;
      }
      case "nothing":
      case "blpop":
        served.isBlocked = true;
        return "";
      case "subscribe":
        return `*3\r\n$9\r\nsubscribe\r\n$${words[1]!.length}\r\n${words[1]}\r\n:1\r\n`;
      case "quit":
        served.stream.end();
        return "+OK\r\n";
      default:
        return `-ERR unknown command '${words[0]}'\r\n`;
    }
  }
}

export interface BackendNodeOptions {
  readonly settings?: Partial<SettingValues>;
  readonly backend?: Partial<BackendOptions>;
  readonly limits?: Partial<BackendLimits>;
  /** What is done with the server before the node starts. */
  readonly prepare?: (server: MemoryServer) => void;
}

/** A node before a MemoryServer. */
export class BackendNode {
  readonly world = new TestWorld();
  readonly network = new MemoryNetwork(this.world);
  readonly server: MemoryServer;
  readonly served: ServedNode;
  readonly node: RingletNode;
  #accept: (stream: MemoryStream) => void = () => {};
  #nextPort = 1;

  private constructor({ settings = {}, backend, limits = {}, prepare }: BackendNodeOptions) {
    this.server = new MemoryServer(this.network);
    prepare?.(this.server);
    const { dial } = this.network.transport("node");
    this.node = new RingletNode({
      ...{ runtime: this.world, kernel: openKernel(), log: SILENT, settings },
      backend: {
        options: {
          ...{ kind: "redis", address: SERVER, name: "behind", connections: 1, failureLimit: 3 },
          ...{ retryTimeoutMs: 1000, requirepass: undefined },
          ...backend,
        },
        dial: (address, timeoutMs) => dial(address as typeof SERVER, timeoutMs),
        codec: loadCodec(),
        limits,
      },
    });
    this.served = new ServedNode({
      node: this.node,
      facts: {
        ...{ version: "0.0.0-test", platform: "test", processId: 1 },
        residentBytes: () => 50_000_000,
        cpuSeconds: () => ({ user: 1, system: 1 }),
      },
    });
    void this.served.listen((accept) => {
      this.#accept = accept;
      return Promise.resolve({ host: "127.0.0.1", port: 8102, close: () => Promise.resolve() });
    });
  }

  static async start(options: BackendNodeOptions = {}): Promise<BackendNode> {
    const node = new BackendNode(options);
    const started = node.node.start();
    await node.world.advance(50);
    await started;
    return node;
  }

  get backend() {
    return this.node.backend!;
  }

  connect(): BackendClient {
    const { dialler, acceptor } = this.network.pair(`127.0.0.1:${this.#nextPort++}`, "node:8102");
    this.#accept(acceptor);
    return new BackendClient(this.world, dialler);
  }

  /** The value of a line of INFO backend. */
  async info(name: string): Promise<string | undefined> {
    const client = this.connect();
    const text = await client.ask("INFO backend");
    client.stream.destroy();
    return new RegExp(`^${name}:(.*)\r$`, "m").exec(text)?.[1];
  }
}

/** A client: what it has been sent, as text. */
export class BackendClient implements StreamHandler {
  readonly stream: MemoryStream;
  text = "";
  isClosed = false;
  readonly #world: TestWorld;

  constructor(world: TestWorld, stream: MemoryStream) {
    this.#world = world;
    this.stream = stream;
    stream.start(this);
  }

  received(bytes: Uint8Array): void {
    this.text += latin1(bytes);
  }
  ended(): void {
    this.isClosed = true;
    this.stream.end();
  }
  drained(): void {}
  closed(): void {
    this.isClosed = true;
  }

  /** Sends commands, each a line of words, in one write. */
  send(...commands: string[]): void {
    const requests = commands.map((line) => latin1(codec.writeRequest(line.split(" "))));
    this.stream.write(bytesOf(requests.join("")));
  }

  sendRaw(text: string): void {
    this.stream.write(bytesOf(text));
  }

  /** Sends commands, lets some time pass, and returns what has come since. */
  async ask(...commands: string[]): Promise<string> {
    this.text = "";
    this.send(...commands);
    await this.#world.advance(50);
    return this.text;
  }
}
