/** All version 1 connections that peers have dialled. C nodes keep theirs open and silent, and say nothing of who they are. */
import type { ByteStream, StreamHandler } from "../../transport/stream.ts";
import type { DnodeCounters } from "./counters.ts";
import type { DnodeCodec } from "./frame-reader.ts";
import type { DnodeInboundOptions } from "./inbound.ts";
import { DNODE_LIMITS, type DnodeLimits } from "./limits.ts";
import { ServedConnection, type ServeRequest } from "./served-connection.ts";

export interface ServedConnectionsOptions
  extends Pick<DnodeInboundOptions, "unwrapKey" | "mustEncrypt"> {
  readonly codec: DnodeCodec;
  readonly serve: ServeRequest;
  readonly limits?: Partial<DnodeLimits>;
  /** See ServedConnectionOptions. */
  readonly maxWaitingBytes: () => number;
  /** Connections that may be open at a time; 0: no peer is served. */
  readonly maxConnections: () => number;
}

export class ServedConnections {
  readonly #options: ServedConnectionsOptions;
  readonly #counters: DnodeCounters;
  readonly #open = new Set<ServedConnection>();

  constructor(options: ServedConnectionsOptions, counters: DnodeCounters) {
    this.#options = options;
    this.#counters = counters;
  }

  /** Whether peers that speak no more than version 1 are served. */
  get isServing(): boolean {
    return this.#options.maxConnections() > 0;
  }

  /** Takes over a stream that reads already; undefined: too many are open, none of them silent. */
  take(stream: ByteStream, closed: (code: string | undefined) => void): StreamHandler | undefined {
    if (!this.#makeRoom()) return undefined;
    const { codec, unwrapKey, mustEncrypt } = this.#options;
    const connection = new ServedConnection({
      ...{ stream, codec, unwrapKey, mustEncrypt },
      payload: "redis",
      limits: { ...DNODE_LIMITS, ...this.#options.limits },
      counters: this.#counters,
      serve: this.#options.serve,
      maxWaitingBytes: this.#options.maxWaitingBytes(),
      closed: (one, code) => {
        this.#open.delete(one);
        this.#counters.open = this.#open.size;
        closed(code);
      },
    });
    this.#open.add(connection);
    this.#counters.open = this.#open.size;
    return connection;
  }

  close(): void {
    for (const connection of [...this.#open]) connection.destroy();
  }

  /** Where too many are open, the oldest that has never said anything goes: its peer may be long gone. */
  #makeRoom(): boolean {
    if (this.#open.size < this.#options.maxConnections()) return true;
    for (const connection of this.#open) {
      if (connection.hasSpoken) continue;
      connection.destroy();
      return true;
    }
    return false;
  }
}
