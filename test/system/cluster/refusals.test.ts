// Nodes that must not work together: each refuses the other, with the reason in both logs.
import { describe, expect, it } from "vitest";
import { type ClusterOptions, places, startCluster } from "../cluster-harness.ts";
import { runRinglet } from "../harness.ts";

/** What differs, and what both logs must say. */
const CASES: readonly (readonly [string, Omit<ClusterOptions, "places">, RegExp])[] = [
  ["another secret", { secretOf: (i) => `the secret of node ${i}` }, /secret/],
  [
    "a secret on one side only",
    { secretOf: (i) => (i === 0 ? "known to one node" : undefined) },
    /secret/,
  ],
  [
    "another name of the cluster",
    { flagsOf: (i) => ["--cluster-name", `cluster${i}`] },
    /belongs to the cluster \\?"cluster[01]/,
  ],
  [
    "another hash",
    { flagsOf: (i) => ["--hash", i === 0 ? "murmur3" : "md5"] },
    /its configuration of the cluster .* differs/,
  ],
];

describe("two nodes refuse each other for", () => {
  it.each(CASES)("%s", async (_, options, reason) => {
    const { members } = await startCluster({ ...options, places: places(2) });
    for (const member of members) {
      await member.logs(reason);
      expect(await member.status("/readyz")).toBe(503);
      expect(await member.send(["SET", "a", "1"])).toEqual([expect.stringMatching(/^-/)]);
    }
  });

  it("the same tokens in the same rack", async () => {
    const place = { datacenter: "dc1", rack: "r1", tokens: "0" };
    // Each takes the other one for a member of another rack.
    const { members } = await startCluster({
      places: [place, place],
      seedOf: (seed) => seed.replace(":r1:", ":r2:"),
    });
    for (const member of members) await member.logs("the tokens collide");
  });
});

it("nodes that require encryption and have a secret link up", async () => {
  const cluster = await startCluster({
    places: places(2),
    flags: ["--require-encryption", "yes"],
    secretOf: () => "a secret that all of them have",
  });
  await cluster.ready();
  for (const member of cluster.members) await member.logs('"encrypted":true');
});

describe("a node does not start", () => {
  it("that requires encryption and has no secret", async () => {
    const { code, stdout, stderr } = await runRinglet([
      ...["serve", "--listen", "127.0.0.1:0", "--dyn-listen", "127.0.0.1:18101"],
      ...["--tokens", "0", "--require-encryption", "yes"],
    ]);
    expect([code, stdout]).toEqual([2, ""]);
    expect(stderr).toMatch(
      /^ringlet: [^\n]*requireEncryption: [^\n]*\(--cluster-secret-file, or RINGLET_CLUSTER_SECRET\)[^\n]*\n$/,
    );
  });

  it("with the tokens of another member of its rack", async () => {
    const { code, stdout, stderr } = await runRinglet([
      ...["serve", "--listen", "127.0.0.1:0", "--dyn-listen", "127.0.0.1:18101"],
      ...["--rack", "r1", "--datacenter", "dc1", "--tokens", "5"],
      ...["--dyn-seeds", "127.0.0.1:18102:r1:dc1:5"],
    ]);
    expect([code, stdout]).toEqual([2, ""]);
    expect(stderr).toMatch(/^ringlet: [^\n]*token 5 is there twice in rack r1 of dc1[^\n]*\n$/);
  });
});
