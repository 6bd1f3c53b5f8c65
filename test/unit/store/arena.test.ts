/** The arena: records of every size come and go, compaction moves them, and nothing is lost or leaks. */
import { describe, expect, test } from "vitest";
import { fromLatin1 } from "../../../src/store/arguments.ts";
import { OutOfMemory } from "../../../src/store/embedded-store.ts";
import { RandomSource } from "./random-source.ts";
import { openKernel, openStore } from "./store-under-test.ts";
import { TableModel } from "./table-model.ts";

const kernel = openKernel();

describe("the arena", () => {
  test("keeps values of 0 bytes to 300 KiB right while compaction moves them", () => {
    const random = new RandomSource(3);
    const model = new TableModel(openStore({}, kernel));
    for (let i = 0; i < 200_000; i++) {
      const key = `key:${random.below(4000)}`;
      const dice = random.fraction();
      if (dice < 0.6) model.write(random.below(3), key, anyLength(random), i);
      else if (dice < 0.85) model.remove(random.below(3), key);
      else if (dice < 0.9) model.extend(random.below(3), key, random.below(5000));
      else model.check(random.below(3), key);
      model.store.afterCommand();
      if (i % 1000 === 0) model.store.tick();
    }
    expect(model.store.figure("moved")).toBeGreaterThan(10_000);
    model.verify();
  });

  test("holds at most a quarter more than what lives, and some slack, however often values change their length", () => {
    const random = new RandomSource(4);
    const model = new TableModel(openStore({}, kernel));
    const slackBytes = 8 * 1024 * 1024;
    for (let i = 0; i < 100_000; i++) {
      model.write(0, `key:${random.below(20_000)}`, random.below(2000), i);
      model.store.afterCommand();
      const held = model.store.figure("segments") * 1024 * 1024;
      if (i % 100 === 0)
        expect(held).toBeLessThan(model.store.figure("liveBytes") * 1.25 + slackBytes);
    }
    model.verify();
  });

  test("takes and gives back pages for values above 256 KiB", () => {
    const random = new RandomSource(5);
    const model = new TableModel(openStore({}, openKernel()));
    for (let i = 0; i < 2000; i++) {
      const key = `key:${random.below(40)}`;
      if (random.chance(0.3)) model.remove(0, key);
      else model.write(0, key, random.below(3_000_000), i);
      model.store.afterCommand();
    }
    model.verify();
    const held = model.store.kernel.heldBytes();
    expect(held).toBeLessThan(model.store.figure("liveBytes") * 1.25 + 8 * 1024 * 1024);
    // Pages that were given back are taken again: 2 GB went through.
    expect(model.store.memory.bytes.length).toBeLessThan(300_000_000);
    for (const key of [...model.keys(0)]) model.remove(0, key);
    model.verify();
    expect(model.store.figure("liveBytes")).toBe(0);
  });

  test("moves nothing within a command, only between two", () => {
    const store = openStore({}, kernel);
    const database = store.databases[0]!;
    const write = (key: string, length: number) =>
      database.set(store.place(fromLatin1(key)), new Uint8Array(length));
    for (let i = 0; i < 20_000; i++) write(`key:${i}`, 1000);
    for (let i = 0; i < 20_000; i++) if (i % 10 !== 0) write(`key:${i}`, 2000);
    expect(store.figure("moved")).toBe(0);
    store.afterCommand();
    expect(store.figure("moved")).toBeGreaterThan(0);
  });

  test("grows an appended value with few moves", () => {
    const model = new TableModel(openStore({}, kernel));
    for (let length = 100; length <= 1_000_000; length += 100) {
      model.extend(0, "log", length);
      model.store.afterCommand();
    }
    model.verify();
    // A value that doubles its place is written anew 14 times on the way from 100 bytes to a million, never 10,000 times.
    expect(model.store.figure("liveBytes")).toBeLessThan(2_200_000);
  });
});

describe("at the ceiling", () => {
  const ceilingBytes = 24 * 1024 * 1024;

  test("a write is refused and changes nothing", () => {
    const random = new RandomSource(6);
    const model = new TableModel(openStore({ ceilingBytes }, openKernel()));
    let refused = 0;
    for (let i = 0; i < 60_000; i++) {
      const key = `key:${random.below(30_000)}`;
      const outcome = random.chance(0.9)
        ? model.write(0, key, random.below(3000), i)
        : model.extend(0, key, random.below(100_000));
      if (outcome === "refused") refused++;
      if (random.chance(0.05)) model.remove(0, key);
      model.check(0, key);
      model.store.afterCommand();
    }
    expect(refused).toBeGreaterThan(1000);
    model.verify();
    expect(model.store.memory.bytes.length).toBeLessThanOrEqual(ceilingBytes + 2 * 1024 * 1024);
  });

  test("a value that can never fit is refused", () => {
    const model = new TableModel(openStore({ ceilingBytes }, openKernel()));
    model.write(0, "key", 10, 1);
    expect(model.write(0, "key", ceilingBytes, 2)).toBe("refused");
    expect(model.extend(0, "key", ceilingBytes)).toBe("refused");
    model.verify();
  });

  test("room appears again when entries go, as often as they do", () => {
    const random = new RandomSource(14);
    const model = new TableModel(openStore({ ceilingBytes }, openKernel()));
    let written = 0;
    const fillUp = () => {
      while (model.store.makeRoom(1100)) {
        expect(model.write(0, `key:${written}`, 1000, written)).toBe("done");
        model.store.afterCommand();
        written++;
      }
      return model.size(0);
    };
    const first = fillUp();
    expect(first).toBeGreaterThan(15_000);
    for (let round = 0; round < 12; round++) {
      // Scattered, so that no segment becomes free by itself.
      for (const key of [...model.keys(0)]) if (random.chance(0.3)) model.remove(0, key);
      expect(fillUp()).toBeGreaterThan(first * 0.9);
    }
    model.verify();
  });

  test("a host object that does not fit is not taken in", () => {
    const store = openStore({ ceilingBytes }, openKernel());
    const database = store.databases[0]!;
    const object = {
      type: "hash",
      encoding: () => "listpack",
      bytes: 1,
      size: 1,
      clone: () => object,
    } as const;
    const key = new Uint8Array(500_000);
    let refused = false;
    for (let i = 0; i < 100 && !refused; i++) {
      key[0] = i;
      try {
        database.setObject(store.place(key), object);
      } catch (error) {
        expect(error).toBeInstanceOf(OutOfMemory);
        refused = true;
      }
    }
    expect(refused).toBe(true);
    expect(store.objects.count).toBe(database.size);
  });
});

/** Mostly small, sometimes of the size of a page, rarely above what a segment takes. */
function anyLength(random: RandomSource): number {
  const dice = random.fraction();
  if (dice < 0.7) return random.below(200);
  if (dice < 0.95) return random.below(8000);
  if (dice < 0.998) return random.below(100_000);
  return random.below(300 * 1024);
}
