/** What the version 1 connections of a node have done, for metrics. */

/** Numbers only grow while the node lives, but for `open`. */
export interface DnodeCounters {
  /** Connections of peers that are open now. */
  open: number;
  /** Requests of peers, and answers of this node to them. */
  requestsIn: number;
  answersOut: number;
  /** Requests of this node to peers, their answers, and requests that no answer came for while later ones were answered. */
  requestsOut: number;
  answersIn: number;
  unanswered: number;
  gossipIn: number;
  /** Bytes that belonged to no frame and were passed over. */
  skippedBytes: number;
  /** Frames of types that nothing is done with, and answers that came too late. */
  ignoredFrames: number;
  decryptFailures: number;
  /** Connections that were closed for what the peer sent, by code. */
  closed: Record<string, number>;
}

export function newDnodeCounters(): DnodeCounters {
  return {
    open: 0,
    requestsIn: 0,
    answersOut: 0,
    requestsOut: 0,
    answersIn: 0,
    unanswered: 0,
    gossipIn: 0,
    skippedBytes: 0,
    ignoredFrames: 0,
    decryptFailures: 0,
    closed: {},
  };
}
