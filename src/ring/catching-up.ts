/**
 * Does what CatchUp says, and tells it what happens: peers that come and go, what they say that this node lacks, stamps that it had
 * to refuse, copies that are complete.
 */
import type { Logger } from "../base/logger.ts";
import type { Runtime } from "../base/runtime.ts";
import type { Settings } from "../base/settings.ts";
import type { EmbeddedStore } from "../store/embedded-store.ts";
import { NOT_TOLD, RING_FIGURE } from "../store/kernel-ring.ts";
import { CatchUp } from "./catch-up.ts";
import { Copies, type RecordPages } from "./copies.ts";
import { EmbeddedPages } from "./embedded-pages.ts";
import { memberName } from "./member.ts";
import { decodeMissed } from "./missed.ts";
import type { NodeState } from "./node-state.ts";
import { oldestOf } from "./oldest.ts";
import type { Peer, Peers } from "./peers.ts";
import { REQUEST_KIND, type RingPort } from "./port.ts";

export interface CatchingUpParts {
  readonly ring: RingPort;
  readonly runtime: Runtime;
  readonly store: EmbeddedStore;
  readonly settings: Settings;
  readonly log: Logger;
  readonly peers: Peers;
  /** The records of a server behind the node; those of the store where it is undefined. */
  readonly pages: RecordPages | undefined;
  /** Records with at least this stamp were new here and came from another datacenter. */
  brought(oldest: bigint): void;
  /** Whether this node is fenced has changed. */
  changed(fenced: boolean): void;
}

/**
 * How long what catches a node up may take, a page of a range copy, in ms: as long as the link lives it comes, however much waits
 * before it, and asking again would only add to that.
 */
export const PATIENT_MS = 600_000;
/** How often what was refused for its stamp is asked for again, in ms. */
export const REFUSED_RETRY_MS = 5000;

export class CatchingUp {
  readonly #parts: CatchingUpParts;
  readonly #catchUp: CatchUp;
  readonly #copies: Copies;
  #startedWith: readonly string[] = [];
  /** The oldest stamp that was refused for being ahead and is not copied again yet, refusals of the kernel so far, and when to try. */
  #refused: bigint | undefined;
  #refusedCount = 0;
  #refusedRetryAt = 0;
  /** The longest time that a request of this node could be under way since it began, in ms. */
  #longestTimeoutMs: number;
  #wasFenced = true;
  #forgotten = 0n;

  constructor(parts: CatchingUpParts) {
    const { ring, store, settings, log } = parts;
    this.#parts = parts;
    this.#longestTimeoutMs = settings.get("requestTimeoutMs");
    this.#catchUp = new CatchUp(ring.topology.self, ring.sets, {
      fenced: true,
      parallel: () => settings.get("copyParallel"),
    });
    this.#copies = new Copies({
      ...{ ring, log },
      catchUp: this.#catchUp,
      pages:
        parts.pages ??
        new EmbeddedPages({
          ...{ topology: ring.topology, store },
          pageBytes: () => settings.get("copyPageBytes"),
        }),
      timeoutMs: PATIENT_MS,
      brought: (oldest) => parts.brought(oldest),
      refused: (stamp) => this.noteRefusedStamp(stamp),
      changed: () => this.#considerFence(),
    });
    ring.onRequest(REQUEST_KIND.missed, ({ link, body }) => this.#missed(link, body));
    settings.onChange("requestTimeoutMs", (timeoutMs) => {
      this.#longestTimeoutMs = Math.max(this.#longestTimeoutMs, timeoutMs);
    });
    settings.onChange("copyParallel", () => this.begin());
    this.#considerForgotten();
  }

  /** Whether this node lacks its last store epoch: it takes writes and answers no read. */
  get isFenced(): boolean {
    return this.#catchUp.fenced;
  }

  /** Whether this node lost its memory and has not got it back. */
  get isForgetful(): boolean {
    return this.#catchUp.isForgetful;
  }

  /** As RingPort.forgotten; the kernel knows it too. */
  get forgotten(): bigint {
    return this.#forgotten;
  }

  /** Whether something is being copied, or waits to be. */
  get isBusy(): boolean {
    return this.#catchUp.busy;
  }

  /** Epochs of the members, this node's own among them, with which it began when most replicas held no state. */
  get startedWith(): readonly string[] {
    return this.#startedWith;
  }

  /** Records that were copied from other members, and pages of records that were served to them. */
  get copiedRecords(): number {
    return this.#copies.records;
  }

  get servedPages(): number {
    return this.#copies.pagesServed;
  }

  /** Begins the copies that are due. */
  begin(): void {
    this.#copies.begin();
  }

  stop(): void {
    this.#copies.stop();
  }

  /** The other datacenters had time enough to be found. */
  stopWaiting(): void {
    this.#catchUp.stopWaiting();
    this.#considerFence();
  }

  /** A peer says how it is. */
  heard({ member }: Peer, state: NodeState): void {
    const { topology, epoch } = this.#parts.ring;
    const { self } = topology;
    const knownEpoch = state.known[self.index];
    this.#catchUp.peerUp(member.index, {
      forgetful: state.forgetful,
      remembersLoss: knownEpoch !== undefined && knownEpoch !== epoch,
      startedWithUs: state.startedWith.includes(epoch),
      stamp: state.stamp,
    });
    if (state.brought !== undefined && member.datacenter === self.datacenter) {
      this.#catchUp.mayLack(state.brought, self.datacenter);
    }
    this.#considerFence();
  }

  /** A session with a peer has opened, with what its hello says; `before`: what it said last in the session before. */
  opened({ member }: Peer, state: NodeState, before: NodeState | undefined): void {
    const { self } = this.#parts.ring.topology;
    // What another datacenter drops this node never acknowledged there, and its own may lack it too: a copy is all it needs.
    if (state.dropped.includes(self.index) && member.datacenter === self.datacenter) {
      this.#fence(`${memberName(member)} had to drop what it sent to this node`);
    } else if (before !== undefined) {
      this.#catchUp.mayLack(this.#upTo(before));
    }
  }

  /** A peer is a node of the C engine: there is nothing to copy from it. */
  isOfC({ member }: Peer): void {
    this.#catchUp.peerIsOfC(member.index);
    this.#considerFence();
  }

  /** The session with a peer is over. */
  closed({ member, state }: Peer): void {
    this.#catchUp.peerDown(member.index);
    if (state !== undefined) this.#catchUp.mayLack(this.#upTo(state));
  }

  /** This node may lack what it refused for its stamp. */
  noteRefusedStamp(stamp: bigint): void {
    this.#refused = oldestOf(this.#refused, stamp);
  }

  /** What was refused because a clock is wrong is copied again and again until that is set right. */
  considerRefused(): void {
    const { store, runtime } = this.#parts;
    const count = store.kernel.ringFigure(RING_FIGURE.refusedAhead);
    if (count !== this.#refusedCount) this.noteRefusedStamp(store.newestStamp);
    this.#refusedCount = count;
    const now = runtime.monotonic();
    if (this.#refused === undefined || now < this.#refusedRetryAt) return;
    this.#refusedRetryAt = now + REFUSED_RETRY_MS;
    this.#catchUp.mayLack(this.#before(this.#refused));
    this.#refused = undefined;
  }

  /** A peer says that it could not send to this node what has at least a stamp. */
  #missed(link: number, body: Uint8Array): Uint8Array {
    const since = decodeMissed(body);
    // Where it was written it is held: by a quorum there, or by who could be reached.
    this.#catchUp.mayLack(since, this.#parts.ring.topology.members[link]!.datacenter);
    this.begin();
    return new Uint8Array(0);
  }

  /** What this node held may be gone. */
  lose(reason: string): void {
    this.#catchUp.lose();
    this.#fence(reason);
  }

  #fence(reason: string): void {
    this.#parts.log.warn("This node copies its ranges again before it answers reads.", { reason });
    this.#catchUp.fence();
    this.#considerFence();
  }

  /** Makes known whether this node is fenced, when that has changed. */
  #considerFence(): void {
    this.#considerForgotten();
    const { fenced, lossReported, startedFromReachable } = this.#catchUp;
    if (fenced === this.#wasFenced) return;
    this.#wasFenced = fenced;
    if (!fenced) {
      this.#startedWith = startedFromReachable ? this.#reachableEpochs() : [];
      if (lossReported) {
        this.#parts.log.error(
          "Data was lost: most replicas of a range have no state, and another node remembers that they had. The range starts from what could be reached.",
        );
      }
    }
    this.#parts.changed(fenced);
  }

  /** Tells the kernel up to which stamp this node acknowledges no writes, when that has changed. */
  #considerForgotten(): void {
    const forgotten = this.#catchUp.forgotten ?? NOT_TOLD;
    if (forgotten === this.#forgotten) return;
    this.#forgotten = forgotten;
    this.#parts.store.kernel.ringSetForgotten(forgotten);
  }

  #reachableEpochs(): string[] {
    const { peers, ring } = this.#parts;
    const others = peers.all.flatMap(({ session, state }) =>
      session !== undefined && state !== undefined ? [state.epoch] : [],
    );
    return [ring.epoch, ...others];
  }

  /** Up to which stamp this node surely has all that a peer, which said this last, has sent to it or was to send. */
  #upTo({ stamp, missed }: NodeState): bigint {
    return oldestOf(this.#before(stamp), missed)!;
  }

  /** A stamp so far before another that what was sent later has surely got a later one. */
  #before(stamp: bigint): bigint {
    const slackMs = this.#parts.settings.get("maxStampAheadMs") + this.#longestTimeoutMs;
    const earlier = stamp - (BigInt(slackMs) << 16n);
    return earlier < 0n ? 0n : earlier;
  }
}
