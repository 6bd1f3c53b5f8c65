/** Who runs a command: the executor, a replica that is fenced, the host, and a node without a ring. */
import { describe, expect, test } from "vitest";
import { LINK_FLAG, SELF_FLAG } from "../../../src/store/kernel-ring.ts";
import { agreed, alone, three } from "./replicas.ts";
import { EACH, noQuorum, ONE, QUORUM, SAFE, WiredKernels } from "./wired-kernels.ts";

const CLOSED = 0;

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

  test("is asked to read all the same, since it may answer reads again and its coordinator not know yet", () => {
    const { ring, a } = three();
    for (const other of [1, 2]) a.linkUp(other, LINK_FLAG.up | LINK_FLAG.fenced);
    const client = a.client(QUORUM);
    client.call("set", "k", "v").call("get", "k").call("mget", "k", "l");
    ring.settle();
    expect(client.replies()).toEqual(["OK", "v", ["v", null]]);
    ring.node(1).setState(SELF_FLAG.coordinating | SELF_FLAG.fenced);
    client.call("get", "k").call("mget", "k", "l");
    ring.settle();
    expect(client.replies(), "one of two answers").toEqual(["v", ["v", null]]);
    ring.node(2).setState(SELF_FLAG.coordinating | SELF_FLAG.fenced);
    client.call("get", "k").call("mget", "k", "l");
    ring.settle();
    expect(client.replies()).toEqual([noQuorum(2, 3, 1), noQuorum(2, 3, 1)]);
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
