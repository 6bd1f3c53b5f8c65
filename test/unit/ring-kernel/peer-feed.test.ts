/** Frames that come over a link: what a replica answers, in which order, and what it does with bytes that are no frames. */
import { describe, expect, test } from "vitest";
import { concat } from "../../../src/codec/concat.ts";
import { FRAME_FLAG } from "../../../src/link/frame.ts";
import {
  ANSWER,
  LINK,
  LINK_FLAG,
  NO_LINK,
  NOT_TOLD,
  PEER_STATUS,
} from "../../../src/store/kernel-ring.ts";
import type { PeerFrame } from "../../reference/peer-frames.ts";
import { openKernel, START_MS } from "../store/store-under-test.ts";
import * as bytes from "./peer-bytes.ts";
import { OBJECT, PeerKernel, stampAt, TOMBSTONE } from "./peer-kernel.ts";

const kernel = openKernel();
const PEER = 1;

function open(): PeerKernel {
  return new PeerKernel({ kernel }).open(PEER);
}

/** Feeds frames that are whole and well-formed, and returns the answers. */
function answers(peer: PeerKernel, ...frames: readonly Uint8Array[]): PeerFrame[] {
  expect(peer.feed(PEER, concat(frames))).toMatchObject({ status: PEER_STATUS.done, left: 0 });
  return peer.frames(PEER);
}

function brief({ name, number, stamp, node, key, value, flags }: PeerFrame): string {
  const at = stamp === 0n ? "0" : `${Number(stamp - stampAt(0)) / 65536}`;
  const facts = {
    acks: `${number}`,
    fail: `${number}`,
    stale: `${at}/${node}`,
    older: `${key} ${at}/${node}`,
    newer: `${key}=${flags & FRAME_FLAG.tombstone ? "-" : value} ${at}/${node}`,
    prior: `${at}/${node} ${number === 1 ? "alive" : "dead"}`,
    write: `${key}=${flags & FRAME_FLAG.tombstone ? "-" : value} ${at}/${node}`,
  };
  return `${name} ${facts[name as keyof typeof facts] ?? ""}`;
}

describe("WRITE", () => {
  test("is applied, and acknowledged by one run for many", () => {
    const peer = open();
    const frames = Array.from({ length: 100 }, (_, i) =>
      bytes.write(`key:${i}`, `value:${i}`, stampAt(i)),
    );
    expect(answers(peer, ...frames).map(brief)).toEqual(["acks 100"]);
    for (let i = 0; i < 100; i++) expect(peer.get(`key:${i}`)).toBe(`value:${i}`);
    expect(peer.link(PEER, LINK.newest) + peer.link(PEER, LINK.newest + 1) * 2 ** 32).toBe(
      Number(stampAt(99)),
    );
  });

  test("goes to its database, keeps its expiry, and is found by keys and values of any length", () => {
    const peer = open();
    const lengths = [0, 1, 7, 8, 9, 16, 17, 1000, 300_000];
    const frames = lengths.flatMap((length, i) => [
      bytes.write("k".repeat(length), "v", stampAt(i), { database: 5, expiry: START_MS + 1000 }),
      bytes.write(`value:${length}`, "v".repeat(length), stampAt(i), { database: 15 }),
    ]);
    expect(answers(peer, ...frames).map(brief)).toEqual([`acks ${frames.length}`]);
    for (const length of lengths) {
      expect(peer.held("k".repeat(length), 5)).toMatchObject({
        value: "v",
        expiry: START_MS + 1000,
      });
      expect(peer.get(`value:${length}`, 15)).toBe("v".repeat(length));
    }
  });

  test("that is older than what is held is stale, with what is held and an echo, in its place among the acknowledgements", () => {
    const peer = open();
    answers(peer, bytes.write("key", "newer", stampAt(5), { node: 3 }));
    const old = bytes.write("key", "older", stampAt(4));
    const replies = answers(
      peer,
      bytes.write("a", "1", stampAt(6)),
      bytes.write("b", "2", stampAt(6)),
      old,
      bytes.write("key", "newer", stampAt(5), { node: 3 }),
      bytes.tombstone("key", stampAt(3)),
    );
    expect(replies.map(brief)).toEqual(["acks 2", "stale 5/3", "acks 1", "stale 5/3"]);
    expect(replies[1]!.inner[0]!.bytes).toEqual(old);
    expect(peer.get("key")).toBe("newer");
  });

  test("at or below the floor is stale, with the floor", () => {
    const peer = open();
    kernel.setFloor(0, stampAt(5), 2);
    expect(answers(peer, bytes.write("key", "value", stampAt(5), { node: 2 })).map(brief)).toEqual([
      "stale 5/2",
    ]);
  });

  test("of a stamp too far ahead, of no memory, of a key of others: fails with its code", () => {
    const peer = open();
    peer.install([
      { self: true, locals: [1] },
      { self: false, locals: [1, 2] },
    ]);
    const keys = Array.from({ length: 40 }, (_, i) => `key:${i}`);
    const own = keys.find((key) => peer.setOf(key) === 0)!;
    const foreign = keys.find((key) => peer.setOf(key) === 1)!;
    expect(
      answers(
        peer,
        bytes.write(own, "value", stampAt(10_001)),
        bytes.write(foreign, "value", stampAt(1)),
        bytes.write(own, "value", stampAt(1)),
      ).map(brief),
    ).toEqual(["fail 3", "fail 4", "acks 1"]);
    expect(peer.held(foreign)).toBeUndefined();
    expect(peer.get(own)).toBe("value");
    expect(kernel.lastStampSeen()).toBe(stampAt(1));
    kernel.setMaxMemory(1, 0);
    expect(answers(peer, bytes.write(own, "later", stampAt(2))).map(brief)).toEqual(["fail 2"]);
    kernel.setMaxMemory(0, 0);
  });

  test("is taken by a fenced node, which answers no READ", () => {
    const peer = open();
    kernel.ringSetSelf(3);
    expect(
      answers(peer, bytes.write("key", "value", stampAt(1)), bytes.read("key")).map(brief),
    ).toEqual(["acks 1", "fail 1"]);
    kernel.ringSetSelf(1);
    expect(answers(peer, bytes.read("key")).map(brief)).toEqual(["newer key=value 1/1"]);
  });

  test("is held and not acknowledged at or below what a replica may have acknowledged and forgotten", () => {
    const peer = open();
    peer.install([{ self: true, locals: [1, 2] }]);
    peer.open(2);
    kernel.ringSetForgotten(stampAt(5));
    const seen = { stamp: stampAt(0), node: 1 };
    const replies = answers(
      peer,
      bytes.write("new", "value", stampAt(4)),
      bytes.write("new", "value", stampAt(5)),
      bytes.deletion("new", stampAt(5), seen, { node: 2 }),
      bytes.write("spread", "value", stampAt(5), { flags: FRAME_FLAG.spread }),
      bytes.write("later", "value", stampAt(6)),
      bytes.write("long", "v".repeat(100_000), stampAt(1)),
    );
    expect(replies.map(brief)).toEqual([
      ...Array.from({ length: 4 }, () => "stale 5/65535"),
      "acks 1",
      "stale 5/65535",
    ]);
    expect(peer.held("new")).toMatchObject({ stamp: stampAt(5), node: 2 });
    for (const key of ["spread", "later"]) expect(peer.get(key)).toBe("value");
    expect(peer.frames(2).map(brief)).toEqual(["write spread=value 5/1"]);
    expect(kernel.lastStampSeen()).toBe(stampAt(6));
    kernel.ringSetForgotten(NOT_TOLD);
    expect(answers(peer, bytes.write("later", "still", stampAt(7))).map(brief)).toEqual(["fail 1"]);
    expect(peer.get("later")).toBe("still");
    kernel.ringSetForgotten(0n);
    expect(answers(peer, bytes.write("new", "value", stampAt(6))).map(brief)).toEqual(["acks 1"]);
  });

  test("of a DEL says what it removed where that is newer than what its coordinator saw", () => {
    const peer = open();
    for (const key of ["same", "newer", "expired"]) {
      const expiry = key === "expired" ? START_MS + 5 : 0;
      answers(peer, bytes.write(key, "value", stampAt(2), { node: 4, expiry }));
    }
    answers(peer, bytes.tombstone("grave", stampAt(2), { node: 4 }));
    kernel.setNow(START_MS + 10);
    const seen = { stamp: stampAt(1), node: 9 };
    const nothing = { stamp: 0n, node: 0 };
    expect(
      answers(
        peer,
        bytes.deletion("same", stampAt(3), { stamp: stampAt(2), node: 4 }),
        bytes.deletion("newer", stampAt(3), seen),
        bytes.deletion("grave", stampAt(3), seen),
        bytes.deletion("expired", stampAt(3), seen),
        bytes.deletion("missing", stampAt(3), nothing),
        bytes.deletion("missing", stampAt(3), nothing),
        bytes.deletion("missing", stampAt(2), nothing),
      ).map(brief),
    ).toEqual([
      "acks 1",
      "prior 2/4 alive",
      "prior 2/4 dead",
      "prior 2/4 dead",
      "acks 2",
      "stale 3/1",
    ]);
    for (const key of ["same", "newer", "grave", "expired", "missing"]) {
      expect(peer.held(key)).toMatchObject({ stamp: stampAt(3), flags: TOMBSTONE, value: "" });
    }
  });

  test("of an object, or older than one, goes to the host, whose answer keeps its place", () => {
    const peer = open();
    peer.object("object", 42, stampAt(5));
    const kinds = [ANSWER.acknowledge, ANSWER.fail];
    peer.onHost = () => expect(kernel.peerAnswer(PEER, kinds.shift()!, 5, 0)).toBe(1);
    const encoded = bytes.write("other", "state", stampAt(6), { flags: FRAME_FLAG.object });
    const old = bytes.write("object", "string", stampAt(4));
    expect(
      answers(
        peer,
        bytes.write("a", "1", stampAt(6)),
        encoded,
        old,
        bytes.write("b", "1", stampAt(6)),
      ).map(brief),
    ).toEqual(["acks 2", "fail 5", "acks 1"]);
    expect(peer.hosted).toEqual([encoded, old]);
    expect(peer.held("object")).toMatchObject({ flags: OBJECT });
  });
});

describe("SPREAD", () => {
  const ring = [{ self: true, locals: [2, 3, 4], remotes: [PEER] }];

  test("is passed on to the owners in the other racks that are up, without the flag", () => {
    const peer = open()
      .open(2)
      .open(3, LINK_FLAG.up | LINK_FLAG.fenced)
      .open(4, 0);
    peer.install(ring);
    const flags = FRAME_FLAG.spread;
    expect(
      answers(
        peer,
        bytes.write("key", "value", stampAt(1), { flags, expiry: START_MS + 9, database: 3 }),
        bytes.deletion("gone", stampAt(2), { stamp: 0n, node: 0 }, { flags }),
        bytes.write("key", "value", stampAt(1), { flags, expiry: START_MS + 9, database: 3 }),
        bytes.write("key", "older", stampAt(0), { flags, database: 3 }),
        bytes.write("other", "value", stampAt(1)),
      ).map(brief),
    ).toEqual(["acks 3", "stale 1/1", "acks 1"]);
    expect(peer.get("key", 3)).toBe("value");
    for (const target of [2, 3]) {
      expect(peer.link(target, LINK.pending)).toBe(3);
      const passed = peer.frames(target);
      expect(passed.map(brief)).toEqual([
        "write key=value 1/1",
        "write gone=- 2/1",
        "write key=value 1/1",
      ]);
      expect(passed[0]).toMatchObject({ flags: 0, expiry: START_MS + 9, database: 3 });
      expect(passed[1]).toMatchObject({ flags: FRAME_FLAG.tombstone, value: "" });
    }
    expect(peer.frames(4)).toEqual([]);
  });

  test("waits for room in the outbox of each, and is applied once", () => {
    const peer = open().open(2).open(3);
    peer.install([{ self: true, locals: [2, 3], remotes: [PEER] }]);
    const value = "v".repeat(60_000);
    const frames = Array.from({ length: 9 }, (_, i) =>
      bytes.write(`key:${i}`, value, stampAt(i), { flags: FRAME_FLAG.spread }),
    );
    expect(answers(peer, ...frames).map(brief)).toEqual(["acks 9"]);
    expect(peer.fullLinks).toEqual([2, 3, 2, 3]);
    for (const target of [2, 3]) {
      expect(peer.frames(target).map(({ key }) => key)).toEqual(frames.map((_, i) => `key:${i}`));
    }
    // One that no outbox takes is the host's.
    peer.hosted.length = 0;
    const large = bytes.write("large", "v".repeat(300_000), stampAt(1), {
      flags: FRAME_FLAG.spread,
    });
    answers(peer, large);
    expect(peer.hosted).toEqual([large]);
    expect(peer.held("large")).toBeUndefined();
  });
});

describe("READ", () => {
  test("acknowledges what is equal, and says what is newer or older", () => {
    const peer = open();
    answers(
      peer,
      bytes.write("key", "value", stampAt(5), { node: 3, expiry: START_MS + 1000, database: 2 }),
      bytes.tombstone("grave", stampAt(5), { node: 3, database: 2 }),
    );
    const replies = answers(
      peer,
      bytes.read("key", stampAt(5), 3, 2),
      bytes.read("missing", 0n, 0, 2),
      bytes.read("key", stampAt(5), 2, 2),
      bytes.read("key", 0n, 0, 2),
      bytes.read("key", stampAt(5), 4, 2),
      bytes.read("missing", stampAt(1), 1, 2),
      bytes.read("grave", stampAt(4), 9, 2),
      bytes.read("grave", stampAt(5), 3, 2),
    );
    expect(replies.map(brief)).toEqual([
      "acks 2",
      "newer key=value 5/3",
      "newer key=value 5/3",
      "older key 5/3",
      "older missing 0/0",
      "newer grave=- 5/3",
      "acks 1",
    ]);
    expect(replies[1]).toMatchObject({ expiry: START_MS + 1000, database: 2 });
  });

  test("of what has expired tells of its tombstone, found or not", () => {
    const peer = open();
    answers(peer, bytes.write("key", "value", stampAt(1), { expiry: START_MS + 5 }));
    kernel.setNow(START_MS + 6);
    for (let i = 0; i < 2; i++) {
      const [reply] = answers(peer, bytes.read("key"));
      expect(brief(reply!)).toBe("newer key=- 1/1");
      expect(reply!.expiry).toBe(0);
      expect(peer.get("key")).toBeUndefined();
    }
  });

  test("of what lies below the floor tells of a tombstone with the floor's stamp", () => {
    const peer = open();
    kernel.setFloor(0, stampAt(5), 2);
    expect(
      answers(
        peer,
        bytes.read("key", stampAt(4), 1),
        bytes.read("key", stampAt(5), 2),
        bytes.read("key", stampAt(5), 3),
        bytes.read("key"),
      ).map(brief),
    ).toEqual(["newer key=- 5/2", "newer key=- 5/2", "older key 0/0", "acks 1"]);
  });

  test("of an object, with bytes behind the key, or with an answer that no outbox takes goes to the host", () => {
    const peer = open();
    peer.object("object", 42, stampAt(5));
    answers(peer, bytes.write("large", "v".repeat(300_000), stampAt(1)));
    const digest = concat([bytes.read("key"), new Uint8Array(8)]);
    new DataView(digest.buffer).setUint32(0, digest.length, true);
    const frames = [bytes.read("object", stampAt(5), 1), digest, bytes.read("large")];
    expect(answers(peer, ...frames).map(brief)).toEqual(["acks 3"]);
    expect(peer.hosted).toEqual(frames);
  });
});

describe("frames for the host", () => {
  test("are handed over in order; BATCH and FLOOR are answered, others are not", () => {
    const peer = open();
    const frames = [
      bytes.other(0x00),
      bytes.batch(stampAt(1), 1, [
        bytes.write("a", "1", stampAt(1)),
        bytes.tombstone("b", stampAt(1)),
      ]),
      bytes.other(0x30, "request"),
      bytes.floor(stampAt(2)),
      bytes.other(0xff, "what is to come"),
      bytes.batch(stampAt(1), 1, []),
    ];
    expect(answers(peer, ...frames).map(brief)).toEqual(["acks 3"]);
    expect(peer.hosted).toEqual(frames);
    expect(kernel.lastStampSeen()).toBe(stampAt(2));
  });

  test("of a stamp too far ahead fail without the host", () => {
    const peer = open();
    const frames = [bytes.batch(stampAt(10_001), 1, []), bytes.floor(stampAt(10_001))];
    expect(answers(peer, ...frames).map(brief)).toEqual(["fail 3", "fail 3"]);
    expect(peer.hosted).toEqual([]);
  });

  test("that the host leaves without an answer fail, and an answer that is not owed is refused", () => {
    const peer = open();
    peer.onHost = () => {};
    expect(
      answers(peer, bytes.floor(stampAt(1)), bytes.write("key", "value", stampAt(1))).map(brief),
    ).toEqual(["fail 5", "acks 1"]);
    expect(kernel.peerAnswer(PEER, ANSWER.acknowledge, 0, 0)).toBe(0);
    expect(peer.frames(PEER)).toEqual([]);
  });

  test("may be answered by a frame, or by one that the host sends itself", () => {
    const peer = open();
    const answer = bytes.newer(bytes.write("key", "value", stampAt(1)));
    const noAnswer = bytes.write("key", "value", stampAt(1));
    const outcomes: number[] = [];
    peer.onHost = (link) => {
      const frame = (data: Uint8Array, cut = 0) =>
        peer.at(data, (at, length) => kernel.peerAnswer(link, ANSWER.frame, at, length - cut));
      if (outcomes.length === 0) {
        outcomes.push(frame(noAnswer), frame(bytes.acks(5)), frame(answer, 1), frame(answer));
      } else {
        outcomes.push(kernel.peerAnswer(link, ANSWER.sent, 0, 0));
      }
    };
    expect(answers(peer, bytes.floor(stampAt(1)), bytes.floor(stampAt(1))).map(brief)).toEqual([
      "newer key=value 1/1",
    ]);
    expect(outcomes).toEqual([0, 0, 0, 1, 1]);
  });
});

describe("bytes cut anywhere", () => {
  const frames = [
    bytes.write("key", "value", stampAt(1)),
    bytes.write("key", "older", stampAt(0)),
    bytes.deletion("key", stampAt(2), { stamp: 0n, node: 0 }),
    bytes.read("key"),
    bytes.read("other", stampAt(1), 1),
    bytes.write("object", "state", stampAt(1), { flags: FRAME_FLAG.object }),
    bytes.batch(stampAt(3), 1, [bytes.write("a", "1", stampAt(3))]),
    bytes.floor(stampAt(0)),
    bytes.other(0x31, "response"),
    bytes.acks(2),
    bytes.stale(stampAt(4), 2, bytes.write("stale", "1", stampAt(3))),
    bytes.newer(bytes.write("newer", "1", stampAt(3))),
    bytes.newer(bytes.write("object", "1", stampAt(3), { flags: FRAME_FLAG.object })),
    bytes.older("key"),
    bytes.fail(2),
    bytes.prior(stampAt(3), 1, true),
  ];
  const all = concat(frames);

  /** A node that has asked for as many answers as come. */
  function asking(): PeerKernel {
    const peer = open();
    peer.install([{ self: true, locals: [PEER] }]);
    const slots = Array.from({ length: 8 }, () => kernel.slotOpen(7, 1));
    for (const slot of slots) {
      expect(peer.at(bytes.read("key"), (at, n) => kernel.linkRequest(PEER, at, n, slot))).toBe(1);
      kernel.slotSeal(slot);
    }
    peer.take(PEER);
    return peer;
  }

  function outcome(peer: PeerKernel, fed: { status: number; left: number }) {
    return {
      ...fed,
      hosted: peer.hosted.map((frame) => Buffer.from(frame).toString("hex")),
      answers: Buffer.from(peer.take(PEER)).toString("hex"),
      pending: peer.link(PEER, LINK.pending),
      digest: kernel.digest(0, 1),
    };
  }

  test("come to the same as in one piece", () => {
    const whole = asking();
    // What is older there is repaired: one request more.
    const expected = outcome(whole, whole.feed(PEER, all));
    expect(expected).toMatchObject({ status: PEER_STATUS.done, left: 0, pending: 1 });
    for (let cut = 0; cut <= all.length; cut++) {
      const peer = asking();
      expect(outcome(peer, peer.feedCut(PEER, all, [cut]))).toEqual(expected);
    }
    const bytewise = asking();
    const cuts = Array.from({ length: all.length - 1 }, (_, i) => i + 1);
    expect(outcome(bytewise, bytewise.feedCut(PEER, all, cuts))).toEqual(expected);
  });

  test("say how much is missing, never too much", () => {
    const ends = new Set<number>();
    let end = 0;
    for (const frame of frames) ends.add((end += frame.length));
    for (let cut = 1; cut < all.length; cut++) {
      const peer = asking();
      const fed = peer.feed(PEER, all.subarray(0, cut));
      expect(fed.status).toBe(PEER_STATUS.done);
      const next = [...ends].find((at) => at >= cut)!;
      if (next === cut) expect(fed).toMatchObject({ left: 0, wanted: 0 });
      else {
        expect(fed.wanted).toBeGreaterThan(0);
        expect(fed.wanted).toBeLessThanOrEqual(next - cut);
        if (fed.left >= 8) expect(fed.wanted).toBe(next - cut);
      }
    }
  });
});

describe("bytes that are no frame", () => {
  const good = bytes.write("key", "value", stampAt(1));
  const changed = (frame: Uint8Array, at: number, ...values: readonly number[]) => {
    const copy = frame.slice();
    copy.set(values, at);
    return copy;
  };
  const cases: readonly [what: string, frame: Uint8Array][] = [
    ["a length below a header's", changed(bytes.other(0x30), 0, 7)],
    ["an unknown type", bytes.other(0x14, "x".repeat(40))],
    ["an unknown answer", bytes.other(0x1e, "x".repeat(40))],
    ["a type that is to come for the kernel", bytes.other(0x2f, "x".repeat(40))],
    ["a frame over the limit", changed(good, 0, 0, 0, 0, 0x10)],
    ["a WRITE too short for its header", bytes.other(0x10, "x".repeat(19))],
    ["a key longer than its frame", changed(good, 24, 9)],
    ["a key whose length wraps", changed(good, 24, 0xff, 0xff, 0xff, 0xff)],
    ["a tombstone with a value", changed(good, 5, FRAME_FLAG.tombstone)],
    ["a WRITE whose value was left out", changed(good, 6, 1)],
    [
      "a NEWER tombstone with ten bytes",
      bytes.newer(bytes.deletion("k", stampAt(1), { stamp: 0n, node: 0 })),
    ],
    ["an OLDER with a value", changed(good, 4, 0x1b)],
    ["a READ whose key is longer", changed(bytes.read("key"), 24, 4)],
    ["ACKS of another length", bytes.other(0x18, "12345")],
    ["FAIL of another length", bytes.other(0x1c, "123")],
    ["a FLOOR of another length", bytes.other(0x13, "x".repeat(17))],
    ["a PRIOR of another length", bytes.other(0x1d, "x".repeat(21))],
    ["a STALE with an echo that is no WRITE", bytes.stale(stampAt(1), 1, bytes.read("key"))],
    [
      "a STALE with an echo cut short",
      changed(bytes.stale(stampAt(1), 1, good), 24, good.length - 1),
    ],
    ["a BATCH with fewer frames than it says", changed(bytes.batch(stampAt(1), 1, [good]), 24, 2)],
    [
      "a BATCH with more frames than it says",
      changed(bytes.batch(stampAt(1), 1, [good, good]), 24, 1),
    ],
    ["a BATCH of something else", bytes.batch(stampAt(1), 1, [bytes.read("key")])],
    [
      "a BATCH whose frame reaches over its end",
      changed(bytes.batch(stampAt(1), 1, [good]), 28, 200),
    ],
    ["acknowledgements of what was not asked", bytes.acks(1)],
    ["a failure of what was not asked", bytes.fail(1)],
    ["a NEWER that was not asked", bytes.newer(good)],
    ["a STALE that was not asked", bytes.stale(stampAt(1), 1, good)],
    ["an OLDER that was not asked", bytes.older("key")],
    ["a PRIOR that was not asked", bytes.prior(stampAt(1), 1, true)],
  ];
  test.each(cases)("%s breaks the link; what came before it is done", (_, frame) => {
    const peer = open();
    const fed = peer.feed(PEER, concat([good, frame, bytes.write("behind", "value", stampAt(1))]));
    expect(fed.status).toBe(PEER_STATUS.broken);
    expect(peer.get("key")).toBe("value");
    expect(peer.get("behind")).toBeUndefined();
    expect(peer.frames(PEER).map(brief)).toEqual(["acks 1"]);
  });

  test("a limit of the host's is kept, before the frame is there", () => {
    const peer = open();
    kernel.ringSetMaxFrame(100);
    const fits = bytes.write("k", "v".repeat(71), stampAt(1));
    expect(fits).toHaveLength(100);
    expect(peer.feed(PEER, fits).status).toBe(PEER_STATUS.done);
    const long = bytes.write("k", "v".repeat(72), stampAt(1));
    expect(peer.feed(PEER, long.subarray(0, 8)).status).toBe(PEER_STATUS.broken);
  });

  test("a link that is not open takes nothing", () => {
    const peer = open();
    expect(peer.feed(7, good).status).toBe(PEER_STATUS.broken);
    expect(peer.feed(70_000, good).status).toBe(PEER_STATUS.broken);
    kernel.linkDown(PEER);
    expect(peer.feed(PEER, good).status).toBe(PEER_STATUS.broken);
    expect(peer.get("key")).toBeUndefined();
  });

  test("a link that the host gives up in between goes no further", () => {
    const peer = open();
    peer.onHost = () => kernel.linkDown(PEER);
    expect(peer.feed(PEER, concat([bytes.floor(stampAt(0)), good])).status).toBe(
      PEER_STATUS.broken,
    );
    expect(peer.get("key")).toBeUndefined();
  });
});

describe("an outbox that is full", () => {
  test("stops before the request whose answer lacks room, and goes on behind it", () => {
    const peer = open();
    const value = "v".repeat(50_000);
    answers(peer, bytes.write("key", value, stampAt(5)), bytes.write("gone", "v", stampAt(5)));
    const old = bytes.write("key", value, stampAt(4));
    const frames = Array.from({ length: 12 }, (_, i) => (i % 2 ? old : bytes.read("key")));
    const replies = answers(
      peer,
      ...frames,
      bytes.write("other", "v", stampAt(6)),
      bytes.deletion("gone", stampAt(6), { stamp: 0n, node: 0 }),
    );
    expect(replies.map(({ name }) => name)).toEqual([
      ...Array.from({ length: 6 }, () => ["newer", "stale"]).flat(),
      "acks",
      "prior",
    ]);
    expect(peer.fullLinks).toEqual([PEER, PEER]);
  });

  test("never takes more than it holds, however the answers fall", () => {
    const peer = open();
    answers(peer, bytes.write("key", "v", stampAt(5)));
    // FAIL, STALE and ACKS in turn, more than fit.
    const round = concat([
      bytes.write("key", "v", stampAt(5)),
      bytes.write("key", "v", stampAt(20_000)),
      bytes.write("key", "v", stampAt(4)),
    ]);
    const rounds = 8000;
    const before = kernel.memory.buffer.byteLength;
    const replies = answers(peer, ...Array.from({ length: rounds }, () => round));
    expect(replies.map(({ name }) => name)).toEqual(
      Array.from({ length: rounds }, () => ["acks", "fail", "stale"]).flat(),
    );
    expect(peer.fullLinks.length).toBeGreaterThan(1);
    expect(kernel.memory.buffer.byteLength).toBe(before);
  });
});

describe("a page of a copy", () => {
  test("is applied without answers; objects are handed over, anything but WRITE breaks it", () => {
    const peer = open();
    answers(peer, bytes.write("newer", "here", stampAt(5)));
    const object = bytes.write("object", "state", stampAt(1), { flags: FRAME_FLAG.object });
    const page = concat([
      bytes.write("key", "value", stampAt(1), { node: 3 }),
      object,
      bytes.write("newer", "there", stampAt(4)),
      bytes.tombstone("grave", stampAt(2)),
      bytes.write("ahead", "value", stampAt(20_000)),
    ]);
    expect(peer.feed(NO_LINK, page)).toMatchObject({ status: PEER_STATUS.done, left: 0 });
    expect(peer.hosted).toEqual([object]);
    expect(peer.held("key")).toMatchObject({ value: "value", node: 3, stamp: stampAt(1) });
    expect(peer.get("newer")).toBe("here");
    expect(peer.held("grave")).toMatchObject({ flags: TOMBSTONE });
    expect(peer.held("ahead")).toBeUndefined();
    expect(peer.feed(NO_LINK, bytes.read("key")).status).toBe(PEER_STATUS.broken);
    expect(peer.frames(PEER)).toEqual([]);
  });

  test("stops in front of the record for which there is no memory", () => {
    const peer = open();
    kernel.setMaxMemory(200, 0);
    const fits = bytes.write("key", "value", stampAt(1));
    const large = bytes.write("large", "v".repeat(1000), stampAt(1));
    expect(peer.feed(NO_LINK, concat([fits, large, fits]))).toMatchObject({
      status: PEER_STATUS.noMemory,
      left: large.length + fits.length,
    });
    expect(peer.get("key")).toBe("value");
    kernel.setMaxMemory(0, 0);
  });
});
