/** The limits of links: each with its unit, all of them options of LinkHub. */

const KIB = 1024;
const MIB = 1024 * KIB;

export interface LinkLimits {
  /** How long a connection may take to be made, in ms. */
  readonly dialTimeoutMs: number;
  /** How long the peer may take to say that it speaks more than version 1, in ms. */
  readonly advertisementTimeoutMs: number;
  /** How long a connection may take to become a session or to fail, in ms. */
  readonly handshakeTimeoutMs: number;
  /** How often an open session is pinged, in ms. */
  readonly pingIntervalMs: number;
  /** A session closes when no byte has come for so long, in ms; counted in whole pingIntervalMs, so that a pause of this process does not count. */
  readonly linkTimeoutMs: number;
  /** How long a session may be silent that another connection of its peer has put in doubt, in ms. */
  readonly probeTimeoutMs: number;
  /** The first wait before dialling again lasts at most this, in ms; each further one up to twice as long. */
  readonly reconnectMinMs: number;
  /** No wait before dialling again is longer, in ms. */
  readonly reconnectMaxMs: number;
  /** A session that has lived so long lets the waits begin anew, in ms. */
  readonly stableAfterMs: number;
  /** How long the node with the higher link number leaves the first dial to the other, in ms. */
  readonly yieldMs: number;
  /** How long a connection that was ended may take to send what is left, in ms. */
  readonly closeGraceMs: number;
  /** Longest frame, in bytes, its header included. */
  readonly maxFrameBytes: number;
  /** Bytes that may wait in a session when more are sent; beyond them it closes with the reason "overflow". */
  readonly maxLinkQueueBytes: number;
  /** Longest hello, in bytes, and longest of every other frame before a session is open. */
  readonly maxHelloBytes: number;
  /** Bytes of version 1 that may come before framing version 2 begins. */
  readonly maxOpeningBytes: number;
  /** Accepted connections that are no sessions yet; the next one is closed. */
  readonly maxPendingHandshakes: number;
  /** Records that one key encrypts; then the next key follows from it. */
  readonly rekeyAfterRecords: number;
  /** Requests of the host that may wait for a response on one session, and those of the peer that may run. */
  readonly maxRequestsPerLink: number;
}

export const LINK_LIMITS: LinkLimits = {
  dialTimeoutMs: 2000,
  advertisementTimeoutMs: 2000,
  handshakeTimeoutMs: 5000,
  pingIntervalMs: 1000,
  linkTimeoutMs: 5000,
  probeTimeoutMs: 1000,
  reconnectMinMs: 100,
  reconnectMaxMs: 5000,
  stableAfterMs: 5000,
  yieldMs: 200,
  closeGraceMs: 1000,
  maxFrameBytes: 72 * MIB,
  maxLinkQueueBytes: 64 * MIB,
  maxHelloBytes: 64 * KIB,
  maxOpeningBytes: 4 * KIB,
  maxPendingHandshakes: 64,
  rekeyAfterRecords: 2 ** 24,
  maxRequestsPerLink: 16 * KIB,
};
