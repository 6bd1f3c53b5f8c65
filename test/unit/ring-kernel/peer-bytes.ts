/** Frames between nodes as the tests write them: keys and values are text, one character per byte. */

import {
  encodeBatch,
  encodeFloor,
  encodeRead,
  encodeWrite,
  FRAME,
  FRAME_FLAG,
  newFrame,
  view,
} from "../../../src/link/frame.ts";
import { fromLatin1 } from "../../../src/store/arguments.ts";

export interface RecordFacts {
  readonly node?: number;
  readonly expiry?: number;
  readonly flags?: number;
  readonly database?: number;
}

export function write(
  key: string,
  value: string,
  stamp: bigint,
  { node = 1, expiry = 0, flags = 0, database = 0 }: RecordFacts = {},
): Uint8Array {
  return encodeWrite({
    database,
    flags,
    stamp,
    expiry: BigInt(expiry),
    node,
    key: fromLatin1(key),
    value: fromLatin1(value),
  });
}

export function tombstone(key: string, stamp: bigint, facts: RecordFacts = {}): Uint8Array {
  return write(key, "", stamp, { ...facts, flags: (facts.flags ?? 0) | FRAME_FLAG.tombstone });
}

/** A DEL whose coordinator saw a record of this stamp and node. */
export function deletion(
  key: string,
  stamp: bigint,
  seen: { readonly stamp: bigint; readonly node: number },
  facts: RecordFacts = {},
): Uint8Array {
  const value = new Uint8Array(10);
  view(value).setBigUint64(0, seen.stamp, true);
  view(value).setUint16(8, seen.node, true);
  const text = String.fromCharCode(...value);
  return write(key, text, stamp, { ...facts, flags: (facts.flags ?? 0) | FRAME_FLAG.tombstone });
}

/** A WRITE's bytes as those of a NEWER. */
export function newer(frame: Uint8Array): Uint8Array {
  const copy = frame.slice();
  copy[4] = FRAME.newer;
  return copy;
}

export function read(key: string, stamp = 0n, node = 0, database = 0): Uint8Array {
  return encodeRead({ database, flags: 0, stamp, node, key: fromLatin1(key) });
}

export function older(key: string, stamp = 0n, node = 0, database = 0): Uint8Array {
  const frame = read(key, stamp, node, database);
  frame[4] = FRAME.older;
  return frame;
}

export function batch(stamp: bigint, node: number, writes: readonly Uint8Array[]): Uint8Array {
  return encodeBatch({ database: 0, stamp, node, writes });
}

export function floor(stamp: bigint, node = 1, database = 0): Uint8Array {
  return encodeFloor({ database, stamp, node });
}

export function acks(count: number): Uint8Array {
  const frame = newFrame(12, FRAME.acks);
  view(frame).setUint32(8, count, true);
  return frame;
}

export function fail(code: number): Uint8Array {
  const frame = newFrame(12, FRAME.fail);
  view(frame).setUint32(8, code, true);
  return frame;
}

export function stale(stamp: bigint, node: number, echo: Uint8Array): Uint8Array {
  const frame = newFrame(24 + echo.length, FRAME.stale);
  view(frame).setBigUint64(8, stamp, true);
  view(frame).setBigUint64(16, BigInt(node), true);
  frame.set(echo, 24);
  return frame;
}

export function prior(stamp: bigint, node: number, alive: boolean): Uint8Array {
  const frame = newFrame(28, FRAME.prior);
  view(frame).setBigUint64(8, stamp, true);
  view(frame).setBigUint64(16, BigInt(node), true);
  view(frame).setUint32(24, alive ? 1 : 0, true);
  return frame;
}

/** A frame of another type, with a body. */
export function other(type: number, body = ""): Uint8Array {
  const frame = newFrame(8 + body.length, type);
  frame.set(fromLatin1(body), 8);
  return frame;
}
