// The records of hashes in a replicated store: what the kernel holds of a StampedHashObject, and that both say the same. A hash
// without fields, or that has expired, has a record too, which the kernel hides: what it knows is needed for merging.

import { RECORD } from "./kernel.ts";
import { StampedHashObject } from "./objects/stamped-hash.ts";
import { expiryOf, floorOf, peekRecord, stampOfRecord } from "./records.ts";
import { after, isNewer, nodeOf, OLDEST, timeOf } from "./stamp.ts";
import type { Entry, Key, Table } from "./table.ts";

/** The hash of a record, up to date and without what has expired; undefined for a record of anything else. */
export function hashAt(store: Table, entry: Entry): StampedHashObject | undefined {
  const { memory, objects } = store;
  if ((memory.bytes[entry + RECORD.access]! & RECORD.object) === 0) return undefined;
  const object = objects.get(memory.words[(entry + RECORD.valueLength) >>> 2]!);
  if (!(object instanceof StampedHashObject)) return undefined;
  // EXPIRE and PERSIST in the kernel change the record alone.
  const stamp = stampOfRecord(store, entry);
  if (isNewer(stamp, object.newest)) object.setExpiry(expiryOf(store, entry), stamp, store.now);
  const floor = floorOf(store, memory.bytes[entry + RECORD.access]! & RECORD.database);
  if (floor !== OLDEST) object.deleteOlder(after(floor));
  object.trim(store.now);
  return object;
}

/** A new hash for a key that has none: it knows of the deletions that are known here. `entry`: the key's record or 0. */
export function newHash(store: Table, database: number, entry: Entry): StampedHashObject {
  const hash = new StampedHashObject();
  if (entry !== 0) hash.deleteOlder(stampOfRecord(store, entry));
  const floor = floorOf(store, database);
  if (floor !== OLDEST) hash.deleteOlder(after(floor));
  return hash;
}

/**
 * Makes the record of a key say what its hash is like: stamp, expiry, bytes, and whether anybody sees it. Takes the place of
 * whatever was there. Returns the record, 0 at the ceiling, with nothing changed.
 */
export function installHash(
  store: Table,
  database: number,
  key: Key,
  hash: StampedHashObject,
): Entry {
  const { kernel, objects, now } = store;
  const held = peekRecord(store, database, key);
  const isHeld = held !== 0 && hashAtRecord(store, held) === hash;
  const handle = isHeld
    ? store.memory.words[(held + RECORD.valueLength) >>> 2]!
    : objects.add(hash);
  hash.trim(now);
  const isSeen = hash.size !== 0;
  const expiry = isSeen && !hash.hasExpired(now) ? hash.expiry : 0;
  const entry = kernel.hostInstall(
    database,
    key.pointer,
    key.length,
    handle,
    hash.bytes,
    isSeen ? 0 : RECORD.tombstone,
    timeOf(hash.newest),
    (BigInt(expiry) << 16n) | BigInt(nodeOf(hash.newest)),
  );
  if (entry === 0 && !isHeld) objects.remove(handle);
  return entry >>> 0;
}

/** Whether a record is that of an object which has expired and has not been trimmed. */
export function isUntrimmed(store: Table, entry: Entry): boolean {
  const hidden = RECORD.object | RECORD.tombstone;
  const flags = store.memory.bytes[entry + RECORD.access]!;
  return (flags & hidden) === hidden && expiryOf(store, entry) !== 0;
}

function hashAtRecord({ memory, objects }: Table, entry: Entry): unknown {
  if ((memory.bytes[entry + RECORD.access]! & RECORD.object) === 0) return undefined;
  return objects.get(memory.words[(entry + RECORD.valueLength) >>> 2]!);
}
