// Peers that speak framing version 1 alone, nodes of the C engine: what this node does for those that dial it, and what becomes of
// members that it has dialled.

import type { Logger } from "../base/logger.ts";
import type { Runtime } from "../base/runtime.ts";
import type { Settings } from "../base/settings.ts";
import type { Codec } from "../codec/codec.ts";
import type { Version1Peers } from "../link/dnode/dialled-connections.ts";
import { SESSION_KEY_BYTES } from "../link/dnode/peer-key.ts";
import type { ServeRequest } from "../link/dnode/served-connection.ts";
import type { ServedConnectionsOptions } from "../link/dnode/served-connections.ts";
import type { CatchingUp } from "./catching-up.ts";
import { memberName } from "./member.ts";
import type { KeptBy } from "./peer-admission.ts";
import { dialledKey, encryptsFor, type PeerSecurity, unwrapWith } from "./peer-security.ts";
import type { Peers } from "./peers.ts";
import type { RingPort } from "./port.ts";
import type { Readiness } from "./readiness.ts";
import { errorReply } from "./reply-parts.ts";

/** Runs a command of a version 1 peer: the reply in RESP 2. `isForwarded`: the other racks here are to get what it writes. */
export type PeerCommandHandler = (
  args: readonly Uint8Array[],
  isForwarded: boolean,
) => Uint8Array | Promise<Uint8Array>;

export interface Version1Parts {
  readonly codec: Codec;
  readonly settings: Settings;
  /** The cluster secret; a peer of version 1 cannot prove that it knows it, and is served where there is one only if it encrypts. */
  readonly secret: string | undefined;
  /** What decrypts connections of such peers; undefined: those that are encrypted are closed. */
  readonly security: PeerSecurity | undefined;
  /** Version 1 peers are served from the store of this process alone. */
  readonly keptBy: KeptBy;
  /** Undefined while nothing runs commands. */
  readonly handler: () => PeerCommandHandler | undefined;
}

/** How connections of version 1 peers are served. */
export function servedVersion1(parts: Version1Parts): ServedConnectionsOptions {
  const { codec, settings, secret, security, keptBy, handler } = parts;
  const isSecured = secret !== undefined || settings.get("requireEncryption");
  // Who can encrypt for the key of this node is one of those who were given it.
  const isOpen = keptBy === "node" && (security !== undefined || !isSecured);
  const mustEncrypt = isSecured || security?.option === "all";
  const serve: ServeRequest = ({ payload, isForwarded }) => {
    const args = codec.parseRequests(payload).commands[0];
    const run = handler();
    if (args === undefined || run === undefined) return errorReply(NOT_SERVED);
    return run(args, isForwarded);
  };
  return {
    codec,
    serve,
    unwrapKey: security && unwrapWith(security, codec),
    mustEncrypt,
    limits: { maxPayloadBytes: settings.get("maxFrameBytes") },
    maxWaitingBytes: () => settings.get("maxLinkQueueBytes"),
    maxConnections: () => (isOpen ? settings.get("maxVersion1Connections") : 0),
  };
}

const NOT_SERVED =
  "ERR Dynomite: Dynomite's current state does not allow this request (the node runs no commands now)";

export interface DialledParts {
  readonly ring: Pick<RingPort, "topology">;
  readonly runtime: Pick<Runtime, "now" | "randomBytes">;
  readonly codec: Codec;
  readonly settings: Settings;
  readonly secret: string | undefined;
  /** A server behind the node keeps stamps in a way of its own: with one, there are no such members. */
  readonly keptBy: KeptBy;
  /** What encrypts for them; undefined: nothing does. */
  readonly security: PeerSecurity | undefined;
  readonly log: Logger;
  readonly peers: Peers;
  readonly catchingUp: CatchingUp;
  readonly readiness: Readiness;
}

/** Most racks that a datacenter with a node of the C engine may have: it keeps three answers. */
const MAX_RACKS_OF_C = 3;

/** What becomes of members that show themselves to be nodes of the C engine. */
export function dialledVersion1(parts: DialledParts): Version1Peers {
  const { ring, runtime, codec, settings, secret, security, keptBy } = parts;
  const { log, peers, catchingUp, readiness } = parts;
  const { members, datacenters, self, hash } = ring.topology;
  const mustEncrypt = secret !== undefined || settings.get("requireEncryption");
  return {
    means(link) {
      if (keptBy === "server") return undefined;
      if (security === undefined || !encryptsFor(security, self, members[link]!)) {
        return mustEncrypt ? undefined : { key: undefined };
      }
      return { key: dialledKey(security, codec, runtime.randomBytes(SESSION_KEY_BYTES)) };
    },
    isNear: (link) => members[link]!.datacenter === self.datacenter,
    refusal(link) {
      const { datacenter } = members[link]!;
      const { racks } = datacenters.find(({ name }) => name === datacenter)!;
      if (racks.length > MAX_RACKS_OF_C) {
        return `its datacenter ${datacenter} has ${racks.length} racks, and the C engine overruns its memory with more than ${MAX_RACKS_OF_C}; take racks out, or replace it`;
      }
      if (hash !== "murmur3") return undefined;
      return "hash is murmur3, with which the C engine gives every key to the lowest token; set another hash on all nodes";
    },
    opened(session) {
      const peer = peers.of(session.link)!;
      peers.version1(peer, session, runtime.now());
      catchingUp.isOfC(peer);
      readiness.considerPeers();
      readiness.publish();
      log.info("A node of the C engine is up.", { node: memberName(peer.member) });
      peers.tell("up", peer.member);
    },
    closed(session, reason) {
      const peer = peers.of(session.link)!;
      peers.version1(peer, undefined, runtime.now(), reason);
      log.warn("A node of the C engine is down.", { node: memberName(peer.member), reason });
      peers.tell("down", peer.member);
    },
  };
}
