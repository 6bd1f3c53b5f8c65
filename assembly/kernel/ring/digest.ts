// A digest of what a database holds, to compare replicas: the sum of a 64-bit hash of each live entry, so order does not matter.
// Tombstones do not count: they are collected at different times. Not for secrets.

import { now } from "../clock";
import {
  FLAG_OBJECT,
  FLAG_TOMBSTONE,
  recordBodyLength,
  recordExpiry,
  recordFlags,
  recordKey,
  recordKeyLength,
  recordNode,
  recordStamp,
  recordValue,
} from "../record";
import { slotRecord, tableEntries } from "../table";
import { SWEEP_SLOTS, tableSweep, tableSweepNext } from "../table-walk";

/**
 * The digest of a database: over keys, values, expiries and, unless `stamps` is 0, stamps and their nodes. Of objects of the host
 * it has only the rest; the host adds their values.
 */
export function digest(database: u32, stamps: u32): u64 {
  let sum: u64 = 0;
  if (tableEntries(database) == 0) return sum;
  let hash: u32 = 0;
  do {
    const first = tableSweep(database, hash);
    for (let slot = first; slot < first + (SWEEP_SLOTS << 3); slot += 8) {
      const record = slotRecord(slot);
      if (record != 0) sum += entryDigest(record, stamps != 0);
    }
    hash = tableSweepNext(database, hash);
  } while (hash != 0);
  return sum;
}

function entryDigest(record: u32, stamps: bool): u64 {
  const flags = recordFlags(record);
  const expiry = recordExpiry(record);
  if (flags & FLAG_TOMBSTONE || (expiry != 0 && expiry <= now)) return 0;
  let hash = hashBytes(recordKey(record), recordKeyLength(record), 0);
  if (!(flags & FLAG_OBJECT)) hash = hashBytes(recordValue(record), recordBodyLength(record), hash);
  hash = mix(hash ^ expiry);
  return stamps ? mix(mix(hash ^ recordStamp(record)) ^ <u64>recordNode(record)) : hash;
}

/** A 64-bit hash of bytes (words through the finalizer of SplitMix64), continued from `seed`. */
export function hashBytes(pointer: u32, length: u32, seed: u64): u64 {
  let hash = mix(seed ^ <u64>length);
  const whole = pointer + (length & ~7);
  for (let at = pointer; at < whole; at += 8) hash = mix(hash ^ load<u64>(at));
  const rest = length & 7;
  if (rest != 0) hash = mix(hash ^ (load<u64>(whole) & (((<u64>1) << (rest << 3)) - 1)));
  return hash;
}

// @ts-ignore: decorator
@inline
function mix(word: u64): u64 {
  let z = word + 0x9e3779b97f4a7c15;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
  z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
  return z ^ (z >> 31);
}
