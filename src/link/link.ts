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
  readonly peer: HelloFacts;
  /** The agreed value of a capability, by its name. */
  capability(name: string): unknown;
  /** Sends whole frames; the bytes are the caller's again at return. Call once per turn and link: each call is one write. */
  send(frames: Uint8Array): void;
  /** Bytes that were sent and have not left. */
  readonly bufferedBytes: number;
  /** Handles a frame of the link's own types (0x00–0x0f) that came among the others. */
  control(frame: Uint8Array): void;
  /** Stops and starts reading. */
  pause(): void;
  resume(): void;
  /** Ends the session; the reason is told to the peer where that is possible. */
  close(reason: string): void;
}

/** Who hears of sessions. */
export interface LinkEvents {
  /** What this node says in a hello now. */
  facts(): HelloFacts;
  /** Which link a peer that says this is, or why it is refused. */
  admit(facts: HelloFacts): { readonly link: number } | { readonly refusal: string };
  opened(session: LinkSession): void;
  /** Bytes of frames came, cut anywhere; they are there until this returns. */
  received(session: LinkSession, bytes: Uint8Array): void;
  closed(session: LinkSession, reason: string): void;
}

/** A peer to keep a session with. */
export interface LinkPeer {
  readonly link: number;
  readonly address: PeerAddress;
}
