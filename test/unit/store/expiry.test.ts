/** Expiry: an entry is there until its time, and not a millisecond longer, whether it is looked up or swept. */
import { describe, expect, test } from "vitest";
import { fromLatin1 } from "../../../src/store/arguments.ts";
import { RandomSource } from "./random-source.ts";
import { openKernel, openStore, START_MS } from "./store-under-test.ts";
import { TableModel } from "./table-model.ts";

const kernel = openKernel();

describe("an entry that expires", () => {
  test("is there until its millisecond comes", () => {
    const store = openStore({}, kernel);
    const database = store.databases[0]!;
    database.set(store.place(fromLatin1("key")), Uint8Array.of(1), START_MS + 10);
    store.setNow(START_MS + 9);
    expect(database.find(store.place(fromLatin1("key")))).not.toBe(0);
    store.setNow(START_MS + 10);
    expect(database.find(store.place(fromLatin1("key")))).toBe(0);
    expect(database.size).toBe(0);
    expect(store.figure("expired")).toBe(1);
  });

  test("keeps times up to the year 10889 and back to 1970", () => {
    const store = openStore({}, kernel);
    const database = store.databases[0]!;
    for (const expiry of [START_MS + 1, 2 ** 32, 2 ** 42, 2 ** 47 + 12345, 2 ** 48 - 1]) {
      if (expiry <= START_MS) continue;
      database.set(store.place(fromLatin1("key")), Uint8Array.of(1), expiry);
      expect(database.expiry(database.find(store.place(fromLatin1("key"))))).toBe(expiry);
    }
    expect(database.setExpiry(store.place(fromLatin1("key")), 1)).toBe(true);
    expect(database.find(store.place(fromLatin1("key")))).toBe(0);
  });

  test("keeps its value, its stamp grows, when its expiry changes", () => {
    const store = openStore({}, kernel);
    const database = store.databases[0]!;
    const key = () => store.place(fromLatin1("key"));
    database.set(key(), fromLatin1("value"));
    const stamp = database.stamp(database.find(key()));
    expect(database.setExpiry(key(), START_MS + 1000)).toBe(true);
    expect(database.volatileSize).toBe(1);
    expect(database.stamp(database.find(key()))).toBeGreaterThan(stamp);
    expect(database.setExpiry(key(), 0)).toBe(true);
    expect(database.volatileSize).toBe(0);
    expect([...database.value(database.find(key()))]).toEqual([...fromLatin1("value")]);
    expect(database.setExpiry(store.place(fromLatin1("other")), START_MS + 1)).toBe(false);
  });

  test("loses its expiry when it is written without one", () => {
    const store = openStore({}, kernel);
    const database = store.databases[0]!;
    database.set(store.place(fromLatin1("key")), Uint8Array.of(1), START_MS + 10);
    database.set(store.place(fromLatin1("key")), Uint8Array.of(2));
    store.setNow(START_MS + 1_000_000);
    expect(database.find(store.place(fromLatin1("key")))).not.toBe(0);
    expect(database.volatileSize).toBe(0);
  });

  test("is not walked, not drawn and not counted twice once its time has come", () => {
    const store = openStore({}, kernel);
    const database = store.databases[0]!;
    for (let i = 0; i < 100; i++) {
      database.set(store.place(fromLatin1(`key:${i}`)), Uint8Array.of(1), START_MS + 10);
    }
    database.set(store.place(fromLatin1("stays")), Uint8Array.of(1));
    store.setNow(START_MS + 10);
    let cursor = 0;
    const walked: string[] = [];
    do {
      const step = database.walk(cursor);
      for (const entry of step.entries) walked.push(database.keyText(entry));
      cursor = step.next;
    } while (cursor !== 0);
    expect(walked).toEqual(["stays"]);
    for (let i = 0; i < 200; i++) expect(database.keyText(database.random())).toBe("stays");
    database.remove(store.place(fromLatin1("stays")));
    expect(database.random()).toBe(0);
    expect(database.size).toBe(0);
    expect(store.figure("expired")).toBe(100);
  });
});

describe("the sweep", () => {
  test("removes what nobody looks up, in every database, a bounded part at a time", () => {
    const store = openStore({}, kernel);
    for (let i = 0; i < 100_000; i++) {
      const expiry = i % 4 === 0 ? 0 : START_MS + 1 + (i % 1000);
      store.databases[i % 16]!.set(store.place(fromLatin1(`key:${i}`)), new Uint8Array(5), expiry);
    }
    store.setNow(START_MS + 2000);
    const first = store.kernel.tick(8192, 0);
    expect(first).toBeGreaterThan(1000);
    expect(first).toBeLessThanOrEqual(8192);
    for (let ticks = 0; ticks < 20; ticks++) store.tick();
    expect(store.databases.map((database) => database.size)).toEqual(
      store.databases.map((_, index) => (index % 4 === 0 ? 6250 : 0)),
    );
    expect(store.figure("expired")).toBe(75_000);
  });

  test("agrees with a Map through 200,000 operations under a running clock", () => {
    const random = new RandomSource(7);
    const model = new TableModel(openStore({}, kernel));
    let now = START_MS;
    for (let i = 0; i < 200_000; i++) {
      const database = random.below(4);
      const key = `key:${random.below(30_000)}`;
      const expiry = now + random.below(5000) - 10;
      const dice = random.fraction();
      if (dice < 0.5) model.write(database, key, random.below(100), i, Math.max(expiry, now + 1));
      else if (dice < 0.6) model.write(database, key, random.below(100), i);
      else if (dice < 0.75) model.setExpiry(database, key, random.chance(0.2) ? 0 : expiry);
      else if (dice < 0.8) model.remove(database, key);
      else if (dice < 0.85) model.extend(database, key, random.below(200));
      else model.check(database, key);
      model.store.afterCommand();
      if (random.chance(0.05)) model.store.setNow((now += random.below(30)));
      if (random.chance(0.001)) model.store.tick();
    }
    expect(model.store.figure("expired")).toBeGreaterThan(10_000);
    model.verify();
  });
});
