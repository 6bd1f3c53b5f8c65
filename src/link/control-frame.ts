/**
 * The link's own frames of version 2 (see frame.ts for the header that all have).
 *
 *   HELLO   0x01   8 JSON, UTF-8 (hello.ts)
 *   PROOF   0x02   8 HMAC-SHA-256, 32 bytes (proof.ts)
 *   REFUSE  0x03   8 code, a space, a sentence, UTF-8; the connection closes
 *   PING    0x04   8 u64 wall clock of the sender, ms   16 u64 the sender's own
 *   PONG    0x05   8 u64 wall clock of the sender, ms   16 u64 of the PING
 *   BYE     0x06   8 why the session ends, UTF-8; the connection closes
 */
import { RingletError } from "../base/errors.ts";
import { FRAME_BYTES, newFrame, view } from "./frame.ts";

export const CONTROL = {
  hello: 0x01,
  proof: 0x02,
  refuse: 0x03,
  ping: 0x04,
  pong: 0x05,
  bye: 0x06,
} as const;

/** Bytes of PING and PONG. */
const PING_BYTES = 24;
/** Characters of a text of the peer that are kept. */
const MAX_TEXT_CHARACTERS = 300;

export interface Ping {
  /** Wall clock of who wrote the frame, in ms. */
  readonly wallMs: number;
  readonly opaque: bigint;
}

/** PING, or PONG where `type` says so. */
export function pingFrame(type: number, { wallMs, opaque }: Ping): Uint8Array {
  const frame = newFrame(PING_BYTES, type);
  const data = view(frame);
  data.setBigUint64(8, BigInt(Math.max(0, Math.trunc(wallMs))), true);
  data.setBigUint64(16, opaque, true);
  return frame;
}

/** Reads a PING or PONG. Throws RingletError BAD_FRAME. */
export function readPing(frame: Uint8Array): Ping {
  if (frame.length !== PING_BYTES) {
    throw new RingletError("BAD_FRAME", `a PING or PONG has ${frame.length} bytes`);
  }
  const data = view(frame);
  return { wallMs: Number(data.getBigUint64(8, true)), opaque: data.getBigUint64(16, true) };
}

/** A frame of bytes: HELLO, PROOF. */
export function bodyFrame(type: number, body: Uint8Array): Uint8Array {
  const frame = newFrame(FRAME_BYTES.header + body.length, type);
  frame.set(body, FRAME_BYTES.header);
  return frame;
}

/** A frame of text: REFUSE, BYE. */
export function textFrame(type: number, text: string): Uint8Array {
  return bodyFrame(type, new TextEncoder().encode(text));
}

export function frameBody(frame: Uint8Array): Uint8Array {
  return frame.subarray(FRAME_BYTES.header);
}

/** The text of a frame of the peer, fit for a log. */
export function readText(frame: Uint8Array): string {
  return printable(new TextDecoder().decode(frameBody(frame).subarray(0, 4 * MAX_TEXT_CHARACTERS)));
}

/** What a peer has said, fit for a log: one line, not long. */
export function printable(text: string): string {
  return text
    .slice(0, MAX_TEXT_CHARACTERS)
    .replace(/[^\p{L}\p{N}\p{P}\p{S} ]/gu, " ")
    .trim();
}
