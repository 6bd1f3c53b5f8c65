/** A digest of what a database holds, to compare replicas: equal where keys, values, expiries and stamps are. */
import { recordStamp } from "./apply.ts";
import type { EmbeddedStore } from "./embedded-store.ts";
import { StateDigest } from "./objects/state-digest.ts";

/**
 * 64 bits over the live entries of a database, whatever their order; 0 for none. Tombstones do not count. The digest of two
 * databases without common keys together is the sum of theirs, modulo 2^64. It looks at every entry at once. It tells replicas
 * apart, it keeps nobody out.
 */
export function tableDigest(store: EmbeddedStore, database: number): bigint {
  const ofRecords = BigInt.asUintN(64, store.kernel.digest(database, WITH_STAMPS));
  return BigInt.asUintN(64, ofRecords + objectsDigest(store, database));
}

const WITH_STAMPS = 1;

/** What the kernel's digest lacks: the values that live on the host. */
function objectsDigest(store: EmbeddedStore, index: number): bigint {
  if (store.objects.count === 0) return 0n;
  const database = store.databases[index]!;
  const digest = new StateDigest();
  let cursor = 0;
  do {
    const { entries, next } = database.walk(cursor);
    for (const entry of entries) {
      if (!database.isObject(entry)) continue;
      const key = database.key(entry);
      digest.add([key, String(recordStamp(store, index, key)?.digest)]);
    }
    cursor = next;
  } while (cursor !== 0);
  return digest.value;
}
