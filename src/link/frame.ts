/**
 * Frames between nodes, version 2, as the host writes and reads them. The numbers are those of assembly/kernel/ring/frames.ts, which
 * draws the frames of the kernel; all integers are little-endian.
 *
 *   every frame   0 u32 length of all of it   4 u8 type   5 u8 flags (upper 4 bits), database (lower 4)   6 u16 aux
 *
 *   WRITE    0x10   8 u64 stamp   16 u64 expiry << 16 | node   24 u32 key length   28 key, value
 *   READ     0x11   8 u64 stamp   16 u64 node (of what the asker holds)   24 u32 key length   28 key   u64 digest of what the asker
 *                   holds, or nothing: with it the host answers
 *   BATCH    0x12   8 u64 stamp   16 u64 node   24 u32 count   28 that many WRITE frames
 *   FLOOR    0x13   8 u64 stamp   16 u64 node
 *   STALE    0x19   8 u64 stamp   16 u64 node (of what the replica holds)   24 the WRITE frame that it refuses
 *   OLDER    0x1b   as READ, of what the replica holds, without a digest
 *   REQUEST  0x30   8 u32 id   12 u32 ms until its deadline   16 u8 kind   17 0 0 0   20 body
 *   RESPONSE 0x31   8 u32 id   12 u32 status (0 ok, 1 error)   16 body (of an error: text, UTF-8)
 *   STATUS   0x32   8 JSON, UTF-8
 */
import { RingletError } from "../base/errors.ts";

/** Types of frames. 0x00–0x0f are the link's (control-frame.ts), 0x10–0x2f the kernel's, from 0x30 on the host's. */
export const FRAME = {
  write: 0x10,
  read: 0x11,
  batch: 0x12,
  floor: 0x13,
  acks: 0x18,
  stale: 0x19,
  newer: 0x1a,
  older: 0x1b,
  fail: 0x1c,
  prior: 0x1d,
  request: 0x30,
  response: 0x31,
  status: 0x32,
} as const;

/** Where the kernel's types begin, and the host's. */
export const FRAME_FIRST_OF = { kernel: 0x10, host: 0x30 } as const;

/** Flags of WRITE and NEWER; `tagged`: the value ends with its tag (store/database.ts). */
export const FRAME_FLAG = { tombstone: 0x10, spread: 0x20, object: 0x40, tagged: 0x80 } as const;
/** The part of the byte of flags that they take, and that of the database. */
export const FLAGS_MASK = 0xf0;
export const DATABASE_MASK = 0x0f;

/** Bytes of every frame in front of what its type adds, and of each type in front of what varies. */
export const FRAME_BYTES = {
  header: 8,
  key: 28,
  batch: 28,
  floor: 24,
  stale: 24,
  request: 20,
  response: 16,
  status: 8,
} as const;

/** Bytes of the tag at the end of a tagged value. */
const TAG_BYTES = 4;
/** Bytes of the digest behind the key of a READ. */
const DIGEST_BYTES = 8;

/** Status of a RESPONSE. */
export const RESPONSE_STATUS = { ok: 0, error: 1 } as const;

/** A record, or a tombstone, of a key. */
export interface WriteFrame {
  readonly database: number;
  /** FRAME_FLAG bits. */
  readonly flags: number;
  readonly stamp: bigint;
  /** Wall clock in ms; 0: never. 48 bits. */
  readonly expiry: bigint;
  /** Who minted the stamp. */
  readonly node: number;
  readonly key: Uint8Array;
  readonly value: Uint8Array;
}

export interface ReadFrame {
  readonly database: number;
  readonly flags: number;
  /** Stamp and node of what the asker holds; 0 and 0: nothing. */
  readonly stamp: bigint;
  readonly node: number;
  readonly key: Uint8Array;
  /** Of the state that the asker holds, 64 bits; left out: the frame has none. */
  readonly digest?: bigint | undefined;
}

export interface BatchFrame {
  readonly database: number;
  readonly stamp: bigint;
  readonly node: number;
  /** Whole WRITE frames. */
  readonly writes: readonly Uint8Array[];
}

export interface FloorFrame {
  readonly database: number;
  readonly stamp: bigint;
  readonly node: number;
}

export interface RequestFrame {
  readonly id: number;
  /** Time until the asker stops waiting, in ms. */
  readonly timeoutMs: number;
  readonly kind: number;
  readonly body: Uint8Array;
}

export interface ResponseFrame {
  readonly id: number;
  /** One of RESPONSE_STATUS. */
  readonly status: number;
  readonly body: Uint8Array;
}

/** Length of the frame that begins at `at`, its type, its flags and its database. */
export function frameHead(bytes: Uint8Array, at = 0) {
  return {
    length: view(bytes).getUint32(at, true),
    type: bytes[at + 4]!,
    flags: bytes[at + 5]! & FLAGS_MASK,
    database: bytes[at + 5]! & DATABASE_MASK,
    aux: view(bytes).getUint16(at + 6, true),
  };
}

/** A new frame of `length` bytes with its header written. */
export function newFrame(length: number, type: number, flagsAndDatabase = 0): Uint8Array {
  const frame = new Uint8Array(length);
  view(frame).setUint32(0, length, true);
  frame[4] = type;
  frame[5] = flagsAndDatabase;
  return frame;
}

export function encodeWrite(write: WriteFrame): Uint8Array {
  const { database, flags, stamp, expiry, node, key, value } = write;
  const length = FRAME_BYTES.key + key.length + value.length;
  const frame = newFrame(length, FRAME.write, flags | database);
  setKey(frame, stamp, (expiry << 16n) | BigInt(node), key);
  frame.set(value, FRAME_BYTES.key + key.length);
  return frame;
}

/** Reads a WRITE or NEWER frame; key and value are views of it. Throws RingletError BAD_FRAME. */
export function decodeWrite(frame: Uint8Array): WriteFrame {
  const keyLength = keyLengthOf(frame, "WRITE");
  const { flags, database } = frameHead(frame);
  const data = view(frame);
  const valueAt = FRAME_BYTES.key + keyLength;
  if ((flags & FRAME_FLAG.tagged) !== 0 && frame.length - valueAt < TAG_BYTES) {
    throw badFrame("WRITE", frame);
  }
  return {
    database,
    flags,
    stamp: data.getBigUint64(8, true),
    expiry: data.getBigUint64(16, true) >> 16n,
    node: data.getUint16(16, true),
    key: frame.subarray(FRAME_BYTES.key, valueAt),
    value: frame.subarray(valueAt),
  };
}

export function encodeRead(read: ReadFrame): Uint8Array {
  const { database, flags, stamp, node, key, digest } = read;
  const keyEnd = FRAME_BYTES.key + key.length;
  const length = keyEnd + (digest === undefined ? 0 : DIGEST_BYTES);
  const frame = newFrame(length, FRAME.read, flags | database);
  setKey(frame, stamp, BigInt(node), key);
  if (digest !== undefined) view(frame).setBigUint64(keyEnd, digest, true);
  return frame;
}

/** Reads a READ or OLDER frame; the key is a view of it. Throws RingletError BAD_FRAME. */
export function decodeRead(frame: Uint8Array): ReadFrame {
  const keyEnd = FRAME_BYTES.key + keyLengthOf(frame, "READ");
  const { flags, database } = frameHead(frame);
  const data = view(frame);
  const hasDigest = frame.length >= keyEnd + DIGEST_BYTES;
  return {
    database,
    flags,
    stamp: data.getBigUint64(8, true),
    node: data.getUint16(16, true),
    key: frame.subarray(FRAME_BYTES.key, keyEnd),
    digest: hasDigest ? data.getBigUint64(keyEnd, true) : undefined,
  };
}

/** OLDER: what a replica holds of a key, older than what a READ asked about. */
export function encodeOlder(held: Omit<ReadFrame, "digest">): Uint8Array {
  const frame = encodeRead({ ...held, digest: undefined });
  frame[4] = FRAME.older;
  return frame;
}

/** STALE: a replica refuses a WRITE frame for what it holds. */
export function encodeStale(
  held: { readonly stamp: bigint; readonly node: number },
  write: Uint8Array,
): Uint8Array {
  const length = FRAME_BYTES.stale + write.length;
  const frame = newFrame(length, FRAME.stale, frameHead(write).database);
  setStamp(frame, held.stamp, BigInt(held.node));
  frame.set(write, FRAME_BYTES.stale);
  return frame;
}

export function encodeBatch({ database, stamp, node, writes }: BatchFrame): Uint8Array {
  const length = writes.reduce<number>((sum, write) => sum + write.length, FRAME_BYTES.batch);
  const frame = newFrame(length, FRAME.batch, database);
  setStamp(frame, stamp, BigInt(node));
  view(frame).setUint32(24, writes.length, true);
  let at: number = FRAME_BYTES.batch;
  for (const write of writes) {
    frame.set(write, at);
    at += write.length;
  }
  return frame;
}

/** Reads a BATCH frame; its WRITE frames are views of it. Throws RingletError BAD_FRAME. */
export function decodeBatch(frame: Uint8Array): BatchFrame {
  if (frame.length < FRAME_BYTES.batch) throw badFrame("BATCH", frame);
  const data = view(frame);
  const writes: Uint8Array[] = [];
  let at: number = FRAME_BYTES.batch;
  for (let count = data.getUint32(24, true); count > 0; count--) {
    if (at + FRAME_BYTES.key > frame.length) throw badFrame("BATCH", frame);
    const { length, type } = frameHead(frame, at);
    if (type !== FRAME.write || length < FRAME_BYTES.key || at + length > frame.length) {
      throw badFrame("BATCH", frame);
    }
    const write = frame.subarray(at, at + length);
    keyLengthOf(write, "BATCH");
    writes.push(write);
    at += length;
  }
  if (at !== frame.length) throw badFrame("BATCH", frame);
  return {
    database: frameHead(frame).database,
    stamp: data.getBigUint64(8, true),
    node: data.getUint16(16, true),
    writes,
  };
}

export function encodeFloor({ database, stamp, node }: FloorFrame): Uint8Array {
  const frame = newFrame(FRAME_BYTES.floor, FRAME.floor, database);
  setStamp(frame, stamp, BigInt(node));
  return frame;
}

/** Throws RingletError BAD_FRAME. */
export function decodeFloor(frame: Uint8Array): FloorFrame {
  if (frame.length !== FRAME_BYTES.floor) throw badFrame("FLOOR", frame);
  const data = view(frame);
  return {
    database: frameHead(frame).database,
    stamp: data.getBigUint64(8, true),
    node: data.getUint16(16, true),
  };
}

export function encodeRequest({ id, timeoutMs, kind, body }: RequestFrame): Uint8Array {
  const frame = newFrame(FRAME_BYTES.request + body.length, FRAME.request);
  const data = view(frame);
  data.setUint32(8, id, true);
  data.setUint32(12, timeoutMs, true);
  frame[16] = kind;
  frame.set(body, FRAME_BYTES.request);
  return frame;
}

/** Reads a REQUEST frame; the body is a view of it. Throws RingletError BAD_FRAME. */
export function decodeRequest(frame: Uint8Array): RequestFrame {
  if (frame.length < FRAME_BYTES.request) throw badFrame("REQUEST", frame);
  const data = view(frame);
  return {
    id: data.getUint32(8, true),
    timeoutMs: data.getUint32(12, true),
    kind: frame[16]!,
    body: frame.subarray(FRAME_BYTES.request),
  };
}

export function encodeResponse({ id, status, body }: ResponseFrame): Uint8Array {
  const frame = newFrame(FRAME_BYTES.response + body.length, FRAME.response);
  const data = view(frame);
  data.setUint32(8, id, true);
  data.setUint32(12, status, true);
  frame.set(body, FRAME_BYTES.response);
  return frame;
}

/** Reads a RESPONSE frame; the body is a view of it. Throws RingletError BAD_FRAME. */
export function decodeResponse(frame: Uint8Array): ResponseFrame {
  if (frame.length < FRAME_BYTES.response) throw badFrame("RESPONSE", frame);
  const data = view(frame);
  return {
    id: data.getUint32(8, true),
    status: data.getUint32(12, true),
    body: frame.subarray(FRAME_BYTES.response),
  };
}

/** A STATUS frame: what a node says of itself. */
export function encodeStatus(state: Readonly<Record<string, unknown>>): Uint8Array {
  const body = new TextEncoder().encode(JSON.stringify(state));
  const frame = newFrame(FRAME_BYTES.status + body.length, FRAME.status);
  frame.set(body, FRAME_BYTES.status);
  return frame;
}

/** Throws RingletError BAD_FRAME for a body that is no JSON object. */
export function decodeStatus(frame: Uint8Array): Record<string, unknown> {
  const state = parseObject(frame.subarray(FRAME_BYTES.status));
  if (state === undefined) throw badFrame("STATUS", frame);
  return state;
}

/** The JSON object in `bytes`; undefined for anything else. */
export function parseObject(bytes: Uint8Array): Record<string, unknown> | undefined {
  try {
    const text = new TextDecoder("utf-8", { fatal: true }).decode(bytes);
    const value: unknown = JSON.parse(text);
    const isObject = typeof value === "object" && value !== null && !Array.isArray(value);
    return isObject ? (value as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}

export function view(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

function setStamp(frame: Uint8Array, stamp: bigint, second: bigint): void {
  const data = view(frame);
  data.setBigUint64(8, stamp, true);
  data.setBigUint64(16, second, true);
}

function setKey(frame: Uint8Array, stamp: bigint, second: bigint, key: Uint8Array): void {
  setStamp(frame, stamp, second);
  view(frame).setUint32(24, key.length, true);
  frame.set(key, FRAME_BYTES.key);
}

function keyLengthOf(frame: Uint8Array, type: string): number {
  if (frame.length < FRAME_BYTES.key) throw badFrame(type, frame);
  const keyLength = view(frame).getUint32(24, true);
  if (keyLength > frame.length - FRAME_BYTES.key) throw badFrame(type, frame);
  return keyLength;
}

function badFrame(type: string, frame: Uint8Array): RingletError {
  return new RingletError(
    "BAD_FRAME",
    `a ${type} frame of ${frame.length} bytes does not hold what it says; nothing of it was applied`,
  );
}
