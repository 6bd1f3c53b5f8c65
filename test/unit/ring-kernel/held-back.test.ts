/** Links that take no more requests: who goes on without them, who is refused, and what is noted of what they were not sent. */
import { describe, expect, test } from "vitest";
import { LINK_FLAG } from "../../../src/store/kernel-ring.ts";
import { read, write } from "./peer-bytes.ts";
import { PeerKernel, stampAt } from "./peer-kernel.ts";
import { three } from "./replicas.ts";
import {
  noQuorum,
  ONE,
  QUORUM,
  SAFE,
  type WiredClient,
  WiredKernels,
  type WiredNode,
} from "./wired-kernels.ts";

const BOUND = 16;

/** Sets keys until `count` writes have gone to each replica, and ends the turn. */
function load(client: WiredClient, node: WiredNode, count: number, name = "load"): void {
  for (let i = 0; i < count; i++) client.call("set", `${name}:${i}`, "v");
  node.endTurn();
}

/** The stamp of a key, as what was missed is told. */
function stampOf(node: WiredNode, key: string): bigint {
  return BigInt(node.stamp(key).split("/")[0]!);
}

describe("a link with too many unanswered requests", () => {
  test("is sent nothing more while a quorum can do without, and is not cut", () => {
    const { ring, a, b, c } = three({ maxLinkPending: BOUND });
    const client = a.client(QUORUM);
    // c does not answer, b does.
    ring.stopped.add(2);
    load(client, a, BOUND);
    ring.settle();
    expect(client.replies()).toHaveLength(BOUND);
    expect(a.missed(2)).toBeUndefined();
    for (let round = 0; round < 5; round++) {
      client.call("set", `k:${round}`, "later");
      ring.settle();
    }
    expect(client.replies()).toEqual(Array(5).fill("OK"));
    expect(a.missed(2)).toBe(stampOf(a, "k:0"));
    expect(a.figure("unsentRecords")).toBe(5);
    expect(b.value("k:4")).toBe("later");
    // What it was sent it still gets, and then it takes requests again.
    ring.stopped.delete(2);
    ring.settle();
    expect(c.value(`load:${BOUND - 1}`)).toBe("v");
    expect(c.value("k:4")).toBeUndefined();
    client.call("set", "after", "v");
    ring.settle();
    expect(c.value("after")).toBe("v");
    expect(a.figure("lostRequests")).toBe(0);
  });

  test.each([
    ["two replicas", 2, [1]],
    ["three replicas, both other links", 3, [1, 2]],
  ])("takes what a quorum cannot do without: %s", (_, nodes, others) => {
    const ring = new WiredKernels({ nodes, maxLinkPending: BOUND });
    const a = ring.node(0);
    for (const other of others) ring.stopped.add(other);
    const client = a.client(QUORUM);
    load(client, a, BOUND);
    client.call("set", "k", "v").call("get", "k").call("mset", "k", "w", "l", "w");
    a.endTurn();
    expect(client.replies()).toEqual([]);
    for (const other of others) ring.stopped.delete(other);
    ring.settle();
    expect(client.replies().slice(BOUND)).toEqual(["OK", "v", "OK"]);
    expect(ring.node(1).value("l")).toBe("w");
    expect(a.missed(1)).toBeUndefined();
  });

  test("takes nothing that nobody waits for", () => {
    const ring = new WiredKernels({ nodes: 2, maxLinkPending: BOUND });
    const [a, b] = [ring.node(0), ring.node(1)];
    ring.stopped.add(1);
    const client = a.client(ONE);
    load(client, a, BOUND);
    load(client, a, 100, "more");
    expect(client.replies()).toHaveLength(BOUND + 100);
    expect(a.missed(1)).toBe(stampOf(a, "more:0"));
    ring.stopped.delete(1);
    ring.settle();
    expect(b.value(`load:${BOUND - 1}`)).toBe("v");
    expect(b.value("more:0")).toBeUndefined();
  });

  test("notes what is passed on to another rack, by the stamp of who wrote it", () => {
    const ring = new WiredKernels({ nodes: 3, datacenters: [0, 1, 1], maxLinkPending: BOUND });
    const [a, b, c] = [ring.node(0), ring.node(1), ring.node(2)];
    ring.stopped.add(2);
    const client = a.client(ONE);
    load(client, a, BOUND);
    ring.settle();
    expect(b.missed(2)).toBeUndefined();
    client.call("set", "k", "v");
    ring.settle();
    expect(b.value("k")).toBe("v");
    expect(b.missed(2)).toBe(stampOf(a, "k"));
    ring.stopped.delete(2);
    ring.settle();
    expect(c.value("k")).toBeUndefined();
  });
});

describe("a link that is behind", () => {
  test("is no way to a quorum: nothing is written", () => {
    const ring = new WiredKernels({ nodes: 2 });
    const a = ring.node(0);
    a.found.set(1, LINK_FLAG.behind);
    a.endTurn();
    const client = a.client(QUORUM);
    client.call("set", "k", "v").call("get", "k");
    expect(client.replies()).toEqual([noQuorum(2, 2, 1), noQuorum(2, 2, 1)]);
    expect(a.stamp("k")).toBe("");
    expect(a.missed(1)).toBeUndefined();
    a.found.delete(1);
    a.endTurn();
    client.call("set", "k", "v");
    ring.settle();
    expect(client.replies()).toEqual(["OK"]);
  });

  test("gets no answers that may be long, and those who asked go on without", () => {
    const peer = new PeerKernel();
    peer.install([{ self: true, locals: [1] }]);
    peer.open(1);
    peer.apply("key", "value", stampAt(5));
    peer.kernel.linkSettle(1, LINK_FLAG.behind);
    peer.feed(1, read("key"));
    peer.feed(1, write("key", "old", stampAt(4)));
    peer.feed(1, write("key", "new", stampAt(6)));
    expect(peer.frames(1)).toMatchObject([
      { name: "fail", number: 6 },
      { name: "fail", number: 6 },
      { name: "acks", number: 1 },
    ]);
    expect(peer.get("key")).toBe("new");
  });

  test("does not count as repaired for a read at DC_SAFE_QUORUM", () => {
    const ring = new WiredKernels({ nodes: 2 });
    const [a, b] = [ring.node(0), ring.node(1)];
    a.outsider().call("set", "k", "v");
    const client = a.client(SAFE);
    client.call("get", "k");
    a.endTurn();
    ring.deliver(0, 1);
    b.endTurn();
    a.found.set(1, LINK_FLAG.behind);
    a.endTurn();
    ring.settle();
    expect(client.replies()).toEqual([noQuorum(2, 2, 1)]);
    expect(b.value("k")).toBeUndefined();
  });
});

test("the executor of a key stays the same while links are full or behind", () => {
  const { ring, a, b } = three();
  const client = b.client(ONE);
  const runs = (flag: number): string[] => {
    b.found.set(0, flag);
    b.endTurn();
    client.call("incr", "n");
    ring.settle();
    client.replies();
    return client.hosted.splice(0);
  };
  expect(runs(0)).toEqual(["incr n"]);
  expect(runs(LINK_FLAG.full)).toEqual(["incr n"]);
  expect(runs(LINK_FLAG.behind)).toEqual(["incr n"]);
  expect(a.value("n")).toBeUndefined();
});
