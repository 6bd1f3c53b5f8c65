/** The RSA key of `pem_key_file` on Node.js. */
import {
  constants,
  createHash,
  createPrivateKey,
  createPublicKey,
  type KeyObject,
  privateDecrypt,
  publicEncrypt,
} from "node:crypto";
import { readFileSync } from "node:fs";
import { RingletError } from "../../base/errors.ts";
import { BITS_OF_C, type PeerKey, SESSION_KEY_BYTES } from "../../link/dnode/peer-key.ts";

const OAEP = { padding: constants.RSA_PKCS1_OAEP_PADDING, oaepHash: "sha1" } as const;

/** Reads a private RSA key in PEM form, of 1024 bits or more. Throws RingletError PEM_KEY_UNREADABLE or PEM_BAD_KEY. */
export function loadPemKey(path: string): PeerKey {
  const key = parseKey(path, readPem(path));
  const bits = key.asymmetricKeyDetails?.modulusLength ?? 0;
  if (key.asymmetricKeyType !== "rsa" || bits < BITS_OF_C) {
    throw badKey(path, `it is no RSA key of ${BITS_OF_C} bits or more`);
  }
  const publicKey = createPublicKey(key);
  return {
    bits,
    wrap: (sessionKey) => bytesOf(publicEncrypt({ ...OAEP, key: publicKey }, sessionKey)),
    unwrap: (wrapped) => {
      try {
        const sessionKey = bytesOf(privateDecrypt({ ...OAEP, key }, wrapped));
        return sessionKey.length === SESSION_KEY_BYTES ? sessionKey : undefined;
      } catch {
        return undefined;
      }
    },
    secret: secretOf(key),
  };
}

/** Of the key itself, not of its text: two files may hold one key in two forms. */
function secretOf(key: KeyObject): string {
  const der = key.export({ type: "pkcs1", format: "der" });
  return createHash("sha256")
    .update("ringlet cluster secret of a peer key\n")
    .update(der)
    .digest("hex");
}

function readPem(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (cause) {
    throw new RingletError(
      "PEM_KEY_UNREADABLE",
      `pem_key_file: the file cannot be read: ${(cause as Error).message}`,
      { cause },
    );
  }
}

function parseKey(path: string, pem: string): KeyObject {
  try {
    return createPrivateKey(pem);
  } catch (error) {
    throw badKey(path, (error as Error).message, error);
  }
}

function badKey(path: string, reason: string, cause?: unknown): RingletError {
  return new RingletError(
    "PEM_BAD_KEY",
    `pem_key_file: ${path} cannot be used: ${reason}; give the private RSA key that all nodes share, in PEM form without a passphrase`,
    { cause },
  );
}

function bytesOf(buffer: Buffer): Uint8Array {
  return new Uint8Array(buffer.buffer, buffer.byteOffset, buffer.length);
}
