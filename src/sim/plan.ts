/** What a run is made of, drawn from its seed: the cluster, the network, the clients, and the faults. */
import type { SettingValues } from "../base/setting-table.ts";
import type { ClusterOptions } from "../ring/cluster-options.ts";
import { type ConsistencyLevel, LEVELS } from "../ring/levels.ts";
import { type NodePlace, places } from "./cluster.ts";
import { drawFaults, type FaultSurroundings } from "./faults/draw.ts";
import type { Fault, FaultKind } from "./faults/fault.ts";
import type { PathModel } from "./network/pipe.ts";
import { Random } from "./random.ts";
import { type CommandKind, drawWorkload, type Workload } from "./workload/commands.ts";

export interface ClientPlan {
  readonly host: string;
  /** Hosts of the nodes that it connects to. */
  readonly targets: readonly string[];
  readonly levels: { readonly read: ConsistencyLevel; readonly write: ConsistencyLevel };
  readonly thinkMs: number;
  readonly pipeline: number;
  readonly unanswered: number;
  readonly roamChance: number;
}

/** All of it is data: a plan can be kept as JSON, and then means the same run whatever its seed draws later. */
export interface RunPlan {
  readonly places: readonly NodePlace[];
  readonly cluster: Pick<ClusterOptions, "hash" | "hashTag" | "distribution" | "secret">;
  readonly settings: Partial<SettingValues>;
  /** Between nodes of one datacenter, between datacenters, and between clients and nodes. */
  readonly paths: { readonly near: PathModel; readonly far: PathModel; readonly client: PathModel };
  readonly clients: readonly ClientPlan[];
  readonly workload: Workload;
  /** How long clients send while faults happen, in ms. */
  readonly durationMs: number;
  readonly faults: readonly Fault[];
  /** How far each node's clock is off from the beginning, by host, in ms. */
  readonly clocks: Readonly<Record<string, number>>;
  /** Whether nodes may crash that are needed to keep what was acknowledged. */
  readonly mayLoseMajority: boolean;
}

/** What a run is to dwell on, in place of what is drawn. */
export interface Focus {
  /** The kinds of faults. */
  readonly faults?: readonly FaultKind[];
  /** How many times as many faults. */
  readonly intensity?: number;
  /** Draws the faults, whatever their kinds. */
  readonly drawFaults?: (random: Random, around: FaultSurroundings) => Fault[];
  readonly durationMs?: number;
  /** How far clocks are off at most, in ms. */
  readonly skewMs?: number;
  readonly level?: ConsistencyLevel;
  readonly settings?: Partial<SettingValues>;
  /** Of the paths between nodes of one datacenter. */
  readonly path?: Partial<PathModel>;
  /** How many clients, evenly spread over the nodes, and the mean time between two pipelines of any of them. */
  readonly clients?: { readonly count: number; readonly thinkMs: number };
  readonly workload?: Partial<Omit<Workload, "weights">>;
  /** The only commands. */
  readonly commands?: readonly CommandKind[];
  /** Datacenters and their racks. */
  readonly shape?: Readonly<Record<string, number>>;
}

export interface PlanOptions {
  /** In place of what is drawn. */
  readonly durationMs?: number | undefined;
  readonly focus?: Focus | undefined;
}

/** The plan of a seed. */
export function drawPlan(seed: string, options: PlanOptions = {}): RunPlan {
  const { focus = {} } = options;
  const random = new Random(seed).fork("plan");
  const at = focus.shape === undefined ? drawPlaces(random.fork("places")) : places(focus.shape);
  const clients = drawClients(random.fork("clients"), at, focus);
  const durationMs = options.durationMs ?? focus.durationMs ?? random.pick([2000, 4000, 8000]);
  const faultRandom = random.fork("faults");
  const around: FaultSurroundings = {
    ...{ places: at, clients: clients.length, durationMs },
    ...{ kinds: focus.faults, intensity: focus.intensity },
  };
  return {
    places: at,
    cluster: drawClusterOptions(random.fork("cluster")),
    settings: { ...drawSettings(random.fork("settings"), isFar(at)), ...focus.settings },
    paths: drawPaths(random.fork("paths"), focus.path),
    clients,
    workload: { ...drawWorkload(random.fork("workload"), focus.commands), ...focus.workload },
    durationMs,
    faults: (focus.drawFaults ?? drawFaults)(faultRandom, around),
    clocks: drawClocks(random.fork("clocks"), at, focus.skewMs),
    mayLoseMajority: faultRandom.fork("loss").chance(0.1),
  };
}

/** Clocks that are off, but not so far that nodes refuse each other. */
function drawClocks(
  random: Random,
  at: readonly NodePlace[],
  skewMs: number | undefined,
): Record<string, number> {
  const most = skewMs ?? random.pick([0, 0, 1, 30, 1000, 4000]);
  const offs = at.map(({ host }) => [host, Math.round(random.between(-most, most))]);
  return Object.fromEntries(offs);
}

/** Two datacenters of three racks, mostly. */
function drawPlaces(random: Random): NodePlace[] {
  const shape = random.pick([
    ...[
      { east: 3, west: 3 },
      { east: 3, west: 3 },
      { east: 3, west: 3 },
    ],
    ...[{ east: 3 }, { east: 5 }, { east: 1, west: 3 }, { east: 2, west: 3 }],
  ]);
  const whole = places(shape as Readonly<Record<string, number>>);
  return random.chance(0.3) ? twoInEachRack(whole) : whole;
}

/** Each rack's keys shared by two nodes, so that no node has all keys. */
function twoInEachRack(whole: readonly NodePlace[]): NodePlace[] {
  return whole.flatMap((place, i) => [
    { ...place, tokens: `${i * 1000}` },
    {
      ...place,
      host: place.host.replace("10.0", "10.1"),
      tokens: `${2_147_483_648 + i * 1_000_000}`,
    },
  ]);
}

function drawClusterOptions(random: Random): RunPlan["cluster"] {
  const hash = random.pick(["murmur", "murmur", "murmur3", "fnv1a_64", "md5"] as const);
  return random.chance(0.1) ? { hash, secret: "the secret of the simulation" } : { hash };
}

/** Whether there are several datacenters. */
function isFar(at: readonly NodePlace[]): boolean {
  return new Set(at.map(({ datacenter }) => datacenter)).size > 1;
}

/** `far`: a request may take three rounds between datacenters, so that its deadline must be longer than those. */
function drawSettings(random: Random, far: boolean): Partial<SettingValues> {
  const settings: { -readonly [N in keyof SettingValues]?: SettingValues[N] } = {
    requestTimeoutMs: random.pick([far ? 1000 : 300, 1000, 3000]),
    pingIntervalMs: random.pick([100, 500, 1000]),
    linkTimeoutMs: random.pick([400, 1500, 3000]),
    dialTimeoutMs: 1000,
    handshakeTimeoutMs: 2000,
    reconnectMinMs: random.pick([10, 100]),
    reconnectMaxMs: random.pick([200, 1000]),
    copyPageBytes: random.pick([4096, 65_536]),
  };
  if (random.chance(0.2)) settings.maxLinkPendingRequests = random.pick([128, 1000]);
  if (random.chance(0.1)) settings.maxPendingRequests = random.pick([16, 100]);
  return settings;
}

function drawPaths(random: Random, wanted: Partial<PathModel> = {}): RunPlan["paths"] {
  const jitterMs = random.pick([0.05, 0.5, 5]);
  const near: PathModel = {
    latencyMs: random.pick([0.05, 0.3]),
    jitterMs,
    tailChance: random.pick([0, 0.01, 0.05]),
    tailMs: random.pick([20, 200]),
    bandwidth: random.pick([100_000, 100_000, 5000]),
    windowBytes: random.pick([256 * 1024, 64 * 1024, 8192]),
    cutChance: random.pick([0, 0.05, 0.3]),
  };
  const far = { ...near, latencyMs: random.pick([2, 30]), jitterMs: jitterMs * 2 };
  const client = { ...near, latencyMs: 0.05, jitterMs: 0.05, tailChance: 0, bandwidth: 100_000 };
  return { near: { ...near, ...wanted }, far, client };
}

function drawClients(random: Random, at: readonly NodePlace[], focus: Focus): ClientPlan[] {
  const drawnCount = random.pick([2, 5, 10]);
  const drawn = random.pick([...LEVELS, "DC_QUORUM", "DC_QUORUM", "mixed"] as const);
  const usual = focus.level ?? drawn;
  const drawnThinkMs = random.pick([5, 20, 100]);
  const { count, thinkMs } = focus.clients ?? { count: drawnCount, thinkMs: drawnThinkMs };
  const pipeline = random.pick([1, 3, 10]);
  return Array.from({ length: count }, (_, i): ClientPlan => {
    const level = () => (usual === "mixed" ? random.pick(LEVELS) : usual);
    const roams = random.chance(0.3);
    const shuffled = random.shuffled(at);
    const first = focus.clients === undefined ? shuffled[0]! : at[i % at.length]!;
    const others = shuffled.filter((place) => place !== first);
    const near = others.filter((place) => place.datacenter === first.datacenter);
    return {
      host: `10.8.0.${i + 1}`,
      targets: [first, ...(roams ? near : [])].map((place) => place.host),
      levels: { read: level(), write: level() },
      thinkMs: thinkMs * count * random.between(0.5, 1.5),
      pipeline,
      unanswered: random.pick([1, 1, 4]),
      roamChance: roams ? 0.02 : 0,
    };
  });
}
