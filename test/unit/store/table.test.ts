/** The kernel's table against a Map: what is written is there, whatever else happens; a walk sees each key once. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { fromLatin1 } from "../../../src/store/arguments.ts";
import { RandomSource } from "./random-source.ts";
import { openKernel, openStore, START_MS } from "./store-under-test.ts";
import { TableModel } from "./table-model.ts";

const kernel = openKernel();

describe("a database", () => {
  test("holds what was written, through 200,000 operations and many splits", () => {
    const random = new RandomSource(1);
    const model = new TableModel(openStore({}, kernel));
    let now = START_MS;
    for (let i = 0; i < 200_000; i++) {
      const database = random.chance(0.8) ? 0 : random.below(16);
      const key = anyKey(random, 60_000);
      const dice = random.fraction();
      if (dice < 0.6) model.write(database, key, random.below(60), i, anyExpiry(random, now));
      else if (dice < 0.7) model.remove(database, key);
      else if (dice < 0.75) model.rename(database, key, random.below(3), `renamed:${key}`);
      else if (dice < 0.85) model.setExpiry(database, key, anyExpiry(random, now));
      else if (dice < 0.9) model.extend(database, key, random.below(200));
      else model.check(database, key);
      model.store.afterCommand();
      if (i % 100 === 0) model.store.setNow((now += random.below(20)));
    }
    expect(model.size(0)).toBeGreaterThan(20_000);
    model.verify();
  });

  test("grows to a million keys and shrinks to none", () => {
    const store = openStore({}, kernel);
    const database = store.databases[0]!;
    const value = fromLatin1("xyz");
    for (let i = 0; i < 1_000_000; i++) {
      database.set(store.place(fromLatin1(`key:${i}`)), value);
    }
    expect(database.size).toBe(1_000_000);
    expect(countWalked(store)).toBe(1_000_000);
    for (let i = 0; i < 1_000_000; i += 997) {
      const entry = database.find(store.place(fromLatin1(`key:${i}`)));
      expect(database.keyText(entry)).toBe(`key:${i}`);
    }
    for (let i = 0; i < 1_000_000; i++) {
      if (!database.remove(store.place(fromLatin1(`key:${i}`))))
        throw new Error(`key:${i} is lost`);
    }
    expect(database.size).toBe(0);
    expect(store.figure("liveBytes")).toBe(0);
    expect(countWalked(store)).toBe(0);
  });

  test("agrees with a Map in every small history", () => {
    const key = fc.integer({ min: 0, max: 30 }).map((n) => "k".repeat(n));
    const operation = fc.oneof(
      fc.record({ do: fc.constant("write"), key, length: fc.nat(300), expiry: fc.nat(50) }),
      fc.record({ do: fc.constant("write"), key, length: fc.nat(300_000), expiry: fc.constant(0) }),
      fc.record({ do: fc.constant("remove"), key }),
      fc.record({ do: fc.constant("setExpiry"), key, expiry: fc.nat(50) }),
      fc.record({ do: fc.constant("extend"), key, length: fc.nat(400) }),
      fc.record({ do: fc.constant("check"), key }),
      fc.record({ do: fc.constant("wait"), ms: fc.nat(20) }),
      fc.record({ do: fc.constant("flush") }),
    ) as fc.Arbitrary<Operation>;
    fc.assert(
      fc.property(fc.array(operation, { maxLength: 120 }), (operations) => {
        const model = new TableModel(openStore({}, kernel));
        for (const [index, operation] of operations.entries()) apply(model, operation, index);
        model.verify();
      }),
      { numRuns: 200 },
    );
  });

  test("is right above 2 GiB, where addresses have their highest bit set", () => {
    const random = new RandomSource(11);
    const high = openKernel();
    const store = openStore({ tombstones: true }, high);
    // Takes the lower half without touching it.
    expect(high.takePages(32_768, 1)).not.toBe(0);
    const model = new TableModel(store);
    for (let i = 0; i < 50_000; i++) {
      const key = anyKey(random, 20_000);
      const dice = random.fraction();
      if (dice < 0.6) model.write(0, key, random.below(random.chance(0.005) ? 300_000 : 500), i);
      else if (dice < 0.8) model.remove(0, key);
      else if (dice < 0.9) model.extend(0, key, random.below(500));
      else model.check(0, key);
      store.afterCommand();
    }
    expect(store.figure("moved")).toBeGreaterThan(0);
    const entry = [...store.databases[0]!.walk(0).entries][0]!;
    expect(entry).toBeGreaterThan(0x80000000);
    high.collectTombstones(0, 0, 0x7fffffff, 0xffff_ffff_ffff_ffffn);
    model.verify();
  });

  test("is not the other fifteen", () => {
    const model = new TableModel(openStore({}, kernel));
    for (let database = 0; database < 16; database++)
      model.write(database, "key", database, database);
    model.flush(3);
    model.remove(5, "key");
    model.verify();
    expect(model.store.databases.map((database) => database.size)).toEqual(
      Array.from({ length: 16 }, (_, index) => (index === 3 || index === 5 ? 0 : 1)),
    );
  });

  test("takes keys that a client has chosen to look alike", () => {
    // Patterns that flood a weak hash: one bit set, long equal prefixes, sequences in the first or the last bytes only.
    const model = new TableModel(openStore({}, kernel));
    for (let i = 0; i < 20_000; i++) {
      const number = String.fromCharCode(i & 0xff, (i >> 8) & 0xff, 0, 0);
      model.write(0, number, 0, 0);
      model.write(0, `${"\0".repeat(60)}${number}`, 0, 0);
      model.write(0, `${number}${"\0".repeat(60)}`, 0, 0);
      model.write(0, "\0".repeat(i % 5000) + (i < 5000 ? "" : "\x01"), 0, 0);
    }
    model.verify();
  });

  test("gives its memory back when it is flushed", () => {
    const model = new TableModel(openStore({}, kernel));
    const empty = model.store.kernel.heldBytes();
    for (let i = 0; i < 50_000; i++) model.write(i % 16, `key:${i}`, i % 500, i);
    model.write(0, "large", 5_000_000, 1);
    expect(model.store.kernel.heldBytes()).toBeGreaterThan(15_000_000);
    for (let database = 0; database < 16; database++) model.flush(database);
    model.verify();
    expect(model.store.figure("liveBytes")).toBe(0);
    expect(model.store.figure("tablePages")).toBe(0);
    // The arena keeps the segment that it appends to.
    expect(model.store.kernel.heldBytes()).toBeLessThanOrEqual(empty + 1024 * 1024);
  });

  test("finds an entry at random, each about as often as any other", () => {
    const store = openStore({}, kernel);
    const database = store.databases[0]!;
    expect(database.random()).toBe(0);
    for (let i = 0; i < 100; i++)
      database.set(store.place(fromLatin1(`key:${i}`)), new Uint8Array(0));
    const found = new Map<string, number>();
    for (let i = 0; i < 100_000; i++) {
      const key = database.keyText(database.random());
      found.set(key, (found.get(key) ?? 0) + 1);
    }
    expect(found.size).toBe(100);
  });
});

describe("a walk", () => {
  test("sees each key exactly once that is there all the time", () => {
    const random = new RandomSource(2);
    for (let round = 0; round < 6; round++) {
      const store = openStore({}, kernel);
      const database = store.databases[0]!;
      const write = (key: string) => database.set(store.place(fromLatin1(key)), new Uint8Array(3));
      const steady = 20 + round * 4000;
      for (let i = 0; i < steady; i++) write(`steady:${i}`);
      for (let i = 0; i < 3000; i++) write(`fleeting:${i}`);
      const seen = new Map<string, number>();
      let cursor = 0;
      do {
        const step = database.walk(cursor);
        for (const entry of step.entries) {
          const key = database.keyText(entry);
          seen.set(key, (seen.get(key) ?? 0) + 1);
        }
        cursor = step.next;
        // Between two steps segments split, gaps close, and neighbours come and go.
        for (let i = 0; i < 20; i++) write(`new:${round}:${random.below(40_000)}`);
        for (let i = 0; i < 10; i++) {
          database.remove(store.place(fromLatin1(`fleeting:${random.below(3000)}`)));
          database.remove(store.place(fromLatin1(`new:${round}:${random.below(40_000)}`)));
        }
      } while (cursor !== 0);
      for (let i = 0; i < steady; i++) expect(seen.get(`steady:${i}`)).toBe(1);
    }
  });

  test("of an empty database ends at once", () => {
    const store = openStore({}, kernel);
    expect(store.databases[7]!.walk(0)).toEqual({ entries: new Uint32Array(0), next: 0 });
  });

  test("can begin at any cursor and still ends", () => {
    const store = openStore({}, kernel);
    const database = store.databases[0]!;
    for (let i = 0; i < 20_000; i++)
      database.set(store.place(fromLatin1(`key:${i}`)), new Uint8Array(0));
    for (const start of [1, 12_345, 0x7fffffff, 0x80000000, 0xfffffff0, 0xffffffff]) {
      let cursor = start;
      for (let steps = 0; steps < 100_000; steps++) {
        const { next } = database.walk(cursor);
        if (next === 0) break;
        expect(next).toBeGreaterThan(cursor);
        cursor = next;
      }
    }
  });
});

type Operation =
  | { do: "write"; key: string; length: number; expiry: number }
  | { do: "extend"; key: string; length: number }
  | { do: "setExpiry"; key: string; expiry: number }
  | { do: "remove" | "check"; key: string }
  | { do: "wait"; ms: number }
  | { do: "flush" };

function apply(model: TableModel, operation: Operation, seed: number): void {
  const { now } = model.store;
  switch (operation.do) {
    case "write":
      model.write(
        0,
        operation.key,
        operation.length,
        seed,
        operation.expiry && now + operation.expiry,
      );
      break;
    case "extend":
      model.extend(0, operation.key, operation.length);
      break;
    case "setExpiry":
      model.setExpiry(0, operation.key, operation.expiry && now + operation.expiry - 5);
      break;
    case "remove":
      model.remove(0, operation.key);
      break;
    case "check":
      model.check(0, operation.key);
      break;
    case "wait":
      model.store.setNow(now + operation.ms);
      break;
    case "flush":
      model.flush(0);
      break;
  }
  model.store.afterCommand();
}

/** One of `count` keys, of all lengths up to 40 and a few that are long. */
function anyKey(random: RandomSource, count: number): string {
  const number = random.below(count);
  return number % 500 === 0
    ? `${number}${"-".repeat(number % 3000)}`
    : `${number}`.padEnd(number % 40, ".");
}

/** Mostly never, else soon. */
function anyExpiry(random: RandomSource, now: number): number {
  return random.chance(0.8) ? 0 : now + 1 + random.below(30_000);
}

function countWalked(store: ReturnType<typeof openStore>): number {
  let count = 0;
  let cursor = 0;
  do {
    const step = store.databases[0]!.walk(cursor);
    count += step.entries.length;
    cursor = step.next;
  } while (cursor !== 0);
  return count;
}
