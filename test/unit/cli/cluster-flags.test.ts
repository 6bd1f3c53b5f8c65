// The flags that make a node a member of a cluster, and those of the other commands.
import { describe, expect, it } from "vitest";
import { splitSeeds } from "../../../src/cli/cluster-flags.ts";
import { CLUSTER_FLAGS, variableOf } from "../../../src/cli/flags.ts";
import { readInvocation } from "../../../src/cli/options.ts";
import { buildTopology } from "../../../src/ring/topology.ts";

function cluster(args: readonly string[], environment: Record<string, string> = {}) {
  const invocation = readInvocation(["serve", ...args], environment);
  if (invocation.command !== "serve") throw new Error(`read as ${invocation.command}`);
  return invocation.options.cluster;
}

describe("a node of ringlet serve", () => {
  it("is alone without tokens", () => {
    expect(cluster([])).toBeUndefined();
    expect(cluster([], { RINGLET_TOKENS: "" })).toBeUndefined();
  });

  it("is a member with tokens, in the default place", () => {
    expect(cluster(["--tokens", "1,2"])).toEqual({
      options: { tokens: "1,2", listen: { host: "127.0.0.1", port: 8101 }, seeds: [], slices: [] },
      secretFile: undefined,
    });
  });

  it("reads every flag of a cluster", () => {
    const args = [
      ...["--cluster-name", "c", "--datacenter", "d1", "--rack", "r1", "--tokens", "5"],
      ...["--dyn-listen", "0.0.0.0:9101", "--dyn-advertise", "[::1]:9101"],
      ...["--dyn-seeds", "a:1:r:d:1,2,b:1:r:d:3", "--dyn-seeds", "c:1:r:d:4"],
      ...["--dyn-seed-provider", "dns_provider", "--dns-server", "127.0.0.1:53"],
      ...["--hash", "md5", "--hash-tag", "{}", "--distribution", "random-slicing"],
      ...["--slices", "r1:d1:5=18446744073709551615;r:d:1=1", "--slices", "r2:d1:7=3"],
      ...["--cluster-secret-file", "/run/secret"],
    ];
    for (const { name } of CLUSTER_FLAGS) expect(args).toContain(`--${name}`);
    expect(cluster(args)).toEqual({
      options: {
        name: "c",
        datacenter: "d1",
        rack: "r1",
        tokens: "5",
        listen: { host: "0.0.0.0", port: 9101 },
        advertise: { host: "::1", port: 9101 },
        seeds: ["a:1:r:d:1,2", "b:1:r:d:3", "c:1:r:d:4"],
        hash: "md5",
        hashTag: "{}",
        distribution: "random_slicing",
        slices: ["r1:d1:5=18446744073709551615", "r:d:1=1", "r2:d1:7=3"],
      },
      secretFile: "/run/secret",
      seedSource: {
        kind: "dns",
        name: "_dynomite.ec2-internal",
        server: { host: "127.0.0.1", port: 53 },
      },
    });
  });

  it.each(CLUSTER_FLAGS.map(({ name }) => name))("takes %s from its variable too", (name) => {
    const values: Readonly<Record<string, string>> = {
      "dyn-listen": "h:1",
      "dyn-advertise": "h:1",
      "dyn-seed-provider": "florida_provider",
      "dns-server": "h:1",
      distribution: "vnode",
    };
    const value = values[name] ?? "7";
    const byFlag = cluster(["--tokens", "1", `--${name}`, value]);
    expect(byFlag).toBeDefined();
    expect(
      cluster(["--tokens", "1"].slice(name === "tokens" ? 2 : 0), { [variableOf(name)]: value }),
    ).toEqual(byFlag);
  });

  it("takes the secret from its variable, and from no flag", () => {
    const environment = { RINGLET_CLUSTER_SECRET: "sixteen letters!" };
    expect(cluster(["--tokens", "1"], environment)?.options.secret).toBe("sixteen letters!");
    expect(() => cluster(["--cluster-secret", "x"])).toThrow("there is no flag --cluster-secret");
  });

  it.each<[string[], Record<string, string>, string]>([
    [
      ["--rack", "r1"],
      {},
      "--rack is for members of a cluster: give --tokens too, as in --tokens 0",
    ],
    [[], { RINGLET_DYN_SEEDS: "x" }, "RINGLET_DYN_SEEDS is for members of a cluster"],
    [[], { RINGLET_CLUSTER_SECRET: "x" }, "RINGLET_CLUSTER_SECRET is for members of a cluster"],
    [
      ["--tokens", "1", "--cluster-secret-file", "f"],
      { RINGLET_CLUSTER_SECRET: "x" },
      "--cluster-secret-file and RINGLET_CLUSTER_SECRET are both set; leave one out",
    ],
    [
      ["--tokens", "1", "--dyn-listen", "8101"],
      {},
      '--dyn-listen cannot be "8101": give host:port, as in 127.0.0.1:8102',
    ],
    [
      ["--tokens", "1", "--distribution", "ketama"],
      {},
      '--distribution cannot be "ketama": give one of vnode, random_slicing',
    ],
  ])("refuses %j %j", (args, environment, message) => {
    expect(() => cluster(args, environment)).toThrow(message);
  });
});

describe("seeds in one text", () => {
  it.each([
    ["", []],
    ["a:1:r:d:1", ["a:1:r:d:1"]],
    ["a:1:r:d:1,2,3", ["a:1:r:d:1,2,3"]],
    ["a:1:r:d:1,2, b:1:r:d:3 ,c:1:r:d:4,5", ["a:1:r:d:1,2", "b:1:r:d:3", "c:1:r:d:4,5"]],
    ["[::1]:1:r:d:1,[::2]:1:r:d:2,3,", ["[::1]:1:r:d:1", "[::2]:1:r:d:2,3"]],
    ["12,a:1:r:d:1", ["12", "a:1:r:d:1"]],
  ])("%j", (text, seeds) => {
    expect(splitSeeds(text)).toEqual(seeds);
  });

  it("make a topology", () => {
    const seeds = splitSeeds("a:1:r1:localdc:1,2,b:1:r2:localdc:3");
    const { members } = buildTopology({ tokens: "0", listen: { host: "c", port: 1 }, seeds });
    expect(members.map(({ tokenTexts }) => tokenTexts.join())).toEqual(["0", "1,2", "3"]);
  });
});

describe("the other commands", () => {
  it("have their defaults", () => {
    expect(readInvocation(["dev"], {})).toEqual({
      command: "dev",
      options: { nodes: 3, port: 8102, logLevel: "warn" },
    });
    const stats = { host: "127.0.0.1", port: 22_222 };
    expect(readInvocation(["ring"], {})).toEqual({ command: "ring", options: { stats } });
    expect(readInvocation(["status"], {})).toEqual({ command: "status", options: { stats } });
  });

  it("read their flags", () => {
    const args = ["dev", "--nodes", "5", "--port=9000", "--log-level", "debug"];
    expect(readInvocation(args, { RINGLET_PORT: "1", RINGLET_NODES: "2" })).toEqual({
      command: "dev",
      options: { nodes: 5, port: 9000, logLevel: "debug" },
    });
    const stats = { host: "::1", port: 5 };
    expect(readInvocation(["ring", "--stats", "[::1]:5"], {})).toMatchObject({
      options: { stats },
    });
    expect(readInvocation(["status"], { RINGLET_STATS: "[::1]:5" })).toMatchObject({
      options: { stats },
    });
  });

  it.each([
    [["dev", "--listen", "h:1"], "there is no flag --listen; ringlet dev --help lists them all"],
    [["ring", "--port", "1"], "there is no flag --port; ringlet ring --help lists them all"],
    [["dev", "--nodes", "0"], '--nodes cannot be "0": give a whole number from 1 to 28'],
    [["dev", "--nodes", "29"], '--nodes cannot be "29": give a whole number from 1 to 28'],
    [["dev", "--port", "x"], '--port cannot be "x": give a whole number from 1 to 65535'],
    [["status", "--stats", "off"], '--stats cannot be "off": give host:port'],
  ])("refuse %j", (args, message) => {
    expect(() => readInvocation(args, {})).toThrow(message);
  });
});
