/** Links: which request an answer belongs to, how many may wait, and what becomes of them when the link goes down. */
import { describe, expect, test } from "vitest";
import { concat } from "../../../src/codec/concat.ts";
import {
  EVENT,
  EVENT_KIND,
  LINK,
  LINK_FLAG,
  NO_SLOT,
  PEER_STATUS,
  RING_FIGURE,
} from "../../../src/store/kernel-ring.ts";
import { openKernel } from "../store/store-under-test.ts";
import * as bytes from "./peer-bytes.ts";
import { PeerKernel, stampAt } from "./peer-kernel.ts";

const kernel = openKernel();
const PEER = 1;
const OTHER = 2;

function open(): PeerKernel {
  const peer = new PeerKernel({ kernel }).open(PEER);
  peer.install([{ self: true, locals: [PEER] }]);
  return peer;
}

/** Asks a link for something, with a slot of this tag that needs one acknowledgement. */
function ask(peer: PeerKernel, tag: number, frame = bytes.read("key"), link = PEER): void {
  const slot = kernel.slotOpen(tag, 1) >>> 0;
  expect(peer.at(frame, (at, n) => kernel.linkRequest(link, at, n, slot))).toBe(1);
  kernel.slotSeal(slot);
}

/** Asks so often that nobody waits for, and says how many were taken. */
function askMuch(peer: PeerKernel, count: number): number {
  return peer.at(bytes.read("k"), (at, length) => {
    let taken = 0;
    for (let i = 0; i < count; i++) {
      if (i % 5000 === 0) peer.take(PEER);
      taken += kernel.linkRequest(PEER, at, length, NO_SLOT);
    }
    peer.take(PEER);
    return taken;
  });
}

/** Opens slots until one, with the tag 2, has a handle that another one had; those before ask nobody and are gone. */
function takeSlotsUntil(handle: number): void {
  for (;;) {
    const slot = kernel.slotOpen(2, 1) >>> 0;
    if (slot === handle) return;
    kernel.slotSeal(slot);
    kernel.nextEvent();
  }
}

/** The tags of the slots that were decided (+) or have failed (-), in order. */
function decisions(peer: PeerKernel): string[] {
  const found: string[] = [];
  for (;;) {
    const event = kernel.nextEvent() >>> 2;
    if (event === 0) return found;
    const word = (index: number) => peer.memory.words[event + index]!;
    found.push(`${word(EVENT.kind) === EVENT_KIND.decided ? "+" : "-"}${word(EVENT.tag)}`);
  }
}

describe("answers", () => {
  test.each([
    ["comes at last", (peer: PeerKernel) => void peer.feed(PEER, bytes.acks(1))],
    ["is lost with its link", () => kernel.linkDown(PEER)],
  ])("one that %s, after the number of its request has come again, is nobody's", (_, end) => {
    const peer = open().open(OTHER);
    const [read, other] = [bytes.read("key"), bytes.read("other")];
    const first = kernel.slotOpen(1, 1) >>> 0;
    for (const link of [PEER, OTHER]) {
      peer.at(read, (at, length) => kernel.linkRequest(link, at, length, first));
    }
    kernel.slotSeal(first);
    peer.feed(OTHER, bytes.acks(1));
    expect(decisions(peer)).toEqual(["+1"]);

    takeSlotsUntil(first);
    expect(peer.at(other, (at, n) => kernel.linkRequest(OTHER, at, n, first))).toBe(1);
    kernel.slotSeal(first);
    end(peer);
    expect(decisions(peer)).toEqual([]);
    peer.feed(OTHER, bytes.acks(1));
    expect(decisions(peer)).toEqual(["+2"]);
  });

  test("go to the requests in their order, whatever lies between runs of acknowledgements", () => {
    const peer = open();
    peer.apply("key", "value", stampAt(5));
    for (let tag = 1; tag <= 12; tag++) ask(peer, tag);
    peer.feed(PEER, bytes.acks(2));
    expect(decisions(peer)).toEqual(["+1", "+2"]);
    peer.feed(
      PEER,
      concat([
        bytes.fail(2),
        bytes.acks(1),
        bytes.older("key", stampAt(4), 2),
        bytes.newer(bytes.write("key", "newer", stampAt(6), { node: 2 })),
        bytes.fail(5),
      ]),
    );
    expect(decisions(peer)).toEqual(["-3", "+4", "+5", "+6", "-7"]);
    expect(peer.get("key")).toBe("newer");
    peer.feed(PEER, concat([bytes.prior(stampAt(1), 1, true), bytes.acks(3)]));
    expect(decisions(peer)).toEqual(["+8", "+9", "+10", "+11"]);
    expect(peer.link(PEER, LINK.pending)).toBe(2);
    // The repair of what was older lies behind the last request.
    expect(peer.frames(PEER).at(-1)).toMatchObject({ name: "write", key: "key", value: "value" });
    peer.feed(PEER, bytes.acks(2));
    expect(decisions(peer)).toEqual(["+12"]);
    expect(peer.feed(PEER, bytes.acks(1)).status).toBe(PEER_STATUS.broken);
  });

  test("of stamps too far ahead count as failures and change nothing", () => {
    const peer = open();
    peer.apply("key", "value", stampAt(5));
    for (let tag = 1; tag <= 3; tag++) ask(peer, tag);
    const ahead = bytes.write("key", "ahead", stampAt(20_000));
    peer.feed(
      PEER,
      concat([
        bytes.newer(ahead),
        bytes.stale(stampAt(20_000), 2, bytes.write("key", "v", stampAt(1))),
        bytes.older("key", stampAt(20_000), 1),
      ]),
    );
    expect(decisions(peer)).toEqual(["-1", "-2", "-3"]);
    expect(peer.get("key")).toBe("value");
    expect(kernel.lastStampSeen()).toBe(stampAt(5));
    expect(kernel.ringFigure(RING_FIGURE.refusedAhead)).toBe(3);
  });

  test("more than were asked for break the link, and give nobody anything", () => {
    const peer = open();
    for (let tag = 1; tag <= 2; tag++) ask(peer, tag);
    expect(peer.feed(PEER, bytes.acks(3)).status).toBe(PEER_STATUS.broken);
    expect(peer.feed(PEER, bytes.acks(0xffffffff)).status).toBe(PEER_STATUS.broken);
    expect(decisions(peer)).toEqual([]);
    kernel.linkDown(PEER);
    expect(decisions(peer)).toEqual(["-1", "-2"]);
  });
});

describe("a slot of the host", () => {
  test("counts a refusal for something newer where holding as much is enough, and tells of it", () => {
    const peer = open();
    const write = bytes.write("key", "value", stampAt(1));
    const outcomes = [0, 1].map((holds) => {
      const slot = kernel.slotOpen(7, 1, 0, holds) >>> 0;
      expect(peer.at(write, (at, n) => kernel.linkRequest(PEER, at, n, slot))).toBe(1);
      kernel.slotSeal(slot);
      peer.take(PEER);
      peer.feed(PEER, bytes.stale(stampAt(2), 2, write));
      const event = kernel.nextEvent() >>> 2;
      const word = (index: number) => peer.memory.words[event + index]!;
      return { kind: word(EVENT.kind), got: word(EVENT.got), stale: word(EVENT.stale) };
    });
    expect(outcomes).toEqual([
      { kind: EVENT_KIND.failed, got: 0, stale: 1 },
      { kind: EVENT_KIND.decided, got: 1, stale: 1 },
    ]);
  });

  test("is not asked for around an object, which the host asks for with its digest", () => {
    const peer = open();
    const readAround = (key: string) =>
      peer.at(key, (at, length) => kernel.readAround(0, at, length, 1, 1, 0));
    peer.apply("string", "value", stampAt(1));
    peer.object("object", 42, stampAt(2));
    expect(readAround("string")).toBe(1);
    expect(readAround("missing")).toBe(1);
    expect(readAround("object")).toBe(0);
    expect(peer.frames(PEER).map(({ name }) => name)).toEqual(["read", "read"]);
  });

  test("fails when its request has waited for the whole time, not only the slot", () => {
    const peer = open();
    kernel.ringSetLimits(1000, 10_000, 1 << 20, 1 << 20);
    kernel.ringSetClock(0);
    ask(peer, 1);
    // The slots have been looked at: none is due for a second.
    expect(kernel.expireSlots()).toBe(0);
    kernel.ringSetClock(400);
    const slot = kernel.slotOpen(2, 1, 900) >>> 0;
    expect(peer.at(bytes.read("key"), (at, n) => kernel.linkRequest(PEER, at, n, slot))).toBe(1);
    kernel.slotSeal(slot);
    kernel.ringSetClock(499);
    expect(kernel.expireSlots()).toBe(0);
    kernel.ringSetClock(500);
    expect(kernel.expireSlots()).toBe(1);
    expect(decisions(peer)).toEqual(["-2"]);
    kernel.ringSetClock(1000);
    expect(kernel.expireSlots()).toBe(1);
    expect(decisions(peer)).toEqual(["-1"]);
  });

  test("fails by the deadline that is in force, shorter or longer than the one that it began with", () => {
    const peer = open();
    const setTimeout = (ms: number) => kernel.ringSetLimits(ms, 10_000, 1 << 20, 1 << 20);
    setTimeout(1000);
    kernel.ringSetClock(0);
    ask(peer, 1);
    expect(kernel.expireSlots()).toBe(0);
    setTimeout(100);
    kernel.ringSetClock(100);
    expect(kernel.expireSlots()).toBe(1);
    expect(decisions(peer)).toEqual(["-1"]);
    ask(peer, 2);
    setTimeout(1000);
    kernel.ringSetClock(1099);
    expect(kernel.expireSlots()).toBe(0);
    kernel.ringSetClock(1100);
    expect(kernel.expireSlots()).toBe(1);
    expect(decisions(peer)).toEqual(["-2"]);
  });
});

describe("requests that wait", () => {
  test("grow beyond a page of them and around its end, in order", () => {
    const peer = open();
    kernel.ringSetLimits(5000, 10_000, 1 << 20, 1 << 20);
    expect(askMuch(peer, 10_000)).toBe(10_000);
    peer.feed(PEER, bytes.acks(9000));
    ask(peer, 1);
    expect(askMuch(peer, 15_000)).toBe(15_000);
    ask(peer, 2);
    expect(askMuch(peer, 50_000)).toBe(50_000);
    ask(peer, 3);
    expect(peer.link(PEER, LINK.pending)).toBe(66_003);
    peer.feed(PEER, bytes.acks(1000));
    expect(decisions(peer)).toEqual([]);
    peer.feed(PEER, bytes.acks(1));
    expect(decisions(peer)).toEqual(["+1"]);
    peer.feed(PEER, concat([bytes.acks(15_000), bytes.fail(1)]));
    expect(decisions(peer)).toEqual(["-2"]);
    peer.feed(PEER, bytes.acks(50_001));
    expect(decisions(peer)).toEqual(["+3"]);
    expect(peer.link(PEER, LINK.pending)).toBe(0);
  });

  test.each([2, 100, 16_384, 16_385, 20_000])(
    "are %i at most: then the link is full, until half of them have been answered",
    (most) => {
      const peer = open();
      kernel.ringSetLimits(5000, 10_000, 1 << 20, most);
      expect(askMuch(peer, 30_000)).toBe(most);
      expect(kernel.linkSettle(PEER, 0)).toBe(LINK_FLAG.up | LINK_FLAG.full);
      expect(kernel.ringFigure(RING_FIGURE.linkOverflows)).toBe(1);
      // What was sent is still answered, and the peer too.
      peer.feed(PEER, concat([bytes.acks(1), bytes.write("key", "value", stampAt(1))]));
      expect(peer.frames(PEER)).toMatchObject([{ name: "acks", number: 1 }]);
      const half = Math.floor(most / 2);
      peer.feed(PEER, bytes.acks(most - half - 2 || 0));
      if (most > 2) {
        expect(peer.link(PEER, LINK.pending)).toBe(half + 1);
        expect(kernel.linkSettle(PEER, 0)).toBe(LINK_FLAG.up | LINK_FLAG.full);
        expect(askMuch(peer, 1)).toBe(0);
        peer.feed(PEER, bytes.acks(1));
      }
      // A status of the peer changes nothing about that.
      kernel.linkSetFlags(PEER, LINK_FLAG.up);
      expect(peer.link(PEER, LINK.flags)).toBe(LINK_FLAG.up | LINK_FLAG.full);
      expect(kernel.linkSettle(PEER, 0)).toBe(LINK_FLAG.up);
      expect(askMuch(peer, 1)).toBe(1);
      expect(kernel.ringFigure(RING_FIGURE.linkOverflows)).toBe(1);
    },
  );

  test("are more than that where somebody waits for them, but not on a link that is behind", () => {
    const peer = open();
    kernel.ringSetLimits(5000, 10_000, 1 << 20, 16);
    expect(askMuch(peer, 20)).toBe(16);
    kernel.linkSettle(PEER, 0);
    ask(peer, 1);
    expect(peer.link(PEER, LINK.pending)).toBe(17);
    expect(kernel.linkSettle(PEER, LINK_FLAG.behind)).toBe(
      LINK_FLAG.up | LINK_FLAG.full | LINK_FLAG.behind,
    );
    const slot = kernel.slotOpen(2, 1) >>> 0;
    expect(peer.at(bytes.read("key"), (at, n) => kernel.linkRequest(PEER, at, n, slot))).toBe(0);
    kernel.slotSeal(slot);
    expect(decisions(peer)).toEqual(["-2"]);
    peer.feed(PEER, bytes.acks(17));
    expect(decisions(peer)).toEqual(["+1"]);
    expect(kernel.linkSettle(PEER, 0)).toBe(LINK_FLAG.up);
  });

  test("fail when the link goes down, those of other links do not", () => {
    const peer = open().open(2);
    for (let tag = 1; tag <= 6; tag++) ask(peer, tag, bytes.read("key"), tag % 2 === 0 ? 2 : PEER);
    askMuch(peer, 3);
    peer.feed(PEER, bytes.acks(1));
    expect(decisions(peer)).toEqual(["+1"]);
    kernel.linkDown(PEER);
    expect(decisions(peer)).toEqual(["-3", "-5"]);
    expect(kernel.ringFigure(RING_FIGURE.lostRequests)).toBe(5);
    expect(peer.link(PEER, LINK.outbox)).toBe(0);
    expect(kernel.linkSeal(PEER)).toBe(0);
    expect(peer.at(bytes.read("k"), (at, n) => kernel.linkRequest(PEER, at, n, NO_SLOT))).toBe(0);
    kernel.linkDown(PEER);
    peer.feed(2, bytes.acks(3));
    expect(decisions(peer)).toEqual(["+2", "+4", "+6"]);
  });
});

describe("a link", () => {
  test("takes requests only while it is up, only frames that are requests, and no more than its outbox", () => {
    const peer = open();
    const request = (frame: Uint8Array, length = frame.length) =>
      peer.at(frame, (at) => kernel.linkRequest(PEER, at, length, NO_SLOT));
    kernel.linkSetFlags(PEER, 0);
    expect(request(bytes.read("key"))).toBe(0);
    kernel.linkSetFlags(PEER, LINK_FLAG.up | LINK_FLAG.fenced);
    expect(request(bytes.read("key"))).toBe(1);
    expect(request(bytes.acks(1))).toBe(0);
    expect(request(bytes.other(0x30))).toBe(0);
    expect(request(bytes.read("key"), 20)).toBe(0);
    const large = bytes.write("key", "v".repeat(200_000), stampAt(1));
    expect(request(large)).toBe(1);
    expect(request(large)).toBe(0);
    expect(peer.frames(PEER).map(({ name }) => name)).toEqual(["read", "write"]);
    expect(request(large)).toBe(1);
    // A frame that no outbox takes is sent by the host; only its place is noted.
    expect(request(bytes.write("key", "v".repeat(300_000), stampAt(1)))).toBe(0);
    expect(kernel.linkRequest(PEER, 0, 0, NO_SLOT)).toBe(1);
    expect(peer.link(PEER, LINK.pending)).toBe(4);
    expect(peer.frames(PEER).map(({ name }) => name)).toEqual(["write"]);
  });

  test("is opened anew with nothing of before, and numbers beyond the last are none", () => {
    const peer = open();
    ask(peer, 1);
    peer.feed(PEER, bytes.write("key", "value", stampAt(1)));
    peer.open(PEER);
    expect(decisions(peer)).toEqual(["-1"]);
    expect(peer.frames(PEER)).toEqual([]);
    expect(peer.link(PEER, LINK.pending)).toBe(0);
    expect(peer.link(PEER, LINK.newest)).toBe(0);
    for (const link of [1024, 65_535, 0xffffffff]) {
      expect(kernel.linkOpen(link)).toBe(0);
      kernel.linkSetFlags(link, 1);
      kernel.linkDown(link);
      expect(kernel.linkSeal(link)).toBe(0);
      kernel.linkFlushed(link);
    }
    expect(peer.at(bytes.read("k"), (at, n) => kernel.linkRequest(1024, at, n, NO_SLOT))).toBe(0);
  });

  test("gives its memory back when it goes down", () => {
    const peer = open();
    const before = kernel.takePages(1, 1);
    kernel.freePages(before, 1);
    for (let round = 0; round < 20; round++) {
      for (let link = 2; link < 30; link++) peer.open(link);
      for (let link = 2; link < 30; link++) kernel.linkDown(link);
    }
    expect(kernel.takePages(1, 1)).toBe(before);
  });

  test("has no memory at the ceiling: it is not opened, and nothing is taken", () => {
    const peer = new PeerKernel({ kernel, ceilingBytes: 24 << 20 });
    let opened = 0;
    while (opened < 1024 && kernel.linkOpen(opened) !== 0) opened++;
    expect(opened).toBeGreaterThan(10);
    expect(opened).toBeLessThan(100);
    for (let link = 0; link < opened; link++) kernel.linkDown(link);
    for (let link = 0; link < opened; link++) peer.open(link);
    expect(kernel.linkOpen(opened)).toBe(0);
  });

  test("counts what goes over it", () => {
    const peer = open();
    const frame = bytes.write("key", "value", stampAt(1));
    peer.feed(PEER, concat([frame, frame, bytes.read("key"), bytes.read("other", stampAt(1), 1)]));
    ask(peer, 1);
    const length = peer.take(PEER).length;
    const figure = (index: number) => kernel.ringFigure(index);
    expect(figure(RING_FIGURE.framesIn)).toBe(2);
    expect(figure(RING_FIGURE.framesIn + 1)).toBe(2);
    expect(figure(RING_FIGURE.framesOut + 1)).toBe(1);
    expect(figure(RING_FIGURE.framesOut + 8)).toBe(1);
    expect(figure(RING_FIGURE.framesOut + 10)).toBe(1);
    expect(figure(RING_FIGURE.framesOut + 11)).toBe(1);
    expect(figure(RING_FIGURE.acksSent)).toBe(2);
    expect(figure(RING_FIGURE.appliedRecords)).toBe(1);
    expect(figure(RING_FIGURE.equalRecords)).toBe(1);
    expect(figure(RING_FIGURE.bytesOut)).toBe(length);
    expect(peer.link(PEER, LINK.bytesOut)).toBe(length);
    expect(figure(RING_FIGURE.bytesIn)).toBe(peer.link(PEER, LINK.bytesIn));
    peer.feed(PEER, bytes.acks(1));
    expect(figure(RING_FIGURE.acksReceived)).toBe(1);
  });
});
