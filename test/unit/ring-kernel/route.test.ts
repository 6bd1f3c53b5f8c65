/** Which replicas a key has, as the kernel finds them, and where its frames go. */
import { describe, expect, test } from "vitest";
import { agreed, three } from "./replicas.ts";
import { ONE, QUORUM, WiredKernels } from "./wired-kernels.ts";

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
