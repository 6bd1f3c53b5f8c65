/** Records applied by stamp: which of two wins, whatever comes first; tombstones, expiry, floors, objects. */
import { describe, expect, test } from "vitest";
import { FRAME_FLAG } from "../../../src/link/frame.ts";
import { APPLIED } from "../../../src/store/kernel-ring.ts";
import { openKernel, START_MS } from "../store/store-under-test.ts";
import { PeerKernel, stampAt, TOMBSTONE } from "./peer-kernel.ts";

const kernel = openKernel();

interface Arrival {
  readonly value?: string;
  readonly stamp: bigint;
  readonly node?: number;
  readonly expiry?: number;
}

/** Applies records of one key in this order to an empty table: the codes, and what is held at the end. */
function arrive(...arrivals: readonly Arrival[]) {
  const peer = new PeerKernel({ kernel });
  const codes = arrivals.map(({ value, stamp, node = 1, expiry = 0 }) =>
    peer.apply("key", value ?? "", stamp, {
      node,
      expiry,
      flags: value === undefined ? FRAME_FLAG.tombstone : 0,
    }),
  );
  return { codes, held: peer.held("key"), read: peer.get("key") };
}

describe("of two records", () => {
  const cases: readonly [name: string, older: Arrival, newer: Arrival][] = [
    ["the larger stamp", { value: "a", stamp: stampAt(1) }, { value: "b", stamp: stampAt(2) }],
    [
      "of one stamp the larger node",
      { value: "a", stamp: stampAt(1), node: 3 },
      { value: "b", stamp: stampAt(1), node: 0x8001 },
    ],
    ["one of today over one of 1970", { value: "a", stamp: 5n }, { value: "b", stamp: stampAt(1) }],
    ["a newer tombstone", { value: "a", stamp: stampAt(1) }, { stamp: stampAt(1, 1) }],
    ["a value newer than a tombstone", { stamp: stampAt(1) }, { value: "b", stamp: stampAt(2) }],
    ["the newer of tombstones", { stamp: stampAt(1), node: 4 }, { stamp: stampAt(1), node: 5 }],
    [
      "a shorter value",
      { value: "a".repeat(5000), stamp: stampAt(1) },
      { value: "b", stamp: stampAt(2) },
    ],
    [
      "a longer value",
      { value: "a", stamp: stampAt(1) },
      { value: "b".repeat(5000), stamp: stampAt(2) },
    ],
    [
      "a value that expires",
      { value: "a", stamp: stampAt(1) },
      { value: "b", stamp: stampAt(2), expiry: START_MS + 1000 },
    ],
    [
      "a value that does not expire",
      { value: "a", stamp: stampAt(1), expiry: START_MS + 1000 },
      { value: "b", stamp: stampAt(2) },
    ],
  ];
  test.each(cases)("%s wins in both orders of arrival", (_, older, newer) => {
    const forward = arrive(older, newer);
    const backward = arrive(newer, older);
    expect(forward.codes).toEqual([APPLIED.applied, APPLIED.applied]);
    expect(backward.codes).toEqual([APPLIED.applied, APPLIED.stale]);
    expect(forward.held).toEqual(backward.held);
    expect(forward.held).toMatchObject({
      stamp: newer.stamp,
      node: newer.node ?? 1,
      expiry: newer.expiry ?? 0,
      flags: newer.value === undefined ? TOMBSTONE : 0,
      value: newer.value ?? "",
    });
    expect(forward.read).toBe(newer.value);
  });

  test("the same one again changes nothing", () => {
    const record = { value: "a", stamp: stampAt(1), expiry: START_MS + 50 };
    const { codes, held } = arrive(record, record);
    expect(codes).toEqual([APPLIED.applied, APPLIED.equal]);
    expect(held?.expiry).toBe(START_MS + 50);
    expect(arrive({ stamp: stampAt(1) }, { stamp: stampAt(1) }).codes).toEqual([
      APPLIED.applied,
      APPLIED.equal,
    ]);
  });
});

describe("expiry", () => {
  test("a record that has expired becomes a tombstone with its stamp, in a place of its own or another's", () => {
    const expired = { value: "gone", stamp: stampAt(2), node: 7, expiry: START_MS - 1 };
    for (const arrivals of [[expired], [{ value: "was", stamp: stampAt(1) }, expired]]) {
      const { held, read } = arrive(...arrivals);
      expect(read).toBeUndefined();
      expect(held).toEqual({ stamp: stampAt(2), node: 7, expiry: 0, flags: TOMBSTONE, value: "" });
    }
  });

  test("what has expired here is equal to itself, found or not", () => {
    for (const find of [false, true]) {
      const peer = new PeerKernel({ kernel });
      peer.apply("key", "value", stampAt(1), { node: 9, expiry: START_MS + 10 });
      kernel.setNow(START_MS + 11);
      if (find) expect(peer.get("key")).toBeUndefined();
      expect(peer.apply("key", "value", stampAt(1), { node: 9, expiry: START_MS + 10 })).toBe(
        APPLIED.equal,
      );
      expect(peer.get("key")).toBeUndefined();
      expect(peer.held("key")).toMatchObject({ stamp: stampAt(1), node: 9, flags: TOMBSTONE });
    }
  });

  test("the tombstone of an expiry has the node of the write, also when its stamp is the last one seen", () => {
    const peer = new PeerKernel({ kernel, node: 2 });
    peer.apply("key", "value", stampAt(1), { node: 9, expiry: START_MS + 10 });
    expect(kernel.lastStampSeen()).toBe(stampAt(1));
    kernel.setNow(START_MS + 11);
    expect(peer.get("key")).toBeUndefined();
    expect(peer.held("key")).toMatchObject({ stamp: stampAt(1), node: 9, flags: TOMBSTONE });
  });
});

describe("floors", () => {
  test("remove what is at or below, keep what is newer, and refuse what comes later at or below", () => {
    const peer = new PeerKernel({ kernel });
    peer.apply("old", "value", stampAt(1), { node: 1 });
    peer.apply("at", "value", stampAt(2), { node: 5 });
    peer.apply("grave", "", stampAt(1), { flags: FRAME_FLAG.tombstone });
    peer.apply("above", "value", stampAt(2), { node: 6 });
    peer.apply("new", "value", stampAt(3), { expiry: START_MS + 1000 });
    peer.apply("elsewhere", "value", stampAt(1), { database: 3 });
    kernel.setFloor(0, stampAt(2), 5);
    expect(["old", "at", "above", "new"].map((key) => peer.get(key))).toEqual([
      undefined,
      undefined,
      "value",
      "value",
    ]);
    expect(peer.held("grave")).toBeUndefined();
    expect(peer.get("elsewhere", 3)).toBe("value");
    expect(kernel.hostCount(0)).toBe(2);
    expect(kernel.volatileCount(0)).toBe(1);
    expect(kernel.floorOf(0)).toBe(stampAt(2));
    expect(kernel.floorNodeOf(0)).toBe(5);
    expect(peer.apply("at", "value", stampAt(2), { node: 5 })).toBe(APPLIED.stale);
    expect(peer.apply("late", "", stampAt(1), { flags: FRAME_FLAG.tombstone })).toBe(APPLIED.stale);
    expect(peer.apply("late", "value", stampAt(2), { node: 6 })).toBe(APPLIED.applied);
  });

  test("never go down", () => {
    const peer = new PeerKernel({ kernel });
    kernel.setFloor(0, stampAt(5), 1);
    kernel.setFloor(0, stampAt(4), 9);
    expect(kernel.floorOf(0)).toBe(stampAt(5));
    expect(peer.apply("key", "value", stampAt(5), { node: 1 })).toBe(APPLIED.stale);
    peer.kernel.setFloor(16, stampAt(9), 1);
    expect(peer.apply("key", "value", stampAt(6))).toBe(APPLIED.applied);
  });

  test("keep exactly what is newer in a table of many segments", () => {
    const peer = new PeerKernel({ kernel });
    for (let i = 0; i < 40_000; i++) peer.apply(`key:${i}`, "v", stampAt(i % 10, i), { node: 1 });
    kernel.setFloor(0, stampAt(4, 0xffff), 1);
    expect(kernel.hostCount(0)).toBe(20_000);
    for (let i = 0; i < 40_000; i += 7) {
      expect(peer.get(`key:${i}`)).toBe(i % 10 > 4 ? "v" : undefined);
    }
  });

  test.each([0, 2, 4])("keep what is newer where %i pages are left for another index", (left) => {
    const peer = new PeerKernel({ kernel, ceilingBytes: 32 << 20 });
    for (let i = 0; i < 40_000; i++) peer.apply(`key:${i}`, "v", stampAt(i % 2, i), { node: 1 });
    const pages: number[] = [];
    for (let page = 1; page !== 0; ) {
      page = kernel.takePages(1, 1) >>> 0;
      if (page !== 0) pages.push(page);
    }
    for (const page of pages.slice(0, left)) kernel.freePages(page, 1);
    kernel.setFloor(0, stampAt(0, 0xffff), 1);
    expect(kernel.hostCount(0)).toBe(20_000);
    for (let i = 0; i < 40_000; i += 7) {
      expect(peer.get(`key:${i}`)).toBe(i % 2 === 1 ? "v" : undefined);
    }
    while (kernel.hostFree() !== 0);
    const only = new PeerKernel();
    for (let i = 1; i < 40_000; i += 2) only.apply(`key:${i}`, "v", stampAt(1, i), { node: 1 });
    expect(kernel.digest(0, 1)).toBe(only.kernel.digest(0, 1));
    expect(kernel.figure(1)).toBe(only.kernel.figure(1));
  });

  test("take no newer record with the very same stamp of a later node", () => {
    const peer = new PeerKernel({ kernel });
    peer.apply("older", "v", stampAt(1), { node: 1 });
    peer.apply("same", "v", stampAt(1), { node: 2 });
    peer.apply("newer", "v", stampAt(1), { node: 3 });
    kernel.setFloor(0, stampAt(1), 2);
    expect(["older", "same", "newer"].map((key) => peer.get(key))).toEqual([
      undefined,
      undefined,
      "v",
    ]);
  });

  test("of all there is leave nothing", () => {
    const peer = new PeerKernel({ kernel });
    for (let i = 0; i < 20_000; i++) peer.apply(`key:${i}`, "v", stampAt(1, i), { node: 1 });
    kernel.setFloor(0, stampAt(2), 1);
    expect(kernel.hostCount(0)).toBe(0);
    while (kernel.hostFree() !== 0);
    expect(kernel.figure(1)).toBe(0);
    expect(kernel.figure(3)).toBe(0);
  });
});

describe("objects of the host", () => {
  test("give way to a newer string or tombstone, and are released", () => {
    for (const value of ["string", undefined]) {
      const peer = new PeerKernel({ kernel });
      peer.object("key", 42, stampAt(1));
      const flags = value === undefined ? FRAME_FLAG.tombstone : 0;
      expect(peer.apply("key", value ?? "", stampAt(2), { flags })).toBe(APPLIED.applied);
      expect(kernel.takeReleased()).toBe(42);
      expect(kernel.takeReleased()).toBe(-1);
      expect(peer.get("key")).toBe(value);
      expect(peer.held("key")).toMatchObject({ stamp: stampAt(2), node: 1 });
    }
  });

  test("are the host's to merge with what is older, and so is an encoded object", () => {
    const peer = new PeerKernel({ kernel });
    peer.object("key", 42, stampAt(2));
    expect(peer.apply("key", "value", stampAt(1))).toBe(APPLIED.object);
    expect(peer.apply("key", "", stampAt(1), { flags: FRAME_FLAG.tombstone })).toBe(APPLIED.object);
    expect(peer.apply("other", "state", stampAt(9), { flags: FRAME_FLAG.object })).toBe(
      APPLIED.object,
    );
    expect(peer.held("key")).toMatchObject({ stamp: stampAt(2) });
    expect(peer.held("other")).toBeUndefined();
  });
});

describe("clocks", () => {
  test("a stamp more than the bound ahead is refused and not observed", () => {
    const peer = new PeerKernel({ kernel });
    kernel.ringSetLimits(5000, 10_000, 1000, 1000);
    expect(peer.apply("key", "value", stampAt(10_001))).toBe(APPLIED.tooFarAhead);
    expect(peer.apply("key", "value", 0xffff_ffff_ffff_ffffn)).toBe(APPLIED.tooFarAhead);
    expect(kernel.lastStampSeen()).toBe(0n);
    expect(peer.apply("key", "value", stampAt(10_000, 7))).toBe(APPLIED.applied);
    expect(kernel.lastStampSeen()).toBe(stampAt(10_000, 7));
    expect(kernel.hostMint()).toBe(stampAt(10_000, 8));
  });
});

describe("memory", () => {
  test("at the limit records are refused, what is there already is acknowledged, and deletions go through", () => {
    const peer = new PeerKernel({ kernel });
    peer.apply("key", "value", stampAt(1));
    peer.apply("other", "value", stampAt(1));
    kernel.setMaxMemory(1, 0);
    expect(peer.apply("new", "value", stampAt(1))).toBe(APPLIED.noMemory);
    expect(peer.apply("key", "newer", stampAt(2))).toBe(APPLIED.noMemory);
    expect(peer.get("key")).toBe("value");
    expect(peer.apply("key", "value", stampAt(1))).toBe(APPLIED.equal);
    expect(peer.apply("key", "value", stampAt(0))).toBe(APPLIED.stale);
    expect(peer.apply("key", "", stampAt(3), { flags: FRAME_FLAG.tombstone })).toBe(
      APPLIED.applied,
    );
    expect(peer.apply("missing", "", stampAt(3), { flags: FRAME_FLAG.tombstone })).toBe(
      APPLIED.applied,
    );
    kernel.setMaxMemory(0, 0);
  });
});
