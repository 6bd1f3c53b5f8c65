/** Commands on keys that the node which is asked does not hold. */
import { describe, expect, test } from "vitest";
import { LINK_FLAG, SELF_FLAG } from "../../../src/store/kernel-ring.ts";
import { START_MS } from "../store/store-under-test.ts";
import { agreed, alone } from "./replicas.ts";
import { noQuorum, ONE, QUORUM, SAFE, WiredKernels } from "./wired-kernels.ts";

describe("a node that is no replica of a key", () => {
  // Node 3 holds nothing.
  function fourth() {
    const ring = new WiredKernels({ nodes: 4, sets: [[0, 1, 2]] });
    return { ring, d: ring.node(3) };
  }

  test("reads at DC_ONE from one replica that answers reads", () => {
    const { ring, d } = fourth();
    alone(ring.node(1), "set", "k", "v", "ex", "10");
    d.linkUp(0, LINK_FLAG.up | LINK_FLAG.fenced);
    const client = d.client(ONE);
    client
      .call("get", "k")
      .call("ttl", "k")
      .call("exists", "k")
      .call("strlen", "k")
      .call("get", "l");
    client.call("ttl", "l");
    d.endTurn();
    expect(ring.inFlight(3, 1)).toBeGreaterThan(0);
    expect(ring.inFlight(3, 0) + ring.inFlight(3, 2)).toBe(0);
    ring.settle();
    expect(client.replies()).toEqual(["v", 10, 1, 1, null, -2]);
    expect(d.stamp("k"), "it keeps nothing").toBe("");
  });

  test("asks one that may be fenced where it knows of none that answers reads", () => {
    const { ring, d } = fourth();
    alone(ring.node(1), "set", "k", "v");
    for (const replica of [0, 1, 2]) d.linkUp(replica, LINK_FLAG.up | LINK_FLAG.fenced);
    ring.cut(3, 0);
    const [one, quorum] = [d.client(ONE), d.client(QUORUM)];
    one.call("get", "k");
    quorum.call("get", "k");
    ring.settle();
    expect(one.replies()).toEqual(["v"]);
    expect(quorum.replies()).toEqual(["v"]);
    ring.node(1).setState(SELF_FLAG.coordinating | SELF_FLAG.fenced);
    one.call("get", "k");
    quorum.call("get", "k");
    ring.settle();
    expect(one.replies(), "the host asks another one").toEqual([]);
    expect(d.retries).toHaveLength(1);
    expect(quorum.replies()).toEqual([noQuorum(2, 3, 0)]);
  });

  test("has the host ask another replica when that one is lost", () => {
    const { ring, d } = fourth();
    const client = d.client(ONE);
    client.call("get", "k").call("ping");
    d.endTurn();
    ring.cut(3, 0);
    ring.settle();
    expect(client.replies()).toEqual([]);
    expect(d.retries.map(({ request }) => Buffer.from(request).toString())).toEqual([
      "*2\r\n$3\r\nget\r\n$1\r\nk\r\n",
    ]);
    d.gates.fulfil(d.retries[0]!.slot, Buffer.from("$1\r\nv\r\n"));
    d.endTurn();
    expect(client.replies()).toEqual(["v", "PONG"]);
  });

  test("has the host ask another replica when that one keeps it waiting", () => {
    const ring = new WiredKernels({ nodes: 4, sets: [[0, 1, 2]], requestTimeoutMs: 1600 });
    const d = ring.node(3);
    ring.stopped.add(0);
    const [one, quorum] = [d.client(ONE), d.client(QUORUM)];
    one.call("get", "k").call("set", "k", "v");
    quorum.call("get", "m");
    d.endTurn();
    ring.pass(99);
    expect(d.expire()).toBe(0);
    const later = d.client(ONE).call("get", "l");
    d.endTurn();
    ring.pass(1);
    expect(d.expire(), "of a sixteenth of its time").toBe(1);
    ring.pass(99);
    expect(d.expire()).toBe(1);
    d.endTurn();
    expect(d.retries.map(({ request }) => Buffer.from(request).toString("latin1"))).toEqual([
      "*2\r\n$3\r\nget\r\n$1\r\nk\r\n",
      "*2\r\n$3\r\nget\r\n$1\r\nl\r\n",
    ]);
    d.gates.fulfil(d.retries[0]!.slot, Buffer.from("$1\r\nv\r\n"));
    d.endTurn();
    expect(one.replies(), "the write waits on").toEqual(["v"]);
    ring.stopped.clear();
    ring.settle();
    expect(one.replies()).toEqual(["OK"]);
    expect(quorum.replies()).toEqual([null]);
    expect(later.replies(), "what it was asked first counts no more").toEqual([]);
    ring.pass(1500);
    expect(d.expire()).toBe(1);
    d.endTurn();
    expect(later.replies()).toEqual([noQuorum(1, 3, 0)]);
  });

  test("ends a request that the host does not answer in time all the same", () => {
    const ring = new WiredKernels({ nodes: 4, sets: [[0, 1, 2]], requestTimeoutMs: 100 });
    const d = ring.node(3);
    const client = d.client(ONE);
    client.call("get", "k");
    d.endTurn();
    ring.cut(3, 0);
    ring.settle();
    ring.pass(100);
    expect(d.expire()).toBe(1);
    ring.settle();
    expect(client.replies()).toEqual([noQuorum(1, 3, 0)]);
    d.gates.fulfil(d.retries[0]!.slot, Buffer.from("$1\r\nv\r\n"));
    ring.settle();
    expect(client.replies()).toEqual([]);
    expect(d.figure("pendingSlots")).toBe(0);
    expect(d.figure("replyBytes")).toBe(0);
  });

  test.each([
    ["that is older", "old", [0, 1]],
    ["that is older", "old", [1, 0]],
    ["that has nothing", undefined, [0, 1]],
    ["that has nothing", undefined, [1, 0]],
  ] as const)(
    "reads at DC_QUORUM the newest of two, and repairs one %s (%s), answers from %j",
    (_, older, order) => {
      const { ring, d } = fourth();
      if (older !== undefined) {
        alone(ring.node(0), "set", "k", older);
        ring.pass(1);
      }
      alone(ring.node(1), "set", "k", "new");
      const client = d.client(QUORUM);
      client.call("get", "k");
      d.endTurn();
      for (const node of order) {
        ring.deliver(3, node);
        ring.node(node).endTurn();
        ring.deliver(node, 3);
      }
      ring.settle();
      expect(client.replies()).toEqual(["new"]);
      expect(ring.node(0).value("k")).toBe("new");
    },
  );

  test("writes at DC_ONE when one replica has acknowledged", () => {
    const { ring, d } = fourth();
    const client = d.client(ONE);
    client.call("set", "k", "v").call("psetex", "l", "5000", "w").call("setex", "m", "0", "w");
    client.call("set", "n", "v", "ex", "x").call("set", "o", "v", "bad");
    d.endTurn();
    expect(client.replies()).toEqual([]);
    ring.deliver(3, 2);
    ring.node(2).endTurn();
    ring.deliver(2, 3);
    d.endTurn();
    expect(client.replies()).toEqual([
      "OK",
      "OK",
      { error: "ERR invalid expire time in 'setex' command" },
      { error: "ERR value is not an integer or out of range" },
      { error: "ERR syntax error" },
    ]);
    ring.settle();
    const replicas = ring.nodes.slice(0, 3);
    expect(agreed(replicas, "k")).toBe("v");
    expect(agreed(replicas, "l")).toBe("w");
    expect(agreed(replicas, "m")).toBeUndefined();
    expect(d.stamp("k")).toBe("");
  });

  test("writes at DC_QUORUM when two have, and none of them is itself", () => {
    const { ring, d } = fourth();
    const client = d.client(QUORUM);
    client.call("set", "k", "v");
    d.endTurn();
    ring.deliver(3, 0);
    ring.node(0).endTurn();
    ring.deliver(0, 3);
    d.endTurn();
    expect(client.replies()).toEqual([]);
    ring.settle();
    expect(client.replies()).toEqual(["OK"]);
    ring.cut(3, 0);
    ring.cut(3, 1);
    client.call("set", "k", "w").call("get", "k");
    expect(client.replies()).toEqual([noQuorum(2, 3, 0), noQuorum(2, 3, 0)]);
  });

  test("deletes, and counts what replicas held", () => {
    const { ring, d } = fourth();
    const client = d.client(QUORUM);
    client.call("set", "k", "v");
    ring.settle();
    client.call("del", "k").call("del", "k").call("unlink", "l");
    ring.settle();
    expect(client.replies()).toEqual(["OK", 1, 0, 0]);
    expect(agreed(ring.nodes.slice(0, 3), "k")).toBeUndefined();
  });

  test("gives a refused write a new stamp", () => {
    const { ring, d } = fourth();
    ring.cut(3, 2);
    ring.node(1).store.setNow(START_MS + 1000);
    alone(ring.node(1), "set", "k", "ahead");
    const client = d.client(QUORUM);
    client.call("set", "k", "mine");
    ring.settle();
    expect(client.replies()).toEqual(["OK"]);
    expect(agreed(ring.nodes.slice(0, 2), "k")).toBe("mine");
  });

  test("keeps the order of two writes of one pipeline when the first is refused", () => {
    const { ring, d } = fourth();
    ring.cut(3, 2);
    const client = d.client(QUORUM);
    client.call("set", "k", "first");
    ring.pass(10);
    alone(ring.node(1), "set", "k", "between");
    ring.pass(10);
    client.call("set", "k", "second");
    ring.settle();
    expect(client.replies()).toEqual(["OK", "OK"]);
    expect(agreed([ring.node(0), ring.node(1)], "k")).toBe("second");
  });

  test("leaves everything else to the host", () => {
    const { d } = fourth();
    const client = d.client(QUORUM);
    client.call("incr", "k").call("mget", "k", "l").call("mset", "k", "v", "l", "w");
    client.call("del", "k", "l");
    client.call("set", "k", "v", "nx").call("getdel", "k");
    expect(client.hosted).toHaveLength(6);
    const safe = d.client(SAFE);
    safe.call("get", "k");
    expect(safe.hosted).toHaveLength(1);
  });
});
