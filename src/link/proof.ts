/**
 * How two nodes prove to each other that they know the cluster secret, and the keys that follow from it.
 *
 *   prk        = HKDF-Extract(salt = nonce of the dialler, nonce of the acceptor; secret, empty where there is none)
 *   key(x)     = HKDF-Expand(prk, "ringlet link 2 " x, 32 bytes)
 *   transcript = each with its length as u32 before it: advertisement of the dialler, of the acceptor, hello of the dialler, of the acceptor
 *   proof      = HMAC-SHA-256(key(role "'s proof"), transcript)
 *   records    = AES-256-GCM under key(role "'s records")
 *
 * The role is in every key, so that nothing a node says can be used against itself; the advertisements are in the transcript, so
 * that nobody on the way can take capabilities from them. Without a secret the proof only shows that both read the same.
 */
import { concat } from "../codec/concat.ts";
import { hkdfExpandKey, hkdfExtract, type LinkCrypto } from "./crypto.ts";
import { view } from "./frame.ts";
import type { LinkRole } from "./hello.ts";

/** What both sides have said before the proof. */
export interface Transcript {
  /** The data fields of the advertisements. */
  readonly advertisements: Readonly<Record<LinkRole, Uint8Array>>;
  /** The bodies of the HELLO frames. */
  readonly hellos: Readonly<Record<LinkRole, Uint8Array>>;
  readonly nonces: Readonly<Record<LinkRole, Uint8Array>>;
}

export interface LinkKeys {
  readonly proofs: Readonly<Record<LinkRole, Uint8Array>>;
  /** Keys of what each side sends after its proof. */
  readonly records: Readonly<Record<LinkRole, Uint8Array>>;
}

export function deriveKeys(
  crypto: LinkCrypto,
  secret: Uint8Array,
  { advertisements, hellos, nonces }: Transcript,
): LinkKeys {
  const salt = concat([nonces.dialler, nonces.acceptor]);
  const prk = hkdfExtract(crypto, salt, secret);
  const key = (label: string) => hkdfExpandKey(crypto, prk, `ringlet link 2 ${label}`);
  const transcript = concat(
    [advertisements.dialler, advertisements.acceptor, hellos.dialler, hellos.acceptor].flatMap(
      (part) => [lengthOf(part), part],
    ),
  );
  const proof = (role: LinkRole) => crypto.hmacSha256(key(`${role}'s proof`), transcript);
  return {
    proofs: { dialler: proof("dialler"), acceptor: proof("acceptor") },
    records: { dialler: key("dialler's records"), acceptor: key("acceptor's records") },
  };
}

function lengthOf(part: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(4);
  view(bytes).setUint32(0, part.length, true);
  return bytes;
}
