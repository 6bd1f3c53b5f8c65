/** What the links of a node have done, for metrics. */

import { type DnodeCounters, newDnodeCounters } from "./dnode/counters.ts";

/** Numbers only grow while the hub lives. */
export interface LinkCounters {
  /** Connections that this node tried to make, and those of them that were not made. */
  dials: number;
  dialFailures: number;
  /** Connections of peers that were taken in, and those that were closed because too many were no sessions yet. */
  accepts: number;
  acceptsRefused: number;
  sessionsOpened: number;
  /** By the first word of the reason. */
  sessionsClosed: Record<string, number>;
  /** Peers refused by this node, and refusals of this node by peers, by code. */
  refusals: Record<string, number>;
  refusalsByPeers: Record<string, number>;
  /** Connections that were given up before they were sessions, by reason: VERSION_1, BROKEN, TIMEOUT, LOST. */
  handshakeFailures: Record<string, number>;
  /** Bytes of frames of sessions, before encryption. */
  bytesIn: number;
  bytesOut: number;
  /** Frames, or bytes in their place, for which a session or a handshake was closed. */
  framesRejected: number;
  decryptFailures: number;
  /** Connections of framing version 1. */
  readonly version1: DnodeCounters;
}

export function newLinkCounters(): LinkCounters {
  return {
    dials: 0,
    dialFailures: 0,
    accepts: 0,
    acceptsRefused: 0,
    sessionsOpened: 0,
    sessionsClosed: {},
    refusals: {},
    refusalsByPeers: {},
    handshakeFailures: {},
    bytesIn: 0,
    bytesOut: 0,
    framesRejected: 0,
    decryptFailures: 0,
    version1: newDnodeCounters(),
  };
}

export function countOne(counts: Record<string, number>, key: string): void {
  counts[key] = (counts[key] ?? 0) + 1;
}
