// Which members hold a key: against a search of each rack's tokens, for every hash, tag and distribution; and how evenly.
import { describe, expect, it } from "vitest";
import { HASH_NAMES } from "../../../src/codec/hash.ts";
import { compareTokens, type Token } from "../../../src/codec/token.ts";
import {
  buildPlacement,
  hashedPart,
  type Placement,
  setOfToken,
  sharesOf,
  WHOLE_RANGES_FROM,
} from "../../../src/ring/placement.ts";
import type { Member, Rack, Topology } from "../../../src/ring/topology.ts";
import { codec } from "../codec/codec-under-test.ts";
import { RandomSource } from "../store/random-source.ts";
import { randomKey, randomSeeds, randomShape, seenBy } from "./random-topology.ts";

/** Who owns a token in a rack, found by looking at every token or slice of it. */
function ownerIn(rack: Rack, token: Token, topology: Topology): Member {
  const table = topology.slices.find(
    (slices) => slices.rack === rack.name && slices.datacenter === rack.members[0]!.datacenter,
  );
  if (table !== undefined) {
    const [first = 0, second = 0] = token.words;
    const point = (BigInt(first) << 32n) | BigInt(second);
    return table.slices.find(({ end }) => point <= end)!.member;
  }
  const all = rack.members
    .flatMap((member) => member.tokens.map((own) => ({ own, member })))
    .sort((a, b) => compareTokens(a.own, b.own));
  return (all.find(({ own }) => compareTokens(own, token) >= 0) ?? all[0]!).member;
}

function at(seeds: readonly string[], self = 0, shape = {}): Placement {
  return buildPlacement(seenBy(seeds, self, shape), codec.hashKey);
}

/** The share of the positions of 32 bits that each set has. */
function shareOfSets({ intervals, sets }: Placement): number[] {
  const shares = sets.map(() => 0);
  let before = -1n;
  for (const { end, set } of intervals) {
    shares[set]! += Number(end - before) / 2 ** 32;
    before = end;
  }
  return shares;
}

describe("the replicas of a key", () => {
  it("are its owner in each rack, as a search of the tokens finds them, in random clusters", () => {
    const random = new RandomSource(31);
    for (let run = 0; run < 150; run++) {
      const shape = randomShape(random);
      const seeds = randomSeeds(random, shape.hash);
      const self = random.below(seeds.length);
      const topology = seenBy(seeds, self, shape);
      const placement = buildPlacement(topology, codec.hashKey);
      for (let i = 0; i < 40; i++) {
        const key = randomKey(random);
        const token = codec.hashKey(shape.hash, hashedPart(key, topology.hashTag));
        const { local, remote } = placement.replicasOf(key);
        const owners = topology.datacenters.map(({ racks }) =>
          racks.map((rack) => ownerIn(rack, token, topology).index),
        );
        const home = topology.datacenters.findIndex(
          ({ name }) => name === topology.self.datacenter,
        );
        const indexes = (members: readonly Member[]) =>
          members.map(({ index }) => index).sort((a, b) => a - b);
        expect(indexes(local)).toEqual([...owners[home]!].sort((a, b) => a - b));
        expect(remote.map(indexes)).toEqual(
          owners.filter((_, i) => i !== home).map((all) => [...all].sort((a, b) => a - b)),
        );
      }
    }
  });

  it("have the same fixed order on every node of a datacenter", () => {
    const random = new RandomSource(32);
    let orders = 0;
    for (let run = 0; run < 40; run++) {
      const shape = randomShape(random);
      const seeds = randomSeeds(random, shape.hash);
      const placements = seeds.map((_, self) => at(seeds, self, shape));
      for (let i = 0; i < 20; i++) {
        const key = randomKey(random);
        const byDatacenter = new Map<string, string>();
        for (const placement of placements) {
          const { datacenter } = placement.topology.self;
          const { local } = placement.replicasOf(key);
          const order = local.map(({ index }) => index).join();
          expect(byDatacenter.get(datacenter) ?? order).toBe(order);
          byDatacenter.set(datacenter, order);
          orders++;
        }
      }
    }
    expect(orders).toBeGreaterThan(1000);
  });

  it("in another datacenter begin with the rack that has this one's place, then go on in order", () => {
    const seeds = [
      ...["a", "b", "c", "d"].map((rack, i) => `10.0.0.${i}:1:${rack}:dc1:0`),
      ...["x", "y", "z"].map((rack, i) => `10.1.0.${i}:1:${rack}:dc2:0`),
      "10.2.0.0:1:q:dc3:0",
    ];
    const racks = (self: number) =>
      at(seeds, self)
        .replicasOf(Uint8Array.of(1))
        .remote.map((replicas) => replicas.map(({ rack }) => rack).join(""));
    expect([0, 1, 2, 3].map(racks)).toEqual([
      ["xyz", "q"],
      ["yzx", "q"],
      ["zxy", "q"],
      ["xyz", "q"],
    ]);
    expect([4, 5, 6, 7].map(racks)).toEqual([
      ["abcd", "q"],
      ["bcda", "q"],
      ["cdab", "q"],
      ["abcd", "xyz"],
    ]);
  });

  it("of a token that a member has are that member's, and of the next one the next member's", () => {
    const placement = at(["a:1:r:d:100", "b:1:r:d:200", "c:1:r:d:4294967295"]);
    const owner = (word: number) =>
      placement.sets[
        setOfToken(placement.intervals, { signum: word === 0 ? 0 : 1, words: [word] })
      ]!.local[0]!.address.host;
    expect([0, 1, 99, 100, 101, 200, 201, 4294967295].map(owner).join("")).toBe("aaaabbcc");
  });

  it("wrap behind the last token to the first, unless one has a minus sign", () => {
    const last = { signum: 1, words: [4294967295] };
    const hosts = (seeds: string[]) => {
      const placement = at(seeds);
      return placement.sets[setOfToken(placement.intervals, last)]!.local[0]!.address.host;
    };
    expect(hosts(["a:1:r:d:100", "b:1:r:d:200"])).toBe("a");
    expect(hosts(["a:1:r:d:100", "b:1:r:d:200", "c:1:r:d:-1"])).toBe("c");
  });

  it.each(HASH_NAMES)(
    "are all of them for every key of %s where all racks have one member",
    (hash) => {
      const placement = at(["a:1:r1:d:0", "b:1:r2:d:1", "c:1:r3:d:77"], 1, { hash });
      for (let i = 0; i < 200; i++) {
        expect(placement.replicasOf(Uint8Array.of(i)).local.length).toBe(3);
      }
      expect(placement.sets.length).toBe(3);
    },
  );
});

describe("the fixed order", () => {
  it.each([
    ["one token for all", ["0", "0", "0"]],
    ["a token each", ["0", "1431655765", "2863311530"]],
    ["two ranges", ["5", "5", "3000000000"]],
  ])("gives every rack the same share of first places: %s", (_, tokens) => {
    const placement = at(tokens.map((token, i) => `10.0.0.${i}:1:r${i}:d:${token}`));
    const first = [0, 0, 0];
    for (const [set, share] of shareOfSets(placement).entries()) {
      first[placement.sets[set]!.local[0]!.index]! += share;
    }
    for (const share of first) expect(share).toBeCloseTo(1 / 3, 3);
  });

  it("goes round the racks from wherever it begins", () => {
    const placement = at(["a:1:r1:d:0", "b:1:r2:d:0", "c:1:r3:d:0"]);
    const orders = placement.sets.map(({ local }) =>
      local.map(({ address }) => address.host).join(""),
    );
    expect(orders.sort()).toEqual(["abc", "bca", "cab"]);
  });

  it("leaves ranges whole where there are many, and still spreads the first places", () => {
    const tokens = (rack: number) =>
      Array.from({ length: 64 }, (_, i) => Math.floor(((i + rack / 3) * 2 ** 32) / 64)).join();
    const placement = at([0, 1, 2].map((rack) => `10.0.0.${rack}:1:r${rack}:d:${tokens(rack)}`));
    expect(placement.intervals.length).toBeGreaterThan(3 * WHOLE_RANGES_FROM);
    expect(placement.intervals.length).toBeLessThan(3 * 64 + 2);
    const first = [0, 0, 0];
    for (const [set, share] of shareOfSets(placement).entries()) {
      first[placement.sets[set]!.local[0]!.index]! += share;
    }
    for (const share of first) expect(share).toBeCloseTo(1 / 3, 1);
  });
});

describe("the intervals", () => {
  it("ascend, end at the last position, and differ from their neighbours", () => {
    const random = new RandomSource(33);
    for (let run = 0; run < 50; run++) {
      const shape = randomShape(random);
      const seeds = randomSeeds(random, shape.hash);
      const { intervals, sets } = at(seeds, random.below(seeds.length), shape);
      const bits = { murmur3: 128n, murmur3_x64_64: 64n }[shape.hash as string] ?? 32n;
      expect(intervals.at(-1)!.end).toBe((1n << bits) - 1n);
      for (const [i, { end, set }] of intervals.entries()) {
        expect(set).toBeLessThan(sets.length);
        if (i === 0) continue;
        expect(end > intervals[i - 1]!.end).toBe(true);
        expect(set).not.toBe(intervals[i - 1]!.set);
      }
    }
  });

  it("are one, of one set, on a node alone", () => {
    const { intervals, sets } = at(["a:1:r:d:5"]);
    expect(intervals).toEqual([{ end: 4294967295n, set: 0 }]);
    expect(sets.length).toBe(1);
  });
});

describe("the part of a key that is hashed", () => {
  it.each([
    ["{}", "a{b}c", "b"],
    ["{}", "{b}c{d}", "b"],
    ["{}", "a}b{c}", "c"],
    ["{}", "{}x", "{}x"],
    ["{}", "{}{a}", "{}{a}"],
    ["{}", "a{b", "a{b"],
    ["{}", "a}b{", "a}b{"],
    ["{}", "{{a}}", "{a"],
    ["||", "a|b|c|d|", "b"],
    ["||", "a|b", "a|b"],
    ["||", "||a|", "||a|"],
  ])("with the tag %s: %s → %s", (tag, key, part) => {
    const bytes = new TextEncoder().encode(key);
    const found = hashedPart(bytes, [tag.charCodeAt(0), tag.charCodeAt(1)]);
    expect(new TextDecoder().decode(found)).toBe(part);
    expect(hashedPart(bytes, undefined)).toBe(bytes);
  });
});

describe("shares", () => {
  it("add up to one in each rack", () => {
    const random = new RandomSource(34);
    for (let run = 0; run < 50; run++) {
      const shape = randomShape(random);
      const placement = at(randomSeeds(random, shape.hash), 0, shape);
      const shares = sharesOf(placement);
      expect(shares.size).toBe(placement.topology.members.length);
      for (const { racks } of placement.topology.datacenters) {
        for (const { members } of racks) {
          expect(members.reduce((sum, member) => sum + shares.get(member)!, 0)).toBeCloseTo(1, 9);
        }
      }
    }
  });

  it("are what lies before a member's tokens", () => {
    const placement = at([
      "a:1:r:d:1073741823",
      "b:1:r:d:2147483647",
      "c:1:s:d:0",
      "d:1:t:d:5,3221225471",
      "e:1:t:d:4294967295",
    ]);
    const shares = [...sharesOf(placement)].map(([{ address }, share]) => [
      address.host,
      Math.round(share * 1e6) / 1e6,
    ]);
    expect(Object.fromEntries(shares)).toEqual({ a: 0.75, b: 0.25, c: 1, d: 0.75, e: 0.25 });
  });

  it("are the slices with random slicing", () => {
    const table = "r:d:1=4611686018427387903,9=9223372036854775807,1=18446744073709551615";
    const seeds = ["a:1:r:d:1", "b:1:r:d:9"];
    const sliced = (slices: string[]) => [
      ...sharesOf(at(seeds, 0, { distribution: "random_slicing", slices })).values(),
    ];
    expect(sliced([table]).map((share) => share.toFixed(6))).toEqual(["0.750000", "0.250000"]);
    expect(sliced([]).map((share) => share.toFixed(6))).toEqual(["0.500000", "0.500000"]);
  });
});
