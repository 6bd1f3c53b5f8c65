// The world of the simulator: virtual time, the order of events, processes that pause and die.
import { describe, expect, it } from "vitest";
import { START_MS } from "../../../src/sim/process.ts";
import { World } from "../../../src/sim/world.ts";
import { settle } from "./settle.ts";

const newWorld = (seed = "seed") => new World({ seed, settle });

describe("a world", () => {
  it("lets events happen in the order of their time, and virtual time passes at once", async () => {
    const world = newWorld();
    const seen: string[] = [];
    world.schedule(3_600_000, "late", () => seen.push(`late ${world.nowMs}`));
    world.schedule(5, "early", () => seen.push(`early ${world.nowMs}`));
    await world.advance(3_600_000);
    expect(seen).toEqual(["early 5", "late 3600000"]);
  });

  it("does what promises have to do before the next event", async () => {
    const world = newWorld();
    const seen: string[] = [];
    const chain = async () => {
      for (let i = 0; i < 300; i++) await undefined;
      seen.push("chain");
    };
    world.schedule(1, "one", () => void chain());
    world.schedule(1, "two", () => seen.push("two"));
    await world.advance(1);
    expect(seen).toEqual(["chain", "two"]);
  });

  it("does not call what was cancelled", async () => {
    const world = newWorld();
    let calls = 0;
    const process = world.process("p");
    process.after(5, () => calls++).cancel();
    const interval = process.every(1, () => {
      if (++calls === 3) interval.cancel();
    });
    await world.advance(100);
    expect(calls).toBe(3);
  });

  it("stops when a condition holds, and says whether it ever did", async () => {
    const world = newWorld();
    let done = false;
    world.schedule(10, "done", () => {
      done = true;
    });
    expect(await world.until(() => done, 5)).toBe(false);
    expect(await world.until(() => done, 50)).toBe(true);
    expect(world.nowMs).toBe(10);
  });

  it("orders events of the same moment by its seed, and those of one process as they were begun", async () => {
    const orderOf = async (seed: string) => {
      const world = newWorld(seed);
      const seen: string[] = [];
      for (const name of ["a", "b", "c", "d"]) {
        const process = world.process(name);
        for (const i of [1, 2, 3]) {
          world.schedule(1, "event", () => seen.push(name + i), process);
        }
      }
      await world.advance(2);
      return seen;
    };
    const orders = new Set<string>();
    for (let seed = 0; seed < 20; seed++) {
      const seen = await orderOf(`${seed}`);
      expect(await orderOf(`${seed}`)).toEqual(seen);
      for (const name of "abcd") {
        expect(seen.filter((event) => event[0] === name)).toEqual([1, 2, 3].map((i) => name + i));
      }
      orders.add(seen.join());
    }
    expect(orders.size).toBeGreaterThan(5);
  });
});

describe("a process", () => {
  it("ends a turn after its promises, and gathers what comes in between", async () => {
    const world = newWorld();
    const process = world.process("p");
    const seen: string[] = [];
    world.schedule(
      1,
      "chunk",
      () => {
        process.endOfTurn(() => seen.push("end of turn"));
        Promise.resolve().then(() => seen.push("promise"));
        process.endOfTurn(() => {
          seen.push("second");
          process.endOfTurn(() => seen.push("next turn"));
        });
      },
      process,
    );
    await world.advance(5);
    expect(seen).toEqual(["promise", "end of turn", "second", "next turn"]);
  });

  it("that is paused does what it missed when it goes on, in order, at a later time", async () => {
    const world = newWorld();
    const process = world.process("p");
    const seen: string[] = [];
    process.after(10, () => seen.push(`first ${Math.floor(world.nowMs)}`));
    process.after(20, () => seen.push(`second ${Math.floor(world.nowMs)}`));
    process.pause();
    await world.advance(100);
    expect(seen).toEqual([]);
    const before = process.now();
    process.resume();
    await world.advance(1);
    expect(seen).toEqual(["first 100", "second 100"]);
    expect(before).toBe(START_MS + 100);
  });

  it("that is killed does nothing any more, paused or not", async () => {
    const world = newWorld();
    let calls = 0;
    for (const paused of [false, true]) {
      const process = world.process(`p${paused}`);
      process.every(1, () => calls++);
      process.endOfTurn(() => calls++);
      if (paused) process.pause();
      await world.advance(0.2);
      process.kill();
      process.resume();
    }
    calls = 0;
    await world.advance(50);
    expect(calls).toBe(0);
  });

  it("that throws is killed, and the world says so and goes on", async () => {
    const world = newWorld();
    const process = world.process("p");
    process.after(1, () => {
      throw new Error("broken");
    });
    let calls = 0;
    world.process("q").after(5, () => calls++);
    await world.advance(10);
    expect(process.isAlive).toBe(false);
    expect(world.failures).toEqual([{ process: "p", error: new Error("broken") }]);
    expect(calls).toBe(1);
  });

  it("has a clock of its own that may be off, drift and jump, while its monotonic clock does not", async () => {
    const world = newWorld();
    const process = world.process("p");
    await world.advance(1000);
    process.clock.jump(world.nowMs, -600_000);
    expect(process.now()).toBe(START_MS + 1000 - 600_000);
    process.clock.drift(world.nowMs, 1.5);
    await world.advance(1000);
    expect(process.now()).toBe(START_MS + 1000 - 600_000 + 1500);
    expect(process.monotonic()).toBe(2000);
    process.clock.correct(world.nowMs, START_MS + world.nowMs);
    await world.advance(10);
    expect(process.now()).toBe(START_MS + 2010);
  });

  it("draws its random bytes from the seed", () => {
    const bytes = (seed: string, name: string) => newWorld(seed).process(name).randomBytes(16);
    expect(bytes("1", "p")).toEqual(bytes("1", "p"));
    expect(bytes("1", "p")).not.toEqual(bytes("2", "p"));
    expect(bytes("1", "p")).not.toEqual(bytes("1", "q"));
  });
});

describe("a trace", () => {
  const run = async (seed: string, extra = false) => {
    const lines: string[] = [];
    const world = new World({ seed, settle, record: (line) => lines.push(line) });
    const process = world.process("p");
    process.every(3, () => world.trace.note(`${process.randomBytes(1)[0]}`));
    if (extra) world.schedule(50, "extra", () => {});
    await world.advance(100);
    return { hash: world.trace.hash, lines };
  };

  it("is the same for the same seed, as hash and as text, and differs with what happens", async () => {
    const first = await run("a");
    expect(await run("a")).toEqual(first);
    expect(first.lines.length).toBeGreaterThan(50);
    expect((await run("b")).hash).not.toBe(first.hash);
    expect((await run("a", true)).hash).not.toBe(first.hash);
  });
});
