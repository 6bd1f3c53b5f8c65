// Starts clusters of `ringlet serve` processes, and kills, pauses and restarts members of them. Every process ends with its test.
import { once } from "node:events";
import { createServer } from "node:net";
import { decodeReply } from "../unit/store/decode-reply.ts";
import type { Argument } from "../unit/store/harness.ts";
import { RawClient } from "./differential/raw-client.ts";
import { type Ending, type NodeOptions, type RunningNode, startNode } from "./harness.ts";
import { until } from "./until.ts";

const HOST = "127.0.0.1";

/** Where a member stands in its cluster. */
export interface Place {
  readonly datacenter: string;
  readonly rack: string;
  /** Separated by commas. */
  readonly tokens: string;
}

/** Places of as many racks with as many members each, whose tokens share the ring evenly. */
export function places(racks: number, membersPerRack = 1, datacenter = "dc1"): Place[] {
  const step = Math.floor(2 ** 32 / membersPerRack);
  return Array.from({ length: racks * membersPerRack }, (_, i) => ({
    datacenter,
    rack: `r${Math.floor(i / membersPerRack) + 1}`,
    tokens: String((i % membersPerRack) * step),
  }));
}

export interface ClusterOptions {
  readonly places: readonly Place[];
  /** Of every member, besides those that say where it stands. */
  readonly flags?: readonly string[];
  /** Of single members, by their position; they come last. */
  readonly flagsOf?: (index: number) => readonly string[];
  /** The secret of the cluster, by the position of the member that is given it; none by default. */
  readonly secretOf?: (index: number) => string | undefined;
  /** What a member is told of the others, in place of where they stand. */
  readonly seedOf?: (seed: string) => string;
  /** Do not end the members with the test that started them: for `beforeAll`, whose `afterAll` must stop() the cluster. */
  readonly keep?: boolean;
}

/** Starts all members; they need not have found each other yet: see Cluster.ready(). */
export async function startCluster(options: ClusterOptions): Promise<Cluster> {
  const ports = await freePorts(options.places.length * 3);
  const seats = options.places.map((place, i) => {
    const [clients, peers, stats] = ports.slice(i * 3, i * 3 + 3) as [number, number, number];
    return { place, clients, peers, stats };
  });
  const seeds = seats.map(
    ({ place: { datacenter, rack, tokens }, peers }) =>
      `${HOST}:${peers}:${rack}:${datacenter}:${tokens}`,
  );
  const seedOf = options.seedOf ?? ((seed: string) => seed);
  const seedsFor = (index: number) =>
    seeds.map((seed, i) => (i === index ? seed : seedOf(seed))).join(",");
  const members = seats.map(({ place, clients, peers, stats }, i) => {
    const flags = [
      ...["--listen", `${HOST}:${clients}`, "--stats-listen", `${HOST}:${stats}`],
      ...["--cluster-name", "tested", "--datacenter", place.datacenter, "--rack", place.rack],
      ...["--tokens", place.tokens, "--dyn-listen", `${HOST}:${peers}`],
      ...["--dyn-seeds", seedsFor(i)],
      ...(options.flags ?? []),
      ...(options.flagsOf?.(i) ?? []),
    ];
    const secret = options.secretOf?.(i);
    const env = secret === undefined ? {} : { RINGLET_CLUSTER_SECRET: secret };
    return new ClusterMember(clients, peers, { flags, env, keep: options.keep ?? false });
  });
  const cluster = new Cluster(members);
  try {
    await Promise.all(members.map((member) => member.start()));
  } catch (error) {
    await cluster.stop();
    throw error;
  }
  return cluster;
}

export class Cluster {
  readonly members: readonly ClusterMember[];

  constructor(members: readonly ClusterMember[]) {
    this.members = members;
  }

  /** Waits until /readyz of every member that runs is 200. */
  async ready(): Promise<void> {
    for (const member of this.members) if (member.runs) await member.ready();
  }

  /**
   * Waits until all racks hold the same: keys, values, expiries and stamps of every database. `racks`: the members of each; by
   * default every member is one of its own.
   */
  async equal(racks = this.members.map((member) => [member])): Promise<void> {
    let digests: string[] = [];
    await until(
      async () => {
        digests = await Promise.all(racks.map(digestOf));
        return digests.every((digest) => digest === digests[0]);
      },
      () => `the replicas differ: ${digests.join(" ")}`,
    );
  }

  /** Ends all members. */
  async stop(): Promise<void> {
    await Promise.all(this.members.map((member) => member.kill()));
  }
}

/** A member: one process after another at the same addresses. */
export class ClusterMember {
  /** Where clients connect, and where other members do. */
  readonly port: number;
  readonly peerPort: number;
  readonly #options: NodeOptions;
  #node: RunningNode | undefined;

  constructor(port: number, peerPort: number, options: NodeOptions) {
    this.port = port;
    this.peerPort = peerPort;
    this.#options = options;
  }

  /** Whether it has a process, be it paused. */
  get runs(): boolean {
    return this.#node !== undefined;
  }

  get pid(): number {
    return this.#running.process.pid!;
  }

  /** Where its HTTP door is. */
  get statsUrl(): string {
    return this.#running.statsUrl;
  }

  /** What its present process has logged. */
  get log(): string {
    return this.#running.stderr;
  }

  /** Starts its process; resolves when that takes clients. */
  async start(): Promise<void> {
    this.#node = await startNode(this.#options);
  }

  /** Ends its process with SIGKILL, paused or not. */
  async kill(): Promise<Ending | undefined> {
    const node = this.#node;
    this.#node = undefined;
    return await node?.stop("SIGKILL");
  }

  /** Stops its process where it stands (SIGSTOP). */
  pause(): void {
    this.#running.process.kill("SIGSTOP");
  }

  /** Lets its process go on (SIGCONT). */
  goOn(): void {
    this.#running.process.kill("SIGCONT");
  }

  /** The status of a page of its HTTP door. */
  async status(path: string): Promise<number> {
    const { status } = await fetch(`${this.#running.statsUrl}${path}`);
    return status;
  }

  /** The text of a page of its HTTP door. */
  async page(path: string): Promise<string> {
    return await (await fetch(`${this.#running.statsUrl}${path}`)).text();
  }

  /** Waits until it is ready: it reaches a majority, and answers reads. */
  async ready(): Promise<void> {
    await until(
      async () => (await this.status("/readyz")) === 200,
      () => `a member did not get ready; its log:\n${this.log}`,
    );
  }

  /** Waits until its log has a text. */
  async logs(text: string | RegExp): Promise<void> {
    const has = () => (typeof text === "string" ? this.log.includes(text) : text.test(this.log));
    await until(has, () => `the log of a member lacks ${text}:\n${this.log}`);
  }

  /** Sends commands on a connection of their own, and returns the replies as they came, one character per byte. */
  async send(...commands: (readonly Argument[])[]): Promise<string[]> {
    const client = await RawClient.connect({ host: HOST, port: this.port, noDelay: true });
    try {
      return await client.send(commands);
    } finally {
      client.close();
    }
  }

  /** The same at level DC_ONE, where a member that is a replica of all keys answers for itself alone. */
  async sendAtOne(...commands: (readonly Argument[])[]): Promise<string[]> {
    const [ok, ...replies] = await this.send(
      ["RINGLET", "CONSISTENCY", "DC_ONE", "DC_ONE"],
      ...commands,
    );
    if (ok !== "+OK\r\n") throw new Error(`RINGLET CONSISTENCY answered ${ok}`);
    return replies;
  }

  /** What RINGLET DIGEST answers: the digests of the databases that hold something. */
  async digest(): Promise<ReadonlyMap<number, bigint>> {
    const [reply] = await this.send(["RINGLET", "DIGEST"]);
    const items = decodeReply(reply!);
    if (!Array.isArray(items)) throw new Error(`RINGLET DIGEST answered ${reply}`);
    const digests = new Map<number, bigint>();
    for (let i = 0; i < items.length; i += 2) digests.set(items[i], BigInt(`0x${items[i + 1]}`));
    return digests;
  }

  get #running(): RunningNode {
    if (this.#node === undefined) throw new Error("the member has no process");
    return this.#node;
  }
}

/** The digests of members that share the keys among them: their sums, as text. */
async function digestOf(members: readonly ClusterMember[]): Promise<string> {
  const sums = new Map<number, bigint>();
  for (const member of members) {
    for (const [database, digest] of await member.digest()) {
      sums.set(database, BigInt.asUintN(64, (sums.get(database) ?? 0n) + digest));
    }
  }
  const rows = [...sums].sort(([a], [b]) => a - b);
  return rows.map(([database, sum]) => `${database}:${sum.toString(16)}`).join();
}

/**
 * Ports that nobody listens on, below those that operating systems hand out by themselves: a member that is restarted must find
 * its own free.
 */
export async function freePorts(count: number): Promise<number[]> {
  const held: ReturnType<typeof createServer>[] = [];
  const ports: number[] = [];
  while (ports.length < count) {
    const port = FIRST_PORT + Math.floor(Math.random() * (LAST_PORT - FIRST_PORT));
    const server = createServer();
    const listens = new Promise<boolean>((resolve) => {
      server.once("error", () => resolve(false));
      server.listen(port, HOST, () => resolve(true));
    });
    if (!(await listens)) continue;
    held.push(server);
    ports.push(port);
  }
  for (const server of held) {
    server.close();
    await once(server, "close");
  }
  return ports;
}

const FIRST_PORT = 12_000;
const LAST_PORT = 32_000;
