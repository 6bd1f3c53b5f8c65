/** The members of a cluster as configured, and the order that every node gives them. */
import type { Token } from "../codec/token.ts";
import type { PeerAddress } from "../transport/transport.ts";

/** One configured member. */
export interface Member {
  /** Position in Topology.members: the node number in stamps and the link number in the kernel. */
  readonly index: number;
  readonly datacenter: string;
  readonly rack: string;
  readonly tokens: readonly Token[];
  /** The tokens as configured, decimal. */
  readonly tokenTexts: readonly string[];
  /** Where its peers reach it. */
  readonly address: PeerAddress;
}

/** A cluster as configured. */
export interface Topology {
  readonly cluster: string;
  /** Sorted by datacenter, rack, first token: the same on every node. */
  readonly members: readonly Member[];
  /** Which of them this node is. */
  readonly self: Member;
}

/** The replicas of a range of tokens. */
export interface ReplicaSet {
  /** Those in this node's datacenter, in the fixed order of the range (this node among them where it is one). */
  readonly local: readonly Member[];
  /** By other datacenter: the replicas there; the first is preferred. */
  readonly remote: readonly (readonly Member[])[];
}
