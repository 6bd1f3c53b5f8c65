// Peers that speak framing version 1 alone, nodes of the C engine: what this node does for those that dial it.

import type { Settings } from "../base/settings.ts";
import type { Codec } from "../codec/codec.ts";
import type { ServeRequest } from "../link/dnode/served-connection.ts";
import type { ServedConnectionsOptions } from "../link/dnode/served-connections.ts";
import type { KeptBy } from "./peer-admission.ts";
import { type PeerSecurity, unwrapWith } from "./peer-security.ts";
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
