/**
 * The body of a request REQUEST_KIND.missed, by which a node tells a peer what it could not send to it:
 *
 *   0   u64 stamp: the peer lacks records with at least this one (little-endian)
 */
import { RingletError } from "../base/errors.ts";

const BODY_BYTES = 8;

export function encodeMissed(since: bigint): Uint8Array {
  const body = new Uint8Array(BODY_BYTES);
  new DataView(body.buffer).setBigUint64(0, since, true);
  return body;
}

/** Throws RingletError BAD_REQUEST for a body that is none. */
export function decodeMissed(body: Uint8Array): bigint {
  if (body.length !== BODY_BYTES) {
    throw new RingletError("BAD_REQUEST", "what a node says that this one has missed is no stamp");
  }
  return new DataView(body.buffer, body.byteOffset, body.length).getBigUint64(0, true);
}
