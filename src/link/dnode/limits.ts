/** The limits of version 1 connections, each with its unit. */

const MIB = 1024 * 1024;

export interface DnodeLimits {
  /** Longest payload of a frame, in bytes. */
  readonly maxPayloadBytes: number;
  /** Requests that may wait for their answers on one connection; with more, the connection is closed, as in the C engine. */
  readonly maxOutstanding: number;
}

export const DNODE_LIMITS: DnodeLimits = {
  maxPayloadBytes: 72 * MIB,
  maxOutstanding: 20_000,
};
