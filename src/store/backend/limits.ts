// Bounds of what a node holds for the server behind it.

export interface BackendLimits {
  /** Requests without a reply, for each connection; beyond them clients wait. */
  readonly maxOutstandingRequests: number;
  /** Bytes of requests that the server has not taken, for each connection; beyond them clients wait. */
  readonly maxQueuedBytes: number;
  /** Connections that belong to one client each; beyond them commands that need one are refused. */
  readonly maxOwnConnections: number;
  /** Of those that no client needs any more, how many are kept for the next, and how long. */
  readonly maxIdleConnections: number;
  readonly idleConnectionMs: number;
  /** How long connecting may take, the first replies of the server included. */
  readonly dialTimeoutMs: number;
  /** The first wait before a lost server is dialled again; it doubles up to the retry timeout of the options. */
  readonly reconnectMinMs: number;
}

export const BACKEND_LIMITS: BackendLimits = {
  maxOutstandingRequests: 65_536,
  maxQueuedBytes: 32 * 1024 * 1024,
  maxOwnConnections: 5000,
  maxIdleConnections: 16,
  idleConnectionMs: 30_000,
  dialTimeoutMs: 2000,
  reconnectMinMs: 50,
};
