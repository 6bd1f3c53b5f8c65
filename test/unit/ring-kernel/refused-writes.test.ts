/** Writes that a replica refuses for something newer: which of them stand, which get a new stamp, and which fail. */
import { describe, expect, test } from "vitest";
import { NOT_TOLD } from "../../../src/store/kernel-ring.ts";
import { START_MS } from "../store/store-under-test.ts";
import { agreed, alone, three } from "./replicas.ts";
import { noQuorum, ONE, QUORUM, SAFE, WiredKernels } from "./wired-kernels.ts";

describe("a write that a replica refuses for something newer", () => {
  test("stands when a quorum that held nothing newer acknowledges it", () => {
    const { ring, a, b, c } = three();
    b.store.setNow(START_MS + 1000);
    alone(b, "set", "k", "ahead");
    const client = a.client(QUORUM);
    client.call("set", "k", "mine");
    a.endTurn();
    ring.deliver(0, 1);
    b.endTurn();
    ring.deliver(1, 0);
    a.endTurn();
    expect(client.replies(), "refused by one, another is still out").toEqual([]);
    ring.settle();
    expect(client.replies()).toEqual(["OK"]);
    expect(a.figure("writesRestamped")).toBe(0);
    expect(agreed([a, c], "k")).toBe("mine");
  });

  test("gets a new stamp where the others are no quorum, and is what all hold in the end", () => {
    const { ring, a, b } = three();
    ring.cut(0, 2);
    // Another coordinator's clock is ahead.
    b.store.setNow(START_MS + 1000);
    alone(b, "set", "k", "ahead");
    const client = a.client(QUORUM);
    client.call("set", "k", "mine", "ex", "1000");
    ring.settle();
    expect(client.replies()).toEqual(["OK"]);
    expect(agreed([a, b], "k")).toBe("mine");
    expect(a.figure("writesRestamped")).toBe(1);
    const ttl = b.client(ONE).call("ttl", "k");
    expect(ttl.replies()[0]).toBeGreaterThan(990);
  });

  test("fails where a quorum may hold it, because a link was lost with its answer", () => {
    const { ring, a, b } = three();
    b.store.setNow(START_MS + 1000);
    alone(b, "set", "k", "ahead");
    const client = a.client(QUORUM);
    client.call("set", "k", "mine");
    ring.stopped.add(2);
    ring.settle();
    expect(client.replies()).toEqual([]);
    ring.cut(0, 2);
    ring.settle();
    expect(client.replies()).toEqual([noQuorum(2, 3, 1, true)]);
    expect(a.figure("writesRestamped")).toBe(0);
  });

  test("of five replicas gets it as soon as a quorum is out of reach", () => {
    const ring = new WiredKernels({ nodes: 5 });
    for (const node of [1, 2, 3]) {
      ring.node(node).store.setNow(START_MS + 1000 + node);
      alone(ring.node(node), "set", "k", "ahead");
    }
    ring.stopped.add(4);
    const client = ring.node(0).client(QUORUM);
    client.call("set", "k", "mine");
    ring.settle();
    expect(client.replies()).toEqual(["OK"]);
    ring.stopped.clear();
    ring.settle();
    expect(agreed(ring.nodes, "k")).toBe("mine");
    expect(ring.node(0).figure("writesRestamped")).toBe(1);
  });

  test("stays behind a later write of the same key here", () => {
    const { ring, a, b } = three();
    ring.cut(0, 2);
    const client = a.client(QUORUM);
    client.call("set", "k", "first");
    ring.pass(10);
    alone(b, "set", "k", "between");
    ring.pass(10);
    client.call("set", "k", "second");
    ring.settle();
    expect(client.replies()).toEqual(["OK", "OK"]);
    expect(agreed([a, b], "k")).toBe("second");
  });

  test.each(["set", "mset"])(
    "gets a new stamp beside a later write of another client here, which may be below it: %s",
    (name) => {
      const { ring, a, b, c } = three();
      for (const node of [b, c]) {
        node.store.setNow(START_MS + 1000);
        alone(node, "set", "k", "ahead");
      }
      const one = a.client(QUORUM).call(name, "k", "first");
      const other = a.client(QUORUM).call(name, "k", "second");
      ring.settle();
      expect(one.replies()).toEqual(["OK"]);
      expect(other.replies()).toEqual(["OK"]);
      expect(["first", "second"]).toContain(agreed([a, b, c], "k"));
      expect(a.figure("writesRestamped")).toBe(2);
    },
  );

  test("never comes back above what the same client has written since", () => {
    const { ring, a, b, c } = three();
    for (const node of [b, c]) {
      node.store.setNow(START_MS + 1000);
      alone(node, "set", "k", "ahead");
    }
    const client = a.client(QUORUM).call("set", "k", "first").call("set", "k", "second");
    ring.settle();
    expect(client.replies()[1]).toBe("OK");
    expect(agreed([a, b, c], "k")).toBe("second");
  });

  test("MSET sends only what was refused again", () => {
    const { ring, a, b } = three();
    ring.cut(0, 2);
    b.store.setNow(START_MS + 1000);
    alone(b, "set", "k2", "ahead");
    const client = a.client(QUORUM);
    client.call("mset", "k1", "1", "k2", "2", "k3", "3");
    ring.settle();
    expect(client.replies()).toEqual(["OK"]);
    for (const [key, value] of [
      ["k1", "1"],
      ["k2", "2"],
      ["k3", "3"],
    ]) {
      expect(agreed([a, b], key!)).toBe(value);
    }
    expect(a.figure("writesRestamped")).toBe(1);
  });

  test("MSET stands when a quorum acknowledges all of it, and not by who refused a part", () => {
    const ring = new WiredKernels({ nodes: 5 });
    const a = ring.node(0);
    ring.node(1).store.setNow(START_MS + 1000);
    alone(ring.node(1), "set", "k1", "ahead");
    const client = a.client(QUORUM);
    ring.stopped.add(3).add(4);
    client.call("mset", "k1", "1", "k2", "2");
    ring.settle();
    expect(client.replies(), "one of two has").toEqual([]);
    ring.stopped.delete(3);
    ring.settle();
    expect(client.replies()).toEqual(["OK"]);
    expect(a.figure("writesRestamped")).toBe(0);
  });

  test("MSET fails when a part of it fails on too many links", () => {
    const { ring, a, b, c } = three();
    for (const node of [b, c]) {
      node.store.setMaxMemory(node.store.figure("usedBytes") + 500, "noeviction");
    }
    const client = a.client(QUORUM);
    client.call("mset", "k1", "v".repeat(2000), "k2", "v").call("set", "k3", "v");
    ring.settle();
    expect(client.replies()).toEqual([noQuorum(2, 3, 1, true), "OK"]);
  });

  test("a deletion wins as well", () => {
    const { ring, a, b } = three();
    ring.cut(0, 2);
    b.store.setNow(START_MS + 1000);
    alone(b, "set", "k", "ahead");
    const client = a.client(QUORUM);
    client.call("del", "k");
    ring.settle();
    expect(client.replies()).toEqual([1]);
    expect(agreed([a, b], "k")).toBeUndefined();
  });
});

describe("a write that comes to a replica that has lost its memory", () => {
  const AHEAD = BigInt(START_MS + 1000) << 16n;

  test("gets a stamp above what that one may have acknowledged before", () => {
    const { ring, a, b } = three();
    ring.cut(0, 2);
    b.store.kernel.ringSetForgotten(AHEAD);
    const client = a.client(QUORUM).call("set", "k", "mine").call("mset", "l", "1", "m", "2");
    ring.settle();
    expect(client.replies()).toEqual(["OK", "OK"]);
    for (const key of ["k", "l", "m"]) {
      agreed([a, b], key);
      expect(BigInt(b.stamp(key).split("/")[0]!)).toBeGreaterThan(AHEAD);
    }
  });

  test("is not counted there before that is known, and not sent again, since it is held", () => {
    const { ring, a, b, c } = three();
    b.store.kernel.ringSetForgotten(NOT_TOLD);
    const client = a.client(QUORUM).call("set", "k", "mine");
    ring.settle();
    expect(client.replies()).toEqual(["OK"]);
    ring.cut(0, 2);
    const other = a.client(QUORUM).call("set", "k", "again");
    ring.settle();
    expect(other.replies()).toEqual([noQuorum(2, 3, 1, true)]);
    expect(agreed([a, b], "k")).toBe("again");
    expect(c.value("k")).toBe("mine");
  });

  test("is written back to it, and counts as held", () => {
    const { ring, a, b, c } = three();
    ring.cut(0, 1);
    alone(a, "set", "k", "mine");
    c.store.kernel.ringSetForgotten(AHEAD);
    const client = a.client(SAFE).call("get", "k");
    ring.settle();
    expect(client.replies()).toEqual(["mine"]);
    expect(agreed([a, c], "k")).toBe("mine");
    expect(b.value("k")).toBeUndefined();
  });
});

describe("a write whose coordinator has lost its memory", () => {
  test("needs a quorum of others before it is known what the coordinator may have acknowledged", () => {
    const { ring, a, b } = three();
    a.store.kernel.ringSetForgotten(NOT_TOLD);
    const client = a.client(QUORUM).call("set", "k", "mine").call("mset", "l", "1", "m", "2");
    a.endTurn();
    ring.deliver(0, 1);
    b.endTurn();
    ring.deliver(1, 0);
    a.endTurn();
    expect(client.replies(), "one other has it").toEqual([]);
    ring.settle();
    expect(client.replies()).toEqual(["OK", "OK"]);
    ring.cut(0, 2);
    const refused = a.client(QUORUM).call("set", "k", "again").call("mset", "l", "1", "m", "2");
    ring.settle();
    const none = noQuorum(2, 3, 0);
    expect(refused.replies()).toEqual([none, none]);
    expect(b.value("k")).toBe("mine");
    const one = a.client(ONE).call("set", "k", "one");
    ring.settle();
    expect(one.replies()).toEqual(["OK"]);
  });

  test("gets a stamp above that when it is known", () => {
    const { ring, a, b } = three();
    ring.cut(0, 2);
    const ahead = BigInt(START_MS + 1000) << 16n;
    a.store.kernel.ringSetForgotten(ahead);
    const client = a.client(QUORUM).call("set", "k", "mine");
    ring.settle();
    expect(client.replies()).toEqual(["OK"]);
    expect(BigInt(b.stamp("k").split("/")[0]!)).toBeGreaterThan(ahead);
  });
});
