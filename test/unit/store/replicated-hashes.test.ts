/** What becomes of a hash whose replicas hear of writes in different orders, around deletions, expiries and floors. */
import { describe, expect, test } from "vitest";
import { encodeWrite, FRAME_FLAG } from "../../../src/link/frame.ts";
import { recordFrames } from "../../../src/store/apply.ts";
import { fromLatin1 } from "../../../src/store/arguments.ts";
import { HashObject } from "../../../src/store/objects/hash.ts";
import { StampedHashObject } from "../../../src/store/objects/stamped-hash.ts";
import { type Argument, Harness } from "./harness.ts";
import { recordFrame } from "./record-frame.ts";
import { Replica } from "./replica.ts";
import { openStore, START_MS } from "./store-under-test.ts";

const HOUR_MS = 3_600_000;

/** Replicas, and writes that all others hear of when it is told. */
class Scene {
  readonly replicas: readonly Replica[];
  readonly #told: { from: Replica; frames: Uint8Array[] }[] = [];

  constructor(count = 2) {
    this.replicas = Array.from({ length: count }, (_, node) => new Replica(node));
  }

  at(node: number): Replica {
    return this.replicas[node]!;
  }

  /** A replica runs commands under one stamp; the others hear of it by tell(). Returns the frames. */
  write(node: number, ...commands: readonly (readonly Argument[])[]): Uint8Array[] {
    const frames = this.at(node).run(...commands);
    this.#told.push({ from: this.at(node), frames });
    return frames;
  }

  /** Everybody hears of everything; `order`: which write comes first at replica 0 and which at the others. */
  tell(order: "forth" | "back" = "forth"): void {
    const writes = order === "forth" ? this.#told : [...this.#told].reverse();
    for (const { from, frames } of writes) {
      for (const to of this.replicas) if (to !== from) for (const frame of frames) to.apply(frame);
    }
    this.#told.length = 0;
  }

  setNow(now: number, ...nodes: number[]): void {
    const whose = nodes.length === 0 ? this.replicas.keys() : nodes;
    for (const node of whose) this.at(node).store.setNow(now);
  }

  /** What all replicas hold, which must be the same. */
  content(key = "h"): string {
    const states = new Set(this.replicas.map((replica) => replica.state(key)));
    expect(states.size, [...states].join(" | ")).toBe(1);
    return this.at(0).content(key);
  }
}

describe.each(["forth", "back"] as const)("heard of %s,", (order) => {
  test("concurrent changes of different fields are merged", () => {
    const scene = new Scene(3);
    scene.write(0, ["hset", "h", "a", "1"]);
    scene.write(1, ["hset", "h", "b", "2"], ["hset", "h", "c", "3"]);
    scene.write(2, ["hset", "h", "a", "4"]);
    scene.tell(order);
    expect(scene.content()).toBe("a=4 b=2 c=3");
  });

  test("a deletion takes what is older than it, and leaves what is newer, whatever the clocks say", () => {
    const scene = new Scene();
    scene.write(0, ["hset", "h", "old", "1"]);
    scene.tell();
    scene.setNow(START_MS + 2000, 1);
    scene.setNow(START_MS + 1000, 0);
    scene.write(1, ["del", "h"]);
    // Later on the wall, but its clock is behind: it is older.
    scene.write(0, ["hset", "h", "lost", "1"]);
    scene.tell(order);
    expect(scene.content()).toBe("missing");
    scene.write(0, ["hset", "h", "new", "1"]);
    scene.tell(order);
    expect(scene.content()).toBe("new=1");
  });

  test("a string between two writes of fields takes the older ones with it", () => {
    const scene = new Scene(3);
    scene.write(0, ["hset", "h", "old", "1"]);
    scene.setNow(START_MS + 1, 1);
    scene.write(1, ["set", "h", "string"]);
    scene.setNow(START_MS + 2, 2);
    scene.write(2, ["hset", "h", "new", "2"]);
    scene.tell(order);
    expect(scene.content()).toBe("new=2");
  });

  test("a field that is set while another node removes the last one stays", () => {
    const scene = new Scene();
    scene.write(0, ["hset", "h", "last", "1"]);
    scene.tell();
    scene.write(1, ["hset", "h", "other", "2"]);
    scene.setNow(START_MS + 10);
    scene.write(0, ["hdel", "h", "last"]);
    expect(scene.at(0).harness.run("exists", "h")).toBe(0);
    expect(scene.at(0).harness.run("dbsize")).toBe(0);
    scene.tell(order);
    expect(scene.content()).toBe("other=2");
  });

  test("an expiry and a field that were set at the same time are both there", () => {
    const scene = new Scene();
    scene.write(0, ["hset", "h", "f", "1"]);
    scene.tell();
    scene.write(0, ["expire", "h", 100]);
    scene.setNow(START_MS + 5, 1);
    scene.write(1, ["hset", "h", "g", "2"]);
    scene.tell(order);
    expect(scene.content()).toBe("f=1 g=2");
    expect(scene.at(1).harness.run("pexpiretime", "h")).toBe(START_MS + 100_000);
    scene.setNow(START_MS + 100_000);
    expect(scene.content()).toBe("missing");
  });

  test("a floor takes what is older than it, of a hash that is newer too", () => {
    const scene = new Scene();
    scene.write(0, ["hset", "h", "old", "1"], ["hset", "gone", "f", "1"], ["set", "s", "1"]);
    scene.tell();
    scene.write(0, ["flushall"]);
    scene.setNow(START_MS + 5, 1);
    scene.write(1, ["hset", "h", "new", "2"]);
    scene.tell(order);
    expect([scene.content("h"), scene.content("gone"), scene.content("s")]).toEqual([
      ...["new=2", "missing", "missing"],
    ]);
    expect(scene.at(0).harness.run("dbsize")).toBe(1);
  });

  test("a hash renamed to another key takes the place of what was there", () => {
    const scene = new Scene();
    scene.write(0, ["hset", "h", "f", "1"], ["hset", "to", "old", "1"]);
    scene.tell();
    scene.write(1, ["hset", "to", "late", "1"]);
    scene.setNow(START_MS + 5, 0);
    scene.write(0, ["rename", "h", "to"]);
    scene.tell(order);
    expect([scene.content("h"), scene.content("to")]).toEqual(["missing", "f=1"]);
  });
});

describe("a hash that has expired", () => {
  function expired(): Scene {
    const scene = new Scene();
    scene.write(0, ["hset", "h", "f", "1", "g", "2"]);
    scene.write(0, ["pexpire", "h", 1000]);
    scene.tell();
    return scene;
  }

  test("begins anew with the next write, also where it has not been noticed", () => {
    const scene = expired();
    // Replica 1 is behind: to it, the hash is still there.
    scene.setNow(START_MS + 1000, 0);
    scene.write(0, ["hset", "h", "new", "3"]);
    scene.tell();
    expect(scene.content()).toBe("new=3");
    expect(scene.at(1).harness.run("ttl", "h")).toBe(-1);
    scene.write(1, ["pexpire", "h", 5000]);
    scene.tell();
    expect(scene.content()).toBe("new=3");
  });

  test("is back when an expiry that was taken back in time is heard of late", () => {
    const scene = expired();
    scene.write(0, ["persist", "h"]);
    scene.setNow(START_MS + 1000);
    scene.at(1).store.tick();
    expect(scene.at(1).content("h")).toBe("missing");
    scene.tell();
    expect(scene.content()).toBe("f=1 g=2");
    expect(scene.at(1).harness.run("ttl", "h")).toBe(-1);
  });

  test("keeps what was written after that by a node that had not heard of the expiry", () => {
    const scene = new Scene();
    scene.write(0, ["hset", "h", "f", "1"]);
    scene.tell();
    const expiry = scene.at(0).run(["pexpire", "h", 1000]);
    scene.setNow(START_MS + 500, 1);
    const early = scene.at(1).run(["hset", "h", "early", "2"]);
    scene.setNow(START_MS + 1500, 1);
    const late = scene.at(1).run(["hset", "h", "late", "3"]);
    for (const frame of [...early, ...late]) scene.at(0).apply(frame);
    expect(scene.at(0).content("h")).toBe("early=2 f=1 late=3");
    for (const frame of expiry) scene.at(1).apply(frame);
    scene.setNow(START_MS + 1500);
    expect(scene.content()).toBe("late=3");
    expect(scene.at(0).harness.run("hlen", "h")).toBe(1);
    expect(scene.at(0).harness.run("dbsize")).toBe(1);
  });

  test("does not expire before a write of a clock that is ahead", () => {
    const scene = expired();
    scene.setNow(START_MS + 3000, 1);
    const [ahead] = scene.at(1).run(["set", "other", "x"]);
    scene.at(0).apply(ahead!);
    // Its stamp is behind the expiry, though the wall is before it.
    scene.write(0, ["hset", "h", "f", "new"]);
    scene.tell();
    expect(scene.at(0).harness.run("pexpiretime", "h")).toBe(START_MS + 3001);
    scene.setNow(START_MS + 3001);
    expect(scene.content()).toBe("missing");
  });

  test("comes back without an expiry when all fields had been removed before", () => {
    const scene = expired();
    scene.write(0, ["hdel", "h", "f", "g"]);
    scene.write(0, ["hset", "h", "again", "1"]);
    scene.tell();
    expect(scene.content()).toBe("again=1");
    scene.setNow(START_MS + 2000);
    expect(scene.content()).toBe("again=1");
  });

  test("gives back its memory in quiet moments, unseen by anybody", () => {
    const { store, harness } = new Replica(0);
    for (let i = 0; i < 200; i++) {
      harness.run("hset", `h${i}`, "f", "x".repeat(3000));
      harness.run("pexpire", `h${i}`, 1000);
    }
    const full = store.figure("usedBytes");
    store.setNow(START_MS + 1000);
    for (let ticks = 0; ticks < 20; ticks++) store.tick();
    expect(store.figure("usedBytes")).toBeLessThan(full / 4);
    expect(store.databases[0]!.size).toBe(0);
    expect(store.databases[0]!.walk(0).entries).toHaveLength(0);
    store.flushAll();
    expect([store.objects.count, store.figure("usedBytes")]).toEqual([0, 0]);
  });

  test("has a change of its expiry told without its fields where it would have expired much later", () => {
    const one = new Replica(0);
    one.run(["hset", "h", "large", "x".repeat(5000)]);
    const [first] = one.run(["pexpire", "h", 3 * HOUR_MS]);
    const [far] = one.run(["pexpire", "h", HOUR_MS / 2]);
    const [near] = one.run(["pexpire", "h", 3 * HOUR_MS]);
    expect([first!.length < 200, far!.length < 200, near!.length > 5000]).toEqual([
      true,
      true,
      true,
    ]);
  });
});

describe("removed fields", () => {
  test("count as bytes and are not seen", () => {
    const { store, harness } = new Replica(0);
    harness.run("hset", "h", "stays", "1");
    const small = store.figure("usedBytes");
    for (let i = 0; i < 100; i++) harness.run("hset", "h", `field:${i}`, "");
    for (let i = 0; i < 100; i++) harness.run("hdel", "h", `field:${i}`);
    expect(harness.run("hlen", "h")).toBe(1);
    expect(store.figure("usedBytes")).toBeGreaterThan(small + 5000);
  });
});

describe("applying", () => {
  test("refuses a stamp too far ahead and leaves everything as it was", () => {
    const [one, other] = [new Replica(0), new Replica(1)];
    one.store.setNow(START_MS + 60_000);
    const frames = one.run(["hset", "h", "f", "1"], ["set", "s", "1"], ["del", "d"]);
    one.run(["flushall"]);
    for (const frame of frames) expect(other.apply(frame)).toBe("refused");
    for (const frame of one.run(["flushdb"])) expect(other.apply(frame)).toBe("refused");
    expect(["h", "s", "d"].map((key) => other.state(key))).toEqual(Array(3).fill("nothing"));
    // Its own stamps are not ahead now.
    const [mine] = other.run(["set", "s", "2"]);
    expect(new DataView(mine!.buffer).getBigUint64(8, true) >> 16n).toBe(BigInt(START_MS));
  });

  test("answers what became of a record", () => {
    const scene = new Scene();
    const [one, other] = scene.replicas as [Replica, Replica];
    const [older] = one.run(["hset", "h", "f", "1"]);
    scene.setNow(START_MS + 1);
    const [field] = one.run(["hset", "h", "g", "1"]);
    const [newer] = one.run(["hset", "h", "f", "2"]);
    expect(other.apply(newer!)).toBe("applied");
    expect(other.apply(field!)).toBe("merged");
    expect(other.apply(field!)).toBe("equal");
    expect(other.apply(older!)).toBe("stale");
    const [gone] = one.run(["del", "h"]);
    expect(other.apply(gone!)).toBe("applied");
    expect(other.apply(newer!)).toBe("stale");
  });

  test("merges what an older string or tombstone takes, and says that it is stale", () => {
    const scene = new Scene();
    const [one, other] = scene.replicas as [Replica, Replica];
    for (const frame of one.run(["hset", "h", "old", "1"])) other.apply(frame);
    scene.setNow(START_MS + 1);
    const [string] = one.run(["set", "h", "string"]);
    scene.setNow(START_MS + 2);
    other.run(["hset", "h", "new", "2"]);
    expect(other.apply(string!)).toBe("stale");
    expect(other.content("h")).toBe("new=2");
  });

  test("refuses a string and a hash with one stamp, and malformed objects, with nothing changed", () => {
    const one = new Replica(3);
    const [frame] = one.run(["set", "h", "string"]);
    const data = new DataView(frame!.buffer);
    const other = new Replica(3);
    const [hash] = other.run(["hset", "h", "f", "1"]);
    expect(new DataView(hash!.buffer).getBigUint64(8, true)).toBe(data.getBigUint64(8, true));
    const before = one.state("h");
    expect(() => one.apply(hash!)).toThrow(expect.objectContaining({ code: "STAMP_CONFLICT" }));
    const malformed = encodeWrite({
      database: 0,
      flags: FRAME_FLAG.object,
      stamp: data.getBigUint64(8, true) + 1n,
      expiry: 0n,
      node: 1,
      key: fromLatin1("h"),
      value: fromLatin1("no object"),
    });
    expect(() => one.apply(malformed)).toThrow(
      expect.objectContaining({ code: "MALFORMED_OBJECT" }),
    );
    expect(one.state("h")).toBe(before);
  });

  test("refuses what does not fit, with nothing changed", () => {
    const one = new Replica(0);
    const frames = one.run(
      ["hset", "h", "f", "x".repeat(100_000)],
      ["set", "s", "x".repeat(100_000)],
    );
    const other = new Replica(1);
    other.store.setMaxMemory(50_000, "noeviction");
    for (const frame of frames) expect(other.apply(frame)).toBe("noMemory");
    expect([other.state("h"), other.state("s")]).toEqual(["nothing", "nothing"]);
    expect(other.store.objects.count).toBe(0);
  });

  test("a whole record makes a replica that has nothing equal", () => {
    const [one, other] = [new Replica(0), new Replica(1)];
    one.run(["hset", "h", "f", "1", "g", "2"], ["set", "s", "1", "ex", 100]);
    one.run(["hdel", "h", "f"], ["del", "d"]);
    one.run(["hset", "e", "f", "1"]);
    one.run(["hdel", "e", "f"]);
    for (const key of ["h", "s", "d", "e"]) {
      expect(other.apply(recordFrame(one.store, 0, fromLatin1(key))!)).toBe("applied");
      expect(other.state(key)).toBe(one.state(key));
    }
    expect(recordFrame(one.store, 0, fromLatin1("never"))).toBeUndefined();
  });
});

describe("a hash that is too large to be told at once", () => {
  test("is told in parts, which make it in any order", () => {
    const one = new Replica(0);
    const fields = Array.from({ length: 500 }, (_, i) => [`field:${i}`, `value:${i}`]).flat();
    one.run(["hset", "h", ...fields], ["expire", "h", 100]);
    one.run(["hdel", "h", "field:1", "field:2"]);
    one.run(["hset", "h", "long", "x".repeat(9000)]);
    const key = fromLatin1("h");
    const parts = recordFrames(one.store, 0, key, 4096);
    expect(parts.length).toBeGreaterThan(5);
    expect(parts.filter((part) => part.length > 4096 + 100)).toHaveLength(1);
    for (const order of [parts, [...parts].reverse()]) {
      const other = new Replica(1);
      for (const part of order) expect(["applied", "merged"]).toContain(other.apply(part));
      expect(other.state("h")).toBe(one.state("h"));
    }
  });
});

describe("the version of a key", () => {
  test("changes with every change, also one that is older than the newest", () => {
    const scene = new Scene();
    const [one, other] = scene.replicas as [Replica, Replica];
    const version = (): string | undefined =>
      other.store.databases[0]!.version(other.store.place(fromLatin1("h")));
    expect(version()).toBeUndefined();
    const [first] = one.run(["hset", "h", "f", "1"]);
    const [second] = one.run(["hset", "h", "g", "2"]);
    other.apply(second!);
    const before = version();
    other.apply(second!);
    expect(version()).toBe(before);
    other.apply(first!);
    expect(version()).not.toBe(before);
    // The same everywhere.
    expect(version()).toBe(one.store.databases[0]!.version(one.store.place(fromLatin1("h"))));
  });
});

describe("expiries that the kernel sets", () => {
  test("are the hash's own", () => {
    const one = new Harness({ tombstones: true });
    one.run("hset", "h", "f", "1");
    one.run("expire", "h", 100);
    const other = new Replica(1);
    expect(other.apply(recordFrame(one.store, 0, fromLatin1("h"))!)).toBe("applied");
    expect(other.harness.run("pexpiretime", "h")).toBe(START_MS + 100_000);
    one.run("hset", "h", "g", "2");
    expect(one.run("pexpiretime", "h")).toBe(START_MS + 100_000);
  });
});

describe("a store of a single node", () => {
  test("has hashes without stamps, and notes nothing", () => {
    const single = new Harness({ runBy: "host" });
    single.run("hset", "h", "f", "1");
    const hash = single.database.object(single.find("h"));
    expect(hash).toBeInstanceOf(HashObject);
    expect(hash).not.toBeInstanceOf(StampedHashObject);
    expect(openStore().replicated).toBe(false);
  });
});
