/** What makes a node a member of a cluster: the part of a node's configuration that its topology is built from. */
import type { HashName } from "../codec/hash.ts";
import type { PeerAddress } from "../transport/transport.ts";
import type { PeerSecurity } from "./peer-security.ts";

/** How the racks share the keys out among their members. */
export const DISTRIBUTIONS = ["vnode", "random_slicing"] as const;

export type Distribution = (typeof DISTRIBUTIONS)[number];

/** A member and its cluster, as configured. All nodes of a cluster must be given the same but for what says who they are. */
export interface ClusterOptions {
  /** Name of the cluster ("ringlet" by default); nodes of another one are refused. */
  readonly name?: string;
  /** Where this node stands: "localdc" and "localrack" by default. A rack is one whole copy of the data. */
  readonly datacenter?: string;
  readonly rack?: string;
  /** Its tokens, decimal, in any order; in one text, separated by commas. */
  readonly tokens: string | readonly string[];
  /** Where it listens for its peers. */
  readonly listen: PeerAddress;
  /** Where its peers reach it, as their seeds name it; `listen` by default. */
  readonly advertise?: PeerAddress;
  /**
   * The other members: `host:port:rack:datacenter:tokens`, tokens separated by commas, an IPv6 address in brackets. This node may be
   * among them, so that every node can have the same list.
   */
  readonly seeds?: readonly string[];
  /** Hash function of the keys; "murmur" by default. */
  readonly hash?: HashName;
  /** Two characters, as in "{}": of a key that has both, only what lies between them is hashed. None by default. */
  readonly hashTag?: string;
  /** "vnode" by default: a key belongs to the first token at or after its own. */
  readonly distribution?: Distribution;
  /**
   * With "random_slicing", the table of a rack: `rack:datacenter:token=end,token=end,…`. Each slice ends at `end` (of 2^64 points,
   * inclusive, decimal, ascending, the last 18446744073709551615) and belongs to the member whose first token is `token`. A
   * rack without a table has equal slices in the order of its tokens.
   */
  readonly slices?: readonly string[];
  /** What all nodes of the cluster know and nobody else: links are encrypted with it. Without one they are open. */
  readonly secret?: string;
  /** What encrypts links as the C engine does; without `secret`, that of links between members of this kind is made of its key. */
  readonly security?: PeerSecurity;
}

export const DEFAULT_CLUSTER_NAME = "ringlet";
export const DEFAULT_DATACENTER = "localdc";
export const DEFAULT_RACK = "localrack";
export const DEFAULT_HASH: HashName = "murmur";
