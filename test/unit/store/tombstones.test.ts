/** Tombstones: what a removal leaves in a replicated table, what is never seen of it, and how it is collected. */
import { describe, expect, test } from "vitest";
import { fromLatin1 } from "../../../src/store/arguments.ts";
import type { EmbeddedStore } from "../../../src/store/embedded-store.ts";
import { StampedHashObject } from "../../../src/store/objects/stamped-hash.ts";
import { RandomSource } from "./random-source.ts";
import { openKernel, openStore, START_MS } from "./store-under-test.ts";
import { TableModel } from "./table-model.ts";

const kernel = openKernel();
const ALL_STAMPS = 0xffff_ffff_ffff_ffffn;

describe("a removed key", () => {
  test("is not found, counted, walked or drawn, but takes memory until it is collected", () => {
    const store = openStore({ tombstones: true }, kernel);
    const database = store.databases[0]!;
    const key = () => store.place(fromLatin1("key"));
    database.set(key(), fromLatin1("value"));
    expect(database.remove(key())).toBe(true);
    expect(database.find(key())).toBe(0);
    expect(database.size).toBe(0);
    expect(database.walk(0).entries).toHaveLength(0);
    expect(database.random()).toBe(0);
    expect(database.remove(key())).toBe(false);
    expect(database.setExpiry(key(), START_MS + 5)).toBe(false);
    expect(store.figure("liveBytes")).toBeGreaterThan(0);
    collect(store, ALL_STAMPS);
    expect(store.figure("liveBytes")).toBe(0);
  });

  test("can be written again, with a later stamp", () => {
    const store = openStore({ tombstones: true }, kernel);
    const database = store.databases[0]!;
    const key = () => store.place(fromLatin1("key"));
    database.set(key(), fromLatin1("one"));
    const first = database.stamp(database.find(key()));
    database.remove(key());
    database.set(key(), fromLatin1("two"));
    // The removal has taken the stamp between.
    expect(database.stamp(database.find(key()))).toBe(first + 2n);
    expect(database.size).toBe(1);
    collect(store, ALL_STAMPS);
    expect(database.find(key())).not.toBe(0);
  });

  test("leaves a tombstone even when it was not there", () => {
    const store = openStore({ tombstones: true }, kernel);
    const database = store.databases[0]!;
    expect(database.remove(store.place(fromLatin1("missing")))).toBe(false);
    expect(store.figure("liveBytes")).toBeGreaterThan(0);
    expect(database.size).toBe(0);
  });

  test("gives a large value's memory back at once", () => {
    const store = openStore({ tombstones: true }, kernel);
    const database = store.databases[0]!;
    for (const length of [100, 10_000, 1_000_000]) {
      database.set(store.place(fromLatin1("key")), new Uint8Array(length));
      database.remove(store.place(fromLatin1("key")));
      expect(store.figure("liveBytes")).toBeLessThan(200);
    }
  });

  test("releases its host object", () => {
    const store = openStore({ tombstones: true }, kernel);
    const object = new StampedHashObject();
    object.set("field", new Uint8Array(5000), store.hashLimits);
    const database = store.databases[0]!;
    database.setObject(store.place(fromLatin1("key")), object);
    expect(store.figure("usedBytes")).toBeGreaterThan(5000);
    database.remove(store.place(fromLatin1("key")));
    store.releaseObjects();
    expect(store.objects.count).toBe(0);
    collect(store, ALL_STAMPS);
    store.flushAll();
    expect(store.figure("usedBytes")).toBe(0);
  });
});

describe("an expired key", () => {
  test("leaves a tombstone with the stamp of the write that set the expiry", () => {
    const store = openStore({ tombstones: true }, kernel);
    const database = store.databases[0]!;
    database.set(store.place(fromLatin1("key")), fromLatin1("value"), START_MS + 10);
    const stamp = database.stamp(database.find(store.place(fromLatin1("key"))));
    store.setNow(START_MS + 1000);
    expect(database.find(store.place(fromLatin1("key")))).toBe(0);
    collect(store, stamp - 1n);
    expect(store.figure("liveBytes")).toBeGreaterThan(0);
    collect(store, stamp);
    expect(store.figure("liveBytes")).toBe(0);
  });
});

describe("collecting", () => {
  test("takes only tombstones up to the stamp, never an entry", () => {
    const store = openStore({ tombstones: true }, kernel);
    const database = store.databases[0]!;
    for (let i = 0; i < 30_000; i++) database.set(store.place(numbered(i)), Uint8Array.of(1));
    for (let i = 0; i < 10_000; i++) database.remove(store.place(numbered(i)));
    database.set(store.place(fromLatin1("between")), Uint8Array.of(1));
    const between = database.stamp(database.find(store.place(fromLatin1("between"))));
    for (let i = 10_000; i < 20_000; i++) database.remove(store.place(numbered(i)));
    const full = store.figure("liveBytes");
    collect(store, between);
    const half = store.figure("liveBytes");
    collect(store, ALL_STAMPS);
    const none = store.figure("liveBytes");
    expect(full - half).toBe(10_000 * 48);
    expect(half - none).toBe(10_000 * 48);
    expect(database.size).toBe(10_001);
    for (let i = 20_000; i < 30_000; i++) {
      expect(database.find(store.place(numbered(i)))).not.toBe(0);
    }
  });
});

describe("a table that keeps tombstones", () => {
  test("agrees with a Map through 200,000 operations", () => {
    const random = new RandomSource(10);
    const model = new TableModel(openStore({ tombstones: true }, kernel));
    let now = START_MS;
    for (let i = 0; i < 200_000; i++) {
      const database = random.below(3);
      const key = `key:${random.below(20_000)}`;
      const dice = random.fraction();
      if (dice < 0.45)
        model.write(database, key, random.below(random.chance(0.002) ? 300_000 : 1500), i);
      else if (dice < 0.5)
        model.write(database, key, random.below(100), i, now + 1 + random.below(500));
      else if (dice < 0.75) model.remove(database, key);
      else if (dice < 0.8) model.rename(database, key, random.below(3), `renamed:${key}`);
      else if (dice < 0.85) model.setExpiry(database, key, now + random.below(500));
      else model.check(database, key);
      model.store.afterCommand();
      if (random.chance(0.05)) model.store.setNow((now += random.below(10)));
      if (i % 40_000 === 0) collect(model.store, BigInt(now - 1000) << 16n);
    }
    expect(model.store.figure("moved")).toBeGreaterThan(1000);
    model.store.tick();
    for (let ticks = 0; ticks < 20; ticks++) model.store.tick();
    collect(model.store, ALL_STAMPS);
    model.verify();
  });
});

/** A key of eight bytes: its tombstone takes 48. */
function numbered(i: number): Uint8Array {
  return fromLatin1(`${i}`.padStart(8, "0"));
}

/** Collects the tombstones of every database up to a stamp, in small steps. */
function collect(store: EmbeddedStore, stamp: bigint): void {
  for (let database = 0; database < 16; database++) {
    let hash = 0;
    do {
      hash = store.kernel.collectTombstones(database, hash, 2048, stamp) >>> 0;
    } while (hash !== 0);
  }
}
