/**
 * The ring's driver on one node: puts its parts together, sends what the kernel leaves for other nodes once per turn of the event
 * loop, lets replies of clients go behind it, and offers the ring to the code that runs commands. What each part knows and decides
 * is in the file that is named after it.
 */
import { RingletError } from "../base/errors.ts";
import type { Timer } from "../base/runtime.ts";
import type { LinkCounters } from "../link/counters.ts";
import type { LinkHub } from "../link/hub.ts";
import { LinkRequests } from "../link/requests.ts";
import type { Key } from "../store/database.ts";
import type { EmbeddedStore } from "../store/embedded-store.ts";
import type { Listener } from "../transport/stream.ts";
import { CatchingUp, PATIENT_MS } from "./catching-up.ts";
import { ClockWatch } from "./clock-watch.ts";
import { HeldBack } from "./held-back.ts";
import { HostFrames } from "./host-frames.ts";
import type { Retry } from "./host-quorums.ts";
import { setUpKernel, writeTables } from "./kernel-setup.ts";
import { ringLinks } from "./links.ts";
import { memberName } from "./member.ts";
import { encodeMissed } from "./missed.ts";
import { newEpoch } from "./node-state.ts";
import { Outboxes } from "./outboxes.ts";
import { type MemberEvent, type Peer, Peers } from "./peers.ts";
import type { Placement } from "./placement.ts";
import {
  type QuorumOutcome,
  type QuorumWishes,
  REQUEST_KIND,
  type RequestHandler,
  type RingPort,
} from "./port.ts";
import { QuorumRequests } from "./quorum-requests.ts";
import { Readiness } from "./readiness.ts";
import { ReplyGates } from "./reply-gate.ts";
import type { RingParts } from "./ring-parts.ts";
import { Sessions } from "./sessions.ts";
import { Status } from "./status.ts";
import type { Member, ReplicaSet, Topology } from "./topology.ts";
import { dialledVersion1, type PeerCommandHandler, servedVersion1 } from "./version1-peers.ts";

/** Runs a command of a client again that the kernel has begun: the reply's bytes. */
export type RetryHandler = (retry: Retry) => Promise<Uint8Array>;

/** How often nodes tell each other how they are, in ms. */
export const STATUS_INTERVAL_MS = 1000;
/** How long a node that starts without state waits for a node of another datacenter, which may have it, in ms. */
export const OTHER_DATACENTERS_MS = 5000;
/** How long a node that starts waits for the replicas of all ranges before it says that it is ready without them, in ms. */
export const GATHERING_MS = 5000;

export class Ring implements RingPort {
  readonly placement: Placement;
  readonly topology: Topology;
  readonly sets: readonly ReplicaSet[];
  epoch: string;
  /** When it began, in ms since the epoch. */
  readonly startedAt: number;
  readonly replies: ReplyGates;
  readonly hub: LinkHub;
  readonly #parts: RingParts;
  readonly #store: EmbeddedStore;
  readonly #peers: Peers;
  readonly #requests: LinkRequests;
  readonly #catchingUp: CatchingUp;
  readonly #heldBack: HeldBack;
  readonly #outboxes: Outboxes;
  readonly #quorums: QuorumRequests;
  readonly #frames: HostFrames;
  readonly #status: Status;
  readonly #clockWatch: ClockWatch;
  readonly #readiness: Readiness;
  readonly #timers: Timer[] = [];
  #scheduled = false;
  #closed = false;
  #listener: Listener | undefined;
  /** Runs the commands that the kernel cannot end; set by who runs the host's commands. */
  onRetry: RetryHandler | undefined;
  /** Runs the commands of version 1 peers; set by who runs the host's commands. */
  onPeerCommand: PeerCommandHandler | undefined;

  constructor(parts: RingParts) {
    const { runtime, store, settings, placement, log } = parts;
    const { topology } = placement;
    this.#parts = parts;
    this.#store = store;
    this.placement = placement;
    this.topology = topology;
    this.sets = placement.sets;
    this.startedAt = runtime.now();
    this.epoch = newEpoch(runtime);
    const peers = new Peers(topology, this.startedAt);
    const refused = (stamp: bigint): void => this.#catchingUp.noteRefusedStamp(stamp);
    this.#peers = peers;
    this.replies = new ReplyGates(store);
    this.#requests = new LinkRequests(runtime);
    this.#catchingUp = new CatchingUp({
      ...{ ring: this, runtime, store, settings, log, peers },
      pages: parts.server?.pages(this),
      brought: (oldest) => this.#status.noteBrought(oldest),
      changed: (fenced) => this.#fenceChanged(fenced),
    });
    const heldBack = new HeldBack({
      ...{ runtime, store, settings, log },
      nameOf: (link) => memberName(topology.members[link]!),
      tell: (session, since) =>
        this.#requests.request(session, REQUEST_KIND.missed, encodeMissed(since), PATIENT_MS),
    });
    this.#heldBack = heldBack;
    const touch = (): void => this.touch();
    const outboxes = new Outboxes({ store, peers, heldBack, touch });
    const quorums = new QuorumRequests({
      ...{ runtime, store, settings, peers, heldBack, outboxes, touch },
    });
    this.#outboxes = outboxes;
    this.#quorums = quorums;
    this.#frames = new HostFrames({ ring: this, store, log, outboxes, quorums, refused });
    const catchingUp = this.#catchingUp;
    this.#status = new Status({ ring: this, store, peers, heldBack, outboxes, catchingUp });
    this.#clockWatch = new ClockWatch({ clock: parts.clock, settings, log, peers });
    this.#readiness = new Readiness({ ring: this, store, peers, clock: this.#clockWatch });
    const sessions = new Sessions({
      ...{ ring: this, runtime, clock: parts.clock, store, settings, log, peers, heldBack },
      ...{ outboxes, catchingUp, readiness: this.#readiness },
      ...{ status: this.#status, requests: this.#requests, frames: this.#frames, touch },
      keptBy: parts.keptBy,
    });
    this.hub = ringLinks(topology, {
      ...{ ...parts, events: sessions },
      version1: servedVersion1({ ...parts, handler: () => this.onPeerCommand }),
      version1Peers: dialledVersion1({
        ...{ ...parts, ring: this, peers, catchingUp, readiness: this.#readiness },
      }),
    });
    setUpKernel(store, settings, placement);
    writeTables(store, placement, peers);
    this.#readiness.considerPeers();
    this.#readiness.publish();
  }

  /** Listens for peers and dials them; resolves when it listens. */
  async start(): Promise<void> {
    const { runtime, listen } = this.#parts;
    this.#listener = await this.hub.listen(listen);
    this.hub.start();
    this.#timers.push(
      runtime.every(STATUS_INTERVAL_MS, () => this.#status.sayToAll()),
      runtime.after(OTHER_DATACENTERS_MS, () => this.#catchingUp.stopWaiting()),
      runtime.after(GATHERING_MS, () => this.#readiness.stopGathering()),
    );
  }

  /** Where peers are listened for, once started. */
  get listener(): Listener | undefined {
    return this.#listener;
  }

  /** Whether it has begun to close. */
  get isClosed(): boolean {
    return this.#closed;
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    for (const timer of this.#timers) timer.cancel();
    this.#catchingUp.stop();
    this.flushLinks();
    await this.hub.close();
  }

  // ---- What doors and the node's housekeeping call -------------------------------------------------------------------

  /** Something has run: what waits for other nodes and for clients leaves at the end of this turn. */
  touch(): void {
    this.#store.kernel.ringSetClock(this.#parts.runtime.monotonic());
    if (this.#scheduled) return;
    this.#scheduled = true;
    this.#parts.runtime.endOfTurn(() => this.#endTurn());
  }

  /** Sends what waits for other nodes now. */
  flushLinks(): void {
    this.#outboxes.flushAll();
  }

  /** The work of every tick: deadlines, clocks, copies. */
  tick(): void {
    if (this.#closed) return;
    this.#store.kernel.ringSetClock(this.#parts.runtime.monotonic());
    if (this.#store.kernel.expireSlots() !== 0) this.touch();
    if (this.#clockWatch.consider()) this.#readiness.publish();
    this.#catchingUp.considerRefused();
    this.flushLinks();
    this.#heldBack.tell(this.#peers.sessions);
    this.#catchingUp.begin();
  }

  #endTurn(): void {
    this.#scheduled = false;
    this.flushLinks();
    this.#store.kernel.turnFlushed();
    for (const retry of this.#quorums.takeEvents()) this.#runAgain(retry);
    this.replies.release();
    this.#store.afterCommand();
  }

  #runAgain(retry: Retry): void {
    const failed = (error: unknown): Uint8Array =>
      new TextEncoder().encode(
        `-ERR internal error: ${String(error).replace(/[\r\n]+/g, " ")}\r\n`,
      );
    const run = this.onRetry?.(retry) ?? Promise.reject(new Error("nothing runs commands again"));
    run.catch(failed).then((reply) => {
      if (this.#closed) return;
      this.replies.fulfil(retry.slot, reply);
      this.touch();
    });
  }

  #fenceChanged(fenced: boolean): void {
    this.#readiness.publish();
    this.#parts.log.info(
      fenced ? "This node answers no reads." : "This node holds its ranges and answers reads.",
    );
    this.#peers.tell(fenced ? "fenced" : "caught-up", this.topology.self);
    this.#status.sayToAll();
  }

  /** What this node held may be gone: it is another store from now on, and answers no reads before it has copied its ranges. */
  lose(reason: string): void {
    this.epoch = newEpoch(this.#parts.runtime);
    this.#catchingUp.lose(reason);
    this.#status.sayToAll();
    this.#catchingUp.begin();
  }

  /** A member lacks what could not be sent to it, and is told so. */
  noteMissed(link: number, frame: Uint8Array): void {
    this.#heldBack.miss(link, frame);
  }

  /** This node may lack what it refused. */
  noteRefusedStamp(stamp: bigint): void {
    this.#catchingUp.noteRefusedStamp(stamp);
  }

  // ---- How this node and the others are ------------------------------------------------------------------------------

  get refusal(): string | undefined {
    return this.#readiness.refusal;
  }

  get isFenced(): boolean {
    return this.#catchingUp.isFenced;
  }

  get forgotten(): bigint {
    return this.#catchingUp.forgotten;
  }

  /** Whether it copies what it lacks or may have missed. */
  get isCatchingUp(): boolean {
    return this.#catchingUp.isBusy;
  }

  /**
   * Whether this node has just started and has not reached a quorum of the replicas of every range yet: what a client asks of
   * those ranges would fail, though their replicas may only have to be dialled. It gives that up after GATHERING_MS.
   */
  get isGathering(): boolean {
    return this.#readiness.isGathering;
  }

  /** Whether this node reaches a quorum of the replicas of no range: what needs one fails here, and may succeed elsewhere. */
  get isCutOff(): boolean {
    return this.#readiness.isCutOff;
  }

  /** Resolves when this node coordinates requests, answers reads and has gathered its peers; at once when it does. */
  whenReady(): Promise<void> {
    return this.#readiness.whenReady();
  }

  /** Calls `listener` when a member changes; returns what ends that. */
  onMembers(listener: (event: MemberEvent) => void): () => void {
    return this.#peers.onChange(listener);
  }

  /** The other members, in the order of their indexes. */
  get peers(): readonly Peer[] {
    for (const { link, failure } of this.hub.describe()) {
      const peer = this.#peers.of(link);
      if (peer !== undefined && failure !== undefined) peer.lastReason = failure;
    }
    return this.#peers.all;
  }

  isUp(member: Member): boolean {
    const isOwn = member === this.topology.self;
    return isOwn ? (this.#parts.server?.isUp ?? true) : this.#peers.isUp(member);
  }

  isReadable(member: Member): boolean {
    if (member === this.topology.self) return !this.isFenced;
    const peer = this.#peers.of(member.index);
    return peer?.session !== undefined && peer.state?.fenced === false;
  }

  version1(member: Member): "up" | "down" | undefined {
    const peer = this.#peers.of(member.index);
    if (peer?.isOfC !== true) return undefined;
    return peer.version1 === undefined ? "down" : "up";
  }

  sendVersion1(
    member: Member,
    args: readonly Uint8Array[],
    isForwarded: boolean,
    deadlineMs: number,
  ): Promise<Uint8Array> {
    const session = this.#peers.of(member.index)?.version1;
    if (session === undefined) return Promise.reject(linkDown(member));
    return session.request(this.#parts.codec.writeRequest(args), isForwarded, deadlineMs);
  }

  epochOf(member: Member): string | undefined {
    if (member === this.topology.self) return this.epoch;
    const peer = this.#peers.of(member.index);
    return peer?.session === undefined ? undefined : peer.state?.epoch;
  }

  get linkCounters(): LinkCounters {
    return this.hub.counters;
  }

  /** Records that were copied from other members, and pages of records that were served to them. */
  get copiedRecords(): number {
    return this.#catchingUp.copiedRecords;
  }

  get servedPages(): number {
    return this.#catchingUp.servedPages;
  }

  // ---- What is asked of others ---------------------------------------------------------------------------------------

  replicasOf(key: Uint8Array): ReplicaSet {
    return this.placement.replicasOf(key);
  }

  request(member: Member, kind: number, body: Uint8Array, timeoutMs: number): Promise<Uint8Array> {
    const session = this.#peers.of(member.index)?.session;
    if (session === undefined) {
      return Promise.reject(linkDown(member));
    }
    if (this.#heldBack.isBehind(member.index) && OF_CLIENTS.has(kind)) {
      return Promise.reject(
        new RingletError(
          "LINK_BUSY",
          `too much waits for ${memberName(member)} already; this was not sent to it`,
        ),
      );
    }
    // What the same client has written before goes before.
    this.#outboxes.flushLink(member.index);
    return this.#requests.request(session, kind, body, timeoutMs);
  }

  onRequest(kind: number, handler: RequestHandler): void {
    this.#requests.onRequest(kind, handler);
  }

  replicate(
    database: number,
    key: Key,
    need: number,
    wishes: QuorumWishes = {},
  ): Promise<QuorumOutcome> {
    return (
      this.#quorums.byKernel("replicate", database, key, need, wishes) ??
      this.#frames.replicate(database, key, need, wishes)
    );
  }

  readAround(
    database: number,
    key: Key,
    need: number,
    wishes: QuorumWishes = {},
  ): Promise<QuorumOutcome> {
    return (
      this.#quorums.byKernel("readAround", database, key, need, wishes) ??
      this.#frames.readAround(database, key, need, wishes)
    );
  }

  send(
    members: readonly Member[],
    frame: Uint8Array,
    need: number,
    wishes?: Pick<QuorumWishes, "deadline">,
  ): Promise<QuorumOutcome> {
    return this.#quorums.send(members, frame, need, wishes);
  }
}

const linkDown = (member: Member): RingletError =>
  new RingletError("LINK_DOWN", `${memberName(member)} cannot be reached; nothing was sent to it`);

/** Requests that clients wait for: a link that is behind takes none, and all others. */
const OF_CLIENTS: ReadonlySet<number> = new Set([REQUEST_KIND.execute, REQUEST_KIND.gather]);
