// What the kernel counts of a ring: each counter is moved by its event, and by how much.
import { describe, expect, it } from "vitest";
import { FRAME_FLAG } from "../../../src/link/frame.ts";
import {
  LINK_FLAG,
  RING_FIGURE,
  type RingFigure,
  SELF_FLAG,
} from "../../../src/store/kernel-ring.ts";
import { batch, read, write } from "./peer-bytes.ts";
import { PeerKernel, stampAt } from "./peer-kernel.ts";
import { ONE, QUORUM, WiredKernels, type WiredNode } from "./wired-kernels.ts";

/** How much each figure that moved has grown; gauges and bytes are left out. */
function moved(figure: (name: RingFigure) => number, work: () => void): Record<string, number> {
  const names = (Object.keys(RING_FIGURE) as RingFigure[]).filter(
    (name) => RING_FIGURE[name] >= RING_FIGURE.acksSent && RING_FIGURE[name] < 64,
  );
  const before = names.map(figure);
  work();
  const grown = names.map((name, i) => [name, figure(name) - before[i]!] as const);
  return Object.fromEntries(grown.filter(([, growth]) => growth !== 0));
}

describe("at a replica", () => {
  /** A replica of the first half of the tokens, with the peers 1 and 2. */
  function replica(options: { ceilingBytes?: number } = {}) {
    const node = new PeerKernel(options);
    node.install([
      { self: true, locals: [1, 2] },
      { self: false, locals: [1, 2] },
    ]);
    node.open(1).open(2);
    const figure = (name: RingFigure) => node.kernel.ringFigure(RING_FIGURE[name]);
    return { node, grows: (work: () => void) => moved(figure, work) };
  }

  /** A key of the replica's own half, or of the other. */
  const keyOf = (node: PeerKernel, set: number) =>
    Array.from({ length: 100 }, (_, i) => `key:${i}`).find((key) => node.setOf(key) === set)!;

  it("a record is applied, held already, or stale", () => {
    const { node, grows } = replica();
    const own = keyOf(node, 0);
    expect(grows(() => node.feed(1, write(own, "new", stampAt(5))))).toMatchObject({
      appliedRecords: 1,
    });
    expect(grows(() => node.feed(1, write(own, "new", stampAt(5))))).toMatchObject({
      equalRecords: 1,
    });
    const stale = grows(() => node.feed(1, write(own, "old", stampAt(4))));
    expect(stale.staleRecords).toBe(1);
    expect(stale.appliedRecords).toBeUndefined();
  });

  it("a request for a key of others is refused as foreign, be it a write or a read", () => {
    const { node, grows } = replica();
    const foreign = keyOf(node, 1);
    const both = () => {
      node.feed(1, write(foreign, "v", stampAt(1)));
      node.feed(1, read(foreign));
    };
    expect(grows(both).refusedForeign).toBe(2);
  });

  it("a read is refused while the node is fenced, a write is not", () => {
    const { node, grows } = replica();
    const own = keyOf(node, 0);
    node.kernel.ringSetSelf(SELF_FLAG.coordinating | SELF_FLAG.fenced);
    expect(grows(() => node.feed(1, read(own))).refusedFenced).toBe(1);
    expect(grows(() => node.feed(1, write(own, "v", stampAt(1)))).refusedFenced).toBeUndefined();
  });

  it("a record that is stamped too far ahead is refused for that", () => {
    const { node, grows } = replica();
    node.kernel.ringSetLimits(5000, 10_000, 1024, 1024);
    expect(
      grows(() => node.feed(1, write(keyOf(node, 0), "v", stampAt(10_001)))).refusedAhead,
    ).toBe(1);
  });

  it("a record is refused where there is no memory", () => {
    const { node, grows } = replica({ ceilingBytes: 16 * 1024 * 1024 });
    const own = keyOf(node, 0);
    const big = "x".repeat(100_000);
    const refused = grows(() => {
      for (let i = 0; i < 400; i++)
        node.feed(1, write(`${own}`.padEnd(20 + i, "!"), big, stampAt(1)));
    });
    expect(refused.refusedMemory).toBeGreaterThan(0);
  });

  it("a record that is to be spread is counted for each rack that it goes on to", () => {
    const { node, grows } = replica();
    const frame = write(keyOf(node, 0), "v", stampAt(1), { flags: FRAME_FLAG.spread });
    expect(grows(() => node.feed(1, frame)).spreadRecords).toBeGreaterThan(0);
    const plain = write(keyOf(node, 0), "w", stampAt(2));
    expect(grows(() => node.feed(1, plain)).spreadRecords).toBeUndefined();
  });

  it("a read is refused whose answer would come too late", () => {
    const { node, grows } = replica();
    node.kernel.linkSettle(1, LINK_FLAG.behind);
    expect(grows(() => node.feed(1, read(keyOf(node, 0)))).refusedBehind).toBe(1);
    node.kernel.linkSettle(1, 0);
    expect(grows(() => node.feed(1, read(keyOf(node, 0)))).refusedBehind).toBeUndefined();
  });

  it("a frame that is the host's is handed to it", () => {
    const { node, grows } = replica();
    const frame = batch(stampAt(1), 1, [write(keyOf(node, 0), "v", stampAt(1))]);
    expect(grows(() => node.feed(1, frame)).hostFrames).toBe(1);
    expect(node.hosted.length).toBe(1);
  });

  it("bytes that are no frame are counted", () => {
    const { node, grows } = replica();
    expect(grows(() => node.feed(1, new Uint8Array(64).fill(0xff))).brokenFrames).toBe(1);
  });
});

describe("at a coordinator", () => {
  const grows = (node: WiredNode, work: () => void) => moved((name) => node.figure(name), work);

  it("a write is coordinated, and each of its acknowledgements counted", () => {
    const ring = new WiredKernels({ nodes: 3 });
    const client = ring.node(0).client(QUORUM);
    const grown = grows(ring.node(0), () => {
      client.call("SET", "k", "v");
      ring.settle();
    });
    expect(grown).toEqual({ commandsCoordinated: 1, slotsOpened: 1, acksReceived: 2 });
    expect(client.replies()).toEqual(["OK"]);
    expect(ring.node(1).figure("acksSent")).toBe(1);
  });

  it("a link that comes to its bound is counted, and each record that it is not sent", () => {
    const ring = new WiredKernels({ nodes: 3, maxLinkPending: 2 });
    const client = ring.node(0).client(QUORUM);
    ring.stopped.add(2);
    const write = () => {
      client.call("SET", "k", "v");
      ring.settle();
    };
    expect(grows(ring.node(0), write).linkOverflows).toBeUndefined();
    expect(grows(ring.node(0), write).linkOverflows).toBe(1);
    expect(grows(ring.node(0), write)).toMatchObject({ unsentRecords: 1, acksReceived: 1 });
  });

  it("a command that must run elsewhere is left to the host", () => {
    const ring = new WiredKernels({ nodes: 3 });
    const grown = grows(ring.node(1), () => {
      ring.node(1).client(QUORUM).call("INCR", "n");
      ring.settle();
    });
    expect(grown).toEqual({ commandsLeft: 1 });
  });

  it("a replica that holds something older is repaired by a read", () => {
    const ring = new WiredKernels({ nodes: 3 });
    ring.cut(0, 2);
    ring.node(0).client(QUORUM).call("SET", "k", "v");
    ring.settle();
    ring.link(0, 2);
    const client = ring.node(0).client(QUORUM);
    const grown = grows(ring.node(0), () => {
      client.call("GET", "k");
      ring.settle();
    });
    expect(grown.repairsSent).toBe(1);
    expect(ring.node(2).value("k")).toBe("v");
  });

  it("a request without the answers that it needs fails", () => {
    const ring = new WiredKernels({ nodes: 3 });
    ring.stopped.add(1).add(2);
    const client = ring.node(0).client(QUORUM);
    const grown = grows(ring.node(0), () => {
      client.call("SET", "k", "v");
      ring.settle();
      ring.cut(0, 1);
      ring.cut(0, 2);
      ring.settle();
    });
    expect(grown).toMatchObject({ slotsOpened: 1, slotsFailed: 1, lostRequests: 2 });
    expect(grown.slotsExpired).toBeUndefined();
  });

  it("a read whose replica is lost is run again by the host", () => {
    const ring = new WiredKernels({ nodes: 3, sets: [[0, 1]] });
    const grown = grows(ring.node(2), () => {
      ring.node(2).client(ONE).call("GET", "k");
      ring.node(2).endTurn();
      ring.cut(2, 0);
      ring.settle();
    });
    expect(grown.requestsRetried).toBe(1);
    expect(ring.node(2).retries.length).toBe(1);
  });
});
