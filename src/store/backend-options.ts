// What a node is told of the server that keeps its data, where that is not the node itself.

import type { HostPort } from "../base/host-port.ts";

/** A Redis, Valkey or memcached server behind a node. */
export interface BackendOptions {
  readonly kind: "redis" | "memcached";
  readonly address: HostPort | UnixSocket;
  /** What figures and logs call it. */
  readonly name: string;
  /** Connections that requests are shared out over. */
  readonly connections: number;
  /** Longest wait before a lost server is dialled again. */
  readonly retryTimeoutMs: number;
  /** Failures in a row after which the server counts as down. */
  readonly failureLimit: number;
  /** Password that is sent with AUTH on every connection; undefined: none. */
  readonly requirepass: string | undefined;
}

export interface UnixSocket {
  readonly path: string;
}
