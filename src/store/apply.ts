/**
 * Applying what other replicas tell, by stamp: stores that have applied the same records are equal, in whatever order and however
 * often those came.
 */
import {
  decodeFloor,
  decodeWrite,
  FRAME,
  FRAME_FLAG,
  frameHead,
  type WriteFrame,
} from "../link/frame.ts";
import { effectFrame, recordEffects } from "./effect.ts";
import type { EmbeddedStore } from "./embedded-store.ts";
import { hashAt, installHash, newHash } from "./hash-records.ts";
import { APPLIED } from "./kernel-ring.ts";
import { decodeHashState } from "./objects/hash-state.ts";
import { ObjectStateError } from "./objects/object-state-error.ts";
import { floorOf, peekRecord, stampOfRecord } from "./records.ts";
import { compareStamps, isNewer, nodeOf, stampFrom, timeOf } from "./stamp.ts";

/**
 * What became of a record. "applied": it is here now; "merged": into an object that was here; "equal": it was here already;
 * "stale": something that its write did has been overtaken by a newer write, and what was not has been merged; "refused": its stamp is
 * too far ahead of the clock; "noMemory". After the last two nothing has changed.
 */
export type Applied = "applied" | "merged" | "equal" | "stale" | "refused" | "noMemory";

/** What a store holds for a key, to be compared with another's. */
export interface HeldRecord {
  readonly stamp: bigint;
  readonly node: number;
  /** Of an object: 64 bits of its state, which may differ where the stamps are the same; else 0. */
  readonly digest: bigint;
}

/**
 * Applies a whole WRITE, NEWER or FLOOR frame (not a view of linear memory). Throws RingletError, with nothing changed: BAD_FRAME,
 * MALFORMED_OBJECT, STAMP_CONFLICT, OBJECT_TOO_LARGE.
 */
export function applyFrame(store: EmbeddedStore, frame: Uint8Array): Applied {
  if (frameHead(frame).type === FRAME.floor) return applyFloor(store, frame);
  const write = decodeWrite(frame);
  return (write.flags & FRAME_FLAG.object) === 0
    ? applyRecord(store, write)
    : applyHash(store, write);
}

/**
 * The WRITE frames of all that is known of a key, a tombstone too: one, or several for an object above `maxBytes`, to be applied in
 * any order; none for nothing.
 */
export function recordFrames(
  store: EmbeddedStore,
  database: number,
  key: Uint8Array,
  maxBytes?: number,
): Uint8Array[] {
  return recordEffects(store, database, key, maxBytes).map((effect) => effectFrame(effect));
}

/** The stamp of what is known of a key, a tombstone too; undefined for nothing. */
export function recordStamp(
  store: EmbeddedStore,
  database: number,
  key: Uint8Array,
): HeldRecord | undefined {
  const entry = peekRecord(store, database, store.place(key));
  if (entry === 0) return undefined;
  const hash = hashAt(store, entry);
  const stamp = hash?.newest ?? stampOfRecord(store, entry);
  return { stamp: timeOf(stamp), node: nodeOf(stamp), digest: hash?.digest() ?? 0n };
}

function applyFloor(store: EmbeddedStore, frame: Uint8Array): Applied {
  const { database, stamp, node } = decodeFloor(frame);
  if (store.kernel.isTooFarAhead(stamp) !== 0) return "refused";
  if (!isNewer(stampFrom(stamp, node), floorOf(store, database))) return "equal";
  store.setFloor(database, stamp, node);
  return "applied";
}

function applyRecord(store: EmbeddedStore, write: WriteFrame): Applied {
  const { database, stamp, node, expiry, key, value } = write;
  const pointer = store.reserveScratch(key.length + value.length);
  store.memory.bytes.set(key, pointer);
  store.memory.bytes.set(value, pointer + key.length);
  const outcome = store.kernel.hostApply(
    database,
    pointer,
    key.length,
    pointer + key.length,
    value.length,
    stamp,
    (expiry << 16n) | BigInt(node),
    write.flags & (FRAME_FLAG.tombstone | FRAME_FLAG.tagged),
  );
  switch (outcome) {
    case APPLIED.applied:
      return "applied";
    case APPLIED.equal:
      return "equal";
    case APPLIED.stale:
      return "stale";
    case APPLIED.tooFarAhead:
      return "refused";
    case APPLIED.object:
      return applyOlder(store, write, pointer);
    default:
      return "noMemory";
  }
}

/** A string or a tombstone that is older than the hash at its key: all that is older still is gone. */
function applyOlder(store: EmbeddedStore, write: WriteFrame, pointer: number): Applied {
  const { database, stamp, node, key } = write;
  const placed = { pointer, length: key.length };
  const hash = hashAt(store, peekRecord(store, database, placed))!;
  if (hash.deleteOlder(stampFrom(stamp, node))) installHash(store, database, placed, hash);
  return "stale";
}

function applyHash(store: EmbeddedStore, write: WriteFrame): Applied {
  const { database, key, value } = write;
  const stamp = stampFrom(write.stamp, write.node);
  const state = decodeHashState(value, stamp, Number(write.expiry));
  if (store.kernel.hostObserve(write.stamp) === 0) return "refused";
  if (!isNewer(stamp, floorOf(store, database))) return "stale";
  if (!store.makeRoom(key.length + value.length)) return "noMemory";
  const placed = store.place(key);
  const entry = peekRecord(store, database, placed);
  const held = entry === 0 ? undefined : hashAt(store, entry);
  if (held === undefined && entry !== 0) {
    const order = compareStamps(stamp, stampOfRecord(store, entry));
    if (order < 0) return "stale";
    if (order === 0) throw typeConflict();
  }
  const hash = held ?? newHash(store, database, entry);
  const { changed, overtaken } = hash.merge(state, store.now, store.hashLimits);
  if (changed && installHash(store, database, placed, hash) === 0) return "noMemory";
  if (overtaken) return "stale";
  if (!changed) return "equal";
  return held === undefined ? "applied" : "merged";
}

const typeConflict = () =>
  new ObjectStateError(
    "STAMP_CONFLICT",
    "two writes with one stamp have left a hash and something else; nothing was merged: two nodes have the same place in the ring, or one has lost its clock",
  );
