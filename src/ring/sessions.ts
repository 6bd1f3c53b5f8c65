/** What the sessions with peers bring: their opening, what comes over them, and their end, each told to all parts that it concerns. */
import type { Logger } from "../base/logger.ts";
import type { Runtime } from "../base/runtime.ts";
import type { Settings } from "../base/settings.ts";
import { FRAME, FRAME_FIRST_OF } from "../link/frame.ts";
import type { HelloFacts, LinkEvents, LinkSession } from "../link/link.ts";
import type { LinkRequests } from "../link/requests.ts";
import type { EmbeddedStore } from "../store/embedded-store.ts";
import { LINK_FLAG } from "../store/kernel-ring.ts";
import type { CatchingUp } from "./catching-up.ts";
import type { GuardedClock } from "./guarded-clock.ts";
import type { HeldBack } from "./held-back.ts";
import type { HostFrames } from "./host-frames.ts";
import { writeTables } from "./kernel-setup.ts";
import { memberName } from "./member.ts";
import { type NodeState, stateFromJson } from "./node-state.ts";
import type { Outboxes } from "./outboxes.ts";
import { type Admission, admitPeer, type KeptBy } from "./peer-admission.ts";
import { PeerFeeder } from "./peer-feeder.ts";
import type { Peer, Peers } from "./peers.ts";
import type { Placement } from "./placement.ts";
import type { Readiness } from "./readiness.ts";
import { readStatus, type Status } from "./status.ts";

export interface SessionsParts {
  /** `isClosed`: this node takes no sessions any more. */
  readonly ring: {
    readonly placement: Placement;
    readonly epoch: string;
    readonly isClosed: boolean;
  };
  readonly runtime: Runtime;
  readonly clock: GuardedClock;
  readonly store: EmbeddedStore;
  readonly settings: Settings;
  readonly log: Logger;
  readonly peers: Peers;
  readonly heldBack: HeldBack;
  readonly outboxes: Outboxes;
  readonly catchingUp: CatchingUp;
  readonly readiness: Readiness;
  readonly status: Status;
  readonly requests: LinkRequests;
  readonly frames: HostFrames;
  /** Where this node keeps its data. */
  readonly keptBy: KeptBy;
  /** Something waits to be sent: it leaves at the end of this turn. */
  touch(): void;
}

export class Sessions implements LinkEvents {
  readonly #parts: SessionsParts;
  readonly #feeder: PeerFeeder;

  constructor(parts: SessionsParts) {
    this.#parts = parts;
    this.#feeder = new PeerFeeder(parts.store, {
      frame: (link, frame) => this.#takeFrame(link, frame),
      flushLink: (link) => parts.outboxes.flushLink(link),
    });
  }

  facts(): HelloFacts {
    const { ring, runtime, status, keptBy } = this.#parts;
    const { self, cluster, digest } = ring.placement.topology;
    return {
      cluster,
      datacenter: self.datacenter,
      rack: self.rack,
      tokens: self.tokenTexts,
      epoch: ring.epoch,
      now: runtime.now(),
      state: { ...status.forHello(), topology: digest, keptBy },
    };
  }

  admit(facts: HelloFacts): Admission {
    const { ring, runtime, settings, keptBy } = this.#parts;
    return admitPeer(ring.placement.topology, facts, {
      now: runtime.now(),
      maxAheadMs: settings.get("maxStampAheadMs"),
      keptBy,
    });
  }

  opened(session: LinkSession): void {
    const { ring, runtime, store, log, peers, heldBack, catchingUp, readiness, status } =
      this.#parts;
    const peer = peers.of(session.link);
    const state = stateFromJson(session.peer.state);
    if (peer === undefined || state === undefined || ring.isClosed) {
      session.close("the hello did not say what a node must say of itself");
      return;
    }
    if (store.kernel.linkOpen(session.link) >>> 0 === 0) {
      session.close("no memory for another link");
      return;
    }
    const before = peer.state;
    peers.opened(peer, session, runtime.now());
    store.kernel.observeStamp(state.stamp);
    status.helloHeard(session.link);
    heldBack.opened(session.link);
    this.#takeState(peer, state);
    catchingUp.opened(peer, state, before);
    readiness.considerPeers();
    this.#chooseReceivers();
    readiness.publish();
    // Much may have changed since the hello: this node may answer reads now, and have told so to those that it had sessions with.
    status.sayTo(peer);
    log.info("A node of the cluster is up.", { node: memberName(peer.member) });
    peers.tell("up", peer.member);
    catchingUp.begin();
  }

  received(session: LinkSession, bytes: Uint8Array): void {
    const { store, clock, peers } = this.#parts;
    if (peers.withSession(session) === undefined) return;
    store.setNow(clock.now());
    this.#parts.touch();
    if (!this.#feeder.feed(session.link, bytes)) session.reject("what came is no frame");
  }

  closed(session: LinkSession, reason: string): void {
    const { ring, runtime, store, log, peers, heldBack, catchingUp, status, requests } =
      this.#parts;
    const peer = peers.withSession(session);
    if (peer === undefined) return;
    peers.closed(peer, reason, runtime.now());
    if (reason === "overflow") status.noteDropped(session.link);
    this.#feeder.forget(session.link);
    heldBack.closed(session.link);
    store.kernel.linkDown(session.link);
    requests.closed(session);
    catchingUp.closed(peer);
    this.#chooseReceivers();
    this.#parts.touch();
    if (ring.isClosed) return;
    log.warn("A node of the cluster is down.", { node: memberName(peer.member), reason });
    peers.tell("down", peer.member);
  }

  /** A node in each other datacenter is written to: one that is up. */
  #chooseReceivers(): void {
    const { ring, store, peers } = this.#parts;
    const { placement } = ring;
    if (placement.topology.datacenters.length > 1) writeTables(store, placement, peers);
  }

  #takeFrame(link: number, frame: Uint8Array): void {
    const { peers, frames, requests } = this.#parts;
    const peer = peers.of(link);
    if (peer?.session === undefined) return;
    const type = frame[4]!;
    if (type < FRAME_FIRST_OF.kernel) peer.session.control(frame);
    else if (type < FRAME_FIRST_OF.host) frames.handle(link, frame);
    else if (type === FRAME.status) this.#takeStatus(peer, frame);
    else if (type === FRAME.request || type === FRAME.response) {
      requests.handle(peer.session, frame);
    } else peer.session.reject(`a frame came of the unknown type ${type}`);
  }

  #takeStatus(peer: Peer, frame: Uint8Array): void {
    const state = readStatus(frame);
    if (state === undefined) peer.session?.close("it sent a status that is none");
    else this.#takeState(peer, state);
  }

  #takeState(peer: Peer, state: NodeState): void {
    const { store, peers, catchingUp } = this.#parts;
    const before = peer.state;
    peer.state = state;
    const fenced = state.fenced ? LINK_FLAG.fenced : 0;
    store.kernel.linkSetFlags(peer.member.index, LINK_FLAG.up | fenced);
    catchingUp.heard(peer, state);
    if (before !== undefined && before.fenced !== state.fenced) {
      peers.tell(state.fenced ? "fenced" : "caught-up", peer.member);
    }
    catchingUp.begin();
  }
}
