/**
 * Breaks one rule of the engine on purpose, at the border between host and kernel or in what the ring says of itself: the simulator
 * must notice each of them, or it proves nothing. Used by tests alone.
 */
import { FRAME } from "../link/frame.ts";
import type { Ring } from "../ring/ring.ts";
import { DATABASES, type KernelExports } from "../store/kernel.ts";
import { LINK, LINK_FLAG } from "../store/kernel-ring.ts";
import type { NodeSabotage } from "./cluster.ts";
import { drawLapses } from "./faults/draw.ts";
import type { Focus } from "./plan.ts";

/** A broken rule, and what runs dwell on so that it shows soon. */
export interface Sabotage extends NodeSabotage {
  readonly focus: Focus;
}

/** Clients that meet each other at few keys, often. */
const BUSY = {
  level: "DC_QUORUM",
  durationMs: 4000,
  clients: { count: 6, thinkMs: 8 },
} as const satisfies Focus;
const FEW_KEYS = { registers: 2, valueBytes: 100 };

/** Every sabotage by what it does. */
export const SABOTAGES = {
  /** N is the number of replicas that are up. */
  "quorum counted over the reachable": {
    kernel: countReachable,
    focus: {
      ...BUSY,
      faults: ["partition"],
      intensity: 2,
      settings: { pingIntervalMs: 50, linkTimeoutMs: 200, reconnectMaxMs: 200 },
      workload: FEW_KEYS,
      commands: ["set", "get", "delete"],
    },
  },
  /** Two nodes mint the same stamps. */
  "stamp minted twice": {
    kernel: mintTwice,
    focus: { ...BUSY, faults: [], skewMs: 0, workload: FEW_KEYS, commands: ["set", "get"] },
  },
  /** What a replica refuses as older is acknowledged. */
  "stale taken for an acknowledgement": {
    kernel: acknowledgeStale,
    focus: {
      ...BUSY,
      faults: ["stall"],
      intensity: 3,
      skewMs: 4000,
      shape: { east: 3 },
      workload: FEW_KEYS,
      commands: ["set", "get"],
    },
  },
  /** A node without its state answers reads, and counts where others read a quorum. */
  "amnesiac replica answering reads": {
    ring: neverFenced,
    focus: {
      ...BUSY,
      drawFaults: drawLapses,
      durationMs: 5200,
      // Right clocks: what is lost is lost for nothing but the missing fence.
      skewMs: 0,
      shape: { east: 3 },
      settings: {
        ...{ pingIntervalMs: 1000, linkTimeoutMs: 3000, reconnectMinMs: 10, reconnectMaxMs: 100 },
        ...{ requestTimeoutMs: 1000, copyPageBytes: 4096 },
      },
      // Copying takes so long that much is read meanwhile.
      path: { latencyMs: 5, jitterMs: 0.5, tailChance: 0, bandwidth: 300, windowBytes: 65_536 },
      clients: { count: 9, thinkMs: 4 },
      workload: { registers: 60, valueBytes: 5000 },
      commands: ["set", "get"],
    },
  },
  /** Tombstones go before every replica has them. */
  "tombstone dropped early": {
    kernel: dropTombstones,
    focus: {
      ...BUSY,
      faults: ["stall", "partition"],
      intensity: 2,
      workload: { registers: 5, valueBytes: 100 },
      commands: ["set", "get", "delete"],
    },
  },
} as const satisfies Readonly<Record<string, Sabotage>>;

export type SabotageName = keyof typeof SABOTAGES;

/** A set of the ring's tables, as assembly/kernel/ring/route.ts draws it. */
const TABLES = { setCount: 4, setsOffset: 6 } as const;
const SET_BYTES = 64;
const SET = { flags: 0, n: 1, locals: 2, links: 8 } as const;
const SET_HAS_SELF = 1;

function countReachable(kernel: KernelExports): KernelExports {
  const up = new Set<number>();
  const linkSetFlags = (link: number, flags: number) => {
    if ((flags & LINK_FLAG.up) !== 0) up.add(link);
    kernel.linkSetFlags(link, flags);
  };
  const linkDown = (link: number) => {
    up.delete(link);
    kernel.linkDown(link);
  };
  const ringInstall = (address: number) => {
    const data = new DataView(kernel.memory.buffer);
    const start = address >>> 0;
    const count = data.getUint32(start + TABLES.setCount * 4, true);
    const sets = start + data.getUint32(start + TABLES.setsOffset * 4, true);
    for (let i = 0; i < count; i++) {
      const set = sets + i * SET_BYTES;
      let reachable = data.getUint8(set + SET.flags) & SET_HAS_SELF;
      for (let k = 0; k < data.getUint8(set + SET.locals); k++) {
        if (up.has(data.getUint16(set + SET.links + k * 2, true))) reachable++;
      }
      data.setUint8(set + SET.n, Math.max(1, reachable));
    }
    kernel.ringInstall(address);
  };
  return { ...kernel, linkSetFlags, linkDown, ringInstall };
}

/** Stamps of all nodes carry the same node, and their clocks go in steps: the same stamps come from several nodes. */
function mintTwice(kernel: KernelExports): KernelExports {
  const setNodeIndex = () => kernel.setNodeIndex(0);
  const setNow = (ms: number) => kernel.setNow(ms - (ms % CLOCK_STEP_MS));
  return { ...kernel, setNodeIndex, setNow };
}

const CLOCK_STEP_MS = 100;

function acknowledgeStale(kernel: KernelExports): KernelExports {
  const linkSeal = (link: number) => {
    const length = kernel.linkSeal(link) >>> 0;
    if (length === 0) return 0;
    const words = kernel.linkAddress(link) >>> 2;
    const memory = new Uint32Array(kernel.memory.buffer);
    const start = memory[words + LINK.outbox]!;
    const bytes = new Uint8Array(kernel.memory.buffer, start, length);
    const sealed = withoutStale(bytes);
    bytes.set(sealed);
    memory[words + LINK.outLength] = sealed.length;
    return sealed.length;
  };
  return { ...kernel, linkSeal };
}

/** The frames with an acknowledgement of one request in the place of each STALE. */
function withoutStale(frames: Uint8Array): Uint8Array {
  const out = new Uint8Array(frames.length);
  const data = new DataView(frames.buffer, frames.byteOffset, frames.length);
  let length = 0;
  for (let at = 0; at < frames.length; at += data.getUint32(at, true)) {
    if (frames[at + 4] === FRAME.stale) {
      new DataView(out.buffer).setUint32(length, ACKS_BYTES, true);
      out[length + 4] = FRAME.acks;
      out[length + 8] = 1;
      length += ACKS_BYTES;
    } else {
      const frame = frames.subarray(at, at + data.getUint32(at, true));
      out.set(frame, length);
      length += frame.length;
    }
  }
  return out.subarray(0, length);
}

const ACKS_BYTES = 12;

/** It says to itself and to others that it is whole, from its start on, and copies what it lacks behind that. */
function neverFenced(ring: Ring): void {
  Object.defineProperty(ring, "isFenced", { value: false });
}

function dropTombstones(kernel: KernelExports): KernelExports {
  const tick = (slots: number, bytes: number) => {
    for (let database = 0; database < DATABASES; database++) {
      let hash = 0;
      do {
        hash = kernel.collectTombstones(database, hash, SWEEP_SLOTS, NEWEST_STAMP) >>> 0;
      } while (hash !== 0);
    }
    return kernel.tick(slots, bytes);
  };
  return { ...kernel, tick };
}

const SWEEP_SLOTS = 65_536;
const NEWEST_STAMP = -1n;
