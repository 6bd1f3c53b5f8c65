/**
 * What the layers above see of the links between nodes: one session for each pair of nodes that can talk.
 */
import type { PeerAddress } from "../transport/transport.ts";

/** What a node says of itself in the hello; both sides check it before a session opens. */
export interface HelloFacts {
  /** Name of the cluster. */
  readonly cluster: string;
  /** The member that it is: datacenter, rack, tokens in decimal. */
  readonly datacenter: string;
  readonly rack: string;
  readonly tokens: readonly string[];
  /** Identity of this process' data: changes when data was lost. */
  readonly epoch: string;
  /** Its wall clock, ms since the epoch. */
  readonly now: number;
  /** What the layer above adds: JSON. */
  readonly state: Readonly<Record<string, unknown>>;
}

/** An open session with a peer: both sides have proven the secret and agreed on capabilities. */
export interface LinkSession {
  /** Link number: index of the member in the topology. */
  readonly link: number;
  /** What the peer said of itself when the session opened. */
  readonly peer: HelloFacts;
  /** Where the peer is, as the transport tells it. */
  readonly remoteAddress: string;
  /** Whether this node opened the connection. */
  readonly isDialled: boolean;
  /** Whether what is sent is encrypted by the link itself. */
  readonly isEncrypted: boolean;
  /** False from close() or closed() on; nothing is sent any more. */
  readonly isOpen: boolean;
  /** Time that a ping takes to come back, in ms: the shortest of the last ones. Undefined until the first has. */
  readonly rttMs: number | undefined;
  /** For how long a ping has not come back, in ms, in whole pingIntervalMs: how far behind the link is. */
  readonly lagMs: number;
  /** All that was sent before this has reached the peer, in ms of Runtime.monotonic(). */
  readonly reachedAt: number;
  /** Estimate of the peer's wall clock minus this node's, in ms: from the hello first, from pings then. */
  readonly clockOffsetMs: number;
  /** The agreed value of a capability, by its name; undefined for one that this node does not know. */
  capability(name: string): unknown;
  /**
   * Sends whole frames; the bytes are the caller's again at return. Call once per turn and link: each call is one write.
   * Where more than `maxLinkQueueBytes` wait already, nothing is sent and the session closes with the reason "overflow" before
   * this returns (closed() is called from within).
   */
  send(frames: Uint8Array): void;
  /** Bytes that were sent and have not left. */
  readonly bufferedBytes: number;
  /** Handles a frame of the link's own types (0x00–0x0f) that came among the others. */
  control(frame: Uint8Array): void;
  /** Stops and starts reading. */
  pause(): void;
  resume(): void;
  /** What came is no frame, or one that is too long: counts it, says so in the log once, closes with the reason "rejected". */
  reject(what: string): void;
  /** Ends the session; the reason, a short word, is told to the peer where that is possible. closed() is called before it returns. */
  close(reason: string): void;
}

/** Who hears of sessions. */
export interface LinkEvents {
  /** What this node says in a hello now. */
  facts(): HelloFacts;
  /**
   * Which link a peer that says this is, or why it is refused (a sentence that both sides read). It is asked before the session opens,
   * also about a peer that has not proven the secret yet, and may be asked again: it must change nothing.
   */
  admit(facts: HelloFacts): { readonly link: number } | { readonly refusal: string };
  opened(session: LinkSession): void;
  /** Bytes of frames came, cut anywhere; they are there until this returns. */
  received(session: LinkSession, bytes: Uint8Array): void;
  /**
   * The session is over, and `reason` says why: "overflow", "timeout" (no byte came), "lost" (the connection broke), "replaced" (by a
   * newer connection of the same peer, whose opened() follows), "duplicate", "rejected", "undecryptable", "stopped" (the hub
   * closed), "peer: …" (the peer closed it, in its words), or what close() was given.
   */
  closed(session: LinkSession, reason: string): void;
}

/** A peer to keep a session with. */
export interface LinkPeer {
  readonly link: number;
  readonly address: PeerAddress;
}
