/** The other members as this node sees them: which have an open session, and what each has said of itself. */
import type { Version1Session } from "../link/dnode/dialled-connection.ts";
import type { LinkSession } from "../link/link.ts";
import type { NodeState } from "./node-state.ts";
import type { Member, Topology } from "./topology.ts";

/** What a node knows of another member. */
export interface Peer {
  readonly member: Member;
  session: LinkSession | undefined;
  /** The connection to it where it is a node of the C engine. */
  version1: Version1Session | undefined;
  /** Whether it was one when it was connected last. */
  isOfC: boolean;
  /** What it said last, also after it is gone. */
  state: NodeState | undefined;
  /** When its session opened or ended, in ms since the epoch. */
  since: number;
  /** Why it was refused or its session ended last. */
  lastReason: string;
}

/** Something about a member that users may want to know of. */
export interface MemberEvent {
  readonly kind: "up" | "down" | "fenced" | "caught-up";
  readonly member: Member;
}

export class Peers {
  readonly #topology: Topology;
  /** By link number; this node has none. */
  readonly #peers: readonly (Peer | undefined)[];
  readonly #open = new Set<Peer>();
  readonly #listeners = new Set<(event: MemberEvent) => void>();

  /** `now`: ms since the epoch. */
  constructor(topology: Topology, now: number) {
    this.#topology = topology;
    this.#peers = topology.members.map((member) =>
      member === topology.self
        ? undefined
        : {
            member,
            session: undefined,
            version1: undefined,
            isOfC: false,
            state: undefined,
            since: now,
            lastReason: "",
          },
    );
  }

  /** All, in the order of their indexes. */
  get all(): readonly Peer[] {
    return this.#peers.filter((peer) => peer !== undefined);
  }

  /** Those that have an open session now. */
  get open(): readonly Peer[] {
    return [...this.#open];
  }

  get sessions(): readonly LinkSession[] {
    return this.open.flatMap(({ session }) => session ?? []);
  }

  of(link: number): Peer | undefined {
    return this.#peers[link];
  }

  /** The peer whose session this is; undefined for one that is over. */
  withSession(session: LinkSession): Peer | undefined {
    const peer = this.#peers[session.link];
    return peer?.session === session ? peer : undefined;
  }

  /** Whether a session with a member is open; true for this node. */
  isUp(member: Member): boolean {
    return member === this.#topology.self || this.#peers[member.index]?.session !== undefined;
  }

  /** The same, or a connection to it as a node of the C engine. */
  isReached(member: Member): boolean {
    return this.isUp(member) || this.#peers[member.index]?.version1 !== undefined;
  }

  /** Whether one of them is a node of the C engine. */
  get someAreOfC(): boolean {
    return this.#peers.some((peer) => peer?.isOfC === true);
  }

  /** A peer is a node of the C engine, and connected from now on; `undefined`: no more. */
  version1(peer: Peer, session: Version1Session | undefined, now: number, reason = ""): void {
    peer.version1 = session;
    if (session !== undefined) peer.isOfC = true;
    peer.since = now;
    peer.lastReason = reason;
  }

  opened(peer: Peer, session: LinkSession, now: number): void {
    peer.session = session;
    peer.isOfC = false;
    peer.since = now;
    this.#open.add(peer);
  }

  closed(peer: Peer, reason: string, now: number): void {
    peer.session = undefined;
    peer.since = now;
    peer.lastReason = reason;
    this.#open.delete(peer);
  }

  /** Calls `listener` when a member changes; returns what ends that. */
  onChange(listener: (event: MemberEvent) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  tell(kind: MemberEvent["kind"], member: Member): void {
    for (const listener of [...this.#listeners]) listener({ kind, member });
  }
}
