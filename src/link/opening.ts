/**
 * How a link opens: in framing version 1, with frames that a version 1 peer passes over (type 6, flags 0, no payload).
 *
 *   dialler   "   $2014$ 0 6 0 1 1 *" length " " advertisement (CAP version 1) " *0" CR LF
 *   acceptor  the same, once it has read the dialler's
 *   each      "   $2014$ 1 6 0 1 1 *8 RINGLET2 *0" CR LF      the marker: every byte behind it is framing version 2
 *
 * The marker is sent to nobody who has not advertised ringlet_framing 2. Anything else is a peer that only speaks version 1.
 */
import { RingletError } from "../base/errors.ts";
import type { CapabilitiesFace, CapabilityEntry } from "../codec/capabilities.ts";
import { concat } from "../codec/concat.ts";
import { DNODE_TYPE, type DnodeFace } from "../codec/dnode.ts";

/** What of the codec a link uses. */
export type LinkCodec = Pick<
  DnodeFace & CapabilitiesFace,
  "parseDnode" | "parseDnodes" | "writeDnode" | "encodeCapabilities" | "decodeCapabilities"
>;

/** An advertisement with its header has at most so many bytes: what the C engine was seen to pass over. */
export const MAX_ADVERTISEMENT_BYTES = 400;

const NOTHING = new Uint8Array(0);
const MARKER = new TextEncoder().encode("RINGLET2");
const CAP = new TextEncoder().encode("CAP");

/** An advertisement as a frame. Throws RingletError ADVERTISEMENT_TOO_LONG, CodecError CAP_… */
export function advertisementFrame(
  codec: LinkCodec,
  entries: readonly CapabilityEntry[],
): { readonly data: Uint8Array; readonly frame: Uint8Array } {
  const data = codec.encodeCapabilities(entries);
  const frame = openingFrame(codec, 0n, data);
  if (frame.length > MAX_ADVERTISEMENT_BYTES) {
    throw new RingletError(
      "ADVERTISEMENT_TOO_LONG",
      `the capabilities take ${frame.length} bytes of at most ${MAX_ADVERTISEMENT_BYTES}; advertise fewer`,
    );
  }
  return { data, frame };
}

/** The frame behind which framing version 2 begins. */
export function markerFrame(codec: LinkCodec): Uint8Array {
  return openingFrame(codec, 1n, MARKER);
}

function openingFrame(codec: LinkCodec, id: bigint, data: Uint8Array): Uint8Array {
  const type = DNODE_TYPE.cryptoHandshake;
  return codec.writeDnode({ id, type, flags: 0, sameDc: true, data, payload: NOTHING });
}

/** What TLS begins with: a record of its handshake (RFC 8446, 5.1). */
const TLS_HANDSHAKE = 0x16;
const NO_FRAME = "it sent something that is no frame between nodes";
const SPEAKS_TLS =
  "it speaks TLS, and this node does not between members: give --peer-tls-cert-file to all of them, or to none";

/** What the peer's side of the opening holds. */
export type OpeningEvent =
  | {
      readonly kind: "advertisement";
      readonly data: Uint8Array;
      readonly entries: readonly CapabilityEntry[];
    }
  /** Framing version 2 begins; `rest` are its first bytes. */
  | { readonly kind: "marker"; readonly rest: Uint8Array }
  /** Traffic of version 1. */
  | { readonly kind: "version1" }
  /** No node at all. */
  | { readonly kind: "broken"; readonly reason: string };

/** Reads the opening of a peer, wherever it is cut. */
export class OpeningReader {
  readonly #codec: LinkCodec;
  readonly #maxBytes: number;
  readonly #skipsJunk: boolean;
  #kept: Uint8Array = NOTHING;

  /** `skipsJunk`: what is no opening is taken for version 1, which passes over what is no frame. */
  constructor(codec: LinkCodec, maxBytes: number, skipsJunk = false) {
    this.#codec = codec;
    this.#maxBytes = maxBytes;
    this.#skipsJunk = skipsJunk;
  }

  /** What has come and is no part of the opening: with "version1", the first bytes of that traffic. */
  get unread(): Uint8Array {
    return this.#kept;
  }

  /** What came with these bytes, in order. Nothing may be pushed after a marker, "version1" or "broken". */
  push(bytes: Uint8Array): OpeningEvent[] {
    const input = this.#kept.length === 0 ? bytes : concat([this.#kept, bytes]);
    const events: OpeningEvent[] = [];
    let at = 0;
    while (at < input.length) {
      // A frame of the opening is short: what lies behind is not looked at before the marker.
      const window = input.subarray(0, at + this.#maxBytes);
      const result = this.#codec.parseDnode(window, at);
      const isJunk = result.status === "error" || result.skipped > 0;
      const isLong = result.status === "incomplete" && input.length - at >= this.#maxBytes;
      if (isJunk && input[0] === TLS_HANDSHAKE) return [...events, broken(SPEAKS_TLS)];
      if ((isJunk || isLong) && this.#skipsJunk) return [...events, this.#version1(input, at)];
      if (isJunk) return [...events, broken(NO_FRAME)];
      if (isLong) {
        return [...events, broken(`its opening has more than ${this.#maxBytes} bytes`)];
      }
      if (result.status !== "complete") break;
      const { frame, end } = result;
      if (frame.type !== DNODE_TYPE.cryptoHandshake || frame.flags !== 0) {
        return [...events, this.#version1(input, at)];
      }
      at = end;
      if (beginsWith(frame.data, MARKER)) {
        return [...events, { kind: "marker", rest: input.slice(at) }];
      }
      if (!beginsWith(frame.data, CAP)) continue;
      try {
        const data = frame.data.slice();
        const entries = this.#codec.decodeCapabilities(data);
        events.push({ kind: "advertisement", data, entries });
      } catch (error) {
        return [...events, broken(error instanceof Error ? error.message : String(error))];
      }
    }
    this.#kept = input.slice(at);
    return events;
  }

  #version1(input: Uint8Array, at: number): OpeningEvent {
    this.#kept = input.slice(at);
    return { kind: "version1" };
  }
}

function broken(reason: string): OpeningEvent {
  return { kind: "broken", reason };
}

function beginsWith(bytes: Uint8Array, start: Uint8Array): boolean {
  return bytes.length >= start.length && start.every((byte, i) => bytes[i] === byte);
}
