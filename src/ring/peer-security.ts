// Encryption as the C engine has it: an RSA key that all nodes share, and for whom it is used.

import type { Logger } from "../base/logger.ts";
import type { DnodeCipherFace } from "../codec/dnode-cipher.ts";
import { type DialledKey, sessionCipher, type UnwrapKey } from "../link/dnode/payload-cipher.ts";
import { BITS_OF_C, type PeerKey, SAFE_BITS } from "../link/dnode/peer-key.ts";
import type { Member } from "./member.ts";

/** Which peers what is sent is encrypted for: none, those of other racks, of other datacenters, all. */
export const SECURE_SERVER_OPTIONS = ["none", "rack", "datacenter", "all"] as const;

export type SecureServerOption = (typeof SECURE_SERVER_OPTIONS)[number];

export interface PeerSecurity {
  readonly key: PeerKey;
  /**
   * For nodes of the C engine. Members of this kind encrypt everything between each other: with the secret of the cluster, or where
   * there is none, with one that is made of the key.
   */
  readonly option: Exclude<SecureServerOption, "none">;
  /** The buffers of the C engine, of which encrypted chunks are made; the same on all nodes. */
  readonly mbufBytes: number;
}

/** What decrypts connections that peers of version 1 dial. */
export function unwrapWith({ key, mbufBytes }: PeerSecurity, codec: DnodeCipherFace): UnwrapKey {
  return (wrapped) => {
    const sessionKey = key.unwrap(wrapped);
    return sessionKey && sessionCipher(codec, sessionKey, mbufBytes);
  };
}

/** Whether what this node sends to a member of the C engine is encrypted. */
export function encryptsFor({ option }: PeerSecurity, self: Member, member: Member): boolean {
  if (option === "all" || member.datacenter !== self.datacenter) return true;
  return option === "rack" && member.rack !== self.rack;
}

/** What encrypts a connection that this node dials; `sessionKey`: random, of that connection alone. */
export function dialledKey(
  { key, mbufBytes }: PeerSecurity,
  codec: DnodeCipherFace,
  sessionKey: Uint8Array,
): DialledKey {
  return { cipher: sessionCipher(codec, sessionKey, mbufBytes), wrapped: key.wrap(sessionKey) };
}

/** Says what the length of the key means. */
export function warnOfKeyLength({ key: { bits } }: PeerSecurity, log: Logger): void {
  if (bits < SAFE_BITS) {
    log.warn(
      "The key of pem_key_file is short enough to be broken: where no node of the C engine is in the ring, give all nodes one of 2048 bits or more.",
      { bits },
    );
  }
  if (bits > BITS_OF_C) {
    log.warn(
      "Nodes of the C engine crash with the key of pem_key_file, which has more than 1024 bits: have none in the ring.",
      { bits },
    );
  }
}
