// The kernel's tables: the layout byte by byte, and that they say what the placement says.
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { HASH_NAMES } from "../../../src/codec/hash.ts";
import { buildPlacement, type Placement } from "../../../src/ring/placement.ts";
import { lastPosition } from "../../../src/ring/position.ts";
import { writeRingTables } from "../../../src/ring/tables.ts";
import type { Member } from "../../../src/ring/topology.ts";
import { codec } from "../codec/codec-under-test.ts";
import { RandomSource } from "../store/random-source.ts";
import { openKernel } from "../store/store-under-test.ts";
import { randomKey, randomSeeds, randomShape, seenBy } from "./random-topology.ts";

const vectors: { readonly key: string }[] = JSON.parse(
  readFileSync(new URL("../../fixtures/hash-vectors.json", import.meta.url), "utf8"),
).keys;

const allUp = () => true;

function tables(placement: Placement, isUp: (member: Member) => boolean = allUp): Uint8Array {
  return writeRingTables(placement, isUp);
}

/** Bytes as the numbers of the layout. */
function read(bytes: Uint8Array) {
  const view = new DataView(bytes.buffer);
  const u32 = (at: number) => view.getUint32(at, true);
  const intervals = Array.from({ length: u32(12) }, (_, i) => {
    const at = u32(20) + 24 * i;
    const end = (view.getBigUint64(at, true) << 64n) | view.getBigUint64(at + 8, true);
    return { end, set: u32(at + 16), rest: u32(at + 20) };
  });
  const sets = Array.from({ length: u32(16) }, (_, i) => {
    const at = u32(24) + 64 * i;
    const [flags, n, local, remote, position, near] = bytes.subarray(at, at + 6);
    const links = Array.from({ length: local! + remote! }, (_, j) =>
      view.getUint16(at + 8 + 2 * j, true),
    );
    return { flags, n, local, remote, position, near, links };
  });
  return { hash: u32(0), open: u32(4), close: u32(8), intervals, sets };
}

describe("the tables", () => {
  const seeds = [
    "10.0.0.1:1:r1:dc1:2147483647",
    "10.0.0.2:1:r1:dc1:4294967295",
    "10.0.0.3:1:r2:dc1:4294967295",
    "10.1.0.1:1:r1:dc2:0",
    "10.1.0.2:1:r2:dc2:0",
  ];
  const placement = (self: number) =>
    buildPlacement(seenBy(seeds, self, { hash: "md5", hashTag: "{}" }), codec.hashKey);

  it("are this for a cluster of five", () => {
    expect(read(tables(placement(0)))).toEqual({
      hash: 1,
      open: 123,
      close: 125,
      intervals: [
        { end: 1073741823n, set: 0, rest: 0 },
        { end: 2147483647n, set: 1, rest: 0 },
        { end: 3221225471n, set: 2, rest: 0 },
        { end: 4294967295n, set: 3, rest: 0 },
      ],
      sets: [
        { flags: 1, n: 2, local: 1, remote: 1, position: 0, near: 0, links: [2, 3] },
        { flags: 1, n: 2, local: 1, remote: 1, position: 1, near: 0, links: [2, 3] },
        { flags: 0, n: 2, local: 2, remote: 1, position: 255, near: 1, links: [2, 1, 3] },
        { flags: 0, n: 2, local: 2, remote: 1, position: 255, near: 0, links: [1, 2, 3] },
      ],
    });
  });

  it("lead to another datacenter's first replica that is up, to the preferred one when none is", () => {
    const remoteLink = (up: readonly number[]) =>
      read(tables(placement(2), ({ index }) => up.includes(index))).sets[0]!.links.at(-1);
    expect(remoteLink([0, 1, 2, 3, 4])).toBe(4);
    expect(remoteLink([0, 1, 2, 3])).toBe(3);
    expect(remoteLink([])).toBe(4);
  });

  it("have no tag bytes without a tag", () => {
    const { hash, open, close } = read(tables(buildPlacement(seenBy(seeds, 0, {}), codec.hashKey)));
    expect([hash, open, close]).toEqual([10, 0, 0]);
  });

  it("say what the placement says, in random clusters", () => {
    const random = new RandomSource(41);
    for (let run = 0; run < 100; run++) {
      const shape = randomShape(random);
      const topology = seenBy(randomSeeds(random, shape.hash), 0, shape);
      const placement = buildPlacement(topology, codec.hashKey);
      const { intervals, sets } = read(tables(placement));
      expect(intervals.map(({ end, set }) => ({ end, set }))).toEqual(placement.intervals);
      expect(intervals.at(-1)!.end).toBe(lastPosition(shape.hash));
      for (const [i, { local, remote }] of placement.sets.entries()) {
        const row = sets[i]!;
        const links = row.links.slice(0, row.local);
        if (row.position !== 255) links.splice(row.position!, 0, topology.self.index);
        expect(links).toEqual(local.map(({ index }) => index));
        expect(row.links.slice(row.local)).toEqual(remote.map((all) => all[0]!.index));
        expect(row.flags).toBe(local.includes(topology.self) ? 1 : 0);
        expect(row.n).toBe(local.length);
        if (row.position === 255) {
          expect(topology.members[links[row.near!]!]!.rack).toBe(topology.self.rack);
        } else {
          expect(row.near).toBe(0);
        }
      }
    }
  });
});

describe("the kernel", () => {
  const kernel = openKernel();
  const memory = () => new Uint8Array(kernel.memory.buffer);
  const input = () => kernel.takePages(1, 1) >>> 0;

  /** Installs the tables of a cluster in an empty kernel; finds the set of a key. */
  function route(placement: Placement): (key: Uint8Array) => number {
    kernel.reset(64 * 1024 * 1024, 1n, 2n, 1);
    const bytes = tables(placement);
    const address = kernel.ringReserve(bytes.length) >>> 0;
    memory().set(bytes, address);
    kernel.ringInstall(address);
    const at = input();
    return (key) => {
      memory().set(key, at);
      return kernel.ringRoute(at, key.length);
    };
  }

  it.each(HASH_NAMES)("finds the set of each key of the C engine's vectors: %s", (hash) => {
    const random = new RandomSource(42);
    const keys = vectors.map(({ key }) => Uint8Array.from(Buffer.from(key, "hex")));
    expect(keys.length).toBe(60);
    for (let run = 0; run < 5; run++) {
      const placement = buildPlacement(
        seenBy(randomSeeds(random, hash), 0, { ...randomShape(random), hash }),
        codec.hashKey,
      );
      const setOf = route(placement);
      for (const key of keys) {
        expect(placement.sets[setOf(key)]).toBe(placement.replicasOf(key));
      }
    }
  });

  it("finds the set of any key, as the placement does, in random clusters", () => {
    const random = new RandomSource(43);
    const found = new Set<number>();
    for (let run = 0; run < 150; run++) {
      const shape = randomShape(random);
      const seeds = randomSeeds(random, shape.hash);
      const placement = buildPlacement(
        seenBy(seeds, random.below(seeds.length), shape),
        codec.hashKey,
      );
      const setOf = route(placement);
      for (let i = 0; i < 60; i++) {
        const key = randomKey(random);
        const set = setOf(key);
        found.add(set);
        expect(placement.sets[set]).toBe(placement.replicasOf(key));
      }
    }
    expect(found.size).toBeGreaterThan(20);
  });

  it("finds the sets at the ends of intervals", () => {
    // The token of the key is the token of a member, or one beside it.
    const key = new TextEncoder().encode("user:1");
    const token = codec.hashKey("murmur", key).words[0]!;
    for (const end of [token - 1, token, token + 1]) {
      const seeds = [`a:1:r:d:${end}`, `b:1:r:d:${(end + 2 ** 31) % 2 ** 32}`];
      const placement = buildPlacement(seenBy(seeds, 0, {}), codec.hashKey);
      const [owner] = placement.sets[route(placement)(key)]!.local;
      expect(owner!.address.host).toBe(end >= token ? "a" : "b");
    }
  });
});
