// The checker of registers: correct histories pass, and each way of being wrong is found.
import { describe, expect, it } from "vitest";
import { checkRegisters, type RegisterFacts } from "../../../../src/sim/checkers/registers.ts";
import { HistoryBuilder } from "./history-builder.ts";

const NO_QUORUM = { error: "ERR Dynomite: Failed to achieve Quorum (2 of 3 needed, 1 answered)" };
const UNKNOWN = { error: `${NO_QUORUM.error}: the outcome of the write is unknown` };
const ONE = { read: "DC_ONE", write: "DC_ONE" } as const;
const SAFE = { read: "DC_SAFE_QUORUM", write: "DC_SAFE_QUORUM" } as const;
const EACH = { read: "DC_EACH_SAFE_QUORUM", write: "DC_EACH_SAFE_QUORUM" } as const;
const IN_2 = { datacenter: "dc2" } as const;

function problems(
  build: (history: HistoryBuilder) => HistoryBuilder,
  facts: Partial<RegisterFacts> = {},
): string[] {
  const { operations } = build(new HistoryBuilder());
  return checkRegisters(operations, { datacenters: ["dc1", "dc2"], ...facts }).map(
    (problem) => problem.text,
  );
}

describe("a history that keeps the promises:", () => {
  it.each<[string, (history: HistoryBuilder) => HistoryBuilder, Partial<RegisterFacts>?]>([
    [
      "reads of what was acknowledged",
      (h) => h.add("SET r a", [0, 1], "OK").add("GET r", [2, 3], "a"),
    ],
    ["a read of nothing before any write", (h) => h.add("GET r", [0, 1], null)],
    [
      "a read beside a write, of the old or the new value",
      (h) =>
        h
          .add("SET r a", [0, 1], "OK")
          .add("SET r b", [2, 9], "OK")
          .add("GET r", [3, 4], "b")
          .add("GET r", [5, 6], "a")
          .add("GET r", [10, 11], "b"),
    ],
    [
      "a write of unknown outcome that is seen, missed, and seen again much later",
      (h) =>
        h
          .add("SET r a", [0, 1], "OK")
          .add("SET r b", [2, 3], UNKNOWN)
          .add("GET r", [4, 5], "b")
          .add("GET r", [6, 7], "a")
          .add("GET r", [100, 101], "b"),
      { final: new Map([["r", "b"]]) },
    ],
    [
      "a write at one replica that a later quorum read misses, and that another datacenter never sees in time",
      (h) =>
        h
          .add("SET r a", [0, 1], "OK", ONE)
          .add("GET r", [2, 3], null)
          .add("SET r b", [4, 5], "OK")
          .add("GET r", [6, 7], null, IN_2),
    ],
    [
      "a write of another datacenter that a safe read here returns, and that is stamped anew there before it is answered",
      (h) =>
        h
          .add("SET r a", [0, 9], "OK", IN_2)
          .add("GET r", [1, 2], "a", SAFE)
          .add("SET r b", [3, 4], "OK")
          .add("GET r", [5, 6], "b")
          .add("GET r", [10, 11], "a"),
    ],
    [
      "a read at one replica that returns something old",
      (h) =>
        h
          .add("SET r a", [0, 1], "OK")
          .add("SET r b", [2, 3], "OK")
          .add("GET r", [4, 5], "a", ONE)
          .add("GET r", [6, 7], null, ONE),
    ],
    [
      "deletions beside others",
      (h) =>
        h
          .add("SET r a", [0, 1], "OK")
          .add("DEL r", [2, 9], 1)
          .add("SET r b", [3, 8], "OK")
          .add("GET r", [10, 11], "b")
          .add("UNLINK r", [12, 13], 1)
          .add("EXISTS r", [14, 15], 0),
      { final: new Map() },
    ],
    [
      "what a datacenter forgot with the majority of its replicas",
      (h) => h.add("SET r a", [0, 1], "OK").add("GET r", [10, 11], null),
      { losses: [{ datacenter: "dc1", atMs: 5 }] },
    ],
    [
      "fields of a hash, which are registers of their own",
      (h) =>
        h
          .add("HSET h f a g b", [0, 1], 2)
          .add("HGET h f", [2, 3], "a")
          .add("HGETALL h", [2, 3], ["g", "b", "f", "a"])
          .add("HDEL h f", [4, 5], 1)
          .add("HMGET h f g", [6, 7], [null, "b"])
          .add("DEL h", [8, 9], 1)
          .add("HGETALL h", [10, 11], []),
    ],
    [
      "conditional writes, which write only what they say",
      (h) =>
        h.add("SET r a NX", [0, 1], "OK").add("SET r b NX", [2, 3], null).add("GET r", [4, 5], "a"),
    ],
  ])("%s", (_, build, facts) => {
    expect(problems(build, facts)).toEqual([]);
  });
});

describe("a history that breaks one is found:", () => {
  it.each<[string, (history: HistoryBuilder) => HistoryBuilder, RegExp, Partial<RegisterFacts>?]>([
    [
      "an acknowledged write that is not there",
      (h) => h.add("SET r a", [0, 1], "OK").add("GET r", [2, 3], null),
      /"a" was written .* and after that GET r .* returned nothing/,
    ],
    [
      "an old value after a newer one was acknowledged",
      (h) => h.add("SET r a", [0, 1], "OK").add("SET r b", [2, 3], "OK").add("GET r", [4, 5], "a"),
      /"b" was written .* and after that GET r .* returned "a"/,
    ],
    [
      "two reads that disagree about which of two writes won",
      (h) =>
        h
          .add("SET r a", [0, 3], "OK")
          .add("SET r b", [0, 3], "OK")
          .add("GET r", [4, 5], "a")
          .add("GET r", [6, 7], "b"),
      /GET r .* returned "b"/,
    ],
    [
      "an acknowledged write that the replicas have lost at the end",
      (h) => h.add("SET r a", [0, 1], "OK").add("SET r b", [2, 3], "OK").add("GET r", [4, 5], "b"),
      /"b" was written .* and after that the replicas hold "a" at the end/,
      { final: new Map([["r", "a"]]) },
    ],
    [
      "a register that is gone at the end",
      (h) => h.add("SET r a", [0, 1], "OK"),
      /the replicas hold nothing at the end/,
      { final: new Map() },
    ],
    [
      "a deleted value that is back",
      (h) => h.add("SET r a", [0, 1], "OK").add("DEL r", [2, 3], 1).add("GET r", [4, 5], "a"),
      /nothing was written .* and after that GET r .* returned "a"/,
    ],
    [
      "a deleted value that is back at the end",
      (h) => h.add("SET r a", [0, 1], "OK").add("DEL r", [2, 3], 1),
      /the replicas hold "a" at the end/,
      { final: new Map([["r", "a"]]) },
    ],
    [
      "a deleted value that exists again",
      (h) => h.add("SET r a", [0, 1], "OK").add("DEL r", [2, 3], 1).add("EXISTS r", [4, 5], 1),
      /returned something/,
    ],
    [
      "a field that outlives its hash",
      (h) =>
        h.add("HSET h f a", [0, 1], 1).add("DEL h", [2, 3], 1).add("HGETALL h", [4, 5], ["f", "a"]),
      /h\/f: .* returned "a"/,
    ],
    [
      "a value that nobody wrote",
      (h) => h.add("SET r a", [0, 1], "OK").add("GET r", [2, 3], "b", ONE),
      /returned "b", which nobody had written by then/,
    ],
    [
      "a value of the future",
      (h) => h.add("GET r", [0, 1], "a", ONE).add("SET r a", [2, 3], "OK"),
      /which nobody had written by then/,
    ],
    [
      "a value whose write was answered as not done",
      (h) => h.add("SET r a", [0, 1], NO_QUORUM).add("GET r", [2, 3], "a", ONE),
      /the write of which was answered as not done/,
    ],
    [
      "a value of another register",
      (h) => h.add("SET r a", [0, 1], "OK").add("GET r2", [2, 3], "a"),
      /r2: .* which nobody had written by then/,
    ],
    [
      "a value that a safe read had returned, and that is gone",
      (h) =>
        h
          .add("SET r a", [0, 1], "OK")
          .add("SET r b", [2, 3], UNKNOWN)
          .add("GET r", [4, 5], "b", SAFE)
          .add("SET r c", [6, 7], "OK")
          .add("GET r", [8, 9], "b"),
      /"c" was written .* and after that GET r .* returned "b"/,
    ],
    [
      "a write of another datacenter that a safe read here returns when it was acknowledged, and that comes back",
      (h) =>
        h
          .add("SET r a", [0, 1], "OK", IN_2)
          .add("GET r", [2, 3], "a", SAFE)
          .add("SET r b", [4, 5], "OK")
          .add("GET r", [6, 7], "a"),
      /"b" was written .* and after that GET r .* returned "a"/,
    ],
    [
      "a write for each datacenter that a safe read has returned, and that comes back",
      (h) =>
        h
          .add("SET r a", [0, 9], "OK", { ...EACH, ...IN_2 })
          .add("GET r", [1, 2], "a", SAFE)
          .add("SET r b", [3, 4], "OK")
          .add("GET r", [10, 11], "a"),
      /"b" was written .* and after that GET r .* returned "a"/,
    ],
    [
      "a safe read followed by an older one",
      (h) =>
        h
          .add("SET r a", [0, 1], "OK")
          .add("SET r b", [2, 3], UNKNOWN)
          .add("GET r", [4, 5], "b", SAFE)
          .add("GET r", [6, 7], "a", SAFE)
          .add("GET r", [8, 9], "b"),
      /returned "b"|returned "a"/,
    ],
    [
      "a write at each datacenter that the other does not have",
      (h) => h.add("SET r a", [0, 1], "OK", EACH).add("GET r", [2, 3], null, IN_2),
      /returned nothing/,
    ],
  ])("%s", (_, build, text, facts) => {
    const found = problems(build, facts);
    expect(found).toHaveLength(1);
    expect(found[0]).toMatch(text);
  });
});
