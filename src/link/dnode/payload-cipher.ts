/** How payloads of one version 1 connection are encrypted, as its two machines are lent it. */
import type { DnodeCipherFace } from "../../codec/dnode-cipher.ts";

/** Encrypts and decrypts the payloads of a connection, in both directions: answers have the key of who dialled. */
export interface PayloadCipher {
  seal(plain: Uint8Array): Uint8Array;
  /** `isWhole` says whether a candidate is one whole message. Throws CodecError DECRYPT_FAILED. */
  open(sealed: Uint8Array, isWhole: (plain: Uint8Array) => boolean): Uint8Array;
}

/** What encrypts a connection that this node dials. */
export interface DialledKey {
  readonly cipher: PayloadCipher;
  /** The data field of the first frame: the session key, encrypted for the peer. */
  readonly wrapped: Uint8Array;
}

/** The cipher whose session key a peer has sent, wrapped, in the data field of a frame; undefined where it cannot be had. */
export type UnwrapKey = (wrapped: Uint8Array) => PayloadCipher | undefined;

/** The C engine's cipher under a session key (see `DnodeCipherFace`). */
export function sessionCipher(
  codec: DnodeCipherFace,
  sessionKey: Uint8Array,
  mbufBytes: number,
): PayloadCipher {
  return {
    seal: (plain) => codec.sealDnodePayload(sessionKey, plain, mbufBytes),
    open: (sealed, isWhole) => codec.openDnodePayload(sessionKey, sealed, mbufBytes, isWhole),
  };
}
