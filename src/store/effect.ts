/**
 * Effects: what a command has done to keys, as other replicas are told of it: the whole record of a string, a tombstone, or of a host
 * object what has changed in it; and floors. Applied by apply.ts.
 */

import { encodeFloor, encodeWrite, FRAME_FLAG } from "../link/frame.ts";
import { fromLatin1 } from "./arguments.ts";
import { hashAt } from "./hash-records.ts";
import type { Change, Changes } from "./journal.ts";
import { RECORD } from "./kernel.ts";
import { encodeHashState, splitState } from "./objects/hash-state.ts";
import { bodyAt, expiryOf, isTagged, peekRecord, stampOfRecord } from "./records.ts";
import { nodeOf, type Stamp, timeOf } from "./stamp.ts";
import type { Entry, Key, Table } from "./table.ts";

/** What other replicas are told of a key, or of a database. */
export interface Effect {
  readonly kind: "value" | "tagged" | "tombstone" | "object" | "floor";
  readonly database: number;
  /** Of a floor: none. */
  readonly key: Uint8Array;
  /** Value of the clock and node that minted it. */
  readonly stamp: bigint;
  readonly node: number;
  /** In ms since the epoch, 0 for never. */
  readonly expiry: number;
  /** The value, of a tagged one with its tag; of an object its state, or the part that has changed (objects/hash-state.ts). */
  readonly bytes: Uint8Array;
}

/**
 * The effects of what a journal has noted: floors, then each key, once, or several times for an object that is too large to be told
 * at once. `stamp`: of all its writes.
 */
export function effectsOf(store: Table, changes: Changes, stamp: bigint): Effect[] {
  const effects: Effect[] = [];
  for (const [database, floor] of changes.floors) effects.push(floorEffect(database, floor));
  for (const change of changes.keys) {
    // Without a stamp, nothing was written in the end.
    if (stamp !== 0n) effects.push(...effectsOfKey(store, change, stamp));
  }
  return effects;
}

/** The frame of an effect: WRITE or FLOOR. `spread`: its receiver passes it on to the other racks of its datacenter. */
export function effectFrame(effect: Effect, spread = false): Uint8Array {
  const { kind, database, stamp, node, key, expiry, bytes } = effect;
  if (kind === "floor") return encodeFloor({ database, stamp, node });
  const flags = FLAGS[kind] | (spread ? FRAME_FLAG.spread : 0);
  return encodeWrite({ database, flags, stamp, node, expiry: BigInt(expiry), key, value: bytes });
}

const FLAGS = {
  value: 0,
  tagged: FRAME_FLAG.tagged,
  tombstone: FRAME_FLAG.tombstone,
  object: FRAME_FLAG.object,
} as const;

/**
 * All that the record of a key says, a tombstone too: one effect, or several for an object that is too large to be told at once
 * (`maxBytes`); none where nothing is known of the key.
 */
export function recordEffects(
  store: Table,
  database: number,
  key: Uint8Array,
  maxBytes?: number,
): Effect[] {
  const entry = peekRecord(store, database, store.place(key));
  return entry === 0 ? [] : readRecord(store, database, key, entry, { maxBytes });
}

function floorEffect(database: number, floor: Stamp): Effect {
  const [stamp, node] = [timeOf(floor), nodeOf(floor)];
  return { kind: "floor", database, key: NOTHING, stamp, node, expiry: 0, bytes: NOTHING };
}

function effectsOfKey(store: Table, change: Change, stamp: bigint): Effect[] {
  const { database } = change;
  const key = fromLatin1(change.key);
  const placed: Key = store.place(key);
  const entry = peekRecord(store, database, placed);
  if (entry !== 0) {
    const effects = readRecord(store, database, key, entry, change);
    if (effects[0]!.stamp === stamp) return effects;
  }
  // At the ceiling a removed key may have no tombstone here; the others need one all the same.
  const node = store.kernel.hostNode();
  return [{ kind: "tombstone", database, key, stamp, node, expiry: 0, bytes: NOTHING }];
}

/** `part`: which elements of an object are told, all by default, and in how many bytes at a time. */
function readRecord(
  store: Table,
  database: number,
  key: Uint8Array,
  entry: Entry,
  part: { elements?: ReadonlySet<string> | undefined; maxBytes?: number | undefined },
): Effect[] {
  const hash = hashAt(store, entry);
  if (hash !== undefined) {
    return splitState(hash.state(part.elements), part.maxBytes).map((state) => {
      const [stamp, node] = [timeOf(state.newest), nodeOf(state.newest)];
      const { expiry } = state;
      return { kind: "object", database, key, stamp, node, expiry, bytes: encodeHashState(state) };
    });
  }
  const written = stampOfRecord(store, entry);
  const [stamp, node] = [timeOf(written), nodeOf(written)];
  if ((store.memory.bytes[entry + RECORD.access]! & RECORD.tombstone) !== 0) {
    return [{ kind: "tombstone", database, key, stamp, node, expiry: 0, bytes: NOTHING }];
  }
  const expiry = expiryOf(store, entry);
  const bytes = bodyAt(store, entry).slice();
  const kind = isTagged(store, entry) ? "tagged" : "value";
  return [{ kind, database, key, stamp, node, expiry, bytes }];
}

const NOTHING = new Uint8Array(0);
