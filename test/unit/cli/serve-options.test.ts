// A node's options from flags, variables and a configuration file: which wins, and what is said of a file that cannot be.
import { describe, expect, it } from "vitest";
import { readInvocation } from "../../../src/cli/options.ts";
import type { ServeOptions } from "../../../src/cli/serve-options.ts";

type Environment = Readonly<Record<string, string>>;

/** Reads a command line where the file node.yml has the given lines of a pool. */
function invoke(lines: readonly string[], args: readonly string[], environment: Environment = {}) {
  const text = ["p:", ...lines.map((line) => `  ${line}`), ""].join("\n");
  return readInvocation(["serve", ...args], environment, (path) => {
    if (path === "node.yml") return text;
    throw new Error(`ENOENT: no such file or directory, open '${path}'`);
  });
}

function serve(
  lines: readonly string[],
  args: string[] = [],
  environment?: Environment,
): ServeOptions {
  const invocation = invoke(lines, ["--conf-file", "node.yml", ...args], environment);
  if (invocation.command !== "serve") throw new Error(`read as ${invocation.command}`);
  return invocation.options;
}

const FILE = [
  "listen: 127.0.0.1:1001",
  "stats_listen: 127.0.0.1:1002",
  "log_level: error",
  "data_store: embedded",
  "maxclients: 11",
  "tokens: 1,2",
  "rack: r-file",
  "dyn_listen: 127.0.0.1:1003",
  "dyn_advertise: h-file:1004",
  "dyn_seeds: ['a:1:r:d:1']",
  "hash_tag: '{}'",
  "cluster_secret_file: s-file",
];

describe("the options of a node", () => {
  it("are those of the file, by either name of the flag or its variable", () => {
    const options = serve(FILE);
    expect(options).toMatchObject({
      listen: { host: "127.0.0.1", port: 1001 },
      stats: { host: "127.0.0.1", port: 1002 },
      logLevel: "error",
      settings: { maxClients: 11 },
      cluster: {
        options: {
          tokens: ["1", "2"],
          rack: "r-file",
          listen: { host: "127.0.0.1", port: 1003 },
          advertise: { host: "h-file", port: 1004 },
          seeds: ["a:1:r:d:1"],
          hashTag: "{}",
        },
        secretFile: "s-file",
        seedSource: undefined,
      },
    });
    const { confFile: _, ...wanted } = options;
    for (const [args, environment] of [
      [["-c", "node.yml"], {}],
      [[], { RINGLET_CONF_FILE: "node.yml" }],
    ] as const) {
      expect(invoke(FILE, args, environment)).toMatchObject({ options: wanted });
    }
  });

  it("are those of a variable before the file, and of a flag before both", () => {
    const environment = {
      RINGLET_LISTEN: "127.0.0.1:2001",
      RINGLET_STATS_LISTEN: "off",
      RINGLET_LOG_LEVEL: "debug",
      RINGLET_MAXCLIENTS: "22",
      RINGLET_TOKENS: "3",
      RINGLET_RACK: "r-env",
      RINGLET_DYN_LISTEN: "127.0.0.1:2003",
      RINGLET_DYN_SEEDS: "b:1:r:d:1,c:1:r:d:2",
    };
    expect(serve(FILE, [], environment)).toMatchObject({
      listen: { port: 2001 },
      stats: undefined,
      logLevel: "debug",
      settings: { maxClients: 22 },
      cluster: {
        options: {
          tokens: "3",
          rack: "r-env",
          listen: { port: 2003 },
          seeds: ["b:1:r:d:1", "c:1:r:d:2"],
        },
      },
    });
    const flags = ["--listen", "127.0.0.1:3001", "--maxclients", "33", "--rack", "r-flag"];
    expect(serve(FILE, flags, environment)).toMatchObject({
      listen: { port: 3001 },
      logLevel: "debug",
      settings: { maxClients: 33 },
      cluster: { options: { rack: "r-flag" } },
    });
  });

  it("may lack in the file what a flag or variable gives", () => {
    const { cluster, listen } = serve(
      ["data_store: embedded", "dyn_seeds: ['a:1:r:d:1']"],
      ["--tokens", "7"],
      { RINGLET_LISTEN: "127.0.0.1:2001" },
    );
    expect([listen.port, cluster?.options.tokens]).toEqual([2001, "7"]);
  });

  it("have HTTP where the C engine has it when the file does not say", () => {
    const { stats } = serve(["listen: a:1", "data_store: embedded"]);
    expect(stats).toEqual({ host: "0.0.0.0", port: 22222 });
    expect(
      serve(["listen: a:1", "data_store: embedded", "stats_listen: off"]).stats,
    ).toBeUndefined();
  });

  it("have the secret of the variable before the file of the configuration file", () => {
    const { cluster } = serve(FILE, [], { RINGLET_CLUSTER_SECRET: "sixteen letters!" });
    expect([cluster?.options.secret, cluster?.secretFile]).toEqual(["sixteen letters!", undefined]);
  });

  it("have the advertised host of a flag or variable, else of the C engine's, else of the file", () => {
    const advertised = (args: string[], environment: Environment) =>
      serve(FILE, args, environment).cluster?.options.advertise;
    const variable = { EC2_PUBLIC_HOSTNAME: "ec2.example" };
    expect(advertised([], variable)).toEqual({ host: "ec2.example", port: 1003 });
    expect(advertised(["--dyn-advertise", "f:5"], variable)).toEqual({ host: "f", port: 5 });
    expect(advertised([], { ...variable, RINGLET_DYN_ADVERTISE: "e:6" })).toEqual({
      host: "e",
      port: 6,
    });
    expect(advertised([], { PUBLIC_IPV4: "::1" })).toEqual({ host: "::1", port: 1003 });
    expect(() => advertised([], { PUBLIC_HOSTNAME: "a b" })).toThrow(
      'PUBLIC_HOSTNAME cannot be "a b": give the name or address',
    );
  });

  it("have the seed source that file and variables name", () => {
    const dns = [...FILE, "dyn_seed_provider: dns_provider", "dns_server: 127.0.0.1:5353"];
    const environment = { DYNOMITE_DNS_NAME: "nodes.example" };
    expect(serve(dns, [], environment).cluster?.seedSource).toEqual({
      kind: "dns",
      name: "nodes.example",
      server: { host: "127.0.0.1", port: 5353 },
    });
    expect(
      serve(dns, ["--dyn-seed-provider", "florida_provider"]).cluster?.seedSource,
    ).toMatchObject({
      kind: "http",
    });
    expect(() => serve(dns, [], { DYNOMITE_DNS_TYPE: "A" })).toThrow(
      "DYNOMITE_DNS_TYPE cannot be A",
    );
  });

  it("are read anew with the file as it is then", () => {
    let clients = 5;
    const invocation = readInvocation(
      ["serve", "-c", "f", "--rack", "r"],
      { RINGLET_TOKENS: "1" },
      () => `p:\n  listen: a:1\n  data_store: 2\n  maxclients: ${clients}\n`,
    );
    if (invocation.command !== "serve") throw new Error("not serve");
    expect(invocation.options.settings).toEqual({ maxClients: 5 });
    clients = 6;
    expect(invocation.options.confFile?.readAgain()).toMatchObject({
      settings: { maxClients: 6 },
      cluster: { options: { rack: "r", tokens: "1" } },
    });
    clients = 0;
    expect(() => invocation.options.confFile?.readAgain()).toThrow(
      'f:4:15: error: maxclients cannot be "0"',
    );
  });
});

describe("a file that no node can start with gets", () => {
  it.each<[string[], string[], string]>([
    [
      ["listen: a"],
      [],
      "the configuration file node.yml has 2 errors:\n  node.yml:1:1: error: the pool p has no servers",
    ],
    [
      ["listen: a", "data_store: 2"],
      [],
      'the configuration file node.yml has an error:\n  node.yml:2:11: error: listen cannot be "a"',
    ],
    [
      [
        ...["listen: a:1", "data_store: 1", "servers: ['a:1:1']", "tokens: 1"],
        ...["dyn_seeds: ['b:1:r2:d:1']", "secure_server_option: all"],
      ],
      [],
      "has an error:\n  node.yml:6:3: error: dyn_seeds: this version keeps the data in a memcached server only where the node is the only member",
    ],
    [
      [
        "listen: a:1",
        "data_store: 1",
        "servers: ['a:1:1']",
        "tokens: 1",
        "dyn_seeds: ['b:1:r2:d:1']",
      ],
      [],
      "node.yml:6:3: error: dyn_seeds: this version keeps the data in a memcached server only where the node is the only member",
    ],
    [
      ["listen: a:1", "data_store: 2", "secure_server_option: rack"],
      [],
      "node.yml:4:3: error: secure_server_option is for members of a cluster: give tokens too",
    ],
    [
      ["listen: a:1", "data_store: 2", "tokens: 1", "dyn_seeds: ['b:1:r:d:1', 'c:1:r:d:1']"],
      [],
      "node.yml:5:3: error: dyn_seeds: token 1 is there twice in rack r of d",
    ],
    [
      ["listen: a:1", "data_store: 2", "tokens: 1"],
      ["--slices", "x"],
      "slices are given, but the distribution is vnode",
    ],
  ])("%j %j", (lines, args, message) => {
    expect(() => serve(lines, args)).toThrow(message);
  });

  it("the reason why it cannot be read", () => {
    expect(() => invoke([], ["-c", "none.yml"])).toThrow(
      "the configuration file none.yml cannot be read: ENOENT: no such file or directory, open 'none.yml'",
    );
  });
});

it("secure_server_option says how a member encrypts, and which key it reads", () => {
  const security = (...lines: string[]) => serve([...FILE, ...lines], []).cluster?.security;
  expect(security()).toBe(undefined);
  expect(security("secure_server_option: none", "pem_key_file: k.pem")).toBe(undefined);
  expect(security("secure_server_option: rack")).toEqual({
    ...{ option: "rack", keyFile: "conf/dynomite.pem", mbufBytes: 16_384 },
  });
  expect(security("secure_server_option: all", "pem_key_file: k", "mbuf_size: 512")).toEqual({
    ...{ option: "all", keyFile: "k", mbufBytes: 512 },
  });
});

describe("--test-conf", () => {
  it.each([["--test-conf"], ["-t"]])("%s asks whether the file is right", (flag) => {
    expect(invoke(FILE, ["-c", "node.yml", flag])).toMatchObject({
      command: "test-conf",
      confFile: { path: "node.yml", configuration: { pool: "p" }, warnings: [] },
    });
  });

  it("needs a file, and takes no value", () => {
    expect(() => invoke(FILE, ["-t"])).toThrow(
      "--test-conf needs a file: give --conf-file <path> too",
    );
    expect(() => invoke(FILE, ["--test-conf=yes"])).toThrow("--test-conf takes no value");
  });

  it("has warnings in the order of the lines", () => {
    const lines = [
      "mbuf_size: 512",
      "listen: a:1",
      "backlog: 5",
      "data_store: 2",
      "gos_interval: 7",
    ];
    const invocation = invoke(lines, ["-t", "-c", "node.yml"]);
    if (invocation.command !== "test-conf") throw new Error("not test-conf");
    expect(invocation.confFile.warnings.map(({ key }) => key)).toEqual([
      "mbuf_size",
      "backlog",
      "gos_interval",
    ]);
  });
});
