/** Flushes of much: nothing is there at once, and what was there is freed in parts, whatever happens in between. */
import { describe, expect, test } from "vitest";
import { tableDigest } from "../../../src/store/table-digest.ts";
import { RandomSource } from "./random-source.ts";
import { openKernel, openStore } from "./store-under-test.ts";
import { TableModel } from "./table-model.ts";

const kernel = openKernel();
/** Several segments of the index. */
const MANY = 40_000;

function filled(): TableModel {
  const model = new TableModel(openStore({}, kernel));
  for (let i = 0; i < MANY; i++) model.write(0, `key:${i}`, i % 100, i);
  return model;
}

function walked({ store }: TableModel, database = 0): number {
  let entries = 0;
  let cursor = 0;
  do {
    const step = store.databases[database]!.walk(cursor);
    entries += step.entries.length;
    cursor = step.next;
  } while (cursor !== 0);
  return entries;
}

describe("a flush of much", () => {
  test("leaves nothing to find, count, walk, draw or digest, and frees it in parts", () => {
    const model = filled();
    const { store } = model;
    const before = store.figure("usedBytes");
    model.flush(0);
    const database = store.databases[0]!;
    expect([database.size, walked(model), database.random(), tableDigest(store, 0)]).toEqual([
      ...[0, 0, 0, 0n],
    ]);
    for (let i = 0; i < MANY; i += 997) model.check(0, `key:${i}`);
    const used = [before, store.figure("usedBytes")];
    while (store.free()) used.push(store.figure("usedBytes"));
    // A few thousand entries each time.
    expect(used.length).toBeGreaterThan(MANY / 8192);
    expect(used).toEqual([...used].sort((a, b) => b - a));
    expect(store.figure("usedBytes")).toBe(0);
    expect(store.figure("tablePages")).toBe(0);
    model.verify();
  });

  test("takes nothing of what is written after it", () => {
    const model = filled();
    const random = new RandomSource(5);
    model.flush(0);
    let isMore = true;
    for (let i = 0; isMore || i < 20_000; i++) {
      const key = `key:${random.below(MANY)}`;
      if (random.chance(0.7)) model.write(0, key, random.below(200), i);
      else if (random.chance(0.5)) model.remove(0, key);
      else model.check(0, key);
      model.store.afterCommand();
      if (i % 4000 === 3999) isMore = model.store.free();
      if (i % 9000 === 0) expect(walked(model)).toBe(model.size(0));
    }
    model.verify();
  });

  test("goes on while compaction moves what is not freed yet", () => {
    const model = new TableModel(openStore({}, kernel));
    for (let i = 0; i < MANY; i++) {
      model.write(0, `key:${i}`, 100, i);
      model.write(1, `key:${i}`, 300, i);
    }
    model.flush(0);
    for (let i = 0; i < MANY; i++) if (i % 20 !== 0) model.remove(1, `key:${i}`);
    for (let i = 0; i < 20_000; i++) {
      model.write(2, "often", i % 2000, i);
      model.store.kernel.hostMaintain();
    }
    expect(model.store.figure("moved")).toBeGreaterThan(1000);
    expect(model.store.free()).toBe(true);
    model.verify();
  });

  test("may follow another one again and again before anything is freed", () => {
    const model = new TableModel(openStore({}, kernel));
    // More than a slice each, and more of them than are kept waiting.
    for (let round = 0; round < 70; round++) {
      for (let i = 0; i < 9000; i++) model.write(round % 3, `key:${i}`, 0, i);
      model.flush(round % 3);
      expect(model.store.databases[round % 3]!.size).toBe(0);
    }
    for (let i = 0; i < 9000; i++) model.write(1, `key:${i}`, 5, i);
    expect(model.store.free()).toBe(true);
    model.verify();
  });

  test("makes room at the memory limit for all that was there", () => {
    const store = openStore({ maxMemoryBytes: 4 * 1024 * 1024 }, kernel);
    const model = new TableModel(store);
    const fill = () => {
      let written = 0;
      while (store.makeRoom(300)) model.write(0, `key:${written++}`, 200, written);
      return written;
    };
    const first = fill();
    expect(first).toBeGreaterThan(9000);
    model.flush(0);
    expect(store.figure("usedBytes")).toBeGreaterThan(0);
    expect(fill()).toBe(first);
    model.verify();
  });
});
