// The topology of a cluster from its configuration: order, names, and what is refused.
import { describe, expect, it } from "vitest";
import { HASH_NAMES } from "../../../src/codec/hash.ts";
import type { ClusterOptions } from "../../../src/ring/cluster-options.ts";
import { memberName } from "../../../src/ring/member.ts";
import { buildTopology, MAX_MEMBERS } from "../../../src/ring/topology.ts";

const OWN: ClusterOptions = {
  name: "c",
  datacenter: "dc1",
  rack: "r2",
  tokens: "100",
  listen: { host: "127.0.0.1", port: 8101 },
};

/** Code and message of the error that building a topology ends with. */
function refusal(options: Partial<ClusterOptions>): string {
  try {
    buildTopology({ ...OWN, ...options });
  } catch (error) {
    const { code, message } = error as { code: string; message: string };
    return `${code}: ${message}`;
  }
  return "none";
}

describe("a topology", () => {
  it("is one member with the defaults of a node that names nothing but its tokens", () => {
    const topology = buildTopology({ tokens: "7", listen: { host: "::1", port: 1 } });
    expect(topology).toMatchObject({
      cluster: "ringlet",
      hash: "murmur",
      hashTag: undefined,
      distribution: "vnode",
      slices: [],
    });
    expect(topology.members).toEqual([
      {
        index: 0,
        datacenter: "localdc",
        rack: "localrack",
        tokens: [{ signum: 1, words: [7] }],
        tokenTexts: ["7"],
        address: { host: "::1", port: 1 },
      },
    ]);
    expect(topology.self).toBe(topology.members[0]);
  });

  it("has its members by datacenter, rack and first token, numbered, whoever lists them in what order", () => {
    const topology = buildTopology({
      ...OWN,
      seeds: [
        "10.0.0.9:8101:r1:dc2:5",
        "10.0.0.2:8101:r2:dc1:20",
        "[fe80::1]:8101:r1:dc1:4000000000,30 a-name",
        "10.0.0.3:8101:r10:dc1:1",
      ],
    });
    expect(topology.members.map(memberName)).toEqual([
      "[fe80::1]:8101 (rack r1 of dc1)",
      "10.0.0.3:8101 (rack r10 of dc1)",
      "10.0.0.2:8101 (rack r2 of dc1)",
      "127.0.0.1:8101 (rack r2 of dc1)",
      "10.0.0.9:8101 (rack r1 of dc2)",
    ]);
    expect(topology.members.map(({ index }) => index)).toEqual([0, 1, 2, 3, 4]);
    expect(topology.self.index).toBe(3);
    expect(topology.members[0]!.tokenTexts).toEqual(["30", "4000000000"]);
    expect(
      topology.datacenters.map(({ name, racks }) => [
        name,
        racks.map((rack) => [rack.name, rack.members.map(({ index }) => index)]),
      ]),
    ).toEqual([
      [
        "dc1",
        [
          ["r1", [0]],
          ["r10", [1]],
          ["r2", [2, 3]],
        ],
      ],
      ["dc2", [["r1", [4]]]],
    ]);
  });

  it("sorts a token with a minus sign behind all others, and zero first", () => {
    const { members } = buildTopology({ ...OWN, tokens: ["-5", "0", "4294967295", "-6", "3"] });
    expect(members[0]!.tokenTexts).toEqual(["0", "3", "4294967295", "-5", "-6"]);
  });

  it("counts a seed that is this node itself once", () => {
    const seeds = ["127.0.0.1:8101:r2:dc1:0100", "10.0.0.1:8101:r1:dc1:100"];
    expect(buildTopology({ ...OWN, seeds }).members.length).toBe(2);
    const behind = { listen: { host: "0.0.0.0", port: 8101 }, advertise: OWN.listen };
    expect(buildTopology({ ...OWN, ...behind, seeds }).self.address).toEqual(OWN.listen);
  });

  it.each(HASH_NAMES)("takes the tokens of %s", (hash) => {
    expect(buildTopology({ ...OWN, hash }).self.tokenTexts).toEqual(["100"]);
  });
});

describe("the digest", () => {
  const seed = "10.0.0.1:8101:r1:dc1:200";
  const digest = buildTopology({ ...OWN, seeds: [seed] }).digest;

  it("is the same on every node of the cluster, however each reaches the others", () => {
    const other = buildTopology({
      name: "c",
      datacenter: "dc1",
      rack: "r1",
      tokens: ["200"],
      listen: { host: "0.0.0.0", port: 8101 },
      seeds: ["node-2.example:8101:r2:dc1:100 second"],
    });
    expect(other.digest).toBe(digest);
    expect(digest).toMatch(/^[0-9a-f]{16}$/);
  });

  it.each<[string, Partial<ClusterOptions>]>([
    ["cluster name", { name: "d" }],
    ["hash", { hash: "md5" }],
    ["hash tag", { hashTag: "{}" }],
    ["distribution", { distribution: "random_slicing" }],
    ["own tokens", { tokens: "101" }],
    ["own rack", { rack: "r3" }],
    ["own datacenter", { datacenter: "dc0" }],
    ["a seed's tokens", { seeds: ["10.0.0.1:8101:r1:dc1:201"] }],
    ["one member more", { seeds: [seed, "10.0.0.2:8101:r1:dc1:300"] }],
  ])("differs with another %s", (_, changes) => {
    expect(buildTopology({ ...OWN, seeds: [seed], ...changes }).digest).not.toBe(digest);
  });

  it("differs with other slices", () => {
    const sliced = (...slices: string[]) =>
      buildTopology({
        ...OWN,
        seeds: ["10.0.0.1:8101:r2:dc1:9"],
        distribution: "random_slicing",
        slices,
      }).digest;
    const half = "r2:dc1:9=9223372036854775807,100=18446744073709551615";
    expect(sliced(half)).toBe(sliced());
    expect(sliced("r2:dc1:9=9223372036854775806,100=18446744073709551615")).not.toBe(sliced());
    expect(sliced("r2:dc1:100=9223372036854775807,9=18446744073709551615")).not.toBe(sliced());
  });
});

describe("what cannot be is refused with what to do:", () => {
  it.each<[Partial<ClusterOptions>, string]>([
    [
      { name: "" },
      'BAD_NAME: "" is no name of a cluster: use 1 to 128 characters, without space and : $ | ,',
    ],
    [{ datacenter: "a b" }, 'BAD_NAME: "a b" is no name of a datacenter'],
    [{ rack: "a|b" }, 'BAD_NAME: "a|b" is no name of a rack'],
    [{ rack: "r\u0000" }, "BAD_NAME: "],
    [{ rack: "r".repeat(129) }, "BAD_NAME: "],
    [
      { hash: "sha1" as never },
      'BAD_HASH: there is no hash function "sha1": use one of one_at_a_time, md5,',
    ],
    [
      { hashTag: "{" },
      'BAD_HASH_TAG: "{" is no hash tag: give the two ASCII characters that open and close it, as in {}',
    ],
    [{ hashTag: "{}}" }, "BAD_HASH_TAG: "],
    [{ hashTag: "«»" }, "BAD_HASH_TAG: "],
    [
      { distribution: "ketama" as never },
      'BAD_DISTRIBUTION: there is no distribution "ketama": use one of vnode, random_slicing',
    ],
    [{ tokens: "" }, 'BAD_TOKEN: 127.0.0.1:8101: token "" has no digits: write a decimal number'],
    [{ tokens: "1,x" }, 'BAD_TOKEN: 127.0.0.1:8101: token "x" is not a decimal number'],
    [{ tokens: "12345678901" }, "BAD_TOKEN: 127.0.0.1:8101: token"],
    [{ tokens: "-1", hash: "murmur3" }, 'BAD_TOKEN: 127.0.0.1:8101: token "-1" is negative'],
    [{ tokens: "18446744073709551616", hash: "murmur3_x64_64" }, "BAD_TOKEN: "],
    [
      { tokens: Array.from({ length: 1025 }, (_, i) => String(i)) },
      "TOO_MANY_TOKENS: 127.0.0.1:8101 has 1025 tokens, more than 1024: give it fewer",
    ],
    [
      { seeds: ["10.0.0.1:8101:r1:dc1"] },
      'BAD_SEED: "10.0.0.1:8101:r1:dc1" names no member: write host:port:rack:datacenter:tokens',
    ],
    [{ seeds: ["10.0.0.1:0:r1:dc1:1"] }, "BAD_SEED: "],
    [{ seeds: ["10.0.0.1:65536:r1:dc1:1"] }, "BAD_SEED: "],
    [{ seeds: ["fe80::1:8101:r1:dc1:1"] }, "BAD_SEED: "],
    [{ seeds: ["10.0.0.1:8101:r1:dc1:1 two names"] }, "BAD_SEED: "],
    [{ seeds: [""] }, "BAD_SEED: "],
    [{ seeds: ["10.0.0.1:8101::dc1:1"] }, 'BAD_NAME: "" is no name of a rack'],
    [{ seeds: ["10.0.0.1:8101:r1:dc1:"] }, "BAD_TOKEN: 10.0.0.1:8101: "],
    [
      { seeds: ["10.0.0.1:8101:r2:dc1:7,100"] },
      "DUPLICATE_TOKEN: token 100 is there twice in rack r2 of dc1, at 10.0.0.1:8101 and 127.0.0.1:8101: every token of a rack must be another",
    ],
    [
      { secret: "fifteen letters" },
      "BAD_SECRET: the secret of the cluster has 15 characters: use at least 16 random ones, or none for open links",
    ],
    [{ secret: "" }, "BAD_SECRET: the secret of the cluster has 0 characters"],
    [{ tokens: "7,7" }, "DUPLICATE_TOKEN: token 7 is there twice in rack r2 of dc1"],
    [{ tokens: "0,00" }, "DUPLICATE_TOKEN: token 0 is there twice"],
    [{ tokens: "0,4294967296" }, "DUPLICATE_TOKEN: token 0 is there twice"],
    [
      { seeds: ["127.0.0.1:8101:r1:dc1:200"] },
      "DUPLICATE_ADDRESS: 127.0.0.1:8101 is the address of two members, with the tokens 200 and 100: correct one of them",
    ],
    [{ seeds: ["127.0.0.1:8101:r2:dc1:101"] }, "DUPLICATE_ADDRESS: "],
    [
      { seeds: Array.from({ length: MAX_MEMBERS }, (_, i) => `10.0.0.1:${i + 1}:r1:dc1:${i}`) },
      "TOO_MANY_MEMBERS: the cluster has 1024 members, more than 1023: leave some out",
    ],
    [
      { seeds: Array.from({ length: 29 }, (_, i) => `10.0.0.1:${i + 1}:s${i}:dc1:1`) },
      "TOO_MANY_REPLICAS: a key has 30 replicas in dc1 (one for each rack) and there are 0 other datacenters: a node writes to at most 28",
    ],
    [
      {
        seeds: [
          ...Array.from({ length: 27 }, (_, i) => `10.0.0.1:${i + 1}:s${i}:dc2:1`),
          ...Array.from({ length: 2 }, (_, i) => `10.0.0.1:${i + 100}:s:ex${i}:1`),
        ],
      },
      "TOO_MANY_REPLICAS: a key has 27 replicas in dc2 (one for each rack) and there are 3 other datacenters",
    ],
    [
      { slices: ["r2:dc1:100=18446744073709551615"] },
      "BAD_SLICES: slices are given, but the distribution is vnode",
    ],
  ])("%j", (options, message) => {
    const said = refusal(options);
    expect(said).toContain(message);
    expect(said).not.toContain("\n");
  });

  it("and at the limits taken", () => {
    const seeds = Array.from(
      { length: MAX_MEMBERS - 1 },
      (_, i) => `10.0.0.1:${i + 1}:r1:dc1:${i}`,
    );
    expect(refusal({ seeds })).toBe("none");
    const racks = Array.from({ length: 28 }, (_, i) => `10.0.0.1:${i + 1}:s${i}:dc1:1`);
    expect(refusal({ seeds: racks })).toBe("none");
    expect(refusal({ rack: "r".repeat(128), tokens: "4294967295" })).toBe("none");
  });

  it.each<[string[], string]>([
    [["r2:dc1"], "write rack:datacenter:token=end,token=end,…"],
    [["r9:dc1:100=18446744073709551615"], 'slices "r9:dc1": there is no such rack'],
    [["r2:dc1:101=18446744073709551615"], "no member of rack r2 has 101 as its first token"],
    [["r2:dc1:100=18446744073709551614"], "the last slice must end at 18446744073709551615"],
    [["r2:dc1:100=5,100=5"], "ends must ascend"],
    [["r2:dc1:100=18446744073709551616"], "ends must ascend and be at most 18446744073709551615"],
    [["r2:dc1:100"], "write token=end with decimal numbers"],
    [["r2:dc1:100=18446744073709551615", "r2:dc1:100=18446744073709551615"], "two tables"],
  ])("slices %j", (slices, message) => {
    const said = refusal({ distribution: "random_slicing", slices });
    expect(said).toContain("BAD_SLICES: ");
    expect(said).toContain(message);
  });
});
