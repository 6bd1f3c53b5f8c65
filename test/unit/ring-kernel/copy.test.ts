/** Range copy: the walk that writes records as frames, and the digest that says whether two tables hold the same. */
import { describe, expect, test } from "vitest";
import { FRAME_FLAG } from "../../../src/link/frame.ts";
import { ANY_LINK, AUX_LEFT_OUT, NO_LINK, PEER_STATUS } from "../../../src/store/kernel-ring.ts";
import { type PeerFrame, readPeerFrames } from "../../reference/peer-frames.ts";
import { RandomSource } from "../store/random-source.ts";
import { openKernel, START_MS } from "../store/store-under-test.ts";
import { PeerKernel, stampAt } from "./peer-kernel.ts";

const kernel = openKernel();

interface CopyOptions {
  readonly database?: number;
  readonly since?: bigint;
  readonly link?: number;
  readonly room?: number;
  /** Called between two calls of the walk. */
  readonly between?: () => void;
}

/** Copies a database: the frames of all pages. */
function copy(peer: PeerKernel, options: CopyOptions = {}): PeerFrame[] {
  const { database = 0, since = 0n, link = ANY_LINK, between = () => {} } = options;
  const exports = peer.kernel;
  const out = exports.takePages(64, 1) >>> 0;
  const frames: PeerFrame[] = [];
  let room = options.room ?? 65_536;
  let cursor = 0;
  for (;;) {
    cursor = exports.copyWalk(database, cursor, since, link, out, room) >>> 0;
    const length = exports.copiedBytes() >>> 0;
    const needs = exports.copyNeeds() >>> 0;
    expect(length).toBeLessThanOrEqual(room);
    if (needs > 0) {
      expect(length).toBe(0);
      expect(needs).toBeGreaterThan(room);
      room = needs;
      continue;
    }
    room = options.room ?? 65_536;
    frames.push(...readFrames(peer.memory.bytes.slice(out, out + length)));
    if (cursor === 0) break;
    between();
  }
  exports.freePages(out, 64);
  return frames;
}

/** Reads frames of which some have their values left out. */
function readFrames(page: Uint8Array): PeerFrame[] {
  const frames: PeerFrame[] = [];
  for (let at = 0; at < page.length; ) {
    const length = new DataView(page.buffer, at).getUint32(0, true);
    const frame = page.slice(at, at + length);
    at += length;
    const leftOut = frame[6] === AUX_LEFT_OUT;
    frame[6] = 0;
    const read = readPeerFrames(frame);
    expect(read.status).toBe("complete");
    frames.push({ ...read.messages[0]!, number: leftOut ? AUX_LEFT_OUT : 0 });
  }
  return frames;
}

const sorted = (keys: Iterable<string>) => [...keys].sort();

describe("copyWalk", () => {
  test("writes every record of a database once, tombstones too, and nothing of others", () => {
    const peer = new PeerKernel({ kernel });
    const expected = new Map<string, string>();
    for (let i = 0; i < 30_000; i++) {
      const dead = i % 10 === 0;
      peer.apply(`key:${i}`, dead ? "" : `value:${i}`, stampAt(1, i), {
        node: i % 7,
        flags: dead ? FRAME_FLAG.tombstone : 0,
        expiry: i % 3 === 1 && !dead ? START_MS + i + 1 : 0,
        database: 2,
      });
      expected.set(`key:${i}`, dead ? "" : `value:${i}`);
      if (i % 50 === 0) peer.apply(`other:${i}`, "value", stampAt(1));
    }
    const frames = copy(peer, { database: 2, room: 10_000 });
    expect(sorted(frames.map(({ key }) => key))).toEqual(sorted(expected.keys()));
    for (const { key, value, flags, stamp, node, expiry, database } of frames) {
      const i = Number(key.slice(4));
      const dead = i % 10 === 0;
      expect(value).toBe(expected.get(key));
      expect([flags, stamp, node, database]).toEqual([
        dead ? FRAME_FLAG.tombstone : 0,
        stampAt(1, i),
        i % 7,
        2,
      ]);
      expect(expiry).toBe(i % 3 === 1 && !dead ? START_MS + i + 1 : 0);
    }
    expect(copy(peer, { database: 9 })).toEqual([]);
  });

  test("writes only what has at least the stamp asked for", () => {
    const peer = new PeerKernel({ kernel });
    for (let i = 0; i < 5000; i++) peer.apply(`key:${i}`, "v", stampAt(i));
    const keys = copy(peer, { since: stampAt(4000) }).map(({ key }) => Number(key.slice(4)));
    expect(keys.sort((a, b) => a - b)).toEqual(Array.from({ length: 1000 }, (_, i) => 4000 + i));
  });

  test("writes nothing that a floor has taken away, freed or not, and the digest has nothing of it", () => {
    const peer = new PeerKernel({ kernel });
    for (let i = 0; i < 30_000; i++) peer.apply(`key:${i}`, "v", stampAt(i < 100 ? 9 : 1, i));
    const digest = (kernelOf: PeerKernel) => kernelOf.kernel.digest(0, 1);
    const other = new PeerKernel();
    for (let i = 0; i < 100; i++) other.apply(`key:${i}`, "v", stampAt(9, i));
    peer.kernel.setFloor(0, stampAt(2), 1);
    const kept = Array.from({ length: 100 }, (_, i) => `key:${i}`);
    let isMore = true;
    let steps = 0;
    for (; isMore; steps++) {
      expect(sorted(copy(peer).map(({ key }) => key))).toEqual(sorted(kept));
      expect(digest(peer)).toBe(digest(other));
      isMore = peer.kernel.hostFree() !== 0;
    }
    expect(steps).toBeGreaterThan(2);
  });

  test("writes only what the peer that asks is a replica of", () => {
    const peer = new PeerKernel({ kernel });
    peer.install([
      { self: true, locals: [1, 2] },
      { self: true, locals: [2, 3] },
      { self: true, locals: [1] },
    ]);
    const keys = Array.from({ length: 900 }, (_, i) => `key:${i}`);
    for (const key of keys) peer.apply(key, "v", stampAt(1));
    const inSets = (sets: readonly number[]) =>
      sorted(keys.filter((key) => sets.includes(peer.setOf(key))));
    for (const [link, sets] of [
      [1, [0, 2]],
      [2, [0, 1]],
      [3, [1]],
      [4, []],
      [ANY_LINK, [0, 1, 2]],
    ] as const) {
      expect(sorted(copy(peer, { link }).map(({ key }) => key))).toEqual(inSets(sets));
    }
  });

  test("sees every key that is there all the time, whatever is written in between", () => {
    const peer = new PeerKernel({ kernel });
    const random = new RandomSource(4);
    for (let i = 0; i < 12_000; i++) peer.apply(`fixed:${i}`, "value", stampAt(1, i));
    let counter = 0;
    const frames = copy(peer, {
      room: 4000,
      between: () => {
        for (let i = 0; i < 200; i++) {
          const key = `moving:${random.below(20_000)}`;
          const dead = random.chance(0.4);
          const stamp = stampAt(2, 0) + BigInt(++counter);
          peer.apply(key, dead ? "" : "v".repeat(random.below(100)), stamp, {
            flags: dead ? FRAME_FLAG.tombstone : 0,
          });
        }
        // What is dropped moves others to other slots.
        kernel.collectTombstones(0, 0, 1 << 20, stampAt(2, 0) + BigInt(counter));
        kernel.hostMaintain();
      },
    });
    const fixed = frames.map(({ key }) => key).filter((key) => key.startsWith("fixed:"));
    expect(fixed).toHaveLength(12_000);
    expect(new Set(fixed).size).toBe(12_000);
    expect(counter).toBeGreaterThan(20_000);
  });

  test("leaves out the values of objects and of what takes more than all its room, and asks for room for long keys", () => {
    const peer = new PeerKernel({ kernel });
    peer.object("object", 42, stampAt(3), 5);
    peer.apply("large", "v".repeat(100_000), stampAt(2));
    peer.apply("k".repeat(20_000), "v", stampAt(1));
    peer.apply("small", "v", stampAt(1));
    const frames = copy(peer, { room: 10_000 });
    const byKey = Object.fromEntries(frames.map((frame) => [frame.key.slice(0, 10), frame]));
    expect(frames).toHaveLength(4);
    expect(byKey.object).toMatchObject({
      flags: FRAME_FLAG.object,
      value: "",
      number: AUX_LEFT_OUT,
      stamp: stampAt(3),
      node: 5,
    });
    expect(byKey.large).toMatchObject({ flags: 0, value: "", number: AUX_LEFT_OUT });
    expect(byKey.small).toMatchObject({ value: "v", number: 0 });
    expect(byKey.kkkkkkkkkk).toMatchObject({ value: "", number: AUX_LEFT_OUT });
    expect(peer.feed(NO_LINK, leftOut(byKey.large!)).status).toBe(PEER_STATUS.broken);
  });

  test("writes what another kernel becomes the same by", () => {
    const from = new PeerKernel({ kernel });
    const random = new RandomSource(7);
    for (let i = 0; i < 5000; i++) {
      const dead = random.chance(0.2);
      from.apply(
        `key:${random.below(3000)}`,
        dead ? "" : "v".repeat(random.below(300)),
        stampAt(i),
        {
          flags: dead ? FRAME_FLAG.tombstone : 0,
          node: random.below(4),
          expiry: random.chance(0.2) ? START_MS + 100 + random.below(100) : 0,
        },
      );
    }
    kernel.setNow(START_MS + 150);
    const pages = copy(from).map((frame) => frame.bytes);
    const expected = [kernel.digest(0, 1), kernel.hostCount(0)];
    const to = new PeerKernel();
    to.kernel.setNow(START_MS + 150);
    for (const page of pages) expect(to.feed(NO_LINK, page).status).toBe(PEER_STATUS.done);
    expect(to.kernel.digest(0, 1)).toBe(expected[0]);
    for (let i = 0; i < 3000; i++) {
      const key = `key:${i}`;
      expect(to.get(key)).toBe(from.get(key));
      expect(to.held(key)).toEqual(from.held(key));
    }
  });
});

/** A frame as the walk writes it without its value. */
function leftOut({ bytes: frame }: PeerFrame): Uint8Array {
  const copied = frame.slice();
  copied[6] = AUX_LEFT_OUT;
  return copied;
}

describe("digest", () => {
  type Entry = readonly [
    key: string,
    value: string,
    more?: { readonly expiry?: number; readonly node?: number; readonly stamp?: bigint },
  ];

  function digestOf(entries: readonly Entry[], stamps = 1, secret = 0n): bigint {
    const peer = new PeerKernel({ kernel });
    kernel.reset(1 << 30, secret, 1n, 1);
    kernel.setNow(START_MS);
    for (const [key, value, { expiry = 0, node = 1, stamp = stampAt(1) } = {}] of entries) {
      peer.apply(key, value, stamp, { expiry, node });
    }
    return kernel.digest(0, stamps);
  }

  const base: readonly Entry[] = [
    ["a", "1"],
    ["b", "2", { expiry: START_MS + 1000 }],
    ["c".repeat(20), "3".repeat(20)],
  ];

  test("is the same for the same entries, in whatever order and under whatever secret", () => {
    expect(digestOf(base, 1, 5n)).toBe(digestOf([...base].reverse()));
    expect(digestOf([])).toBe(0n);
  });

  test.each<[string, readonly Entry[]]>([
    ["another value", [["a", "0"], ...base.slice(1)]],
    ["another key", [["A", "1"], ...base.slice(1)]],
    ["another expiry", [base[0]!, ["b", "2", { expiry: START_MS + 1001 }], base[2]!]],
    ["one entry less", base.slice(1)],
    ["one entry more", [...base, ["d", ""]]],
    ["values exchanged", [["a", "2"], ["b", "1", { expiry: START_MS + 1000 }], base[2]!]],
    [
      "a byte moved from key to value",
      [["a", "1"], base[1]!, ["c".repeat(19), `c${"3".repeat(20)}`]],
    ],
    ["a NUL behind a value", [["a", "1\0"], ...base.slice(1)]],
  ])("differs for %s", (_, entries) => {
    for (const stamps of [0, 1]) expect(digestOf(entries, stamps)).not.toBe(digestOf(base, stamps));
  });

  test("differs by stamps and nodes unless they are left out", () => {
    for (const more of [{ stamp: stampAt(2) }, { node: 2 }]) {
      const entries: readonly Entry[] = [["a", "1", more], ...base.slice(1)];
      expect(digestOf(entries, 1)).not.toBe(digestOf(base, 1));
      expect(digestOf(entries, 0)).toBe(digestOf(base, 0));
    }
  });

  test("knows no tombstones, expired entries or other databases, found or not", () => {
    const expected = digestOf([["a", "1"]]);
    const peer = new PeerKernel({ kernel });
    peer.apply("a", "1", stampAt(1));
    peer.apply("grave", "", stampAt(1), { flags: FRAME_FLAG.tombstone });
    peer.apply("expires", "value", stampAt(1), { expiry: START_MS + 5 });
    peer.apply("elsewhere", "value", stampAt(1), { database: 1 });
    expect(kernel.digest(0, 1)).not.toBe(expected);
    kernel.setNow(START_MS + 5);
    expect(kernel.digest(0, 1)).toBe(expected);
    peer.get("expires");
    expect(kernel.digest(0, 1)).toBe(expected);
  });
});
