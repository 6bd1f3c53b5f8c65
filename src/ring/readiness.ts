/** Whether this node may coordinate, and whether it is ready: its clock, the peers that it has reached since it started, and the fence. */
import type { EmbeddedStore } from "../store/embedded-store.ts";
import { SELF_FLAG } from "../store/kernel-ring.ts";
import type { ClockWatch } from "./clock-watch.ts";
import type { Peers } from "./peers.ts";
import type { RingPort } from "./port.ts";
import type { ReplicaSet } from "./topology.ts";

export interface ReadinessParts {
  readonly ring: Pick<RingPort, "topology" | "sets" | "isFenced">;
  readonly store: EmbeddedStore;
  readonly peers: Peers;
  readonly clock: ClockWatch;
}

/** The C engine's words for a node that may not coordinate. */
const NOT_ALLOWED = "Dynomite: Dynomite's current state does not allow this request";

export class Readiness {
  readonly #parts: ReadinessParts;
  #hasMajority = false;
  #isGathering = true;
  readonly #waiters: (() => void)[] = [];

  constructor(parts: ReadinessParts) {
    this.#parts = parts;
  }

  /** Why this node may not coordinate now, as the text of an error; undefined: it may. */
  get refusal(): string | undefined {
    const { reason } = this.#parts.clock;
    if (reason !== undefined) return `ERR ${NOT_ALLOWED}: ${reason}`;
    if (this.#hasMajority) return undefined;
    const { up, all } = this.#countDatacenter();
    return `LOADING ${NOT_ALLOWED}: the node has reached ${up} of the ${all} nodes of its datacenter and needs more than half before it coordinates`;
  }

  /** Whether it still waits, since its start, for a quorum of the replicas of every range. */
  get isGathering(): boolean {
    return this.#isGathering;
  }

  /** Whether this node reaches a quorum of the replicas of no range. */
  get isCutOff(): boolean {
    return !this.#parts.ring.sets.some((set) => this.#reachesQuorum(set));
  }

  /** Resolves when this node coordinates requests, answers reads and has gathered its peers; at once when it does. */
  whenReady(): Promise<void> {
    if (this.#isReady) return Promise.resolve();
    return new Promise((resolve) => this.#waiters.push(resolve));
  }

  /** Looks at who is up. */
  considerPeers(): void {
    const { up, all } = this.#countDatacenter();
    if (up * 2 > all) this.#hasMajority = true;
    if (this.#isGathering && this.#parts.ring.sets.every((set) => this.#reachesQuorum(set))) {
      this.#isGathering = false;
    }
  }

  stopGathering(): void {
    this.#isGathering = false;
    this.publish();
  }

  /** Tells the kernel, and those who wait until this node is ready. */
  publish(): void {
    // With a node of the C engine among the replicas, everything is coordinated by the host: what it gets is no frame.
    const isKernels = this.refusal === undefined && !this.#parts.peers.someAreOfC;
    const coordinating = isKernels ? SELF_FLAG.coordinating : 0;
    const fenced = this.#parts.ring.isFenced ? SELF_FLAG.fenced : 0;
    this.#parts.store.kernel.ringSetSelf(coordinating | fenced);
    if (this.#isReady) for (const resolve of this.#waiters.splice(0)) resolve();
  }

  get #isReady(): boolean {
    return this.refusal === undefined && !this.#parts.ring.isFenced && !this.#isGathering;
  }

  #countDatacenter(): { readonly up: number; readonly all: number } {
    const { ring, peers } = this.#parts;
    const { members, self } = ring.topology;
    const local = members.filter(({ datacenter }) => datacenter === self.datacenter);
    return { up: local.filter((member) => peers.isReached(member)).length, all: local.length };
  }

  #reachesQuorum({ local }: ReplicaSet): boolean {
    const { peers } = this.#parts;
    return local.filter((member) => peers.isReached(member)).length * 2 > local.length;
  }
}
