/** The RSA key that all nodes of a ring with nodes of the C engine share (`pem_key_file`), as a runtime lends it. */

export interface PeerKey {
  /** Its length. */
  readonly bits: number;
  /** Encrypts a session key for whoever has the same key: RSA-OAEP with SHA-1, as the C engine does. */
  wrap(sessionKey: Uint8Array): Uint8Array;
  /** Undefined where this is no session key that was encrypted for this key, whatever is wrong. */
  unwrap(wrapped: Uint8Array): Uint8Array | undefined;
  /** What only those know who have the private key. */
  readonly secret: string;
}

/** Bytes of a session key; the cipher uses the first half. */
export const SESSION_KEY_BYTES = 32;
/** The only length of a key that nodes of the C engine survive: their buffers are made for it. */
export const BITS_OF_C = 1024;
/** Keys of fewer bits can be broken. */
export const SAFE_BITS = 2048;
