// Records of the kernel's table as they are, tombstones and expired ones too, and the stamps of the table.

import { RECORD, TAG_BYTES } from "./kernel.ts";
import { OLDEST, type Stamp, stampFrom } from "./stamp.ts";
import type { Entry, Key, Table } from "./table.ts";

/** The record of a key as it is, also a tombstone and what has expired; 0 for none. */
export function peekRecord(store: Table, database: number, key: Key): Entry {
  return store.kernel.hostPeek(database, key.pointer, key.length) >>> 0;
}

/** The stamp of a record. */
export function stampOfRecord({ memory }: Table, entry: Entry): Stamp {
  const data = memory.data;
  const node = data.getUint16(entry + RECORD.expiry, true);
  return stampFrom(data.getBigUint64(entry + RECORD.stamp, true), node);
}

/** When a record expires, in ms since the epoch, 0 for never. */
export function expiryOf({ memory }: Table, entry: Entry): number {
  return Number(memory.data.getBigUint64(entry + RECORD.expiry, true) >> 16n);
}

/** The bytes of a string's record where they are: valid until the next write. */
export function valueAt({ memory }: Table, entry: Entry): Uint8Array<ArrayBuffer> {
  const start = entry + RECORD.key + memory.words[(entry + RECORD.keyLength) >>> 2]!;
  return memory.bytes.subarray(start, start + memory.words[(entry + RECORD.valueLength) >>> 2]!);
}

/** Whether a record is a string with a tag. */
export function isTagged({ memory }: Table, entry: Entry): boolean {
  const flags = memory.bytes[entry + RECORD.access]!;
  return (flags & (RECORD.tagged | RECORD.object)) === RECORD.tagged;
}

/** The bytes of a string's record with its tag behind them, as frames carry them: valid until the next write. */
export function bodyAt(store: Table, entry: Entry): Uint8Array<ArrayBuffer> {
  const value = valueAt(store, entry);
  if (!isTagged(store, entry)) return value;
  const start = value.byteOffset;
  return store.memory.bytes.subarray(start, start + value.length + TAG_BYTES);
}

/** A stamp for a write of this node. */
export function mintStamp({ kernel }: Table): Stamp {
  return stampFrom(BigInt.asUintN(64, kernel.hostMint()), kernel.hostNode());
}

/** The stamp at or below which everything of a database is gone. */
export function floorOf({ kernel }: Table, database: number): Stamp {
  const time = BigInt.asUintN(64, kernel.floorOf(database));
  return time === 0n ? OLDEST : stampFrom(time, kernel.floorNodeOf(database));
}
