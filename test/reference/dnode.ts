/** dnode frames read slowly: a regular expression for the header, and the other slow parsers for the payload's end. */
import { Incomplete, latin1, type SlowStream } from "./cut.ts";
import { readMemcachedReplies, readMemcachedRequests } from "./memcached.ts";
import { readReplies } from "./resp-reply.ts";
import { readRequests } from "./resp-request.ts";

export interface SlowFrame {
  readonly id: bigint;
  readonly type: number;
  readonly flags: number;
  readonly version: number;
  readonly sameDc: boolean;
  readonly data: Uint8Array;
  readonly payload: Uint8Array;
  readonly statedPayloadLength: number;
  readonly start: number;
  readonly end: number;
  readonly skipped: number;
}

export interface SlowFrames {
  readonly frames: SlowFrame[];
  readonly end: number;
  readonly skipped: number;
  readonly status: string;
  readonly wanted: number;
}

const MAX_DATA = 65536;
const MAX_STATED = (1n << 32n) - 1n;
const MAGIC = "$2014$";

/** The fields up to the data's length, and all of them that the end of the input may cut. */
const HEAD =
  /^\$2014\$ ([0-9]{1,20}) ([0-9]{1,20}) ([0-9]{1,20}) ([0-9]{1,20}) ([0-9]{1,20}) \*?([0-9]{1,20}) /;
const TAIL = /^ {0,20}\*([0-9]{1,20})\r\n/;
const CUT_TAIL = /^ {0,20}(?:\*(?:([0-9]{1,20})(\r)?)?)?$/;

/** The frames of `bytes`. */
export function readFrames(
  bytes: Uint8Array,
  kind: "redis" | "memcached",
  maxPayloadBytes: number,
  most = Number.POSITIVE_INFINITY,
): SlowFrames {
  const text = latin1(bytes);
  const frames: SlowFrame[] = [];
  let end = 0;
  while (frames.length < most) {
    let magic = text.indexOf(MAGIC, end);
    try {
      while (magic >= 0) {
        const frame = readFrame(bytes, text, magic, end, kind, maxPayloadBytes);
        if (frame !== null) {
          frames.push(frame);
          end = frame.end;
          break;
        }
        magic = text.indexOf(MAGIC, magic + 1);
      }
    } catch (reason) {
      const start = withSpaces(text, magic, end);
      const found = { frames, end: start, skipped: start - end };
      if (reason instanceof Incomplete) {
        return { ...found, status: "incomplete", wanted: reason.needed - text.length };
      }
      if (typeof reason !== "string") throw reason;
      return { ...found, status: reason, wanted: 0 };
    }
    if (magic < 0) {
      if (end === text.length) return { frames, end, skipped: 0, status: "complete", wanted: 0 };
      // What may be the beginning of a frame is kept.
      let kept = text.length;
      for (let cut = 1; cut < MAGIC.length; cut++) {
        if (text.length - cut >= end && text.endsWith(MAGIC.slice(0, cut)))
          kept = text.length - cut;
      }
      const start = withSpaces(text, kept, end);
      return { frames, end: start, skipped: start - end, status: "incomplete", wanted: 1 };
    }
  }
  return { frames, end, skipped: 0, status: "complete", wanted: 0 };
}

/** At most three of the spaces in front of `at` belong to a frame. */
function withSpaces(text: string, at: number, from: number): number {
  let start = at;
  while (start > from && at - start < 3 && text[start - 1] === " ") start--;
  return start;
}

/** The frame whose magic is at `magic`; null if its header is none. */
function readFrame(
  bytes: Uint8Array,
  text: string,
  magic: number,
  from: number,
  kind: "redis" | "memcached",
  maxPayloadBytes: number,
): SlowFrame | null {
  const head = HEAD.exec(text.slice(magic, magic + MAX_HEAD));
  if (head === null) {
    if (isCutHead(text, magic)) throw new Incomplete(text.length + 1);
    return null;
  }
  const [id = 0n, type = 0n, flags = 0n, version = 0n, sameDc = 0n, dataLength = 0n] = head
    .slice(1)
    .map(BigInt);
  if (id >= 1n << 64n || type > 255n || flags > 255n || version > 255n || sameDc > 255n)
    return null;
  if (dataLength === 0n || dataLength >= 1n << 32n) return null;
  if (dataLength > MAX_DATA) throw "DNODE_LONG_DATA";
  const dataStart = magic + head[0].length;
  const dataEnd = dataStart + Number(dataLength);
  if (dataEnd > text.length) throw new Incomplete(dataEnd);
  const rest = text.slice(dataEnd, dataEnd + 64);
  const tail = TAIL.exec(rest);
  if (tail === null) {
    const cut = CUT_TAIL.exec(rest);
    if (cut === null || (cut[2] === "\r" && BigInt(cut[1]!) > MAX_STATED)) return null;
    throw new Incomplete(text.length + 1);
  }
  const stated = BigInt(tail[1]!);
  if (stated > MAX_STATED) return null;
  const payloadStart = dataEnd + tail[0].length;
  const masked = Number(flags) & 15;
  const plain = masked !== 1 && type >= 3n && type <= 5n;
  const payload = bytes.subarray(payloadStart);
  let length: number;
  try {
    length = plain
      ? payloadLength(payload, kind, type === 5n, maxPayloadBytes)
      : statedLength(payload, Number(stated), maxPayloadBytes);
  } catch (reason) {
    if (!(reason instanceof Incomplete)) throw reason;
    throw new Incomplete(payloadStart + reason.needed);
  }
  const start = withSpaces(text, magic, from);
  return {
    id,
    type: Number(type),
    flags: masked,
    version: Number(version),
    sameDc: sameDc !== 0n,
    data: bytes.subarray(dataStart, dataEnd),
    payload: payload.subarray(0, length),
    statedPayloadLength: Number(stated),
    start,
    end: payloadStart + length,
    skipped: start - from,
  };
}

/** Longest text up to the data, in bytes, or more. */
const MAX_HEAD = 160;

/** Whether all there is from `magic` on may be the beginning of the fields up to the data's length. */
function isCutHead(text: string, magic: number): boolean {
  if (text.length - magic > MAX_HEAD) return false;
  const fields = text.slice(magic + MAGIC.length).split(" ");
  const last = fields.pop()!;
  const number = (field: string, limit: bigint, star: boolean) => {
    const digits = star ? field.replace(/^\*/, "") : field;
    return /^[0-9]{1,20}$/.test(digits) && BigInt(digits) < limit;
  };
  const limits = [1n << 64n, 256n, 256n, 256n, 256n];
  if (fields.length === 0) return last === "";
  if (fields[0] !== "" || fields.length > 6) return false;
  for (const [i, field] of fields.slice(1).entries()) {
    if (!number(field, limits[i]!, false)) return false;
  }
  return fields.length === 6 ? /^\*?[0-9]{0,20}$/.test(last) : /^[0-9]{0,20}$/.test(last);
}

function statedLength(payload: Uint8Array, stated: number, max: number): number {
  if (stated > max) throw "DNODE_LONG_PAYLOAD";
  if (stated > payload.length) throw new Incomplete(stated);
  return stated;
}

/** Where the request or reply in the payload ends. Nothing behind the longest payload is looked at. */
function payloadLength(
  payload: Uint8Array,
  kind: "redis" | "memcached",
  response: boolean,
  max: number,
): number {
  const seen = payload.subarray(0, max);
  if (seen.length === 0) {
    if (max === 0) throw "DNODE_LONG_PAYLOAD";
    throw new Incomplete(1);
  }
  const { consumed, status, wanted } = readPayload(seen, kind, response, max);
  if (status === "complete") return consumed;
  if (status === "MEMCACHED_LONG_VALUE") throw "DNODE_LONG_PAYLOAD";
  if (status !== "incomplete") throw "DNODE_BAD_PAYLOAD";
  if (seen.length + wanted > max) throw "DNODE_LONG_PAYLOAD";
  throw new Incomplete(seen.length + wanted);
}

function readPayload(
  payload: Uint8Array,
  kind: "redis" | "memcached",
  response: boolean,
  max: number,
): Pick<SlowStream<unknown>, "consumed" | "status" | "wanted"> {
  if (kind === "memcached") {
    if (response) return readMemcachedReplies(payload, max, 1);
    const found = readMemcachedRequests(payload, max, 1);
    const first = found.messages[0];
    if (first?.command !== "invalid") return found;
    throw first.code === "MEMCACHED_TOO_LARGE" ? "DNODE_LONG_PAYLOAD" : "DNODE_BAD_PAYLOAD";
  }
  if (response) return readReplies(payload, 1);
  const begin = latin1(payload.subarray(0, 5));
  // Of the inline commands only PING is passed between nodes.
  if (begin[0] !== "*") {
    if (!"PING".startsWith(begin.slice(0, 4).toUpperCase())) throw "DNODE_BAD_PAYLOAD";
    if (begin.length === 5 && begin.charCodeAt(4) > 32) throw "DNODE_BAD_PAYLOAD";
  }
  const found = readRequests(payload, false, 1);
  if (found.messages[0]?.length === 0) throw "DNODE_BAD_PAYLOAD";
  return found;
}
