/**
 * One run of the simulation: a cluster comes up, clients send while faults happen, everything heals, and what clients were told and
 * what replicas hold is checked. The same seed does the same, event by event.
 */
import type { ServedNode } from "../doors/served-node.ts";
import { fromLatin1 } from "../store/arguments.ts";
import { RING_FIGURE } from "../store/kernel-ring.ts";
import { askNode } from "./audit.ts";
import { checkDeadlines } from "./checkers/deadlines.ts";
import { checkErrors } from "./checkers/errors.ts";
import { checkLiveness } from "./checkers/liveness.ts";
import type { Problem } from "./checkers/problem.ts";
import { checkRegisters } from "./checkers/registers.ts";
import { checkReplicas } from "./checkers/replicas.ts";
import { checkReplyOrder } from "./checkers/reply-order.ts";
import { SimClient } from "./client/client.ts";
import { isError, type Reply } from "./client/replies.ts";
import { SimCluster, type SimNode, type SimPlatform } from "./cluster.ts";
import type { Fault } from "./faults/fault.ts";
import { FaultInjector } from "./faults/injector.ts";
import { History, type Operation } from "./history.ts";
import type { PathModel } from "./network/pipe.ts";
import { CALM_PATH, Network } from "./network.ts";
import { drawPlan, type PlanOptions, type RunPlan } from "./plan.ts";
import { replicaState } from "./replica-state.ts";
import type { Sabotage } from "./sabotage.ts";
import type { Sometimes } from "./sometimes.ts";
import { nextCommand } from "./workload/commands.ts";
import { registerEvents } from "./workload/register-events.ts";
import { World } from "./world.ts";

export interface RunOptions extends PlanOptions {
  readonly seed: string;
  readonly platform: SimPlatform;
  /** Resolves when every promise that can settle has; see World. */
  readonly settle: () => Promise<void>;
  /** Gets a line for each event. */
  readonly record?: ((line: string) => void) | undefined;
  /** In place of what is drawn from the seed; the seed still decides what plans leave open: delays, ties, commands. */
  readonly plan?: RunPlan | undefined;
  /** In place of the faults of the plan. */
  readonly faults?: readonly Fault[] | undefined;
  readonly sabotage?: Sabotage | undefined;
}

export interface RunReport {
  readonly seed: string;
  /** Of all events; equal where a run did the same. */
  readonly hash: string;
  readonly events: number;
  readonly virtualMs: number;
  readonly problems: readonly Problem[];
  readonly sometimes: Sometimes;
  readonly plan: RunPlan;
  /** Faults that were to happen. */
  readonly faults: readonly Fault[];
  readonly operations: readonly Operation[];
  /** Error replies, by text, and how often each came. */
  readonly errors: ReadonlyMap<string, number>;
}

/** How long a cluster may take to come up, and to be whole and equal again when everything is right, in ms. */
const COME_UP_MS = 30_000;
const HEAL_MS = 60_000;
/** How often it is looked at whether it is. */
const LOOK_MS = 250;
/** How long clients go on in the healed cluster, in ms. */
const AFTER_MS = 500;
/** How much longer than its deadline a request may take: a tick, and the way to the client. */
const SLACK_MS = 250;
/** Bytes of a kernel's memory that a run may take at most. */
const MOST_MEMORY_BYTES = 256 * 1024 * 1024;

export async function runSimulation(options: RunOptions): Promise<RunReport> {
  const run = new Run(options);
  try {
    return await run.perform();
  } finally {
    run.end();
  }
}

class Run {
  readonly #options: RunOptions;
  readonly #plan: RunPlan;
  /** The paths when everything has healed. */
  readonly #calm: RunPlan["paths"];
  /** By host. */
  readonly #datacenters: ReadonlyMap<string, string>;
  readonly #world: World;
  readonly #network: Network;
  readonly #cluster: SimCluster;
  readonly #history: History;
  readonly #problems: Problem[] = [];
  #clients: SimClient[] = [];

  constructor(options: RunOptions) {
    const { seed, settle, record, platform, sabotage } = options;
    this.#options = options;
    this.#plan = options.plan ?? drawPlan(seed, { focus: sabotage?.focus, ...options });
    const { near, far, client } = this.#plan.paths;
    this.#calm = { near: calmed(near), far: calmed(far), client };
    this.#world = new World({ seed, settle, record });
    const { places, settings, cluster } = this.#plan;
    this.#datacenters = new Map(places.map(({ host, datacenter }) => [host, datacenter]));
    this.#network = new Network(this.#world, { path: (from, to) => this.#path(from, to) });
    const facts = { places, settings, cluster, sabotage };
    this.#cluster = new SimCluster(this.#world, this.#network, platform, facts);
    this.#cluster.beforeEnd = (node) => this.#countSituations(node);
    this.#history = new History(() => this.#world.nowMs);
  }

  async perform(): Promise<RunReport> {
    const world = this.#world;
    const cluster = this.#cluster;
    for (const node of cluster.nodes) node.jumpClock(this.#plan.clocks[node.host] ?? 0);
    cluster.startAll();
    if (!(await this.#comesUp())) {
      this.#report("liveness", `the cluster did not come up in ${2 * COME_UP_MS} ms`);
      return this.#finish(undefined);
    }
    this.#clients = this.#plan.clients.map((_, index) => this.#client(index));
    const { mayLoseMajority, durationMs } = this.#plan;
    const injector = new FaultInjector(cluster, this.#clients, { mayLoseMajority });
    injector.begin(this.#faults);
    await world.advance(durationMs);
    injector.heal();
    this.#notWholeMs = world.nowMs;
    this.#isCalm = true;
    const isWhole = await this.#eventually(() => this.#isWholeForLong(), HEAL_MS);
    if (!isWhole) this.#report("liveness", `the cluster was not whole ${HEAL_MS} ms after healing`);
    const healedMs = world.nowMs;
    await world.advance(AFTER_MS);
    for (const client of this.#clients) client.stop();
    const isQuiet = () => this.#clients.every((client) => client.pending.length === 0);
    const patienceMs = this.#patienceMs;
    await this.#eventually(isQuiet, patienceMs + LOOK_MS);
    if (isWhole) {
      const facts = { healedMs, mayRefuse: this.#mayRefuse };
      this.#problems.push(...checkLiveness(this.#history.operations, facts));
    }
    let differences: Problem[] = [];
    await this.#eventually(() => {
      differences = this.#compareReplicas();
      return differences.length === 0;
    }, HEAL_MS);
    this.#problems.push(...differences);
    if (isWhole) await this.#checkMemory();
    const final = isWhole && differences.length === 0 ? await this.#audit() : undefined;
    return this.#finish(final, injector);
  }

  end(): void {
    this.#cluster.end();
  }

  get #faults(): readonly Fault[] {
    return this.#options.faults ?? this.#plan.faults;
  }

  get #requestTimeoutMs(): number {
    return this.#plan.settings.requestTimeoutMs ?? 5000;
  }

  /** Whether the cluster has been whole for as long as a link takes to notice that it is not. */
  #isWholeForLong(): boolean {
    const { nowMs } = this.#world;
    if (!this.#cluster.isWhole) this.#notWholeMs = nowMs;
    const { linkTimeoutMs = 3000 } = this.#plan.settings;
    return nowMs - this.#notWholeMs > linkTimeoutMs + LOOK_MS;
  }

  #notWholeMs = 0;
  /** Whether nothing is late: from the healing on, and while a cluster comes up that cannot otherwise. */
  #isCalm = false;

  /** Whether clients can have more requests under way than a node lets wait. */
  get #mayRefuse(): boolean {
    const { clients, settings } = this.#plan;
    const most = clients.reduce((sum, each) => sum + each.pipeline * each.unanswered, 0);
    return most > (settings.maxPendingRequests ?? Number.POSITIVE_INFINITY);
  }

  /** How long clients wait: longer than any deadline and any pause, so that a missed deadline shows. */
  get #patienceMs(): number {
    return this.#requestTimeoutMs * 4 + 10_000;
  }

  /** Waits until every node reaches all others at one moment. Paths with many late segments may never allow that. */
  async #comesUp(): Promise<boolean> {
    for (const isCalm of [false, true]) {
      this.#isCalm = isCalm;
      const isWhole = await this.#eventually(() => this.#cluster.isWhole, COME_UP_MS);
      this.#isCalm = false;
      if (isWhole) return true;
    }
    return false;
  }

  #path(from: string, to: string): PathModel {
    const paths = this.#isCalm ? this.#calm : this.#plan.paths;
    const one = this.#datacenters.get(from);
    const other = this.#datacenters.get(to);
    if (one === undefined || other === undefined) return paths.client;
    return one === other ? paths.near : paths.far;
  }

  #client(index: number): SimClient {
    const { host, targets, ...behaviour } = this.#plan.clients[index]!;
    const name = `client${index}`;
    const process = this.#world.process(name);
    return new SimClient({
      name,
      host,
      process,
      transport: this.#network.transport(process, host),
      random: this.#world.random.fork(name),
      history: this.#history,
      behaviour: {
        ...behaviour,
        targets: targets.map((target) => this.#cluster.node(target).target),
        patienceMs: this.#patienceMs,
      },
      nextCommand: (random, id) => nextCommand(this.#plan.workload, random, id),
    });
  }

  async #eventually(condition: () => boolean, ms: number): Promise<boolean> {
    for (let passed = 0; passed < ms; passed += LOOK_MS) {
      if (condition()) return true;
      await this.#world.advance(LOOK_MS);
    }
    return condition();
  }

  #report(checker: string, text: string): void {
    this.#problems.push({ checker, text, operations: [] });
  }

  #compareReplicas(): Problem[] {
    const states = new Map<string, Map<string, string>>();
    for (const node of this.#cluster.nodes) {
      if (node.served === undefined) continue;
      node.served.node.letTimePass();
      states.set(node.host, replicaState(node.served.node.store));
    }
    const ring = this.#cluster.nodes.find((node) => node.served !== undefined)?.served?.node.ring;
    if (ring === undefined) return [];
    const ownersOf = (key: string): string[] => {
      const { local, remote } = ring.replicasOf(fromLatin1(key.slice(key.indexOf("/") + 1)));
      return [...local, ...remote.flat()].map((member) => member.address.host).sort();
    };
    return checkReplicas({ states, ownersOf });
  }

  async #checkMemory(): Promise<void> {
    // A node that works for another's client ends by the same deadline, at its next tick.
    const { nodes } = this.#cluster;
    const isIdle = () =>
      nodes.every(({ served }) => served === undefined || pendingOf(served) === 0);
    await this.#eventually(isIdle, this.#requestTimeoutMs + LOOK_MS);
    for (const { host, served } of nodes) {
      if (served === undefined) continue;
      const { kernel } = served.node.store;
      const bytes = kernel.memory.buffer.byteLength;
      if (bytes > MOST_MEMORY_BYTES) this.#report("memory", `${host} has taken ${bytes} bytes`);
      const pending = pendingOf(served);
      if (pending !== 0) this.#report("memory", `${pending} requests are pending at ${host}`);
    }
  }

  /** Reads every register from every node; what they all say. */
  async #audit(): Promise<ReadonlyMap<string, string> | undefined> {
    const registers = [...registerEvents(this.#history.operations).keys()].sort();
    const commands = registers.map((register) => {
      const [key, field] = register.split("/");
      return field === undefined ? ["GET", key!] : ["HGET", key!, field];
    });
    if (commands.length === 0) return new Map();
    const process = this.#world.process("auditor");
    const transport = this.#network.transport(process, AUDITOR_HOST);
    const answers = new Map<string, readonly Reply[]>();
    for (const { target } of this.#cluster.nodes) {
      askNode(transport, target, commands).then(
        (replies) => answers.set(target.name, replies),
        () => {},
      );
    }
    await this.#eventually(() => answers.size === this.#cluster.nodes.length, HEAL_MS);
    const final = new Map<string, string>();
    for (const [i, register] of registers.entries()) {
      const said = this.#cluster.nodes.map(({ host }) => answers.get(host)?.[i]);
      const [value] = said;
      if (said.some((each) => each !== value || isError(each))) {
        const texts = this.#cluster.nodes.map(
          ({ host }, n) => `${host} ${JSON.stringify(said[n])}`,
        );
        this.#report("audit", `nodes answer differently for ${register}: ${texts.join(", ")}`);
        return undefined;
      }
      if (typeof value === "string") final.set(register, value);
    }
    return final;
  }

  #finish(final: ReadonlyMap<string, string> | undefined, injector?: FaultInjector): RunReport {
    const { operations } = this.#history;
    const { failures, trace, sometimes, nowMs } = this.#world;
    const datacenters = [...new Set(this.#plan.places.map((place) => place.datacenter))];
    const losses = injector?.losses ?? [];
    const pauses = this.#cluster.nodes.flatMap((node) =>
      node.pauses.map((pause) => ({ node: node.host, ...pause })),
    );
    this.#cluster.end();
    this.#problems.push(
      ...checkErrors(operations, {
        failures,
        log: this.#cluster.log,
        lossExpected: losses.length !== 0,
        clocksAreOff:
          this.#faults.some((fault) => fault.kind.startsWith("clock-")) ||
          // Healing sets them right: that is a jump.
          Object.values(this.#plan.clocks).some((offMs) => offMs !== 0),
      }),
      ...checkReplyOrder(operations),
      ...checkDeadlines(operations, {
        requestTimeoutMs: this.#requestTimeoutMs,
        slackMs: SLACK_MS,
        pauses,
        endMs: nowMs,
      }),
      ...checkRegisters(operations, { datacenters, final, losses }),
    );
    return {
      seed: this.#options.seed,
      hash: trace.hash,
      events: trace.events,
      virtualMs: nowMs,
      problems: this.#problems,
      sometimes,
      plan: this.#plan,
      faults: this.#faults,
      operations,
      errors: countErrors(operations),
    };
  }

  /** Counts what a node has met, before it is gone. */
  #countSituations(node: SimNode): void {
    const { served } = node;
    if (served?.node.ring === undefined) return;
    const { sometimes } = this.#world;
    const { kernel } = served.node.store;
    for (const [name, what] of Object.entries(SITUATIONS)) {
      sometimes.hit(what, kernel.ringFigure(RING_FIGURE[name as keyof typeof SITUATIONS]));
    }
    if (node.starts > 1 && !node.isFenced)
      sometimes.hit("a node was started again and copied its ranges");
  }
}

/** A path without what may take longer than a request. */
/** Requests that wait for other nodes. */
function pendingOf({ node }: ServedNode): number {
  return node.store.kernel.ringFigure(RING_FIGURE.pendingSlots);
}

function calmed(path: PathModel): PathModel {
  const { bandwidth, windowBytes } = CALM_PATH;
  return { ...path, tailChance: 0, bandwidth, windowBytes };
}

const AUDITOR_HOST = "10.9.0.1";

/** Figures of the kernel that say that something rare has happened. */
const SITUATIONS = {
  staleRecords: "a replica refused a record that was older than its own",
  repairsSent: "a replica was repaired",
  spreadRecords: "a record was spread to other racks",
  linkOverflows: "a link came to its bound of unanswered requests",
  refusedAhead: "a stamp was refused that was too far ahead",
  lostRequests: "a request was lost with its link",
  slotsExpired: "a deadline passed",
  quorumsRefused: "a quorum could not be reached and nothing was written",
  slotsRefused: "too many requests waited",
  repliesChanged: "a read found something newer at another replica",
  writesRestamped: "a write was stamped again",
  requestsRetried: "a request was run again by the host",
  commandsCoordinated: "the kernel coordinated a command",
  commandsLeft: "the kernel left a command to the host",
} as const satisfies { readonly [N in keyof typeof RING_FIGURE]?: string };

function countErrors(operations: readonly Operation[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const { reply } of operations) {
    if (!isError(reply)) continue;
    const text = reply.error.replaceAll(/\d+/g, "N");
    counts.set(text, (counts.get(text) ?? 0) + 1);
  }
  return counts;
}
