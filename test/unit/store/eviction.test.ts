/** The memory limit: what is refused, what is evicted, and that the data stays under it. */
import { describe, expect, test } from "vitest";
import { fromLatin1 } from "../../../src/store/arguments.ts";
import type { EmbeddedStore } from "../../../src/store/embedded-store.ts";
import type { MaxMemoryPolicy } from "../../../src/store/kernel.ts";
import type { HostObject } from "../../../src/store/objects.ts";
import { RandomSource } from "./random-source.ts";
import { openKernel, openStore, START_MS } from "./store-under-test.ts";
import { TableModel } from "./table-model.ts";

const kernel = openKernel();
const MIB = 1024 * 1024;
const maxMemoryBytes = 4 * MIB;

describe("noeviction", () => {
  test("refuses at the limit and keeps everything", () => {
    const model = new TableModel(openStore({ maxMemoryBytes }, kernel));
    let written = 0;
    while (model.store.makeRoom(200)) {
      model.write(0, `key:${written}`, 100, written);
      written++;
    }
    expect(written).toBeGreaterThan(20_000);
    expect(model.store.figure("usedBytes")).toBeLessThanOrEqual(maxMemoryBytes);
    expect(model.store.figure("evicted")).toBe(0);
    model.verify();
    for (let i = 0; i < 100; i++) model.remove(0, `key:${i}`);
    expect(model.store.makeRoom(200)).toBe(true);
  });
});

const evicting: readonly MaxMemoryPolicy[] = [
  "allkeys-lru",
  "allkeys-random",
  "volatile-lru",
  "volatile-random",
  "volatile-ttl",
];

describe.each(evicting)("%s", (maxMemoryPolicy) => {
  test("stays under the limit, and what is left is whole", () => {
    const random = new RandomSource(8);
    const model = new TableModel(openStore({ maxMemoryBytes, maxMemoryPolicy }, kernel));
    for (let i = 0; i < 50_000; i++) {
      const length = random.chance(0.01) ? random.below(100_000) : random.below(300);
      expect(model.store.makeRoom(length + 100)).toBe(true);
      const expiry = random.chance(0.9) ? START_MS + 1_000_000 + random.below(1_000_000) : 0;
      const key = `key:${random.below(expiry === 0 ? 100 : 40_000)}`;
      model.write(random.below(3), key, length, i, expiry);
      expect(model.store.figure("usedBytes")).toBeLessThanOrEqual(maxMemoryBytes);
      model.store.afterCommand();
    }
    expect(model.store.figure("evicted")).toBeGreaterThan(1000);
    model.noteEvicted();
    model.verify();
  });

  test("evicts nothing for what could never be written", () => {
    const store = openStore({ maxMemoryBytes, maxMemoryPolicy, ceilingBytes: 24 * MIB }, kernel);
    const database = store.databases[0]!;
    for (let i = 0; i < 1000; i++) {
      database.set(store.place(fromLatin1(`${i}`)), new Uint8Array(10), START_MS + 1_000_000);
    }
    expect(store.makeRoom(maxMemoryBytes)).toBe(false);
    store.setMaxMemory(0, maxMemoryPolicy);
    expect(store.makeRoom(24 * MIB)).toBe(false);
    expect(store.figure("evicted")).toBe(0);
  });

  test("makes room near the ceiling, where free pages lie scattered", () => {
    const random = new RandomSource(12);
    const store = openStore(
      { maxMemoryBytes: 90 * MIB, maxMemoryPolicy, ceilingBytes: 100 * MIB },
      openKernel(),
    );
    const database = store.databases[0]!;
    let refused = 0;
    for (let i = 0; i < 12_000; i++) {
      const length = random.below(random.pick([1000, 60_000, 400_000, 1_000_000]));
      if (!store.makeRoom(length + 64)) refused++;
      else database.write(store.place(fromLatin1(`${i % 5000}`)), length, START_MS + 1_000_000);
      store.afterCommand();
    }
    expect(refused).toBeLessThan(120);
  });

  test("stays under the limit with objects of the host", () => {
    const random = new RandomSource(9);
    const store = openStore({ maxMemoryBytes, maxMemoryPolicy }, kernel);
    for (let i = 0; i < 20_000; i++) {
      const bytes = random.below(random.chance(0.05) ? 200_000 : 1000);
      expect(store.makeRoom(bytes + 100)).toBe(true);
      setObject(store, `key:${random.below(100_000)}`, bytes);
      store.releaseObjects();
      expect(store.figure("usedBytes")).toBeLessThanOrEqual(maxMemoryBytes);
    }
    expect(store.figure("evicted")).toBeGreaterThan(1000);
    expect(store.objects.count).toBe(store.databases[0]!.size);
    store.flushAll();
    expect(store.objects.count).toBe(0);
    expect(store.figure("usedBytes")).toBe(0);
  });
});

describe("a volatile policy", () => {
  test("evicts only entries that expire, finds the last of them, then refuses", () => {
    const store = openStore({ maxMemoryBytes, maxMemoryPolicy: "volatile-lru" }, kernel);
    const database = store.databases[0]!;
    const write = (key: string, expiry: number) =>
      database.set(store.place(fromLatin1(key)), new Uint8Array(50), expiry);
    for (let i = 0; i < 30; i++) write(`goes:${i}`, START_MS + 1_000_000);
    let written = 0;
    while (store.makeRoom(200)) write(`stays:${written++}`, 0);
    expect(store.figure("evicted")).toBe(30);
    expect(database.size).toBe(written);
    expect(store.figure("usedBytes")).toBeGreaterThan(maxMemoryBytes - 1000);
  });

  test("evicts what expires soonest, when it goes by the time to live", () => {
    const { kept, evicted } = evictHalf("volatile-ttl", (i) => START_MS + 1_000_000 + i * 1000);
    expect(average(kept)).toBeGreaterThan(average(evicted) * 2);
  });
});

describe("objects that wait for the host", () => {
  test("are moved by compaction, and all come to the host in the end", () => {
    const store = openStore({}, openKernel());
    const database = store.databases[0]!;
    const name = (i: number) => `${i}`.padEnd(1000, ".");
    for (let i = 0; i < 10_000; i++) {
      setObject(store, name(i), 100);
      database.set(store.place(fromLatin1(`string:${i}`)), new Uint8Array(1000));
    }
    for (let i = 0; i < 10_000; i++) {
      if (i % 10 !== 0) database.remove(store.place(fromLatin1(name(i))));
      database.remove(store.place(fromLatin1(`string:${i}`)));
    }
    // 9,000 objects wait, among as many records that are dead.
    expect([store.objects.count, database.size]).toEqual([10_000, 1000]);
    for (let i = 0; i < 10_000; i++) {
      database.set(store.place(fromLatin1("written")), new Uint8Array(i % 2000));
      store.kernel.hostMaintain();
    }
    expect(store.figure("moved")).toBeGreaterThan(1000);
    store.releaseObjects();
    let left = 0;
    let cursor = 0;
    do {
      const step = database.walk(cursor);
      for (const entry of step.entries) if (database.isObject(entry)) left++;
      cursor = step.next;
    } while (cursor !== 0);
    expect(store.objects.count).toBe(left);
    store.flushAll();
    while (store.free());
    expect([store.objects.count, store.figure("liveBytes")]).toEqual([0, 0]);
  });
});

describe("allkeys-lru", () => {
  test("evicts what was not looked at for longest", () => {
    const { kept, evicted } = evictHalf(
      "allkeys-lru",
      () => 0,
      (store, i) => store.setNow(START_MS + i * 1000),
    );
    expect(average(kept)).toBeGreaterThan(average(evicted) * 2);
  });
});

/** Fills a store with keys 0 … n, lowers the limit by half, and tells which numbers are left. */
function evictHalf(
  maxMemoryPolicy: MaxMemoryPolicy,
  expiry: (i: number) => number,
  before: (store: EmbeddedStore, i: number) => void = () => {},
): { kept: number[]; evicted: number[] } {
  const store = openStore({}, kernel);
  const database = store.databases[0]!;
  const count = 10_000;
  for (let i = 0; i < count; i++) {
    before(store, i);
    database.set(store.place(fromLatin1(`${i}`)), new Uint8Array(100), expiry(i));
  }
  store.setMaxMemory(store.figure("usedBytes") - store.figure("liveBytes") / 2, maxMemoryPolicy);
  expect(store.makeRoom(100)).toBe(true);
  const kept: number[] = [];
  const evicted: number[] = [];
  for (let i = 0; i < count; i++) {
    (database.peek(store.place(fromLatin1(`${i}`))) === 0 ? evicted : kept).push(i);
  }
  expect(evicted.length).toBeGreaterThan(count * 0.4);
  expect(kept.length).toBeGreaterThan(count * 0.4);
  return { kept, evicted };
}

function average(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

/** Writes a host object that says it takes so many bytes, and expires. */
function setObject(store: EmbeddedStore, key: string, bytes: number): void {
  const object: HostObject = {
    type: "hash",
    encoding: () => "listpack",
    bytes,
    size: 1,
    clone: () => object,
  };
  store.databases[0]!.setObject(store.place(fromLatin1(key)), object, START_MS + 1_000_000);
}
