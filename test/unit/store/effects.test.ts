/** Every command that writes, replicated by its effects: what it leaves on one store, it leaves on another. */
import { describe, expect, test } from "vitest";
import { decodeWrite } from "../../../src/link/frame.ts";
import { recordStamp } from "../../../src/store/apply.ts";
import { fromLatin1 } from "../../../src/store/arguments.ts";
import { commands } from "../../../src/store/commands/commands.ts";
import type { Argument } from "./harness.ts";
import { Replica } from "./replica.ts";
import { START_MS } from "./store-under-test.ts";

const KEYS = ["a", "b", "h", "missing"] as const;
const LATER_S = START_MS / 1000 + 1000;
const PAST_S = START_MS / 1000 - 1000;

/** What is there before: a string, one that expires, a hash, one that expires. */
const BEFORE: readonly Argument[][] = [
  ["set", "a", "10"],
  ["set", "b", "12", "ex", 500],
  ["hset", "h", "f", "1", "g", "2"],
  ["hset", "e", "f", "1", "g", "2"],
  ["expire", "e", 500],
];

/** Ways to write, by command; each changes something. */
const WRITES: Readonly<Record<string, readonly Argument[][]>> = {
  append: [
    ["a", "more"],
    ["b", "more"],
    ["missing", "new"],
  ],
  bitfield: [["a", "set", "u8", 0, 1, "incrby", "i16", 100, 7]],
  bitop: [
    ["or", "missing", "a", "b"],
    ["and", "a", "missing"],
  ],
  copy: [
    ["a", "missing"],
    ["h", "missing"],
    ["e", "a", "replace"],
    ["h", "a", "db", 3],
    ["b", "h", "replace"],
    ["h", "e", "replace"],
  ],
  decr: [["a"], ["b"]],
  decrby: [["a", 3]],
  del: [["a"], ["h"], ["e", "b"], ["missing"]],
  expire: [
    ["a", 100],
    ["h", 100],
    ["e", 100],
    ["h", -1],
    ["a", 0],
  ],
  expireat: [
    ["a", LATER_S],
    ["h", LATER_S],
    ["h", PAST_S],
  ],
  flushall: [[]],
  flushdb: [[]],
  getdel: [["a"]],
  getex: [
    ["a", "ex", 100],
    ["b", "persist"],
  ],
  getset: [
    ["a", "new"],
    ["b", "new"],
  ],
  hdel: [
    ["h", "f"],
    ["h", "f", "g", "none"],
    ["e", "f", "g"],
  ],
  hincrby: [
    ["h", "f", 5],
    ["missing", "f", 5],
  ],
  hincrbyfloat: [["h", "f", "0.5"]],
  hmset: [["h", "f", "x", "new", "y"]],
  hset: [
    ["h", "f", "new", "z", "x".repeat(2000)],
    ["e", "f", ""],
    ["missing", "f", "v"],
  ],
  hsetnx: [["h", "new", "v"]],
  incr: [["a"], ["missing"]],
  incrby: [["b", 30]],
  incrbyfloat: [["a", "1.5"]],
  mset: [["a", "1", "missing", "2", "h", "3"]],
  msetnx: [["missing", "1", "missing2", "2"]],
  persist: [["b"], ["e"]],
  pexpire: [
    ["a", 100_000],
    ["h", 100_000],
  ],
  pexpireat: [
    ["a", START_MS + 5000],
    ["e", START_MS + 5000],
  ],
  psetex: [["a", 5000, "v"]],
  rename: [
    ["a", "b"],
    ["h", "missing"],
    ["e", "h"],
    ["a", "e"],
    ["e", "a"],
  ],
  renamenx: [
    ["h", "missing"],
    ["b", "missing"],
  ],
  set: [
    ["a", "new"],
    ["h", "string"],
    ["b", "new", "keepttl"],
    ["missing", "v", "nx", "px", 7000],
    ["b", "v", "xx", "get"],
  ],
  setbit: [["a", 100, 1]],
  setex: [["a", 5, "v"]],
  setnx: [["missing", "v"]],
  setrange: [
    ["a", 5, "tail"],
    ["missing", 2, "x"],
  ],
  unlink: [["a", "h", "missing"]],
};

const NAMES = [...KEYS, "e", "missing2"];

function everything(replica: Replica): string[] {
  const all: string[] = [];
  for (let database = 0; database < 16; database++) {
    for (const key of NAMES) all.push(`${database} ${key}: ${replica.state(key, database)}`);
  }
  return all;
}

function twoReplicas(): [Replica, Replica] {
  const [one, other] = [new Replica(1), new Replica(2)];
  for (const command of BEFORE) for (const frame of one.run(command)) other.apply(frame);
  expect(everything(other)).toEqual(everything(one));
  return [one, other];
}

test("every command that writes is among those that are checked here", () => {
  const writing = commands.filter(({ flags }) => flags.includes("write")).map(({ name }) => name);
  expect(Object.keys(WRITES).sort()).toEqual([...writing].sort());
});

const cases = Object.entries(WRITES).flatMap(([name, ways]) =>
  ways.map((args) => [[name, ...args].join(" ").slice(0, 60), [name, ...args]] as const),
);

describe("what it leaves is the same on another replica", () => {
  test.each(cases)("%s", (_, command) => {
    const [one, other] = twoReplicas();
    const before = everything(one);
    const frames = one.run(command);
    expect(everything(one)).not.toEqual(before);
    for (const frame of frames) expect(["applied", "merged"]).toContain(other.apply(frame));
    expect(everything(other)).toEqual(everything(one));
    // And once more.
    for (const frame of frames) expect(other.apply(frame)).toBe("equal");
    expect(everything(other)).toEqual(everything(one));
  });
});

describe("commands that change nothing", () => {
  test.each([
    [["get", "a"]],
    [["hgetall", "h"]],
    [["persist", "a"]],
    [["hdel", "h", "none"]],
    [["hsetnx", "h", "f", "x"]],
    [["setnx", "a", "x"]],
    [["rename", "missing", "a"]],
    [["incr", "h"]],
    [["hset", "a", "f", "v"]],
    [["copy", "a", "b"]],
    [["expire", "missing", 5]],
    [["setbit", "a", 2, 1]],
  ] as const)("%j: no effects", (command) => {
    const [one] = twoReplicas();
    expect(one.run(command)).toEqual([]);
  });
});

describe("an effect", () => {
  test("of a hash tells the changed fields, not the others", () => {
    const [one] = twoReplicas();
    one.run(["hset", "h", "large", "x".repeat(5000)]);
    const [frame] = one.run(["hset", "h", "f", "new"]);
    expect(frame!.length).toBeLessThan(200);
  });

  test("is one for each key, all with one stamp, whatever came together", () => {
    const [one, other] = twoReplicas();
    const frames = one.run(
      ["set", "a", "1"],
      ["append", "a", "2"],
      ["hset", "h", "f", "3"],
      ["hdel", "h", "g"],
      ["rename", "b", "missing"],
      ["del", "missing2"],
      ["hset", "e", "z", "1"],
      ["incr", "h"],
    );
    const writes = frames.map(decodeWrite);
    expect(writes.map(({ key }) => String.fromCharCode(...key))).toEqual([
      ...["a", "h", "b", "missing", "missing2", "e"],
    ]);
    expect(new Set(writes.map(({ stamp, node }) => `${stamp} ${node}`)).size).toBe(1);
    for (const frame of frames) other.apply(frame);
    expect(everything(other)).toEqual(everything(one));
    // The stamp is not given again.
    const [next] = one.run(["set", "a", "x"]).map(decodeWrite);
    expect(next!.stamp).toBe(writes[0]!.stamp + 1n);
  });

  test.each([
    [[["flushdb"], ["set", "a", "new"], ["hset", "h", "f", "new"]]],
    [[["set", "a", "new"], ["hset", "h", "f", "new"], ["flushall"]]],
    [
      [
        ["hset", "h", "f", "new"],
        ["del", "h"],
      ],
    ],
    [
      [
        ["del", "h"],
        ["hset", "h", "n", "new"],
      ],
    ],
    [
      [
        ["set", "h", "string"],
        ["del", "h"],
        ["hset", "h", "n", "new"],
      ],
    ],
    [
      [
        ["hdel", "e", "f", "g"],
        ["hset", "e", "n", "new"],
      ],
    ],
    [
      [
        ["rename", "h", "missing"],
        ["hset", "h", "n", "1"],
        ["hset", "missing", "n", "2"],
      ],
    ],
    [
      [
        ["expire", "h", -1],
        ["hset", "h", "n", "1"],
        ["expire", "h", 9],
      ],
    ],
    [
      [
        ["copy", "h", "a", "replace"],
        ["hdel", "a", "f"],
        ["persist", "e"],
        ["expire", "e", 7],
      ],
    ],
  ] as const)("of commands under one stamp is what they leave: %j", (together) => {
    const [one, other] = twoReplicas();
    const frames = one.run(...together);
    for (const frame of frames) other.apply(frame);
    expect(everything(other)).toEqual(everything(one));
    for (const frame of [...frames].reverse()) other.apply(frame);
    expect(everything(other)).toEqual(everything(one));
  });

  test("of a command that fails halfway is what it has changed", () => {
    const [one, other] = twoReplicas();
    one.store.beginEffects();
    one.harness.raw("set", "a", "1");
    one.harness.raw("hincrby", "h", "f", "no number");
    expect(one.store.endEffects()).toHaveLength(1);
    expect(() => other.run(["set", "a", "x"])).not.toThrow();
  });

  test("of a removal names a tombstone, and the removed key is known by its stamp", () => {
    const [one, other] = twoReplicas();
    const [frame] = one.run(["del", "missing"]);
    expect(other.apply(frame!)).toBe("applied");
    expect(recordStamp(other.store, 0, fromLatin1("missing"))).toEqual(
      recordStamp(one.store, 0, fromLatin1("missing")),
    );
    expect(recordStamp(other.store, 0, fromLatin1("never"))).toBeUndefined();
  });
});
