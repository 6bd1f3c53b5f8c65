/**
 * Decides what a node copies from the other replicas of its ranges, and when it may answer reads. A pure machine: it is told what
 * happens, and says what to copy; the ring's driver does it.
 *
 * Two things are caught up with. A node that lacks its last store epoch is *fenced* and copies everything: from a quorum of the
 * other replicas of each range, or, where most replicas of a range hold no state either, from those that can be reached. A node
 * that may have missed writes of a peer, because their link was cut, is *behind*: it copies what is newer than the last that it
 * surely received from that peer, from every other replica, of each as soon as that can be reached, and answers reads all the while:
 * what it missed it never acknowledged. In the same way one that answers reads again copies the rest from those that the quorum
 * did not need.
 *
 * A node that has lost its memory may have acknowledged writes that it does not know any more. Up to which stamp, the others tell when
 * they are reached: those that a quorum acknowledged with it, one of any such majority has seen.
 */
import type { Member, ReplicaSet } from "./topology.ts";

/** What a peer says of itself. */
export interface PeerState {
  /** It lost its memory and has not got it back. Any other holds what it has acknowledged, also while it is fenced. */
  readonly forgetful: boolean;
  /** It knew this node with another store epoch than the present one. */
  readonly remembersLoss: boolean;
  /** It began to answer reads when most replicas held no state, this node, as it is now, among them. */
  readonly startedWithUs: boolean;
  /** The newest stamp that it has minted or seen. */
  readonly stamp: bigint;
}

/** One copy to make: every record with at least the stamp `since` that this node is a replica of. */
export interface Copy {
  readonly from: Member;
  readonly since: bigint;
}

export class CatchUp {
  readonly #sets: readonly ReplicaSet[];
  readonly #self: Member;
  readonly #parallel: () => number;
  /** Members that share a range with this node. */
  readonly #partners: readonly Member[];
  readonly #up = new Map<number, PeerState>();
  /** Nodes of the C engine: they have nothing that could be copied. */
  readonly #ofC = new Set<number>();
  readonly #running = new Map<number, bigint>();
  /** Those from which everything has been copied, by whether they held then what they have acknowledged. */
  readonly #copied = new Map<number, boolean>();
  /** From which stamp on each partner's records have still to be copied, also of those that are down. */
  readonly #owed = new Map<number, bigint>();
  /** What those that have been reached told first, when they had their memory if they ever did. */
  readonly #told = new Map<number, PeerState>();
  /** Whether it lost its memory, and has not got it back. */
  #hasForgotten: boolean;
  #isPatient: boolean;
  #fenced: boolean;
  #lossReported = false;
  #startedFromReachable = false;

  /**
   * `sets`: all replica sets; `parallel`: copies at a time from the own datacenter, and as many from others, as it is when one
   * could begin.
   */
  constructor(
    self: Member,
    sets: readonly ReplicaSet[],
    options: { readonly fenced: boolean; readonly parallel: () => number },
  ) {
    this.#self = self;
    this.#sets = sets.filter((set) => set.local.includes(self));
    this.#parallel = options.parallel;
    this.#fenced = options.fenced;
    this.#hasForgotten = options.fenced;
    this.#isPatient = true;
    const partners = new Set(
      this.#sets.flatMap((set) => [...set.local, ...set.remote.flat()]).filter((m) => m !== self),
    );
    this.#partners = [...partners].sort((a, b) => a.index - b.index);
    if (this.#fenced) this.mayLack(0n);
    this.#unfenceIfComplete();
  }

  /** Whether it lost its memory and has not got it back: not where it is fenced for what others had to drop. */
  get isForgetful(): boolean {
    return this.#hasForgotten;
  }

  /** Whether this node lacks its last store epoch: it takes writes, answers no read and counts in no R. */
  get fenced(): boolean {
    return this.#fenced;
  }

  /**
   * The newest stamp that this node may have acknowledged and forgotten: 0n where it has forgotten nothing, undefined while too few
   * of the others have told what they have seen.
   */
  get forgotten(): bigint | undefined {
    if (!this.#hasForgotten) return 0n;
    if (!this.#sets.every((set) => this.#isTold(set))) return undefined;
    return [...this.#told.values()].reduce((most, { stamp }) => (stamp > most ? stamp : most), 0n);
  }

  /** Whether something is being copied, or waits to be. */
  get busy(): boolean {
    if (this.#fenced || this.#running.size > 0) return true;
    return [...this.#owed.keys()].some((link) => this.#up.has(link));
  }

  /** Whether a range started from what could be reached although another replica remembers that there was more. */
  get lossReported(): boolean {
    return this.#lossReported;
  }

  /** Whether it began to answer reads when most replicas of a range held no state. */
  get startedFromReachable(): boolean {
    return this.#startedFromReachable;
  }

  /** A peer can be reached, or says something new of itself. */
  peerUp(link: number, state: PeerState): void {
    this.#ofC.delete(link);
    this.#up.set(link, state);
    if (this.#hasForgotten && this.#told.get(link)?.forgetful !== false)
      this.#told.set(link, state);
    this.#unfenceIfComplete();
  }

  /** A peer is a node of the C engine, until peerUp() says otherwise. */
  peerIsOfC(link: number): void {
    this.#up.delete(link);
    this.#ofC.add(link);
    this.#unfenceIfComplete();
  }

  peerDown(link: number): void {
    this.#up.delete(link);
  }

  /** The other datacenters had time enough to be found: a range that most replicas hold nothing of starts without them. */
  stopWaiting(): void {
    this.#isPatient = false;
    this.#unfenceIfComplete();
  }

  /** This node has lost its memory, while it goes on: what copies under way have brought may be lost with it. */
  lose(): void {
    this.#hasForgotten = true;
    this.#told.clear();
    for (const link of this.#running.keys()) this.#running.set(link, SOME);
    // What the others began with was lost here.
    for (const [link, state] of this.#up) {
      this.#up.set(link, { ...state, startedWithUs: false, remembersLoss: true });
    }
    this.fence();
  }

  /** What this node holds is not to be trusted: everything is copied again. */
  fence(): void {
    this.#fenced = true;
    this.#copied.clear();
    this.mayLack(0n);
    this.#unfenceIfComplete();
  }

  /** This node may lack writes with at least this stamp; with `datacenter`: members of it hold them. */
  mayLack(since: bigint, datacenter?: string): void {
    for (const partner of this.#partners) {
      if (datacenter === undefined || partner.datacenter === datacenter) {
        this.#owe(partner.index, since);
      }
    }
  }

  /** The copies to begin now; each ends with copied() or failed(). */
  begin(): Copy[] {
    const copies: Copy[] = [];
    const parallel = this.#parallel();
    for (const from of this.#partners) {
      if (!this.#up.has(from.index) || this.#running.has(from.index)) continue;
      if (this.#runningLike(from) >= parallel) continue;
      const since = this.#wantedOf(from);
      if (since === undefined) continue;
      this.#running.set(from.index, since);
      this.#owed.delete(from.index);
      copies.push({ from, since });
    }
    return copies;
  }

  /** Whether a peer that can be reached holds what it has acknowledged. */
  remembers(link: number): boolean {
    return this.#up.get(link)?.forgetful === false;
  }

  /** A copy is complete. `isWhole`: whether the peer held what it has acknowledged when it began. */
  copied(link: number, isWhole: boolean): void {
    const since = this.#running.get(link);
    this.#running.delete(link);
    if (since === 0n) this.#copied.set(link, isWhole);
    this.#unfenceIfComplete();
  }

  /** A copy could not be completed; it is begun again when the peer is there. */
  failed(link: number): void {
    const since = this.#running.get(link);
    this.#running.delete(link);
    if (since !== undefined) this.#owe(link, since);
  }

  /** Copies under way from the own datacenter, or from all others: the far ones must not hold up those that end the fence. */
  #runningLike({ datacenter }: Member): number {
    const isOwn = (member: Member): boolean => member.datacenter === this.#self.datacenter;
    const isLike = (member: Member): boolean =>
      isOwn(member) === (datacenter === this.#self.datacenter);
    return this.#partners.filter((member) => this.#running.has(member.index) && isLike(member))
      .length;
  }

  #owe(link: number, since: bigint): void {
    const owed = this.#owed.get(link);
    if (owed === undefined || since < owed) this.#owed.set(link, since);
  }

  #wantedOf(from: Member): bigint | undefined {
    if (this.#fenced) return this.#copiedAsItIs(from) ? undefined : 0n;
    return this.#owed.get(from.index);
  }

  /** Whether everything was copied from a peer; one that has got its memory back since may hold more now. */
  #copiedAsItIs({ index }: Member): boolean {
    const wasWhole = this.#copied.get(index);
    return wasWhole === true || (wasWhole === false && this.#up.get(index)?.forgetful === true);
  }

  #unfenceIfComplete(): void {
    if (!this.#fenced) return;
    let loss = false;
    let fromReachable = false;
    for (const set of this.#sets) {
      const others = this.#othersOf(set);
      const full = others.filter(({ index }) => this.#copied.get(index) === true).length;
      if (others.length > 0 && full >= majority(others.length)) continue;
      if (!this.#startsFromReachable(set, others)) return;
      fromReachable = true;
      loss ||= others.some(({ index }) => this.#up.get(index)?.remembersLoss === true);
    }
    this.#fenced = false;
    this.#hasForgotten = false;
    this.#told.clear();
    this.#startedFromReachable = fromReachable;
    this.#lossReported ||= loss;
  }

  #othersOf({ local }: ReplicaSet): Member[] {
    return local.filter((member) => member !== this.#self);
  }

  /** Whether those have told that any quorum of a range met, or the range starts from what can be reached, and they have told. */
  #isTold(set: ReplicaSet): boolean {
    const others = this.#othersOf(set);
    const whole = others.filter(({ index }) => this.#told.get(index)?.forgetful === false).length;
    return whole >= majority(others.length) || this.#mayStart(set, others);
  }

  /** Whether most replicas of a range hold no state, or began with this node, and what can be reached has been copied. */
  #startsFromReachable(set: ReplicaSet, others: readonly Member[]): boolean {
    if (!this.#mayStart(set, others)) return false;
    const reachable = [...others, ...set.remote.flat()].filter(({ index }) => this.#up.has(index));
    return reachable.every((member) => this.#copiedAsItIs(member));
  }

  /** Whether most replicas of a range hold no state, or began with this node. */
  #mayStart(set: ReplicaSet, others: readonly Member[]): boolean {
    const beginners = others.filter(({ index }) => {
      if (this.#ofC.has(index)) return true;
      const state = this.#up.get(index);
      return state !== undefined && (state.forgetful || state.startedWithUs);
    });
    if (beginners.length + 1 < majority(set.local.length)) return false;
    const elsewhere = set.remote.flat();
    const isAlone = !elsewhere.some(({ index }) => this.#up.has(index));
    return !(this.#isPatient && elsewhere.length > 0 && isAlone);
  }
}

/** In the place of a copy's first stamp: it is not a copy of everything. */
const SOME = 1n;

/** More than half of `count`; of none: none. */
function majority(count: number): number {
  return count === 0 ? 0 : Math.floor(count / 2) + 1;
}
