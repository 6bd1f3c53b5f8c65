/** Asks other replicas for a quorum in the name of the host: through the kernel where it can, and by frames of the host. */
import type { Runtime } from "../base/runtime.ts";
import type { Settings } from "../base/settings.ts";
import type { Key } from "../store/database.ts";
import type { EmbeddedStore } from "../store/embedded-store.ts";
import { NO_SLOT } from "../store/kernel-ring.ts";
import type { HeldBack } from "./held-back.ts";
import { HostQuorums, type Retry } from "./host-quorums.ts";
import type { Outboxes } from "./outboxes.ts";
import type { Peers } from "./peers.ts";
import type { QuorumOutcome, QuorumWishes } from "./port.ts";
import type { Member } from "./topology.ts";

export interface QuorumRequestsParts {
  readonly runtime: Runtime;
  readonly store: EmbeddedStore;
  readonly settings: Settings;
  readonly peers: Peers;
  readonly heldBack: HeldBack;
  readonly outboxes: Outboxes;
  /** Something waits to be sent: it leaves at the end of this turn. */
  touch(): void;
}

/** What replicate() and readAround() of the kernel answer; anything else: the host must do it. */
const BEGUN = { yes: 1, outboxFull: 2 } as const;

export class QuorumRequests {
  readonly #parts: QuorumRequestsParts;
  readonly #quorums: HostQuorums;

  constructor(parts: QuorumRequestsParts) {
    this.#parts = parts;
    this.#quorums = new HostQuorums(parts.store);
  }

  /** Has the kernel begin RingPort.replicate() or readAround(); undefined when it leaves that to the host. */
  byKernel(
    operation: "replicate" | "readAround",
    database: number,
    key: Key,
    need: number,
    { among, deadline }: QuorumWishes,
  ): Promise<QuorumOutcome> | undefined {
    // The kernel asks the replicas that it knows, and no other members.
    if (among !== undefined) return undefined;
    const { kernel } = this.#parts.store;
    const { tag, outcome } = this.#quorums.open();
    this.#parts.touch();
    const age = this.#ageOf(deadline);
    const begin = (): number =>
      kernel[operation](database, key.pointer, key.length, tag, need, age);
    let begun = begin();
    if (begun === BEGUN.outboxFull) {
      this.#parts.outboxes.flushAll();
      begun = begin();
    }
    if (begun === BEGUN.yes) return outcome;
    this.#quorums.drop(tag);
    return undefined;
  }

  /** As RingPort.send(); `holds`: one that holds something newer counts. */
  send(
    members: readonly Member[],
    frame: Uint8Array,
    need: number,
    { deadline, holds = false }: Pick<QuorumWishes, "deadline"> & { readonly holds?: boolean } = {},
  ): Promise<QuorumOutcome> {
    const { store, peers, heldBack, outboxes } = this.#parts;
    const { tag, outcome } = this.#quorums.open();
    this.#parts.touch();
    const age = this.#ageOf(deadline);
    const slot = store.kernel.slotOpen(tag, need, age, holds ? 1 : 0) >>> 0;
    if (slot === NO_SLOT) {
      this.#quorums.drop(tag);
      return Promise.resolve({ ok: false, got: 0, need, stale: false });
    }
    const up = members.filter((member) => peers.isUp(member));
    const isFree = ({ index }: Member): boolean => heldBack.takesAll(index);
    // Links beyond their bound are asked where there is no quorum without.
    const needsAll = up.filter(isFree).length < need;
    for (const member of up) {
      if (needsAll || isFree(member)) outboxes.post(member.index, frame, slot);
      else heldBack.miss(member.index, frame);
    }
    store.kernel.slotSeal(slot);
    return outcome;
  }

  /** Ends what the kernel has decided; returns the commands of clients to run again. */
  takeEvents(): Retry[] {
    return this.#quorums.takeEvents();
  }

  /** How long a request with a deadline has been waiting already, as the kernel counts deadlines, in ms. */
  #ageOf(deadline: number | undefined): number {
    if (deadline === undefined) return 0;
    const { runtime, settings } = this.#parts;
    const left = deadline - runtime.monotonic();
    return Math.max(0, Math.floor(settings.get("requestTimeoutMs") - Math.max(0, left)));
  }
}
