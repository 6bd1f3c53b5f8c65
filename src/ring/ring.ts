/**
 * The ring's driver on one node: connects links, kernel and coordinator. It feeds what comes over links to the kernel, sends what the
 * kernel leaves for other nodes once per turn of the event loop, lets replies of clients go behind it, and keeps track of the
 * peers.
 */
import { RingletError } from "../base/errors.ts";
import { toHex } from "../base/hex.ts";
import type { Logger } from "../base/logger.ts";
import type { Runtime, Timer } from "../base/runtime.ts";
import type { Settings } from "../base/settings.ts";
import type { Codec } from "../codec/codec.ts";
import type { LinkCounters } from "../link/counters.ts";
import type { LinkCrypto } from "../link/crypto.ts";
import { decodeStatus, encodeStatus, FRAME, FRAME_FIRST_OF } from "../link/frame.ts";
import { LinkHub } from "../link/hub.ts";
import type { HelloFacts, LinkEvents, LinkSession } from "../link/link.ts";
import { LinkRequests } from "../link/requests.ts";
import type { Key } from "../store/database.ts";
import type { EmbeddedStore } from "../store/embedded-store.ts";
import { LINK, LINK_FLAG, NO_SLOT, RING_FIGURE, SELF_FLAG } from "../store/kernel-ring.ts";
import type { Listener } from "../transport/stream.ts";
import type { PeerAddress, Transport } from "../transport/transport.ts";
import { CatchUp } from "./catch-up.ts";
import { Copies } from "./copies.ts";
import type { GuardedClock } from "./guarded-clock.ts";
import { HeldBack } from "./held-back.ts";
import { HostFrames } from "./host-frames.ts";
import { HostQuorums, type Retry } from "./host-quorums.ts";
import type { NodeState } from "./node-state.ts";
import { stateFromJson, stateToJson } from "./node-state.ts";
import { oldestOf } from "./oldest.ts";
import { admitPeer } from "./peer-admission.ts";
import { PeerFeeder, type PeerFrames } from "./peer-feeder.ts";
import type { Placement } from "./placement.ts";
import {
  type QuorumOutcome,
  type QuorumWishes,
  REQUEST_KIND,
  type RequestHandler,
  type RingPort,
} from "./port.ts";
import { ReplyGates } from "./reply-gate.ts";
import { writeRingTables } from "./tables.ts";
import type { Member, ReplicaSet, Topology } from "./topology.ts";

/** What a ring is made of. */
export interface RingParts {
  readonly runtime: Runtime;
  /** The time that stamps and expiries have. */
  readonly clock: GuardedClock;
  /** A store with tombstones. */
  readonly store: EmbeddedStore;
  readonly settings: Settings;
  readonly log: Logger;
  readonly transport: Transport;
  readonly codec: Codec;
  readonly crypto: LinkCrypto;
  readonly placement: Placement;
  /** Where peers are listened for. */
  readonly listen: PeerAddress;
  /** What all nodes of the cluster know and nobody else. */
  readonly secret: string | undefined;
}

/** Something about a member that users may want to know of. */
export interface MemberEvent {
  readonly kind: "up" | "down" | "fenced" | "caught-up";
  readonly member: Member;
}

/** Runs a command of a client again that the kernel has begun: the reply's bytes. */
export type RetryHandler = (retry: Retry) => Promise<Uint8Array>;

/** What the driver knows of another member. */
export interface Peer {
  readonly member: Member;
  session: LinkSession | undefined;
  /** What it said last, also after it is gone. */
  state: NodeState | undefined;
  /** When its session opened or ended, in ms since the epoch. */
  since: number;
  /** Why it was refused or its session ended last. */
  lastReason: string;
}

/** How often nodes tell each other how they are, in ms. */
export const STATUS_INTERVAL_MS = 1000;

/** How long a node that starts without state waits for a node of another datacenter, which may have it, in ms. */
export const OTHER_DATACENTERS_MS = 5000;
/** How long a node that starts waits for the replicas of all ranges before it says that it is ready without them, in ms. */
export const GATHERING_MS = 5000;
/**
 * How long what catches a node up may take, a page of a range copy, in ms: as long as the link lives it comes, however much waits
 * before it, and asking again would only add to that.
 */
export const PATIENT_MS = 600_000;
/** How often what was refused for its stamp is asked for again, in ms. */
export const REFUSED_RETRY_MS = 5000;

export class Ring implements RingPort, LinkEvents, PeerFrames {
  readonly topology: Topology;
  readonly sets: readonly ReplicaSet[];
  readonly epoch: string;
  /** When it began, in ms since the epoch. */
  readonly startedAt: number;
  readonly replies: ReplyGates;
  readonly hub: LinkHub;
  readonly #parts: RingParts;
  readonly #store: EmbeddedStore;
  readonly #placement: Placement;
  readonly #feeder: PeerFeeder;
  readonly #frames: HostFrames;
  readonly #quorums: HostQuorums;
  readonly #requests: LinkRequests;
  readonly #heldBack: HeldBack;
  readonly #catchUp: CatchUp;
  readonly #copies: Copies;
  /** By link number; this node has none. */
  readonly #peers: (Peer | undefined)[];
  readonly #open = new Set<Peer>();
  readonly #listeners = new Set<(event: MemberEvent) => void>();
  readonly #readyWaiters: (() => void)[] = [];
  readonly #timers: Timer[] = [];
  /** Members whose frames had to be dropped since they were told so. */
  readonly #dropped = new Set<number>();
  #startedWith: readonly string[] = [];
  /** The oldest stamp of what came from another datacenter, by the members of this one that have not been told. */
  readonly #brought = new Map<number, bigint>();
  /** The oldest stamp that was refused for being ahead and is not copied again yet, refusals of the kernel so far, and when to try. */
  #refused: bigint | undefined;
  #refusedCount = 0;
  #refusedRetryAt = 0;
  /** The longest time that a request of this node could be under way since it began, in ms. */
  #longestTimeoutMs: number;
  #hasMajority = false;
  /** Whether it still waits, since its start, for a quorum of the replicas of every range. */
  #isGathering = true;
  /** Why this node may not coordinate with the clock that it has. */
  #clockReason: string | undefined;
  #scheduled = false;
  #closed = false;
  #wasFenced = true;
  #listener: Listener | undefined;
  /** Runs the commands that the kernel cannot end; set by who runs the host's commands. */
  onRetry: RetryHandler | undefined;

  constructor(parts: RingParts) {
    const { runtime, store, settings, placement } = parts;
    const { topology } = placement;
    this.#parts = parts;
    this.#store = store;
    this.#placement = placement;
    this.topology = topology;
    this.sets = placement.sets;
    this.startedAt = runtime.now();
    this.#longestTimeoutMs = settings.get("requestTimeoutMs");
    this.epoch = toHex(runtime.randomBytes(EPOCH_BYTES));
    this.#peers = topology.members.map((member) =>
      member === topology.self
        ? undefined
        : { member, session: undefined, state: undefined, since: runtime.now(), lastReason: "" },
    );
    this.replies = new ReplyGates(store);
    this.#feeder = new PeerFeeder(store, this);
    this.#frames = new HostFrames(store, this, parts.log);
    this.#quorums = new HostQuorums(store);
    this.#requests = new LinkRequests(runtime);
    this.#catchUp = new CatchUp(topology.self, this.sets, {
      fenced: true,
      parallel: () => settings.get("copyParallel"),
    });
    this.#copies = new Copies({
      ring: this,
      store,
      catchUp: this.#catchUp,
      log: parts.log,
      pageBytes: () => settings.get("copyPageBytes"),
      timeoutMs: PATIENT_MS,
      brought: (oldest) => this.#noteBrought(oldest),
      changed: () => this.#afterCatchUp(),
    });
    this.#heldBack = new HeldBack({
      ...parts,
      nameOf: (link) => this.nameOf(topology.members[link]!),
      tell: (session, since) =>
        this.#requests.request(session, REQUEST_KIND.missed, encodeSince(since), PATIENT_MS),
    });
    this.#requests.onRequest(REQUEST_KIND.missed, ({ link, body }) => this.#hasMissed(link, body));
    this.hub = new LinkHub({
      runtime,
      transport: parts.transport,
      codec: parts.codec,
      crypto: parts.crypto,
      log: parts.log,
      events: this,
      self: topology.self.index,
      peers: topology.members
        .filter((member) => member !== topology.self)
        .map((member) => ({ link: member.index, address: member.address })),
      ...(parts.secret === undefined ? {} : { secret: parts.secret }),
      requireEncryption: settings.get("requireEncryption"),
      limits: {
        pingIntervalMs: settings.get("pingIntervalMs"),
        linkTimeoutMs: settings.get("linkTimeoutMs"),
        dialTimeoutMs: settings.get("dialTimeoutMs"),
        handshakeTimeoutMs: settings.get("handshakeTimeoutMs"),
        reconnectMinMs: settings.get("reconnectMinMs"),
        reconnectMaxMs: settings.get("reconnectMaxMs"),
        maxFrameBytes: settings.get("maxFrameBytes"),
        maxLinkQueueBytes: settings.get("maxLinkQueueBytes"),
      },
    });
    this.#setUpKernel();
    this.#followSettings();
    this.#considerMajority();
    this.#publish();
  }

  /** Takes changes of settings over where they are not read at every use. */
  #followSettings(): void {
    const { settings } = this.#parts;
    settings.onChange("requestTimeoutMs", (timeoutMs) => {
      this.#longestTimeoutMs = Math.max(this.#longestTimeoutMs, timeoutMs);
      this.#setKernelLimits();
    });
    settings.onChange("maxLinkQueueBytes", (bytes) => this.hub.setMaxQueueBytes(bytes));
    settings.onChange("copyParallel", () => this.#copies.begin());
  }

  /** Listens for peers and dials them; resolves when it listens. */
  async start(): Promise<void> {
    const { runtime, listen } = this.#parts;
    this.#listener = await this.hub.listen(listen);
    this.hub.start();
    this.#timers.push(
      runtime.every(STATUS_INTERVAL_MS, () => this.#sayStatus()),
      runtime.after(OTHER_DATACENTERS_MS, () => {
        this.#catchUp.stopWaiting();
        this.#afterCatchUp();
      }),
      runtime.after(GATHERING_MS, () => {
        this.#isGathering = false;
        this.#publish();
      }),
    );
  }

  get placement(): Placement {
    return this.#placement;
  }

  /** Whether it copies what it lacks or may have missed. */
  get isCatchingUp(): boolean {
    return this.#catchUp.busy;
  }

  get linkCounters(): LinkCounters {
    return this.hub.counters;
  }

  /** Records that were copied from other members, and pages of records that were served to them. */
  get copiedRecords(): number {
    return this.#copies.records;
  }

  get servedPages(): number {
    return this.#copies.pagesServed;
  }

  /** Where peers are listened for, once started. */
  get listener(): Listener | undefined {
    return this.#listener;
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    for (const timer of this.#timers) timer.cancel();
    this.#copies.stop();
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
    for (const peer of [...this.#open]) this.#flush(peer);
  }

  /** The work of every tick: deadlines, clocks, copies. */
  tick(): void {
    if (this.#closed) return;
    this.#store.kernel.ringSetClock(this.#parts.runtime.monotonic());
    if (this.#store.kernel.expireSlots() !== 0) this.touch();
    this.#considerClock();
    this.#considerRefused();
    this.flushLinks();
    this.#heldBack.tell([...this.#open].flatMap(({ session }) => session ?? []));
    this.#copies.begin();
  }

  // ---- RingPort ------------------------------------------------------------------------------------------------------

  get refusal(): string | undefined {
    if (this.#clockReason !== undefined) return `ERR ${NOT_ALLOWED}: ${this.#clockReason}`;
    if (this.#hasMajority) return undefined;
    const { up, all } = this.#countDatacenter();
    return `LOADING ${NOT_ALLOWED}: the node has reached ${up} of the ${all} nodes of its datacenter and needs more than half before it coordinates`;
  }

  get isFenced(): boolean {
    return this.#catchUp.fenced;
  }

  isUp(member: Member): boolean {
    return member === this.topology.self || this.#peers[member.index]?.session !== undefined;
  }

  isReadable(member: Member): boolean {
    if (member === this.topology.self) return !this.isFenced;
    const peer = this.#peers[member.index];
    return peer?.session !== undefined && peer.state?.fenced === false;
  }

  epochOf(member: Member): string | undefined {
    if (member === this.topology.self) return this.epoch;
    const peer = this.#peers[member.index];
    return peer?.session === undefined ? undefined : peer.state?.epoch;
  }

  replicasOf(key: Uint8Array): ReplicaSet {
    return this.#placement.replicasOf(key);
  }

  /** The other members, in the order of their indexes. */
  get peers(): readonly Peer[] {
    for (const { link, failure } of this.hub.describe()) {
      const peer = this.#peers[link];
      if (peer !== undefined && failure !== undefined) peer.lastReason = failure;
    }
    return this.#peers.filter((peer) => peer !== undefined);
  }

  /**
   * Whether this node has just started and has not reached a quorum of the replicas of every range yet: what a client asks of
   * those ranges would fail, though their replicas may only have to be dialled. It gives that up after GATHERING_MS.
   */
  get isGathering(): boolean {
    return this.#isGathering;
  }

  /** Whether this node reaches a quorum of the replicas of no range: what needs one fails here, and may succeed elsewhere. */
  get isCutOff(): boolean {
    return !this.sets.some((set) => this.#reachesQuorum(set));
  }

  /** Resolves when this node coordinates requests, answers reads and has gathered its peers; at once when it does. */
  whenReady(): Promise<void> {
    if (this.#isReady) return Promise.resolve();
    return new Promise((resolve) => this.#readyWaiters.push(resolve));
  }

  get #isReady(): boolean {
    return this.refusal === undefined && !this.isFenced && !this.#isGathering;
  }

  /** Calls `listener` when a member changes; returns what ends that. */
  onMembers(listener: (event: MemberEvent) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  request(member: Member, kind: number, body: Uint8Array, timeoutMs: number): Promise<Uint8Array> {
    const peer = this.#peers[member.index];
    const session = peer?.session;
    if (peer === undefined || session === undefined) {
      return Promise.reject(
        new RingletError(
          "LINK_DOWN",
          `${this.nameOf(member)} cannot be reached; nothing was sent to it`,
        ),
      );
    }
    if (this.#heldBack.isBehind(member.index) && OF_CLIENTS.has(kind)) {
      return Promise.reject(
        new RingletError(
          "LINK_BUSY",
          `too much waits for ${this.nameOf(member)} already; this was not sent to it`,
        ),
      );
    }
    // What the same client has written before goes before.
    this.#flush(peer);
    return this.#requests.request(session, kind, body, timeoutMs);
  }

  onRequest(kind: number, handler: RequestHandler): void {
    this.#requests.onRequest(kind, handler);
  }

  replicate(
    database: number,
    key: Key,
    need: number,
    wishes?: QuorumWishes,
  ): Promise<QuorumOutcome> {
    return this.#askAround("replicate", database, key, need, wishes);
  }

  readAround(
    database: number,
    key: Key,
    need: number,
    wishes?: QuorumWishes,
  ): Promise<QuorumOutcome> {
    return this.#askAround("readAround", database, key, need, wishes);
  }

  /** Asks the other replicas of a key: the kernel does it where it can, and the host what concerns objects, or other members. */
  #askAround(
    operation: "replicate" | "readAround",
    database: number,
    key: Key,
    need: number,
    wishes: QuorumWishes = {},
  ): Promise<QuorumOutcome> {
    const { kernel } = this.#store;
    const byKernel =
      wishes.among === undefined
        ? this.#byKernel(wishes, (tag, age) =>
            kernel[operation](database, key.pointer, key.length, tag, need, age),
          )
        : undefined;
    return byKernel ?? this.#frames[operation](database, key, need, wishes);
  }

  /** Has the kernel begin a quorum operation; undefined when it leaves it to the host. */
  #byKernel(
    { deadline }: QuorumWishes,
    begin: (tag: number, age: number) => number,
  ): Promise<QuorumOutcome> | undefined {
    const { tag, outcome } = this.#quorums.open();
    this.touch();
    const age = this.#ageOf(deadline);
    let begun = begin(tag, age);
    if (begun === BEGUN.outboxFull) {
      this.flushLinks();
      begun = begin(tag, age);
    }
    if (begun === BEGUN.yes) return outcome;
    this.#quorums.drop(tag);
    return undefined;
  }

  send(
    members: readonly Member[],
    frame: Uint8Array,
    need: number,
    { deadline, holds = false }: Pick<QuorumWishes, "deadline"> & { holds?: boolean } = {},
  ): Promise<QuorumOutcome> {
    const { tag, outcome } = this.#quorums.open();
    this.touch();
    const age = this.#ageOf(deadline);
    const slot = this.#store.kernel.slotOpen(tag, need, age, holds ? 1 : 0) >>> 0;
    if (slot === NO_SLOT) {
      this.#quorums.drop(tag);
      return Promise.resolve({ ok: false, got: 0, need, stale: false });
    }
    const up = members.filter((member) => this.isUp(member));
    const isFree = ({ index }: Member): boolean => this.#heldBack.takesAll(index);
    // Links beyond their bound are asked where there is no quorum without.
    const needsAll = up.filter(isFree).length < need;
    for (const member of up) {
      if (needsAll || isFree(member)) this.post(member.index, frame, slot);
      else this.#heldBack.miss(member.index, frame);
    }
    this.#store.kernel.slotSeal(slot);
    return outcome;
  }

  /** How long a request with a deadline has been waiting already, as the kernel counts deadlines, in ms. */
  #ageOf(deadline: number | undefined): number {
    if (deadline === undefined) return 0;
    const { runtime, settings } = this.#parts;
    const left = deadline - runtime.monotonic();
    return Math.max(0, Math.floor(settings.get("requestTimeoutMs") - Math.max(0, left)));
  }

  /**
   * Appends one data request to what goes to a link; `slot` waits for its answer. Whether it was sent: what it is not although there
   * is a link, the peer is told to have missed.
   */
  post(link: number, frame: Uint8Array, slot: number = NO_SLOT): boolean {
    const isSent = this.#post(link, frame, slot);
    if (!isSent && this.#peers[link]?.session !== undefined) this.#heldBack.miss(link, frame);
    return isSent;
  }

  repair(link: number, frame: Uint8Array): void {
    this.#post(link, frame, NO_SLOT);
  }

  #post(link: number, frame: Uint8Array, slot: number): boolean {
    const peer = this.#peers[link];
    if (peer?.session === undefined) return false;
    this.touch();
    const { kernel } = this.#store;
    const { pointer, length } = this.#store.place(frame);
    if (kernel.linkRequest(link, pointer, length, slot) !== 0) return true;
    this.#flush(peer);
    if (kernel.linkRequest(link, pointer, length, slot) !== 0) return true;
    // Longer than an outbox: only its place is the kernel's.
    if (kernel.linkRequest(link, 0, 0, slot) === 0) return false;
    peer.session?.send(frame);
    return true;
  }

  /** Sends an answer that is longer than an outbox, in its place. */
  sendAnswer(link: number, frame: Uint8Array): void {
    const peer = this.#peers[link];
    if (peer === undefined) return;
    this.#flush(peer);
    peer.session?.send(frame);
  }

  /** "datacenter/rack at host:port", for messages. */
  nameOf({ datacenter, rack, address }: Member): string {
    return `${datacenter}/${rack} at ${address.host}:${address.port}`;
  }

  // ---- Links ---------------------------------------------------------------------------------------------------------

  facts(): HelloFacts {
    const { self, cluster, digest } = this.topology;
    return {
      cluster,
      datacenter: self.datacenter,
      rack: self.rack,
      tokens: self.tokenTexts,
      epoch: this.epoch,
      now: this.#parts.runtime.now(),
      state: {
        ...stateToJson(this.#state(undefined, oldestOf(...this.#brought.values()))),
        topology: digest,
      },
    };
  }

  admit(facts: HelloFacts): { readonly link: number } | { readonly refusal: string } {
    const { runtime, settings } = this.#parts;
    return admitPeer(this.topology, facts, {
      now: runtime.now(),
      maxAheadMs: settings.get("maxStampAheadMs"),
    });
  }

  opened(session: LinkSession): void {
    const peer = this.#peers[session.link];
    const state = stateFromJson(session.peer.state);
    if (peer === undefined || state === undefined || this.#closed) {
      session.close("the hello did not say what a node must say of itself");
      return;
    }
    if (this.#store.kernel.linkOpen(session.link) >>> 0 === 0) {
      session.close("no memory for another link");
      return;
    }
    const before = peer.state;
    peer.session = session;
    peer.since = this.#parts.runtime.now();
    this.#open.add(peer);
    this.#store.kernel.observeStamp(state.stamp);
    this.#dropped.delete(session.link);
    this.#heldBack.opened(session.link);
    this.#takeState(peer, state);
    const { self } = this.topology;
    // What another datacenter drops this node never acknowledged there, and its own may lack it too: a copy is all it needs.
    if (state.dropped.includes(self.index) && peer.member.datacenter === self.datacenter) {
      this.#fence(`${this.nameOf(peer.member)} had to drop what it sent to this node`);
    } else if (before !== undefined) {
      this.#catchUp.mayLack(this.#upTo(before));
    }
    this.#considerMajority();
    this.#rewriteTables();
    this.#publish();
    // Much may have changed since the hello: this node may answer reads now, and have told so to those that it had sessions with.
    this.#say(peer);
    this.#parts.log.info("A node of the cluster is up.", { node: this.nameOf(peer.member) });
    this.#tell("up", peer.member);
    this.#copies.begin();
  }

  received(session: LinkSession, bytes: Uint8Array): void {
    const peer = this.#peers[session.link];
    if (peer?.session !== session) return;
    this.#store.setNow(this.#parts.clock.now());
    this.touch();
    if (!this.#feeder.feed(session.link, bytes)) session.reject("what came is no frame");
  }

  closed(session: LinkSession, reason: string): void {
    const peer = this.#peers[session.link];
    if (peer?.session !== session) return;
    peer.session = undefined;
    peer.since = this.#parts.runtime.now();
    peer.lastReason = reason;
    this.#open.delete(peer);
    if (reason === "overflow") this.#dropped.add(session.link);
    this.#feeder.forget(session.link);
    this.#heldBack.closed(session.link);
    this.#store.kernel.linkDown(session.link);
    this.#requests.closed(session);
    this.#catchUp.peerDown(session.link);
    if (peer.state !== undefined) this.#catchUp.mayLack(this.#upTo(peer.state));
    this.#rewriteTables();
    this.touch();
    if (this.#closed) return;
    this.#parts.log.warn("A node of the cluster is down.", {
      node: this.nameOf(peer.member),
      reason,
    });
    this.#tell("down", peer.member);
  }

  // ---- Frames --------------------------------------------------------------------------------------------------------

  frame(link: number, frame: Uint8Array): void {
    const peer = this.#peers[link];
    if (peer?.session === undefined) return;
    const type = frame[4]!;
    if (type < FRAME_FIRST_OF.kernel) peer.session.control(frame);
    else if (type < FRAME_FIRST_OF.host) this.#frames.handle(link, frame);
    else if (type === FRAME.status) this.#takeStatus(peer, frame);
    else if (type === FRAME.request || type === FRAME.response) {
      this.#requests.handle(peer.session, frame);
    } else peer.session.reject(`a frame came of the unknown type ${type}`);
  }

  flushLink(link: number): void {
    const peer = this.#peers[link];
    if (peer !== undefined) this.#flush(peer);
  }

  #flush(peer: Peer): void {
    const { kernel, memory } = this.#store;
    const { session, member } = peer;
    const link = member.index;
    if (session === undefined) return;
    this.#heldBack.sending(session);
    const length = kernel.linkSeal(link) >>> 0;
    if (length !== 0) {
      const address = kernel.linkAddress(link) >>> 2;
      const outbox = memory.words[address + LINK.outbox]!;
      session.send(memory.bytes.subarray(outbox, outbox + length));
      kernel.linkFlushed(link);
    }
    if (peer.session === undefined) return;
    if ((this.#heldBack.settle(session) & LINK_FLAG.overflow) !== 0) session.close("overflow");
  }

  /** A peer says that it could not send what has at least a stamp. */
  #hasMissed(link: number, body: Uint8Array): Uint8Array {
    if (body.length !== SINCE_BYTES) {
      throw new RingletError(
        "BAD_REQUEST",
        "what a node says that this one has missed is no stamp",
      );
    }
    const { datacenter } = this.topology.members[link]!;
    const since = new DataView(body.buffer, body.byteOffset, body.length).getBigUint64(0, true);
    // Where it was written it is held: by a quorum there, or by who could be reached.
    this.#catchUp.mayLack(since, datacenter);
    this.#copies.begin();
    return new Uint8Array(0);
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
      TEXT.encode(`-ERR internal error: ${String(error).replace(/[\r\n]+/g, " ")}\r\n`);
    const run = this.onRetry?.(retry) ?? Promise.reject(new Error("nothing runs commands again"));
    run.catch(failed).then((reply) => {
      if (this.#closed) return;
      this.replies.fulfil(retry.slot, reply);
      this.touch();
    });
  }

  // ---- What nodes say of themselves -------------------------------------------------------------------------------------

  /** `missed`, `brought`: what the one that it is told is to be told of that. */
  #state(missed: bigint | undefined, brought: bigint | undefined): NodeState {
    const known: Record<string, string> = {};
    for (const peer of this.#peers) {
      if (peer?.state !== undefined) known[peer.member.index] = peer.state.epoch;
    }
    return {
      epoch: this.epoch,
      fenced: this.isFenced,
      coordinating: this.refusal === undefined,
      stamp: this.#newestStamp,
      startedWith: this.#startedWith,
      known,
      dropped: [...this.#dropped],
      missed,
      brought,
    };
  }

  #sayStatus(): void {
    for (const peer of [...this.#open]) this.#say(peer);
  }

  #say(peer: Peer): void {
    const { index } = peer.member;
    // Behind everything that was minted before: what a peer has heard, it has got.
    this.#flush(peer);
    const state = this.#state(this.#heldBack.oldestMissed(index), this.#brought.get(index));
    peer.session?.send(encodeStatus(stateToJson(state)));
    if (peer.session !== undefined) this.#brought.delete(index);
  }

  #takeStatus(peer: Peer, frame: Uint8Array): void {
    const state = readStatus(frame);
    if (state === undefined) peer.session?.close("it sent a status that is none");
    else this.#takeState(peer, state);
  }

  #takeState(peer: Peer, state: NodeState): void {
    const { self } = this.topology;
    const before = peer.state;
    peer.state = state;
    const link = peer.member.index;
    const fenced = state.fenced ? LINK_FLAG.fenced : 0;
    this.#store.kernel.linkSetFlags(link, LINK_FLAG.up | fenced);
    const knownEpoch = state.known[self.index];
    this.#catchUp.peerUp(link, {
      fenced: state.fenced,
      remembersLoss: knownEpoch !== undefined && knownEpoch !== this.epoch,
      startedWithUs: state.startedWith.includes(this.epoch),
    });
    if (state.brought !== undefined && peer.member.datacenter === self.datacenter) {
      this.#catchUp.mayLack(state.brought, self.datacenter);
    }
    this.#afterCatchUp();
    if (before !== undefined && before.fenced !== state.fenced) {
      this.#tell(state.fenced ? "fenced" : "caught-up", peer.member);
    }
    this.#copies.begin();
  }

  get #newestStamp(): bigint {
    return BigInt.asUintN(64, this.#store.kernel.lastStampSeen());
  }

  // ---- Catching up -----------------------------------------------------------------------------------------------------

  #fence(reason: string): void {
    this.#parts.log.warn("This node copies its ranges again before it answers reads.", { reason });
    this.#catchUp.fence();
    this.#afterCatchUp();
  }

  /** Whether this node may lack what it refused for its stamp. */
  noteRefusedStamp(stamp: bigint): void {
    if (this.#refused === undefined || stamp < this.#refused) this.#refused = stamp;
  }

  /** What was refused because a clock is wrong is copied again and again until that is set right. */
  #considerRefused(): void {
    const { kernel } = this.#store;
    const count = kernel.ringFigure(RING_FIGURE.refusedAhead);
    if (count !== this.#refusedCount) this.noteRefusedStamp(this.#newestStamp);
    this.#refusedCount = count;
    const now = this.#parts.runtime.monotonic();
    if (this.#refused === undefined || now < this.#refusedRetryAt) return;
    this.#refusedRetryAt = now + REFUSED_RETRY_MS;
    this.#catchUp.mayLack(this.#before(this.#refused));
    this.#refused = undefined;
  }

  /** Records with at least this stamp came from another datacenter: the other members of this one may lack them too. */
  #noteBrought(oldest: bigint): void {
    const { members, self } = this.topology;
    for (const { index, datacenter } of members) {
      if (datacenter !== self.datacenter || index === self.index) continue;
      const before = this.#brought.get(index);
      if (before === undefined || oldest < before) this.#brought.set(index, oldest);
    }
  }

  /** Makes known whether this node is fenced, when that has changed. */
  #afterCatchUp(): void {
    const { fenced } = this.#catchUp;
    if (fenced === this.#wasFenced) return;
    this.#wasFenced = fenced;
    if (!fenced) {
      this.#startedWith = this.#catchUp.startedFromReachable
        ? [
            this.epoch,
            ...this.#peers.flatMap((peer) =>
              peer?.session !== undefined && peer.state !== undefined ? [peer.state.epoch] : [],
            ),
          ]
        : [];
      if (this.#catchUp.lossReported) {
        this.#parts.log.error(
          "Data was lost: most replicas of a range have no state, and another node remembers that they had. The range starts from what could be reached.",
        );
      }
    }
    this.#publish();
    this.#parts.log.info(
      fenced ? "This node answers no reads." : "This node holds its ranges and answers reads.",
    );
    this.#tell(fenced ? "fenced" : "caught-up", this.topology.self);
    this.#sayStatus();
  }

  /** Up to which stamp this node surely has all that a peer, which said this last, has sent to it or was to send. */
  #upTo({ stamp, missed }: NodeState): bigint {
    return oldestOf(this.#before(stamp), missed)!;
  }

  /** A stamp so far before another that what was sent later has surely got a later one. */
  #before(stamp: bigint): bigint {
    const { settings } = this.#parts;
    const slackMs = settings.get("maxStampAheadMs") + this.#longestTimeoutMs;
    const earlier = stamp - (BigInt(slackMs) << 16n);
    return earlier < 0n ? 0n : earlier;
  }

  // ---- Whether this node may coordinate ---------------------------------------------------------------------------------

  #countDatacenter(): { up: number; all: number } {
    const { members, self } = this.topology;
    const local = members.filter(({ datacenter }) => datacenter === self.datacenter);
    return { up: local.filter((member) => this.isUp(member)).length, all: local.length };
  }

  #considerMajority(): void {
    const { up, all } = this.#countDatacenter();
    if (up * 2 > all) this.#hasMajority = true;
    if (this.#isGathering && this.sets.every((set) => this.#reachesQuorum(set))) {
      this.#isGathering = false;
    }
  }

  #reachesQuorum({ local }: ReplicaSet): boolean {
    return local.filter((member) => this.isUp(member)).length * 2 > local.length;
  }

  /** Compares the wall clock with those of the others: whether it is believed after a jump, and whether this node may coordinate. */
  #considerClock(): void {
    const { clock, settings } = this.#parts;
    const mostMs = settings.get("maxStampAheadMs");
    let near = 0;
    let far = 0;
    for (const { session } of this.#open) {
      if (session?.rttMs === undefined) continue;
      if (Math.abs(session.clockOffsetMs) > mostMs) far++;
      else near++;
    }
    if (clock.isInDoubt && (near > far || this.#peers.length === 1)) {
      this.#parts.log.warn("The clock of this node has jumped; others confirm where it is now.");
      clock.believe();
    }
    this.#refuseForClock(this.#clockState(far > near, mostMs));
  }

  #clockState(isFar: boolean, mostMs: number): string | undefined {
    if (isFar)
      return `the clock of this node is more than ${mostMs} ms away from that of most others; set it right`;
    if (!this.#parts.clock.isInDoubt) return undefined;
    return "the clock of this node has jumped, and no other node has confirmed where it is now";
  }

  #refuseForClock(reason: string | undefined): void {
    if (reason === this.#clockReason) return;
    this.#clockReason = reason;
    if (reason !== undefined) {
      this.#parts.log.error("This node coordinates nothing, because of its clock.", { reason });
    }
    this.#publish();
  }

  // ---- The kernel --------------------------------------------------------------------------------------------------------

  #setUpKernel(): void {
    const { kernel } = this.#store;
    kernel.setNodeIndex(this.topology.self.index);
    this.#setKernelLimits();
    kernel.ringSetMaxFrame(this.#parts.settings.get("maxFrameBytes"));
    this.#writeTables();
  }

  #setKernelLimits(): void {
    const { settings } = this.#parts;
    this.#store.kernel.ringSetLimits(
      settings.get("requestTimeoutMs"),
      settings.get("maxStampAheadMs"),
      settings.get("maxPendingRequests"),
      settings.get("maxLinkPendingRequests"),
    );
  }

  #writeTables(): void {
    const { kernel, memory } = this.#store;
    const tables = writeRingTables(this.#placement, (member) => this.isUp(member));
    const address = kernel.ringReserve(tables.length) >>> 0;
    if (address === 0) throw this.#store.outOfMemory();
    memory.bytes.set(tables, address);
    kernel.ringInstall(address);
  }

  /** A node in each other datacenter is written to: one that is up. */
  #rewriteTables(): void {
    if (this.topology.datacenters.length > 1) this.#writeTables();
  }

  #publish(): void {
    const coordinating = this.refusal === undefined ? SELF_FLAG.coordinating : 0;
    const fenced = this.isFenced ? SELF_FLAG.fenced : 0;
    this.#store.kernel.ringSetSelf(coordinating | fenced);
    if (this.#isReady) for (const resolve of this.#readyWaiters.splice(0)) resolve();
  }

  #tell(kind: MemberEvent["kind"], member: Member): void {
    for (const listener of [...this.#listeners]) listener({ kind, member });
  }
}

const TEXT = new TextEncoder();
/** The C engine's words for a node that may not coordinate. */
const NOT_ALLOWED = "Dynomite: Dynomite's current state does not allow this request";
/** What a STATUS frame says; undefined when it is none. */
function readStatus(frame: Uint8Array): NodeState | undefined {
  try {
    return stateFromJson(decodeStatus(frame));
  } catch {
    return undefined;
  }
}

const SINCE_BYTES = 8;

function encodeSince(stamp: bigint): Uint8Array {
  const body = new Uint8Array(SINCE_BYTES);
  new DataView(body.buffer).setBigUint64(0, stamp, true);
  return body;
}

/** Requests that clients wait for: a link that is behind takes none, and all others. */
const OF_CLIENTS: ReadonlySet<number> = new Set([REQUEST_KIND.execute, REQUEST_KIND.gather]);

/** What replicate() and readAround() of the kernel answer; anything else: the host must do it. */
const BEGUN = { yes: 1, outboxFull: 2 } as const;
/** Random bytes of a store epoch. */
const EPOCH_BYTES = 12;
