// The checkers of deadlines, of the order of replies and of the replicas: what is right passes, and what is wrong is found.
import { describe, expect, it } from "vitest";
import { checkDeadlines, type DeadlineFacts } from "../../../../src/sim/checkers/deadlines.ts";
import { checkLiveness } from "../../../../src/sim/checkers/liveness.ts";
import { checkReplicas } from "../../../../src/sim/checkers/replicas.ts";
import { checkReplyOrder } from "../../../../src/sim/checkers/reply-order.ts";
import { HistoryBuilder } from "./history-builder.ts";

const FACTS: DeadlineFacts = { requestTimeoutMs: 100, slackMs: 10, pauses: [], endMs: 1000 };

describe("deadlines", () => {
  const late = (history: HistoryBuilder, facts: Partial<DeadlineFacts> = {}) =>
    checkDeadlines(history.operations, { ...FACTS, ...facts }).map((p) => p.operations[0]);

  it("are kept by an answer, an error or a lost connection in time", () => {
    const history = new HistoryBuilder()
      .add("GET r", [0, 105], null)
      .add("GET r", [300, 405], { error: "ERR Dynomite: Failed to achieve Quorum" })
      .add("GET r", [500, 900]);
    expect(late(history)).toEqual([]);
  });

  it("start for a command when the one before it is answered", () => {
    const history = new HistoryBuilder()
      .add("GET r", [0, 100], null)
      .add("GET r", [0, 200], null)
      .add("GET r", [0, 300], null, { connection: 2 });
    expect(late(history)).toEqual([2]);
  });

  it("are missed by a late answer, by one that never came, and by a client's patience", () => {
    const history = new HistoryBuilder()
      .add("GET r", [0, 111], null)
      .add("GET r", [300, 500], undefined, { givenUp: "waited" })
      .add("GET r", [600, 601], undefined, { givenUp: undefined, endedMs: undefined });
    expect(late(history)).toEqual([0, 1, 2]);
  });

  it("do not count the time in which the node did not run", () => {
    const history = new HistoryBuilder().add("GET r", [0, 205], null);
    const pause = { node: "n1", fromMs: 50, toMs: 150 };
    expect(late(history, { pauses: [pause] })).toEqual([]);
    expect(late(history, { pauses: [{ ...pause, node: "n2" }] })).toEqual([0]);
    expect(late(history, { pauses: [{ ...pause, toMs: 130 }] })).toEqual([0]);
  });
});

describe("the order of replies", () => {
  it("is right where each is of its command", () => {
    const { operations } = new HistoryBuilder()
      .add("ECHO a", [0, 1], "a")
      .add("SET r v", [0, 1], "OK")
      .add("MGET r s", [0, 1], ["v", null])
      .add("GET r", [0, 1], { error: "ERR" })
      .add("GET r", [0, 1]);
    expect(checkReplyOrder(operations)).toEqual([]);
  });

  it.each<[string, ConstructorParameters<typeof Object>[0]]>([
    ["ECHO a", "b"],
    ["ECHO a", "OK"],
    ["SET r v", "v"],
    ["MGET r s", ["v"]],
    ["HGETALL h", ["f"]],
    ["DEL r", "OK"],
    ["GET r", 1],
    ["EXISTS r", 2],
  ])("is wrong where %s is answered with %j", (command, reply) => {
    const { operations } = new HistoryBuilder().add(command, [0, 1], reply);
    expect(checkReplyOrder(operations)).toHaveLength(1);
  });
});

describe("replicas", () => {
  const ownersOf = (key: string) => (key === "0/x" ? ["a", "b"] : ["b", "c"]);
  const check = (states: Record<string, Record<string, string>>) =>
    checkReplicas({
      states: new Map(
        Object.entries(states).map(([node, keys]) => [node, new Map(Object.entries(keys))]),
      ),
      ownersOf,
    }).map((problem) => problem.text);

  it("are equal where all owners of each key hold the same", () => {
    expect(
      check({ a: { "0/x": "v@1" }, b: { "0/x": "v@1", "0/y": "w@2" }, c: { "0/y": "w@2" } }),
    ).toEqual([]);
  });

  it.each([
    ["a value", { a: { "0/x": "v@1" }, b: { "0/x": "u@1" }, c: {} }],
    ["a stamp", { a: { "0/x": "v@1" }, b: { "0/x": "v@2" }, c: {} }],
    ["a missing key", { a: { "0/x": "v@1" }, b: {}, c: {} }],
  ])("differ by %s", (_, states) => {
    expect(check(states)).toEqual([expect.stringMatching(/^replicas differ in 1 keys: 0\/x: a /)]);
  });

  it("hold nothing that is not theirs", () => {
    const x = { "0/x": "v@1" };
    expect(check({ a: x, b: x, c: x })).toEqual([expect.stringContaining("0/x at c")]);
  });
});

describe("a cluster that has healed", () => {
  const history = new HistoryBuilder()
    .add("GET r", [0, 50], { error: "ERR Dynomite: Failed to achieve Quorum" })
    .add("GET r", [100, 105], { error: "ERR Dynomite: too many requests wait for replicas" });

  it("answers everything", () => {
    const found = checkLiveness(history.operations, { healedMs: 60 });
    expect(found.map(({ operations }) => operations)).toEqual([[1]]);
    expect(checkLiveness(history.operations, { healedMs: 110 })).toEqual([]);
  });

  it.each([
    ["a write of another datacenter that has just been answered", "SET s v", "west", 190, []],
    ["one that has long arrived", "SET s v", "west", 90, [[1]]],
    ["one of the same datacenter", "SET s v", "dc1", 190, [[1]]],
    ["one of another key", "SET t v", "west", 190, [[1]]],
  ])(
    "lets a write at every datacenter fail behind %s: %s in %s until %d",
    (_, command, datacenter, endedMs, found) => {
      const { operations } = new HistoryBuilder()
        .add(command, [80, endedMs], "OK", { client: "other", datacenter })
        .add("SET s w", [200, 205], { error: "ERR" }, { write: "DC_EACH_SAFE_QUORUM" });
      const problems = checkLiveness(operations, { healedMs: 60 });
      expect(problems.map((problem) => problem.operations)).toEqual(found);
    },
  );

  it("may refuse what is more than its nodes let wait", () => {
    const facts = { healedMs: 60, mayRefuse: true };
    expect(checkLiveness(history.operations, facts)).toEqual([]);
    const [problem] = checkLiveness(history.operations, { ...facts, healedMs: 0 });
    expect(problem?.operations).toEqual([0]);
  });
});
