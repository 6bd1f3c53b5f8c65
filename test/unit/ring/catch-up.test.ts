import { describe, expect, test } from "vitest";
import { CatchUp, type PeerState } from "../../../src/ring/catch-up.ts";
import { buildPlacement } from "../../../src/ring/placement.ts";
import { buildTopology } from "../../../src/ring/topology.ts";
import { codec } from "../codec/codec-under-test.ts";

const EMPTY: PeerState = { forgetful: true, remembersLoss: false, startedWithUs: false, stamp: 0n };
const WHOLE: PeerState = { ...EMPTY, forgetful: false };

/** The catch-up of the node in rack r1 of a datacenter with `racks` racks of one node each; the others are links 1, 2 … */
function catchUpOf(racks: number, remoteRacks = 0, parallel = () => 8): CatchUp {
  const seeds = [
    ...Array.from({ length: racks }, (_, i) => `127.0.0.1:${9001 + i}:r${i + 1}:dc1:0`),
    ...Array.from({ length: remoteRacks }, (_, i) => `127.0.0.1:${9101 + i}:r${i + 1}:dc2:0`),
  ];
  const topology = buildTopology({
    datacenter: "dc1",
    rack: "r1",
    tokens: "0",
    listen: { host: "127.0.0.1", port: 9001 },
    seeds,
  });
  const { sets } = buildPlacement(topology, codec.hashKey);
  return new CatchUp(topology.self, sets, { fenced: true, parallel });
}

/** Makes the copies that are due; the links that they came from. */
function copyAll(catchUp: CatchUp, readable: (link: number) => boolean): number[] {
  const copies = catchUp.begin();
  for (const { from } of copies) catchUp.copied(from.index, readable(from.index));
  return copies.map(({ from }) => from.index);
}

describe("a node without its last store epoch", () => {
  test("answers no read before it has copied from a quorum of the other replicas", () => {
    const catchUp = catchUpOf(3);
    catchUp.peerUp(1, WHOLE);
    expect(catchUp.begin()).toMatchObject([{ from: { index: 1 }, since: 0n }]);
    catchUp.copied(1, true);
    expect(catchUp.fenced).toBe(true);
    catchUp.peerUp(2, WHOLE);
    expect(copyAll(catchUp, () => true)).toEqual([2]);
    expect(catchUp.fenced).toBe(false);
    expect(catchUp.lossReported).toBe(false);
    expect(catchUp.startedFromReachable).toBe(false);
  });

  test("needs three of four others", () => {
    const catchUp = catchUpOf(5);
    for (const link of [1, 2]) catchUp.peerUp(link, WHOLE);
    copyAll(catchUp, () => true);
    expect(catchUp.fenced).toBe(true);
    catchUp.peerUp(3, WHOLE);
    copyAll(catchUp, () => true);
    expect(catchUp.fenced).toBe(false);
  });

  test("copies from as many at a time as it may at that moment", () => {
    let parallel = 1;
    const catchUp = catchUpOf(4, 0, () => parallel);
    for (const link of [1, 2, 3]) catchUp.peerUp(link, WHOLE);
    expect(catchUp.begin()).toHaveLength(1);
    expect(catchUp.begin()).toEqual([]);
    parallel = 3;
    expect(catchUp.begin()).toHaveLength(2);
  });

  test("is not held up by copies from another datacenter", () => {
    const catchUp = catchUpOf(2, 3, () => 2);
    for (const link of [2, 3, 4]) catchUp.peerUp(link, WHOLE);
    expect(catchUp.begin().map(({ from }) => from.index)).toEqual([2, 3]);
    catchUp.peerUp(1, WHOLE);
    expect(catchUp.begin().map(({ from }) => from.index)).toEqual([1]);
    catchUp.copied(1, true);
    expect(catchUp.fenced).toBe(false);
  });

  test("while it goes on copies everything again, whoever it began with, and what was under way does not count", () => {
    const catchUp = catchUpOf(3);
    for (const link of [1, 2]) catchUp.peerUp(link, EMPTY);
    copyAll(catchUp, () => false);
    for (const link of [1, 2]) catchUp.peerUp(link, { ...WHOLE, startedWithUs: true, stamp: 5n });
    copyAll(catchUp, () => true);
    expect(catchUp.fenced).toBe(false);
    catchUp.mayLack(0n);
    expect(catchUp.begin()).toHaveLength(2);
    catchUp.peerDown(2);
    catchUp.lose();
    expect(catchUp.forgotten).toBeUndefined();
    catchUp.copied(1, true);
    catchUp.copied(2, true);
    expect(catchUp.fenced).toBe(true);
    expect(copyAll(catchUp, () => true)).toEqual([1]);
    expect(catchUp.fenced).toBe(true);
    catchUp.peerUp(1, { ...WHOLE, stamp: 7n });
    catchUp.peerUp(2, { ...WHOLE, stamp: 9n });
    expect(catchUp.forgotten).toBe(9n);
    expect(copyAll(catchUp, () => true)).toEqual([2]);
    expect(catchUp.fenced).toBe(false);
    expect(catchUp.forgotten).toBe(0n);
  });

  test("that is alone answers at once", () => {
    expect(catchUpOf(1).fenced).toBe(false);
  });

  test("begins anew when a copy fails", () => {
    const catchUp = catchUpOf(2);
    catchUp.peerUp(1, WHOLE);
    expect(catchUp.begin()).toHaveLength(1);
    expect(catchUp.begin()).toHaveLength(0);
    catchUp.failed(1);
    expect(catchUp.fenced).toBe(true);
    expect(copyAll(catchUp, () => true)).toEqual([1]);
    expect(catchUp.fenced).toBe(false);
  });

  test("copies again from a peer that held nothing when it was copied and answers reads now", () => {
    const catchUp = catchUpOf(3);
    catchUp.peerUp(1, WHOLE);
    catchUp.peerUp(2, EMPTY);
    const copies = catchUp.begin();
    expect(copies).toHaveLength(2);
    // Node 1 is cut off before its copy is complete.
    catchUp.peerDown(1);
    catchUp.failed(1);
    catchUp.peerUp(2, WHOLE);
    catchUp.copied(2, false);
    expect(catchUp.fenced).toBe(true);
    expect(copyAll(catchUp, () => true)).toEqual([2]);
    expect(catchUp.fenced).toBe(true);
  });
});

describe("a range whose majority has no state", () => {
  test("starts when most replicas are there, empty", () => {
    const catchUp = catchUpOf(3);
    catchUp.peerUp(1, EMPTY);
    expect(catchUp.fenced).toBe(true);
    expect(copyAll(catchUp, () => false)).toEqual([1]);
    expect(catchUp.fenced).toBe(false);
    expect(catchUp.startedFromReachable).toBe(true);
    expect(catchUp.lossReported).toBe(false);
  });

  test("starts for the second node too when the first has started with it", () => {
    const catchUp = catchUpOf(3);
    catchUp.peerUp(1, { ...WHOLE, startedWithUs: true });
    expect(copyAll(catchUp, () => true)).toEqual([1]);
    expect(catchUp.fenced).toBe(false);
  });

  test("does not start with a node that has started without it", () => {
    const catchUp = catchUpOf(3);
    catchUp.peerUp(1, WHOLE);
    copyAll(catchUp, () => true);
    expect(catchUp.fenced).toBe(true);
  });

  test("copies what the reachable ones hold first, and says that there was more when one remembers", () => {
    const catchUp = catchUpOf(3);
    catchUp.peerUp(1, EMPTY);
    catchUp.peerUp(2, { ...WHOLE, remembersLoss: true });
    const copies = catchUp.begin();
    catchUp.copied(1, false);
    expect(catchUp.fenced).toBe(true);
    expect(copies).toHaveLength(2);
    catchUp.copied(2, true);
    expect(catchUp.fenced).toBe(false);
    expect(catchUp.lossReported).toBe(true);
  });

  test("waits for another datacenter that may have it, for a while", () => {
    const catchUp = catchUpOf(1, 1);
    expect(catchUp.fenced).toBe(true);
    catchUp.stopWaiting();
    expect(catchUp.fenced).toBe(false);

    const patient = catchUpOf(1, 1);
    patient.peerUp(1, WHOLE);
    expect(copyAll(patient, () => true)).toEqual([1]);
    expect(patient.fenced).toBe(false);
  });

  test("is copied from another datacenter that has it", () => {
    const catchUp = catchUpOf(2, 2);
    catchUp.peerUp(1, EMPTY);
    catchUp.peerUp(2, WHOLE);
    const copies = catchUp.begin().map(({ from }) => from.index);
    expect(copies).toEqual([1, 2]);
    catchUp.copied(1, false);
    expect(catchUp.fenced).toBe(true);
    catchUp.copied(2, true);
    expect(catchUp.fenced).toBe(false);
  });
});

describe("a node that may have missed writes", () => {
  function started(): CatchUp {
    const catchUp = catchUpOf(3);
    for (const link of [1, 2]) catchUp.peerUp(link, WHOLE);
    copyAll(catchUp, () => true);
    expect(catchUp.fenced).toBe(false);
    expect(catchUp.busy).toBe(false);
    return catchUp;
  }

  test("copies what is newer from every replica that it can reach, and answers reads", () => {
    const catchUp = started();
    catchUp.mayLack(500n);
    catchUp.mayLack(700n);
    expect(catchUp.busy).toBe(true);
    const copies = catchUp.begin();
    expect(copies.map(({ from, since }) => [from.index, since])).toEqual([
      [1, 500n],
      [2, 500n],
    ]);
    expect(catchUp.fenced).toBe(false);
    catchUp.copied(1, true);
    expect(catchUp.busy).toBe(true);
    catchUp.copied(2, true);
    expect(catchUp.busy).toBe(false);
  });

  test("copies once more what it may lack since a round began", () => {
    const catchUp = started();
    catchUp.mayLack(500n);
    catchUp.begin();
    catchUp.mayLack(900n);
    catchUp.copied(1, true);
    catchUp.copied(2, true);
    expect(catchUp.begin().map(({ since }) => since)).toEqual([900n, 900n]);
  });

  test("copies the rest from one that was lost in between when that is there again", () => {
    const catchUp = started();
    catchUp.mayLack(500n);
    catchUp.begin();
    catchUp.peerDown(2);
    catchUp.failed(2);
    catchUp.copied(1, true);
    expect(catchUp.busy).toBe(false);
    catchUp.mayLack(900n);
    catchUp.peerUp(2, WHOLE);
    expect(catchUp.begin().map(({ from, since }) => [from.index, since])).toEqual([
      [1, 900n],
      [2, 500n],
    ]);
  });

  test("copies what one datacenter holds from its members alone", () => {
    const catchUp = catchUpOf(3, 2);
    for (const link of [1, 2, 3, 4]) catchUp.peerUp(link, WHOLE);
    while (copyAll(catchUp, () => true).length > 0);
    catchUp.mayLack(500n, "dc1");
    expect(catchUp.begin().map(({ from }) => from.index)).toEqual([1, 2]);
    for (const link of [1, 2]) catchUp.copied(link, true);
    catchUp.mayLack(500n, "dc2");
    expect(catchUp.begin().map(({ from }) => from.index)).toEqual([3, 4]);
  });

  test("copies everything from another datacenter too, after it answers reads", () => {
    const catchUp = catchUpOf(2, 1);
    catchUp.peerUp(1, WHOLE);
    copyAll(catchUp, () => true);
    expect(catchUp.fenced).toBe(false);
    catchUp.peerUp(2, WHOLE);
    expect(catchUp.begin()).toMatchObject([{ from: { index: 2 }, since: 0n }]);
  });

  test("copies everything and answers no read once it is fenced", () => {
    const catchUp = started();
    catchUp.fence();
    expect(catchUp.fenced).toBe(true);
    expect(catchUp.begin().map(({ since }) => since)).toEqual([0n, 0n]);
  });
});

describe("what a node that has lost its memory may have acknowledged", () => {
  const SEEN: PeerState = { ...WHOLE, stamp: 5n };

  test("is known when so many others have told that any quorum with it met one of them", () => {
    const catchUp = catchUpOf(3);
    expect(catchUp.forgotten).toBeUndefined();
    catchUp.peerUp(1, SEEN);
    expect(catchUp.forgotten).toBeUndefined();
    catchUp.peerUp(2, { ...WHOLE, stamp: 3n });
    expect(catchUp.forgotten).toBe(5n);
    const five = catchUpOf(5);
    for (const link of [1, 2]) five.peerUp(link, SEEN);
    expect(five.forgotten).toBeUndefined();
    five.peerUp(3, { ...WHOLE, stamp: 7n });
    expect(five.forgotten).toBe(7n);
  });

  test("is what they told first, also when they are gone", () => {
    const catchUp = catchUpOf(3);
    catchUp.peerUp(1, SEEN);
    catchUp.peerUp(1, { ...SEEN, stamp: 9n });
    catchUp.peerDown(1);
    catchUp.peerUp(2, SEEN);
    expect(catchUp.forgotten).toBe(5n);
  });

  test("is not told by one that has lost its memory too, before it has it back", () => {
    const catchUp = catchUpOf(5);
    for (const link of [1, 2]) catchUp.peerUp(link, SEEN);
    catchUp.peerUp(3, { ...EMPTY, stamp: 4n });
    expect(catchUp.forgotten).toBeUndefined();
    catchUp.peerUp(3, { ...WHOLE, stamp: 9n });
    expect(catchUp.forgotten).toBe(9n);
  });

  test("is what those say that can be reached where most have lost theirs, another datacenter among them", () => {
    const alone = catchUpOf(3);
    alone.peerUp(1, { ...EMPTY, stamp: 4n });
    expect(alone.forgotten).toBe(4n);
    const catchUp = catchUpOf(3, 3);
    for (const link of [1, 2]) catchUp.peerUp(link, EMPTY);
    expect(catchUp.forgotten).toBeUndefined();
    catchUp.peerUp(3, SEEN);
    expect(catchUp.forgotten).toBe(5n);
  });

  test("is nothing when it has copied its ranges, and where it is fenced again for what it was not sent", () => {
    const catchUp = catchUpOf(3);
    for (const link of [1, 2]) catchUp.peerUp(link, SEEN);
    copyAll(catchUp, () => true);
    expect(catchUp.forgotten).toBe(0n);
    catchUp.fence();
    expect(catchUp.fenced).toBe(true);
    expect(catchUp.forgotten).toBe(0n);
  });
});
