/** What a ring tells operators, read from the ring, its links and the kernel at the moment that it is asked for. */
import { LATENCY_BOUNDS_SECONDS } from "../base/histogram.ts";
import type { LinkCounters } from "../link/counters.ts";
import type { Version1Session } from "../link/dnode/dialled-connection.ts";
import type { LinkSession } from "../link/link.ts";
import type { EmbeddedStore } from "../store/embedded-store.ts";
import { LINK, RING_FIGURE, type RingFigure } from "../store/kernel-ring.ts";
import { LEVELS } from "./levels.ts";
import type { Placement } from "./placement.ts";
import type { Member } from "./topology.ts";
import type { LatencyView, MemberState, MemberView, RingView } from "./view.ts";

/** What a report reads of a ring. */
export interface ReportedRing {
  readonly placement: Placement;
  readonly refusal: string | undefined;
  readonly isFenced: boolean;
  readonly isGathering: boolean;
  readonly isCutOff: boolean;
  /** Whether it copies what it may have missed, fenced or not. */
  readonly isCatchingUp: boolean;
  readonly epoch: string;
  /** When it began, in ms since the epoch. */
  readonly startedAt: number;
  /** The other members, in the order of their indexes. */
  readonly peers: readonly ReportedPeer[];
  readonly linkCounters: LinkCounters;
  readonly copiedRecords: number;
  readonly servedPages: number;
}

interface ReportedPeer {
  readonly member: Member;
  /** Where it is a node of the C engine that is connected. */
  readonly version1: Version1Session | undefined;
  readonly session: LinkSession | undefined;
  readonly state: { readonly fenced: boolean; readonly epoch: string } | undefined;
  readonly since: number;
  readonly lastReason: string;
}

/** What is to be known of a member of the C engine. */
const OF_C = "a node of the C engine: catch-up: off";

/** Cells of ringLatency() for each level and operation: those of a histogram, and the sum in µs. */
const LATENCY_CELLS = LATENCY_BOUNDS_SECONDS.length + 2;

export class RingReport implements RingView {
  readonly #ring: ReportedRing;
  readonly #store: EmbeddedStore;

  constructor(ring: ReportedRing, store: EmbeddedStore) {
    this.#ring = ring;
    this.#store = store;
  }

  get placement(): Placement {
    return this.#ring.placement;
  }

  get refusal(): string | undefined {
    return this.#ring.refusal;
  }

  get isFenced(): boolean {
    return this.#ring.isFenced;
  }

  get isGathering(): boolean {
    return this.#ring.isGathering;
  }
  get isCutOff(): boolean {
    return this.#ring.isCutOff;
  }

  get linkCounters(): LinkCounters {
    return this.#ring.linkCounters;
  }

  get copiedRecords(): number {
    return this.#ring.copiedRecords;
  }

  get servedPages(): number {
    return this.#ring.servedPages;
  }

  members(): MemberView[] {
    const views = this.#ring.peers.map((peer) => this.#viewOf(peer));
    views.splice(this.placement.topology.self.index, 0, this.#viewOfSelf());
    return views;
  }

  figure(name: RingFigure, plus = 0): number {
    return this.#store.kernel.ringFigure(RING_FIGURE[name] + plus);
  }

  latencies(): LatencyView[] {
    const { kernel } = this.#store;
    return LEVELS.flatMap((level, i) =>
      (["read", "write"] as const).map((operation, j) => {
        const first = (i * 2 + j) * LATENCY_CELLS;
        const cells = Array.from({ length: LATENCY_CELLS - 1 }, (_, cell) =>
          kernel.ringLatency(first + cell),
        );
        const sumSeconds = kernel.ringLatency(first + LATENCY_CELLS - 1) / 1e6;
        return { level, operation, counts: { cells, sumSeconds } };
      }),
    );
  }

  #viewOfSelf(): MemberView {
    const { isFenced, isCatchingUp, epoch, startedAt, placement } = this.#ring;
    let state: MemberState = isCatchingUp ? "catching-up" : "up";
    if (isFenced) state = "fenced";
    return {
      member: placement.topology.self,
      state,
      since: startedAt,
      reason: undefined,
      epoch,
      link: undefined,
    };
  }

  #viewOf({ member, session, version1, state, since, lastReason }: ReportedPeer): MemberView {
    if (version1 !== undefined) {
      return { member, state: "up", since, reason: OF_C, epoch: undefined, link: undefined };
    }
    if (session === undefined) {
      const reason = lastReason === "" ? undefined : lastReason;
      return { member, state: "down", since, reason, epoch: state?.epoch, link: undefined };
    }
    const { kernel, memory } = this.#store;
    const address = kernel.linkAddress(member.index) >>> 2;
    return {
      member,
      state: state?.fenced === true ? "fenced" : "up",
      since,
      reason: undefined,
      epoch: state?.epoch,
      link: {
        rttMs: session.rttMs,
        clockOffsetMs: session.clockOffsetMs,
        pendingRequests: memory.words[address + LINK.pending]!,
        queuedBytes: session.bufferedBytes + memory.words[address + LINK.outLength]!,
        isEncrypted: session.isEncrypted,
      },
    };
  }
}
