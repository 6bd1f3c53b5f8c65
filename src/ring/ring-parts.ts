/** What the ring of one node is made of: what it is lent by the node and its runtime. */
import type { Logger } from "../base/logger.ts";
import type { Runtime } from "../base/runtime.ts";
import type { Settings } from "../base/settings.ts";
import type { Codec } from "../codec/codec.ts";
import type { LinkCrypto } from "../link/crypto.ts";
import type { EmbeddedStore } from "../store/embedded-store.ts";
import type { PeerAddress, Transport } from "../transport/transport.ts";
import type { RecordPages } from "./copies.ts";
import type { GuardedClock } from "./guarded-clock.ts";
import type { KeptBy } from "./peer-admission.ts";
import type { PeerSecurity } from "./peer-security.ts";
import type { Placement } from "./placement.ts";
import type { RingPort } from "./port.ts";

/** What a ring is made of. */
export interface RingParts {
  readonly runtime: Runtime;
  /** The time that stamps and expiries have. */
  readonly clock: GuardedClock;
  /** A store with tombstones. */
  readonly store: EmbeddedStore;
  readonly settings: Settings;
  readonly log: Logger;
  readonly transport: Transport;
  readonly codec: Codec;
  readonly crypto: LinkCrypto;
  readonly placement: Placement;
  /** Where peers are listened for. */
  readonly listen: PeerAddress;
  /** What all nodes of the cluster know and nobody else. */
  readonly secret: string | undefined;
  /** Encryption as the C engine has it. */
  readonly security: PeerSecurity | undefined;
  /** Where this node keeps the data. A server is of use to other members only as KeyServer. */
  readonly keptBy: KeptBy;
  /** The server that holds the keys in place of the store. */
  readonly server?: KeyServer | undefined;
}

/** A server behind the node, as the ring sees it. */
export interface KeyServer {
  readonly isUp: boolean;
  /** Its records, page by page. */
  pages(ring: RingPort): RecordPages;
}
