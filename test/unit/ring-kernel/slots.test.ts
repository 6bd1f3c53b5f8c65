/** Requests that wait for other nodes, and the replies behind them: bounds, memory, and clients that leave. */
import { describe, expect, test } from "vitest";
import { START_MS } from "../store/store-under-test.ts";
import * as bytes from "./peer-bytes.ts";
import { agreed, alone, three } from "./replicas.ts";
import { noQuorum, ONE, QUORUM, WiredKernels } from "./wired-kernels.ts";

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

  test("a write that was sent again for a client that left counts for no slot of the same number", () => {
    const { ring, a, b } = three();
    ring.cut(0, 2);
    b.store.setNow(START_MS + 1000);
    alone(b, "set", "k", "ahead");
    const client = a.client(QUORUM);
    client.call("set", "k", "mine");
    // It is refused, sent again, and acknowledged when nobody waits for it any more.
    for (const [from, to] of [
      [0, 1],
      [1, 0],
      [0, 1],
    ] as const) {
      ring.node(from).endTurn();
      ring.deliver(from, to);
    }
    expect(a.figure("writesRestamped")).toBe(1);
    client.close();
    a.endTurn();
    const { kernel } = a.store;
    const FIRST = 0;
    for (;;) {
      const slot = kernel.slotOpen(1, 1) >>> 0;
      if (slot === FIRST) break;
      kernel.slotSeal(slot);
      kernel.nextEvent();
    }
    ring.settle();
    const frame = a.store.place(bytes.read("k"));
    expect(kernel.linkRequest(1, frame.pointer, frame.length, FIRST)).toBe(1);
    kernel.slotSeal(FIRST);
    expect(a.figure("pendingSlots")).toBe(1);
    ring.settle();
    expect(a.figure("pendingSlots")).toBe(0);
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
  test("end by their deadline after half a day without any", () => {
    const { ring, a } = three();
    ring.stopped.add(1).add(2);
    const HOUR_MS = 3_600_000;
    for (let hour = 0; hour < 40; hour++) {
      ring.pass(HOUR_MS);
      expect(a.expire()).toBe(0);
      if (hour % 13 !== 0) continue;
      const client = a.client(QUORUM).call("set", "k", "v");
      a.endTurn();
      ring.pass(4999);
      expect(a.expire()).toBe(0);
      ring.pass(1);
      expect(a.expire()).toBe(1);
      a.endTurn();
      expect(client.replies()).toEqual([noQuorum(2, 3, 1, true)]);
    }
  });

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
