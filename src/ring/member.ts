/** Members of a cluster and where they stand: racks, which hold a whole copy of the data each, in datacenters. */
import { formatHostPort } from "../base/host-port.ts";
import type { Token } from "../codec/token.ts";
import type { PeerAddress } from "../transport/transport.ts";

/** One configured member. */
export interface Member {
  /** Position in Topology.members: the node number in stamps and the link number in the kernel. */
  readonly index: number;
  readonly datacenter: string;
  readonly rack: string;
  /** In the order of the ring. */
  readonly tokens: readonly Token[];
  /** The tokens in plain decimal (no leading zeros, below 2^32 for one word): what a hello tells. */
  readonly tokenTexts: readonly string[];
  /** Where its peers reach it. */
  readonly address: PeerAddress;
}

/** One whole copy of the data. */
export interface Rack {
  readonly name: string;
  readonly members: readonly Member[];
}

export interface Datacenter {
  readonly name: string;
  /** By name. As many as a key has replicas here. */
  readonly racks: readonly Rack[];
}

/** A member as messages to people name it. */
export function memberName({ datacenter, rack, address }: Omit<Member, "index">): string {
  return `${formatHostPort(address)} (rack ${rack} of ${datacenter})`;
}
