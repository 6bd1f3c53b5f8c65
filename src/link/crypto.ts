/** The cryptography that a link needs, as a runtime lends it, synchronously; what can be built of it is here. */

export interface LinkCrypto {
  /** HMAC-SHA-256 (RFC 2104): 32 bytes. */
  hmacSha256(key: Uint8Array, data: Uint8Array): Uint8Array;
  /** AES-256-GCM under a key of 32 bytes; left out where the runtime has none that is synchronous. */
  readonly aes256Gcm?: ((key: Uint8Array) => AeadCipher) | undefined;
}

/** Authenticated encryption under one key (RFC 5116). Nonces have 12 bytes and are never used twice by the caller. */
export interface AeadCipher {
  /** Encrypts `plain` into `out`, which has room for it and the tag of TAG_BYTES behind it; `header` is authenticated with it. */
  seal(nonce: Uint8Array, header: Uint8Array, plain: Uint8Array, out: Uint8Array): void;
  /** Decrypts `sealed` (with its tag) into `out`, which is TAG_BYTES shorter. False when it is not what was sealed. */
  open(nonce: Uint8Array, header: Uint8Array, sealed: Uint8Array, out: Uint8Array): boolean;
}

/** Bytes of an authentication tag. */
export const TAG_BYTES = 16;
/** Bytes of a nonce of an AeadCipher. */
export const NONCE_BYTES = 12;
/** Bytes of a key, and of what HMAC-SHA-256 gives. */
export const KEY_BYTES = 32;

/** HKDF-Extract with SHA-256 (RFC 5869, 2.2). */
export function hkdfExtract(crypto: LinkCrypto, salt: Uint8Array, secret: Uint8Array): Uint8Array {
  return crypto.hmacSha256(salt, secret);
}

/** HKDF-Expand with SHA-256 to one key of KEY_BYTES (RFC 5869, 2.3, with L = 32: its first block). */
export function hkdfExpandKey(crypto: LinkCrypto, prk: Uint8Array, info: string): Uint8Array {
  const text = new TextEncoder().encode(info);
  const block = new Uint8Array(text.length + 1);
  block.set(text);
  block[text.length] = 1;
  return crypto.hmacSha256(prk, block);
}

/** Whether two byte strings are equal, in a time that depends on their lengths only. */
export function equalBytes(one: Uint8Array, other: Uint8Array): boolean {
  if (one.length !== other.length) return false;
  let difference = 0;
  for (let i = 0; i < one.length; i++) difference |= one[i]! ^ other[i]!;
  return difference === 0;
}
