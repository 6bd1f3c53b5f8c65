/** The connections that this node has dialled to peers that show no more than version 1: which are proven, and who hears of them. */
import type { Logger } from "../../base/logger.ts";
import type { Runtime } from "../../base/runtime.ts";
import type { ByteStream } from "../../transport/stream.ts";
import type { LinkLimits } from "../limits.ts";
import type { DnodeCounters } from "./counters.ts";
import { DialledConnection, type Version1Session } from "./dialled-connection.ts";
import type { DnodeCodec } from "./frame-reader.ts";
import { DNODE_LIMITS } from "./limits.ts";
import type { DialledKey } from "./payload-cipher.ts";

/** What becomes of peers that speak no more than version 1. */
export interface Version1Peers {
  /** What encrypts a connection to a member, if anything does; undefined: it must not be spoken to in version 1. */
  means(link: number): { readonly key: DialledKey | undefined } | undefined;
  /** Whether a member is in this node's datacenter. */
  isNear(link: number): boolean;
  /** Why a member must not speak version 1, as a sentence; undefined: it may. */
  refusal(link: number): string | undefined;
  opened(session: Version1Session): void;
  closed(session: Version1Session, reason: string): void;
}

export interface DialledConnectionsOptions {
  readonly runtime: Runtime;
  readonly codec: DnodeCodec;
  readonly log: Logger;
  readonly peers: Version1Peers;
}

/** How a connection ended. */
export type DialledEnd =
  /** The peer has not answered as a node of the C engine does. */
  | { readonly kind: "unproven" }
  /** It has, and was refused, with the words of an operator. */
  | { readonly kind: "refused"; readonly reason: string; readonly message: string }
  /** It was in use. */
  | { readonly kind: "lost"; readonly reason: string };

/** Who made a connection. */
export interface DialledBy {
  /** The peer is a node of the C engine, and may be sent requests. */
  proven(): void;
  ended(end: DialledEnd): void;
}

export class DialledConnections {
  readonly #options: DialledConnectionsOptions;
  readonly #limits: LinkLimits;
  readonly #counters: DnodeCounters;
  /** Id of the last request: one source for all connections, as in the C engine. */
  #ids = 0n;

  constructor(options: DialledConnectionsOptions, limits: LinkLimits, counters: DnodeCounters) {
    this.#options = options;
    this.#limits = limits;
    this.#counters = counters;
  }

  /** Takes over a stream that reads already, and has the peer prove itself; undefined: it must not. */
  take(link: number, stream: ByteStream, by: DialledBy): DialledConnection | undefined {
    const { codec, runtime, peers, log } = this.#options;
    const means = peers.means(link);
    if (means === undefined) return undefined;
    const limits = this.#limits;
    let refused: DialledEnd | undefined;
    let isInUse = false;
    const connection = new DialledConnection({
      ...{ link, stream, codec, runtime, payload: "redis", counters: this.#counters },
      limits: { ...DNODE_LIMITS, maxPayloadBytes: limits.maxFrameBytes },
      sameDc: peers.isNear(link),
      key: means.key,
      nextId: () => ++this.#ids,
      proofTimeoutMs: Math.max(0, limits.handshakeTimeoutMs - limits.advertisementTimeoutMs),
      maxQueueBytes: () => limits.maxLinkQueueBytes,
      proven(one) {
        if (!one.isOpen) return;
        const reason = peers.refusal(link);
        if (reason !== undefined) {
          const message = `Closed the connection with ${one.remoteAddress} (PEER_VERSION_1), a node of the C engine: ${reason}.`;
          refused = { kind: "refused", reason, message };
          one.close("refused");
          return;
        }
        isInUse = true;
        log.info(`Linked with a node of the C engine at ${one.remoteAddress}.`, { link });
        by.proven();
        peers.opened(one);
      },
      closed(one, reason) {
        if (isInUse) peers.closed(one, reason);
        by.ended(refused ?? (isInUse ? { kind: "lost", reason } : { kind: "unproven" }));
      },
    });
    connection.prove();
    return connection;
  }
}
