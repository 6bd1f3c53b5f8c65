/** The kernel as coordinator: what each level waits for, what disagreement does to replies, and what failures tell the client. */
import { describe, expect, test } from "vitest";
import { fromLatin1 } from "../../../src/store/arguments.ts";
import { SELF_FLAG } from "../../../src/store/kernel-ring.ts";
import { agreed, alone, three } from "./replicas.ts";
import { noQuorum, ONE, QUORUM, SAFE, WiredKernels, type WiredNode } from "./wired-kernels.ts";

function tagOf({ store }: WiredNode, key: string): number {
  const [database] = store.databases;
  return database!.tag(database!.peek(store.place(fromLatin1(key))));
}

describe("a write at DC_QUORUM", () => {
  test("is answered when one of two others has acknowledged", () => {
    const { ring, a } = three();
    const client = a.client(QUORUM);
    client.call("set", "k", "v");
    a.endTurn();
    expect(client.replies()).toEqual([]);
    ring.deliver(0, 1);
    ring.node(1).endTurn();
    ring.deliver(1, 0);
    a.endTurn();
    expect(client.replies()).toEqual(["OK"]);
    ring.settle();
    expect(agreed(ring.nodes, "k")).toBe("v");
  });

  test("of five replicas waits for two others", () => {
    const ring = new WiredKernels({ nodes: 5 });
    const client = ring.node(0).client(QUORUM);
    client.call("set", "k", "v");
    ring.node(0).endTurn();
    const answer = (node: number) => {
      ring.deliver(0, node);
      ring.node(node).endTurn();
      ring.deliver(node, 0);
      ring.node(0).endTurn();
    };
    answer(3);
    expect(client.replies()).toEqual([]);
    answer(1);
    expect(client.replies()).toEqual(["OK"]);
  });

  test("is refused, and nothing is written, where too few replicas are up", () => {
    const { ring, a, b } = three();
    ring.cut(0, 1);
    ring.cut(0, 2);
    const client = a.client(QUORUM);
    client.call("set", "k", "v").call("get", "k").call("mset", "k", "1", "l", "2");
    const refused = noQuorum(2, 3, 1);
    expect(client.replies()).toEqual([refused, refused, refused]);
    expect(a.stamp("k")).toBe("");
    expect(b.stamp("k")).toBe("");
    expect(a.figure("quorumsRefused")).toBe(3);
  });

  test("counts the configured replicas, not those that are up", () => {
    const ring = new WiredKernels({ nodes: 5 });
    for (const other of [2, 3, 4]) ring.cut(0, other);
    const client = ring.node(0).client(QUORUM);
    client.call("set", "k", "v");
    expect(client.replies()).toEqual([noQuorum(3, 5, 1)]);
  });

  test("ends with an unknown outcome when the links that were asked go down", () => {
    const { ring, a } = three();
    const client = a.client(QUORUM);
    client.call("set", "k", "v").call("get", "k");
    a.endTurn();
    ring.cut(0, 1);
    a.endTurn();
    expect(client.replies()).toEqual([]);
    ring.cut(0, 2);
    a.endTurn();
    expect(client.replies()).toEqual([noQuorum(2, 3, 1, true), noQuorum(2, 3, 1)]);
  });

  test("ends by its deadline, and what comes later is ignored", () => {
    const { ring, a } = three({ requestTimeoutMs: 100 });
    const client = a.client(QUORUM);
    client.call("set", "k", "v");
    a.endTurn();
    ring.pass(99);
    expect(a.expire()).toBe(0);
    ring.pass(1);
    client.call("get", "k");
    expect(a.expire()).toBe(1);
    a.endTurn();
    expect(client.replies()).toEqual([noQuorum(2, 3, 1, true)]);
    ring.settle();
    expect(client.replies()).toEqual(["v"]);
    ring.pass(1000);
    expect(a.expire()).toBe(0);
    expect(a.figure("slotsExpired")).toBe(1);
  });

  test("a replica that fails does not count", () => {
    const { ring, a, b, c } = three();
    // Without being a replica, by its own tables, it refuses.
    const client = a.client(QUORUM);
    b.setState(SELF_FLAG.coordinating | SELF_FLAG.fenced);
    c.setState(SELF_FLAG.coordinating | SELF_FLAG.fenced);
    client.call("get", "k");
    ring.settle();
    expect(client.replies()).toEqual([noQuorum(2, 3, 1)]);
  });
});

describe("a write at DC_ONE", () => {
  test("is answered when the frames of the turn have been sent, and not before", () => {
    const { ring, a } = three();
    const client = a.client(ONE);
    client.call("set", "k", "v").call("get", "k").call("ping");
    expect(client.replies()).toEqual([]);
    expect(ring.inFlight(0, 1)).toBe(0);
    a.endTurn();
    expect(client.replies()).toEqual(["OK", "v", "PONG"]);
    expect(ring.inFlight(0, 1)).toBeGreaterThan(0);
    client.call("get", "k");
    expect(client.replies(), "a read waits for nothing").toEqual(["v"]);
    ring.settle();
    expect(agreed(ring.nodes, "k")).toBe("v");
  });

  test("goes on alone when nobody else is up", () => {
    const { ring, a } = three();
    ring.cut(0, 1);
    ring.cut(0, 2);
    const client = a.client(ONE);
    client.call("set", "k", "v").call("incr", "n");
    expect(client.replies()).toEqual(["OK", 1]);
  });
});

describe("a read at DC_QUORUM", () => {
  test("waits for another replica to hold nothing newer", () => {
    const { ring, a } = three();
    const client = a.client(QUORUM);
    client.call("set", "k", "v");
    ring.settle();
    client.replies();
    client.call("get", "k");
    a.endTurn();
    expect(client.replies()).toEqual([]);
    ring.settle();
    expect(client.replies()).toEqual(["v"]);
  });

  test.each([
    ["get", "newer", null],
    ["strlen", 5, 0],
    ["ttl", 100, -2],
    ["pttl", 100_000, -2],
    ["exists", 1, 0],
    ["touch", 1, 0],
  ])(
    "%s answers what a replica holds that is newer, and merges it",
    (command, expected, without) => {
      const { ring, a, b, c } = three();
      const client = a.client(QUORUM);
      client.call(command, "k");
      ring.settle();
      expect(client.replies()).toEqual([without]);
      alone(b, "set", "k", "newer", "ex", "100");
      ring.cut(0, 2);
      client.call(command, "k");
      ring.settle();
      expect(client.replies()).toEqual([expected]);
      expect(a.value("k")).toBe("newer");
      expect(c.value("k")).toBeUndefined();
      expect(a.figure("repliesChanged")).toBe(1);
    },
  );

  test.each([
    [["get", "k"], "newer"],
    [["strlen", "k"], 5],
    [
      ["mget", "l", "k", "k"],
      [null, "newer", "newer"],
    ],
  ] as const)("%j answers a newer value without its tag, and merges both", (words, expected) => {
    const { ring, a, b, c } = three();
    const { store } = b;
    const [database] = store.databases;
    database!.write(store.place(fromLatin1("k")), 5, 0, false, 0xfeedbeef).set(fromLatin1("newer"));
    const client = a.client(QUORUM);
    client.call(...words);
    ring.settle();
    expect(client.replies()).toEqual([expected]);
    for (const node of [a, b, c]) {
      expect(node.value("k")).toBe("newer");
      expect(tagOf(node, "k")).toBe(0xfeedbeef);
    }
    client.call("expire", "k", 100);
    ring.settle();
    alone(a, "set", "k", "plain");
    client.call("get", "k");
    ring.settle();
    expect(client.replies().at(-1)).toBe("plain");
    for (const node of [a, b, c]) expect(tagOf(node, "k")).toBe(0);
  });

  test("passes what is newer on to the other replicas", () => {
    const { ring, a, b } = three();
    alone(b, "set", "k", "newer");
    a.client(QUORUM).call("get", "k");
    ring.settle();
    expect(agreed(ring.nodes, "k")).toBe("newer");
  });

  test("answers a deletion that is newer", () => {
    const { ring, a, b } = three();
    const client = a.client(QUORUM);
    client.call("set", "k", "v");
    ring.settle();
    alone(b, "del", "k");
    ring.cut(0, 2);
    client.call("get", "k").call("exists", "k");
    ring.settle();
    expect(client.replies()).toEqual(["OK", null, 0]);
  });

  test("repairs a replica that holds something older", () => {
    const { ring, a } = three();
    alone(a, "set", "k", "here", "ex", "50");
    const client = a.client(QUORUM);
    client.call("get", "k");
    ring.settle();
    expect(client.replies()).toEqual(["here"]);
    expect(agreed(ring.nodes, "k")).toBe("here");
    const ttl = ring.node(2).client(ONE).call("ttl", "k");
    expect(ttl.replies()).toEqual([50]);
  });

  test("of five replicas answers the newest of three", () => {
    const ring = new WiredKernels({ nodes: 5 });
    alone(ring.node(1), "set", "k", "old");
    ring.pass(5);
    alone(ring.node(3), "set", "k", "new");
    ring.cut(0, 2);
    ring.cut(0, 4);
    for (const order of [
      [1, 3],
      [3, 1],
    ]) {
      const reader = ring.node(0).client(QUORUM);
      reader.call("get", "k");
      ring.node(0).endTurn();
      for (const node of order) {
        ring.deliver(0, node);
        ring.node(node).endTurn();
        ring.deliver(node, 0);
        ring.node(0).endTurn();
      }
      expect(reader.replies()).toEqual(["new"]);
    }
  });

  test("MGET, EXISTS, TOUCH of several keys take each key's newest", () => {
    const { ring, a, b, c } = three();
    ring.cut(0, 2);
    const client = a.client(QUORUM);
    client.call("mset", "k1", "v1", "k2", "v2", "k3", "v3");
    ring.settle();
    alone(b, "set", "k2", "changed".repeat(100));
    alone(b, "del", "k3");
    alone(b, "set", "k4", "");
    client.call("mget", "k1", "k2", "k3", "k4", "k2", "k5").call("ping");
    ring.settle();
    const long = "changed".repeat(100);
    expect(client.replies()).toEqual(["OK", ["v1", long, null, "", long, null], "PONG"]);
    alone(b, "del", "k1");
    alone(b, "set", "k5", "v5");
    client.call("exists", "k1", "k2", "k3", "k5", "k5").call("touch", "k1", "k2");
    ring.settle();
    expect(client.replies()).toEqual([3, 1]);
    expect(c.value("k2")).toBeUndefined();
  });

  test("the reply of an earlier read does not see a later write of the same pipeline", () => {
    const { ring, a, b } = three();
    ring.cut(0, 2);
    alone(b, "mset", "k", "theirs", "l", "theirs");
    const client = a.client(QUORUM);
    ring.pass(1);
    client.call("get", "k").call("mget", "k", "l").call("set", "k", "mine").call("get", "k");
    ring.settle();
    expect(client.replies()).toEqual(["theirs", ["theirs", "theirs"], "OK", "mine"]);
  });

  test("counts the newest of a quorum when it deletes", () => {
    const { ring, a, b } = three();
    ring.cut(0, 2);
    const client = a.client(QUORUM);
    client.call("del", "nothing");
    alone(b, "set", "k", "v");
    ring.pass(1);
    client.call("del", "k").call("unlink", "k");
    ring.settle();
    expect(client.replies()).toEqual([0, 1, 0]);
    client.call("set", "l", "v");
    ring.settle();
    alone(b, "del", "l");
    ring.pass(1);
    client.call("del", "l");
    ring.settle();
    expect(client.replies()).toEqual(["OK", 0]);
    expect(b.value("k")).toBeUndefined();
  });

  test("keeps RESP 3 in replies that others change", () => {
    const { ring, a, b } = three();
    const client = a.client(QUORUM, QUORUM, 3);
    client.call("set", "k", "v");
    ring.settle();
    alone(b, "del", "k");
    ring.cut(0, 2);
    client.replies();
    client.call("mget", "k", "k").call("get", "k");
    ring.settle();
    expect(client.replies()).toEqual([[null, null], null]);
  });
});

describe("DC_SAFE_QUORUM", () => {
  test("waits until a replica that held something older has been repaired", () => {
    const { ring, a } = three();
    ring.cut(0, 2);
    alone(a, "set", "k", "v");
    const client = a.client(SAFE);
    client.call("get", "k");
    a.endTurn();
    ring.deliver(0, 1);
    ring.node(1).endTurn();
    ring.deliver(1, 0);
    a.endTurn();
    expect(client.replies(), "the answer is there, the repair is not").toEqual([]);
    ring.settle();
    expect(client.replies()).toEqual(["v"]);
    expect(ring.node(1).value("k")).toBe("v");
  });

  test("of five replicas waits until three hold what is newest", () => {
    const ring = new WiredKernels({ nodes: 5 });
    alone(ring.node(1), "set", "k", "newest");
    const client = ring.node(0).client(SAFE);
    client.call("get", "k");
    ring.node(0).endTurn();
    for (const node of [1, 2]) {
      ring.deliver(0, node);
      ring.node(node).endTurn();
    }
    for (const node of [1, 2]) ring.deliver(node, 0);
    ring.node(0).endTurn();
    expect(client.replies(), "two hold it").toEqual([]);
    ring.deliver(0, 3);
    ring.node(3).endTurn();
    ring.deliver(3, 0);
    ring.node(0).endTurn();
    expect(client.replies(), "three hold it").toEqual(["newest"]);
    ring.settle();
    expect(agreed(ring.nodes, "k")).toBe("newest");
  });

  test("of three replicas has the quorum with the one that is newer", () => {
    const { ring, a, b } = three();
    alone(b, "set", "k", "newest");
    ring.cut(0, 2);
    const client = a.client(SAFE);
    client.call("get", "k");
    ring.settle();
    expect(client.replies()).toEqual(["newest"]);
    expect(agreed([a, b], "k")).toBe("newest");
  });
});
