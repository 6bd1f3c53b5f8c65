/**
 * Draws the faults of a run. Each run draws which kinds of faults it has, and how often each comes: a run with one kind of fault in
 * plenty finds what a run with a little of everything does not.
 */
import type { NodePlace } from "../cluster.ts";
import type { Random } from "../random.ts";
import type { Fault, FaultKind, PartitionFault, PartitionShape } from "./fault.ts";

export interface FaultSurroundings {
  readonly places: readonly NodePlace[];
  /** How many clients there are. */
  readonly clients: number;
  /** How long faults happen, in ms. */
  readonly durationMs: number;
  /** The kinds of faults; some of all by default. */
  readonly kinds?: readonly FaultKind[] | undefined;
  /** How many times as many; 1 by default. */
  readonly intensity?: number | undefined;
}

/** Faults of each kind per second of a run that has them, at most. */
const MOST_PER_SECOND: Readonly<Record<FaultKind, number>> = {
  cut: 4,
  "client-cut": 4,
  stall: 3,
  partition: 1,
  pause: 1,
  crash: 0.5,
  "clock-jump": 0.7,
  "clock-drift": 0.5,
  "clock-correct": 0.7,
  refuse: 0.5,
};
/** How often a run has a kind of fault. */
const KIND_CHANCE = 0.4;
/** Mean and most of how long a passing fault lasts, in ms. */
const MEAN_FAULT_MS = 700;
const MOST_FAULT_MS = 8000;

/** The faults of a run, in the order of their time. */
export function drawFaults(random: Random, around: FaultSurroundings): Fault[] {
  const faults: Fault[] = [];
  for (const kind of Object.keys(MOST_PER_SECOND) as FaultKind[]) {
    const own = random.fork(kind);
    const isDrawn = own.chance(KIND_CHANCE);
    if (!(around.kinds?.includes(kind) ?? isDrawn)) continue;
    const perSecond = own.between(0.1, 1) * MOST_PER_SECOND[kind] * (around.intensity ?? 1);
    const meanMs = 1000 / perSecond;
    for (let atMs = own.exponential(meanMs); atMs < around.durationMs; ) {
      const fault = drawFault(kind, atMs, own, around);
      if (fault !== undefined) faults.push(fault);
      atMs += own.exponential(meanMs);
    }
  }
  return faults.sort((one, other) => one.atMs - other.atMs);
}

/** How often a lapse comes, how long a replica is behind, and when another forgets meanwhile, in ms. */
const LAPSE = {
  everyMs: 1300,
  behindMs: 1000,
  earliestMs: 300,
  latestMs: 500,
  downMs: 10,
} as const;

/**
 * Lapses: what one node coordinates does not come to a second for a while, so that acknowledging it is up to a third; and that
 * one crashes behind its acknowledgements and is there again at once, while the second is still behind.
 */
export function drawLapses(random: Random, { places, durationMs }: FaultSurroundings): Fault[] {
  const faults: Fault[] = [];
  const { everyMs, behindMs: forMs, earliestMs, latestMs, downMs } = LAPSE;
  for (let atMs = 0; atMs + everyMs <= durationMs; atMs += everyMs) {
    const [from, to, node] = random.shuffled(hostsOf(places)) as [string, string, string];
    faults.push({ kind: "stall", atMs, forMs, from, to });
    const crashMs = atMs + random.between(earliestMs, latestMs);
    faults.push({ kind: "crash", atMs: crashMs, forMs: downMs, node, how: "process" });
  }
  return faults;
}

function drawFault(
  kind: FaultKind,
  atMs: number,
  random: Random,
  { places, clients }: FaultSurroundings,
): Fault | undefined {
  const hosts = places.map((place) => place.host);
  const [one, other] = random.shuffled(hosts);
  const node = one!;
  const forMs = Math.min(MOST_FAULT_MS, random.exponential(MEAN_FAULT_MS));
  switch (kind) {
    case "cut": {
      const how = random.pick(["reset", "reset", "fin", "half-open", "silent"] as const);
      return { kind, atMs, between: [node, other!], how };
    }
    case "client-cut": {
      const how = random.pick(["reset", "fin", "half-open"] as const);
      return { kind, atMs, client: random.below(clients), how };
    }
    case "stall":
      return { kind, atMs, forMs, from: node, to: other! };
    case "partition":
      return drawPartition(random, places, atMs, forMs);
    case "pause":
      return { kind, atMs, forMs, node };
    case "crash":
      return { kind, atMs, forMs, node, how: random.pick(["process", "power"]) };
    case "clock-jump":
      return { kind, atMs, node, byMs: drawJump(random) };
    case "clock-drift":
      return { kind, atMs, forMs, node, rate: random.pick([0.5, 0.9, 0.99, 1.01, 1.1, 2]) };
    case "clock-correct":
      return { kind, atMs, node };
    case "refuse":
      return { kind, atMs, forMs, node };
  }
}

/** Ten minutes at most, and often about as much as nodes still bear. */
function drawJump(random: Random): number {
  const most = random.pick([50, 2000, 9000, 12_000, 600_000]);
  return Math.round(random.between(-most, most));
}

function drawPartition(
  random: Random,
  places: readonly NodePlace[],
  atMs: number,
  forMs: number,
): PartitionFault | undefined {
  const shapes: PartitionShape[] = ["isolate", "halves", "one-way", "bridge", "ring"];
  const datacenters = new Set(places.map((place) => place.datacenter));
  if (datacenters.size > 1) shapes.push("datacenters");
  const shape = random.pick(shapes);
  const blocked = BLOCKED[shape](random, places);
  return blocked.length === 0 ? undefined : { kind: "partition", atMs, forMs, shape, blocked };
}

type Directions = (readonly [from: string, to: string])[];

const BLOCKED: Readonly<
  Record<PartitionShape, (random: Random, places: readonly NodePlace[]) => Directions>
> = {
  isolate: (random, places) => {
    const [alone, ...others] = random.shuffled(hostsOf(places));
    return apart([alone!], others);
  },
  halves: (random, places) => {
    const hosts = random.shuffled(hostsOf(places));
    const size = 1 + random.below(hosts.length - 1);
    return apart(hosts.slice(0, size), hosts.slice(size));
  },
  "one-way": (random, places) => {
    const hosts = random.shuffled(hostsOf(places));
    const size = 1 + random.below(hosts.length - 1);
    return oneWay(hosts.slice(0, size), hosts.slice(size));
  },
  bridge: (random, places) => {
    const [, ...hosts] = random.shuffled(hostsOf(places));
    const size = Math.ceil(hosts.length / 2);
    return apart(hosts.slice(0, size), hosts.slice(size));
  },
  ring: (random, places) => {
    const hosts = random.shuffled(hostsOf(places));
    return hosts.flatMap((from, i) =>
      hosts.flatMap((to, k) => {
        const distance = Math.abs(i - k);
        const isNear = distance <= 1 || distance === hosts.length - 1;
        return isNear ? [] : [[from, to] as const];
      }),
    );
  },
  datacenters: (random, places) => {
    const [name] = random.shuffled(places.map((place) => place.datacenter));
    const inside = places.filter((place) => place.datacenter === name);
    const outside = places.filter((place) => place.datacenter !== name);
    return apart(hostsOf(inside), hostsOf(outside));
  },
};

function hostsOf(places: readonly NodePlace[]): string[] {
  return places.map((place) => place.host);
}

function oneWay(from: readonly string[], to: readonly string[]): Directions {
  return from.flatMap((one) => to.map((other) => [one, other] as const));
}

function apart(some: readonly string[], others: readonly string[]): Directions {
  return [...oneWay(some, others), ...oneWay(others, some)];
}
