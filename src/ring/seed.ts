/**
 * Members as configuration names them, in the form of the C engine: `host:port:rack:datacenter:tokens`, an IPv6 address in
 * brackets, tokens separated by commas, and a name for people behind a space, which nothing reads.
 */
import { RingletError } from "../base/errors.ts";
import type { PeerAddress } from "../transport/transport.ts";

/** A member as its seed names it. */
export interface Seed {
  readonly address: PeerAddress;
  readonly rack: string;
  readonly datacenter: string;
  /** As written. */
  readonly tokens: readonly string[];
}

const FORM = /^(?:\[([0-9a-f:.]+(?:%\w+)?)\]|([\w.-]+)):(\d{1,5}):([^:]*):([^:]*):([^:]*)$/i;

/** Reads a seed. Throws RingletError BAD_SEED; the names and tokens in it are checked by the topology. */
export function parseSeed(text: string): Seed {
  const [head = "", ...name] = text.trim().split(/\s+/);
  const match = FORM.exec(head);
  const port = Number(match?.[3]);
  if (match === null || name.length > 1 || port < 1 || port > 65_535) {
    throw new RingletError(
      "BAD_SEED",
      `${shown(text)} names no member: write host:port:rack:datacenter:tokens, as in 10.0.0.2:8101:rack1:dc1:2147483648 (an IPv6 address in brackets)`,
    );
  }
  return {
    address: { host: (match[1] ?? match[2])!, port },
    rack: match[4]!,
    datacenter: match[5]!,
    tokens: splitTokens(match[6]!),
  };
}

/** The tokens of a text that separates them by commas. */
export function splitTokens(text: string): string[] {
  return text.split(",").map((token) => token.trim());
}

/** A user's text in a message: quoted, on one line, not too long. */
export function shown(text: string): string {
  return JSON.stringify(text.length > 80 ? `${text.slice(0, 80)}…` : text);
}
