/** The slow parser of the data frames between nodes (assembly/kernel/ring/frames.ts), which says why bytes are no frame. */
import { Incomplete, latin1, readAll, type SlowStream } from "./cut.ts";

export const WRITE = 0x10;
export const READ = 0x11;
export const BATCH = 0x12;
export const FLOOR = 0x13;
export const ACKS = 0x18;
export const STALE = 0x19;
export const NEWER = 0x1a;
export const OLDER = 0x1b;
export const FAIL = 0x1c;
export const PRIOR = 0x1d;

/** Names of the types, "host" for those that the kernel hands on. */
const NAMES: Readonly<Record<number, string>> = {
  [WRITE]: "write",
  [READ]: "read",
  [BATCH]: "batch",
  [FLOOR]: "floor",
  [ACKS]: "acks",
  [STALE]: "stale",
  [NEWER]: "newer",
  [OLDER]: "older",
  [FAIL]: "fail",
  [PRIOR]: "prior",
};

export interface PeerFrame {
  /** The type's name. */
  readonly name: string;
  readonly type: number;
  readonly flags: number;
  readonly database: number;
  readonly stamp: bigint;
  readonly node: number;
  /** In ms since the epoch, of WRITE and NEWER. */
  readonly expiry: number;
  readonly key: string;
  /** What lies behind the key: of READ what is for the host. */
  readonly value: string;
  /** Of ACKS, BATCH: the count; of FAIL: the code; of PRIOR: whether it was alive. */
  readonly number: number;
  /** Of STALE: the frame that was refused; of BATCH: its frames. */
  readonly inner: readonly PeerFrame[];
  readonly bytes: Uint8Array;
}

/** Longest frame that a node takes by default, in bytes. */
const MAX_FRAME_BYTES = 72 * 1024 * 1024;

/** Reads frames; the status is "complete", "incomplete", or why the bytes are no frame. */
export function readPeerFrames(
  input: Uint8Array,
  maxFrameBytes = MAX_FRAME_BYTES,
): SlowStream<PeerFrame> {
  return readAll(input.length, (at) => {
    if (input.length - at < 8) throw new Incomplete(at + 8);
    const length = new DataView(input.buffer, input.byteOffset + at).getUint32(0, true);
    if (length > maxFrameBytes) throw "FRAME_TOO_LONG";
    checkLength(input[at + 4]!, length);
    if (length > input.length - at) throw new Incomplete(at + length);
    return [readFrame(input.subarray(at, at + length)), at + length];
  });
}

function checkLength(type: number, length: number): void {
  if (length < 8) throw "FRAME_TOO_SHORT";
  if (type < 0x10 || type >= 0x30) return;
  if (NAMES[type] === undefined) throw "FRAME_UNKNOWN";
  const exact = { [FLOOR]: 24, [ACKS]: 12, [FAIL]: 12, [PRIOR]: 28 }[type];
  const least = exact ?? (type === STALE ? 24 + 28 : 28);
  if (length < least || (exact !== undefined && length > exact)) throw "FRAME_LENGTH";
}

/** Reads one whole frame whose length is that of `bytes`. */
function readFrame(bytes: Uint8Array): PeerFrame {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const type = bytes[4]!;
  const keyed = [WRITE, READ, NEWER, OLDER].includes(type);
  const stamped = keyed || [BATCH, FLOOR, STALE, PRIOR].includes(type);
  const keyLength = keyed ? view.getUint32(24, true) : 0;
  if (keyed && 28 + keyLength > bytes.length) throw "FRAME_KEY";
  const flags = bytes[5]! & 0xf0;
  const value = keyed ? latin1(bytes.subarray(28 + keyLength)) : "";
  if (type === WRITE || type === NEWER) {
    if (view.getUint16(6, true) !== 0) throw "FRAME_AUX";
    const seen = type === WRITE && value.length === 10;
    if ((flags & 0x10) !== 0 && value.length !== 0 && !seen) throw "FRAME_TOMBSTONE_VALUE";
  }
  if ((type === WRITE || type === NEWER) && (flags & 0x80) !== 0) {
    if ((flags & 0x50) !== 0 || value.length < 4) throw "FRAME_TAG";
  }
  if (type === OLDER && value.length !== 0) throw "FRAME_OLDER_VALUE";
  const numberAt = { [ACKS]: 8, [FAIL]: 8, [PRIOR]: 24, [BATCH]: 24 }[type];
  const number = numberAt === undefined ? 0 : view.getUint32(numberAt, true);
  return {
    name: NAMES[type] ?? "host",
    type,
    flags,
    database: bytes[5]! & 0x0f,
    stamp: stamped ? view.getBigUint64(8, true) : 0n,
    node: stamped ? view.getUint16(16, true) : 0,
    expiry: type === WRITE || type === NEWER ? Number(view.getBigUint64(16, true) >> 16n) : 0,
    key: keyed ? latin1(bytes.subarray(28, 28 + keyLength)) : "",
    value,
    number,
    inner: type === STALE ? [readEcho(bytes)] : type === BATCH ? readBatch(bytes, number) : [],
    bytes,
  };
}

function readEcho(bytes: Uint8Array): PeerFrame {
  const [write, ...more] = readWrites(bytes.subarray(24), "FRAME_ECHO");
  if (write === undefined || more.length > 0) throw "FRAME_ECHO";
  return write;
}

function readBatch(bytes: Uint8Array, count: number): PeerFrame[] {
  const writes = readWrites(bytes.subarray(28), "FRAME_BATCH");
  if (writes.length !== count) throw "FRAME_BATCH";
  return writes;
}

/** Reads WRITE frames that take all of `bytes`; throws `code` for anything else. */
function readWrites(bytes: Uint8Array, code: string): PeerFrame[] {
  const read = readPeerFrames(bytes, bytes.length);
  if (read.status !== "complete" || read.messages.some(({ type }) => type !== WRITE)) throw code;
  return read.messages;
}
