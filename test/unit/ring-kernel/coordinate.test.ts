/** The kernel as coordinator: what each level waits for, what disagreement does to replies, and what failures tell the client. */
import { describe, expect, test } from "vitest";
import { LINK_FLAG, SELF_FLAG } from "../../../src/store/kernel-ring.ts";
import { START_MS } from "../store/store-under-test.ts";
import {
  EACH,
  noQuorum,
  ONE,
  QUORUM,
  SAFE,
  WiredKernels,
  type WiredNode,
} from "./wired-kernels.ts";

const CLOSED = 0;

function three(options: Partial<ConstructorParameters<typeof WiredKernels>[0]> = {}) {
  const ring = new WiredKernels({ nodes: 3, ...options });
  return { ring, a: ring.node(0), b: ring.node(1), c: ring.node(2) };
}

/** Writes at one node alone, as if the others had not heard of it yet. */
function alone(node: WiredNode, ...words: (string | number)[]): void {
  node.outsider().call(...words);
}

function stamps(nodes: readonly WiredNode[], key: string): Set<string> {
  return new Set(nodes.map((node) => node.stamp(key)));
}

/** Values of a key at all nodes, which must hold the same stamp too. */
function agreed(nodes: readonly WiredNode[], key: string): string | undefined {
  expect(stamps(nodes, key).size, `stamps of ${key}`).toBe(1);
  return nodes[0]!.value(key);
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

describe("the executor", () => {
  test("is the first replica of the fixed order that is up and not fenced", () => {
    const { ring, a, b, c } = three({ sets: [[1, 0, 2]] });
    const clients = [a, b, c].map((node) => node.client(ONE));
    for (const client of clients) client.call("incr", "n");
    ring.settle();
    expect(clients.map((client) => client.replies()[0])).toEqual(["host:incr n", 1, "host:incr n"]);
    a.linkUp(1, LINK_FLAG.up | LINK_FLAG.fenced);
    clients[0]!.call("incr", "n");
    ring.settle();
    expect(clients[0]!.replies()).toEqual([2]);
    ring.cut(2, 1);
    clients[2]!.call("incr", "n");
    expect(clients[2]!.hosted).toHaveLength(2);
    ring.cut(2, 0);
    clients[2]!.call("incr", "n");
    expect(clients[2]!.replies()).toEqual(["host:incr n", 3]);
  });

  describe.each([
    ["setnx", "k", "v"],
    ["getset", "k", "v"],
    ["incr", "k"],
    ["decrby", "k", "3"],
    ["append", "k", "v"],
    ["expire", "k", "3"],
    ["persist", "k"],
    ["getdel", "k"],
    ["set", "k", "v", "nx"],
    ["set", "k", "v", "keepttl"],
    ["set", "k", "v", "get"],
  ])("of %s %s %s %s", (...words) => {
    test("runs it at DC_ONE, others do not", () => {
      const { ring, a, b } = three();
      const [first, second] = [a.client(ONE), b.client(ONE)];
      first.call(...words);
      second.call(...words);
      ring.settle();
      expect(first.hosted).toEqual([]);
      expect(second.hosted).toHaveLength(1);
    });

    test.each([QUORUM, SAFE])("leaves it to the host at level %i, which reads first", (level) => {
      const { ring, a } = three();
      ring.stopped.add(1);
      const client = a.client(ONE, level);
      client.call(...words);
      ring.settle();
      expect(client.hosted).toHaveLength(1);
      expect(a.stamp("k"), "nothing has been written").toBe("");
    });
  });

  test("that has missed an acknowledged write does not replace it at DC_QUORUM", () => {
    const { ring, a, b } = three();
    alone(a, "set", "n", "1");
    ring.settle();
    // The frame to the executor is delayed; the two others are a quorum.
    ring.stopped.add(0);
    const other = b.client(QUORUM);
    other.call("set", "n", "10");
    ring.settle();
    expect(other.replies()).toEqual(["OK"]);
    a.client(QUORUM).call("incr", "n");
    ring.stopped.clear();
    ring.settle();
    expect(agreed(ring.nodes, "n")).toBe("10");
  });

  test("replicates what a command made of the key, not the command", () => {
    const { ring, a } = three();
    const client = a.client(ONE);
    client.call("set", "n", "41", "px", "5000").call("incr", "n").call("append", "n", "x");
    client
      .call("set", "l", "v")
      .call("expire", "l", "100")
      .call("getdel", "n")
      .call("setnx", "l", "w");
    ring.settle();
    expect(client.replies()).toEqual(["OK", 42, 3, "OK", 1, "42x", 0]);
    expect(agreed(ring.nodes, "n")).toBeUndefined();
    expect(agreed(ring.nodes, "l")).toBe("v");
    const ttl = ring.node(2).client(ONE).call("ttl", "l");
    expect(ttl.replies()).toEqual([100]);
  });

  test("a command that changes nothing waits for nothing of its own", () => {
    const { ring, a } = three();
    const client = a.client(ONE);
    client.call("setnx", "k", "v");
    ring.settle();
    client.replies();
    client.call("setnx", "k", "w").call("persist", "k");
    expect(client.replies()).toEqual([0, 0]);
  });
});

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

  test("reads at DC_QUORUM the newest of two, and repairs the other", () => {
    for (const order of [
      [0, 1],
      [1, 0],
    ]) {
      const { ring, d } = fourth();
      alone(ring.node(0), "set", "k", "old");
      ring.pass(1);
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
    }
  });

  test("repairs a replica that had nothing", () => {
    for (const order of [
      [0, 1],
      [1, 0],
    ]) {
      const { ring, d } = fourth();
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
    }
  });

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
    client.call("incr", "k").call("mget", "k", "l").call("mset", "k", "v").call("del", "k", "l");
    client.call("set", "k", "v", "nx").call("getdel", "k");
    expect(client.hosted).toHaveLength(6);
    const safe = d.client(SAFE);
    safe.call("get", "k");
    expect(safe.hosted).toHaveLength(1);
  });
});

describe("routing", () => {
  const sets = [
    [0, 1, 2],
    [1, 2, 3],
    [2, 3, 0],
    [3, 0, 1],
  ];

  test("every key is written to its own replicas, whoever coordinates", () => {
    const ring = new WiredKernels({ nodes: 4, sets });
    const clients = ring.nodes.map((node) => node.client(QUORUM));
    const keys = Array.from({ length: 200 }, (_, i) => `key:${i}`);
    for (const [i, key] of keys.entries()) clients[i % 4]!.call("set", key, `value ${i}`);
    ring.settle();
    for (const client of clients) expect(new Set(client.replies())).toEqual(new Set(["OK"]));
    const counts = sets.map(() => 0);
    for (const [i, key] of keys.entries()) {
      const { pointer, length } = ring.node(0).store.place(Buffer.from(key));
      const set = ring.node(0).store.kernel.ringRoute(pointer, length);
      counts[set]!++;
      const holders = ring.nodes.filter((node) => node.value(key) === `value ${i}`);
      expect(holders.map(({ index }) => index)).toEqual([...sets[set]!].sort());
      clients[(i + 1) % 4]!.call("get", key);
    }
    expect(Math.min(...counts)).toBeGreaterThan(20);
    ring.settle();
    for (const [n, client] of clients.entries()) {
      const own = keys.flatMap((_, i) => ((i + 1) % 4 === n ? [`value ${i}`] : []));
      expect(client.replies()).toEqual(own);
    }
  });

  test("only what is between the bytes of a hash tag counts", () => {
    const ring = new WiredKernels({ nodes: 4, sets, hashTag: "{}" });
    const { kernel } = ring.node(0).store;
    const setOf = (key: string) => {
      const { pointer, length } = ring.node(0).store.place(Buffer.from(key));
      return kernel.ringRoute(pointer, length);
    };
    const alike = ["{user}", "a{user}b", "x{user}{other}", "{user}}", "}}{user}"];
    expect(new Set(alike.map(setOf)).size).toBe(1);
    expect(setOf("a{user}")).toBe(setOf("user"));
    // Nothing between them, or no pair: all of the key counts.
    const many = Array.from({ length: 40 }, (_, i) => i);
    for (const shape of [
      (i: number) => `{}${i}`,
      (i: number) => `{${i}`,
      (i: number) => `}${i}{`,
    ]) {
      expect(new Set(many.map((i) => setOf(shape(i)))).size).toBe(4);
    }
    expect(new Set(many.map((i) => setOf(`{one}${i}`))).size).toBe(1);
  });

  test("commands of several keys with other replicas go to the host, at DC_ONE only where this node lacks one", () => {
    const ring = new WiredKernels({ nodes: 4, sets });
    const a = ring.node(0);
    const keyIn = (set: number) => {
      for (let i = 0; ; i++) {
        const { pointer, length } = a.store.place(Buffer.from(`k${i}`));
        if (a.store.kernel.ringRoute(pointer, length) === set) return `k${i}`;
      }
    };
    const [first, foreign, third] = [keyIn(0), keyIn(1), keyIn(2)];
    const quorum = a.client(QUORUM);
    quorum.call("mset", first, "1", third, "3").call("mget", first, third);
    expect(quorum.hosted).toHaveLength(2);
    const one = a.client(ONE);
    one.call("mset", first, "1", third, "3").call("mget", first, third).call("del", first, third);
    expect(one.hosted).toEqual([]);
    a.endTurn();
    expect(one.replies()).toEqual(["OK", ["1", "3"], 2]);
    one.call("mset", first, "1", foreign, "2");
    expect(one.hosted).toHaveLength(1);
    ring.settle();
    expect(agreed([ring.node(0), ring.node(2), ring.node(3)], third)).toBeUndefined();
  });

  test("sets that differ in their order only are one to commands of several keys", () => {
    const { ring, a } = three({
      sets: [
        [0, 1, 2],
        [1, 2, 0],
        [2, 0, 1],
      ],
    });
    const client = a.client(QUORUM);
    const words = Array.from({ length: 20 }, (_, i) => [`k${i}`, `${i}`]);
    client.call("mset", ...words.flat()).call("mget", ...words.map(([key]) => key!));
    ring.settle();
    expect(client.hosted).toEqual([]);
    expect(client.replies()).toEqual(["OK", words.map(([, value]) => value)]);
  });

  test("one copy goes to each other datacenter, to be spread there", () => {
    const ring = new WiredKernels({ nodes: 5, datacenters: [0, 0, 0, 1, 1] });
    const client = ring.node(0).client(QUORUM);
    client.call("set", "k", "v").call("mset", "l", "1", "m", "2").call("del", "l");
    ring.node(0).endTurn();
    expect(ring.inFlight(0, 3)).toBeGreaterThan(0);
    expect(ring.inFlight(0, 4)).toBe(0);
    ring.stopped.add(1).add(2);
    ring.settle();
    expect(client.replies(), "the other datacenter does not count").toEqual([]);
    ring.stopped.clear();
    ring.settle();
    expect(client.replies()).toEqual(["OK", "OK", 1]);
    expect(agreed(ring.nodes, "k")).toBe("v");
    expect(agreed(ring.nodes, "l")).toBeUndefined();
    expect(agreed(ring.nodes, "m")).toBe("2");
  });
});

describe("a fenced replica", () => {
  test("takes writes and counts for them, but for no read", () => {
    const { ring, a } = three();
    a.linkUp(1, LINK_FLAG.up | LINK_FLAG.fenced);
    ring.node(1).setState(SELF_FLAG.coordinating | SELF_FLAG.fenced);
    ring.cut(0, 2);
    const client = a.client(QUORUM);
    client.call("set", "k", "v").call("get", "k");
    ring.settle();
    expect(client.replies()).toEqual(["OK", noQuorum(2, 3, 1)]);
  });

  test("reads its own keys from the others", () => {
    const { ring, a, b } = three();
    a.setState(SELF_FLAG.coordinating | SELF_FLAG.fenced);
    alone(a, "set", "k", "mine");
    ring.pass(1);
    alone(b, "set", "k", "theirs");
    const [one, quorum] = [a.client(ONE), a.client(QUORUM)];
    one.call("get", "k").call("get", "l");
    quorum.call("get", "k").call("incr", "k").call("set", "m", "v");
    ring.settle();
    expect(one.replies()).toEqual(["theirs", null]);
    expect(quorum.replies()).toEqual(["theirs", "host:incr k", "OK"]);
    expect(a.value("k")).toBe("theirs");
    ring.cut(0, 1);
    quorum.call("get", "k").call("set", "m", "w");
    ring.settle();
    expect(quorum.replies()).toEqual([noQuorum(2, 3, 0), "OK"]);
  });
});

describe("what the host does", () => {
  test("everything with a key where this node does not coordinate, or at DC_EACH_SAFE_QUORUM", () => {
    const { a } = three();
    const each = a.client(EACH);
    each.call("get", "k").call("set", "k", "v").call("mget", "k").call("ping");
    expect(each.replies()).toEqual(["host:get k", "host:set k v", "host:mget k", "PONG"]);
    a.setState(CLOSED);
    const one = a.client(ONE);
    one.call("get", "k").call("set", "k", "v").call("ping");
    expect(one.replies()).toEqual(["host:get k", "host:set k v", "PONG"]);
  });

  test("reads and writes have levels of their own", () => {
    const { ring, a } = three();
    const client = a.client(ONE, QUORUM);
    client.call("get", "k");
    expect(client.replies()).toEqual([null]);
    client.call("set", "k", "v");
    a.endTurn();
    expect(client.replies()).toEqual([]);
    ring.settle();
    expect(client.replies()).toEqual(["OK"]);
  });

  test("values above 64 KiB", () => {
    const { ring, a } = three();
    const client = a.client(QUORUM);
    const long = "v".repeat(65_537);
    client.call("set", "k", long);
    expect(client.hosted).toHaveLength(1);
    client.call("set", "k", "v".repeat(60_000)).call("append", "k", "v".repeat(6000));
    ring.settle();
    expect(client.hosted).toHaveLength(2);
  });

  test("DEL of several keys at a quorum, and commands that the kernel does not know, in order", () => {
    const { ring, a } = three();
    const client = a.client(QUORUM);
    client.call("set", "k", "v").call("del", "k", "l").call("get", "k").call("hello").call("ping");
    expect(client.replies()).toEqual([]);
    ring.settle();
    expect(client.replies()).toEqual(["OK", "host:del k l", "v", "host:hello", "PONG"]);
  });
});

describe("slots", () => {
  test("a client that leaves is forgotten with all that it waits for", () => {
    const { ring, a, b } = three();
    b.store.setNow(START_MS + 1000);
    alone(b, "set", "n", "10");
    const [client, other] = [a.client(QUORUM), a.client(QUORUM)];
    for (let i = 0; i < 100; i++)
      client.call("set", `k${i}`, "v").call("mget", "k", "l").call("strlen", "n");
    client.call("get", "k").call("ping");
    other.call("set", "k", "w");
    a.endTurn();
    client.close();
    ring.settle();
    expect(other.replies()).toEqual(["OK"]);
    expect(a.figure("pendingSlots")).toBe(0);
    expect(a.figure("replyBytes")).toBe(0);
    expect(a.retries).toEqual([]);
    expect(agreed(ring.nodes, "k42")).toBe("v");
  });

  test("a client that leaves while the host has its request", () => {
    const ring = new WiredKernels({ nodes: 4, sets: [[0, 1, 2]] });
    const d = ring.node(3);
    const client = d.client(ONE);
    client.call("get", "k");
    d.endTurn();
    ring.cut(3, 0);
    client.close();
    d.endTurn();
    expect(d.retries).toEqual([]);
    expect(d.figure("pendingSlots")).toBe(0);
    expect(d.figure("replyBytes")).toBe(0);
  });

  test("grow with what waits, up to the bound, and refuse beyond it before anything is written", () => {
    const { ring, a } = three({ maxPending: 10_000 });
    ring.stopped.add(1).add(2);
    const client = a.client(QUORUM);
    for (let i = 0; i < 10_000; i++) client.call("set", `k${i}`, `v${i}`);
    client.call("set", "more", "v").call("get", "more").call("mset", "more", "v");
    expect(a.figure("pendingSlots")).toBe(10_000);
    expect(a.figure("slotsRefused")).toBe(3);
    expect(a.stamp("more")).toBe("");
    ring.stopped.clear();
    ring.settle();
    const replies = client.replies();
    expect(replies.slice(0, 10_000).every((reply) => reply === "OK")).toBe(true);
    const refused = {
      error: "ERR Dynomite: too many requests wait for replicas: nothing was written, try again",
    };
    expect(replies.slice(10_000)).toEqual([refused, refused, refused]);
    expect(agreed(ring.nodes, "k9999")).toBe("v9999");
    expect(a.figure("pendingSlots")).toBe(0);
    expect(a.figure("slotRoom")).toBe(16_384);
  });

  test("one that waits long does not hold up the others", () => {
    const ring = new WiredKernels({
      nodes: 4,
      sets: [
        [0, 1, 2],
        [0, 3],
      ],
    });
    const a = ring.node(0);
    const keyIn = (set: number) => {
      for (let i = 0; ; i++) {
        const { pointer, length } = a.store.place(Buffer.from(`k${i}`));
        if (a.store.kernel.ringRoute(pointer, length) === set) return `k${i}`;
      }
    };
    ring.stopped.add(3);
    const [slow, quick] = [a.client(QUORUM), a.client(QUORUM)];
    slow.call("set", keyIn(1), "v");
    const key = keyIn(0);
    for (let i = 0; i < 5000; i++) {
      quick.call("set", key, `${i}`);
      if (i % 50 === 0) ring.settle();
    }
    ring.settle();
    expect(quick.replies()).toHaveLength(5000);
    expect(a.figure("slotRoom")).toBe(2048);
    expect(slow.replies()).toEqual([]);
    ring.stopped.clear();
    ring.settle();
    expect(slow.replies()).toEqual(["OK"]);
  });
});

describe("streams", () => {
  test("hold long replies, and give their memory back", () => {
    const { ring, a } = three();
    const client = a.client(QUORUM);
    const long = "x".repeat(60_000);
    client.call("set", "k", long);
    for (let i = 0; i < 50; i++) client.call("get", "k").call("ping");
    a.endTurn();
    expect(a.figure("replyBytes")).toBeGreaterThan(3_000_000);
    ring.settle();
    const replies = client.replies();
    expect(replies).toHaveLength(101);
    expect(replies.slice(1).every((reply, i) => reply === (i % 2 === 0 ? long : "PONG"))).toBe(
      true,
    );
    expect(a.figure("replyBytes")).toBe(0);
    expect(a.figure("replyPages")).toBeLessThanOrEqual(3);
  });

  test("take replies of any length from the host, in order", () => {
    const { ring, a } = three();
    const client = a.client(QUORUM);
    const key = "y".repeat(300_000);
    client.call("set", "k", "v").call("echo", "a").call("hget", key, "f").call("echo", "b");
    expect(client.replies()).toEqual([]);
    ring.settle();
    expect(client.replies()).toEqual(["OK", "a", `host:hget ${key} f`, "b"]);
    expect(a.figure("replyBytes")).toBe(0);
  });

  test("a full outbox within a run is sent at once", () => {
    const { ring, a } = three();
    const client = a.client(QUORUM);
    const value = "z".repeat(50_000);
    let requests = "";
    for (let i = 0; i < 20; i++) {
      const key = `k${i}`;
      requests += `*3\r\n$3\r\nSET\r\n$${key.length}\r\n${key}\r\n$${value.length}\r\n${value}\r\n`;
    }
    client.write(requests);
    expect(a.fullOutboxes).toBeGreaterThan(2);
    ring.settle();
    expect(client.replies()).toEqual(Array.from({ length: 20 }, () => "OK"));
    for (let i = 0; i < 20; i++) expect(agreed(ring.nodes, `k${i}`)).toBe(value);
  });
});

describe("without a ring", () => {
  test("clients are answered at once, whatever levels they have", () => {
    const ring = new WiredKernels({ nodes: 1, sets: [[0]] });
    const client = ring.node(0).client(QUORUM);
    client
      .call("set", "k", "v")
      .call("get", "k")
      .call("incr", "n")
      .call("mset", "a", "1", "b", "2");
    client
      .call("mget", "a", "b")
      .call("del", "a", "b")
      .call("exists", "a")
      .call("getset", "k", "w");
    expect(client.replies()).toEqual(["OK", "v", 1, "OK", ["1", "2"], "host:del a b", 1, "v"]);
    expect(ring.node(0).figure("slotsOpened")).toBe(0);
  });
});
