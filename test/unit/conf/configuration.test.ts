// Reading a configuration file: every key of the C engine, our own, and what is said of what cannot be.
import { describe, expect, it } from "vitest";
import { confKeyOf, type Setting } from "../../../src/base/setting.ts";
import { SETTINGS, settingNames } from "../../../src/base/setting-table.ts";
import { type Configuration, readConfiguration } from "../../../src/conf/configuration.ts";
import { formatDiagnostic } from "../../../src/conf/diagnostic.ts";
import { MAX_FILE_LENGTH } from "../../../src/conf/document.ts";
import { KEYS, keyNames } from "../../../src/conf/keys.ts";

/** A pool with these lines, and what every pool needs. */
function pool(...lines: string[]): string {
  const needed = ["listen: 127.0.0.1:8102", "data_store: embedded"].filter(
    (line) => !lines.some((given) => given.split(":")[0] === line.split(":")[0]),
  );
  return ["p:", ...[...lines, ...needed].map((line) => `  ${line}`), ""].join("\n");
}

function said(text: string, given?: ReadonlySet<string>): string[] {
  const { diagnostics } = readConfiguration(text, given === undefined ? {} : { given });
  return diagnostics.map((diagnostic) => formatDiagnostic("f", diagnostic));
}

function read(text: string): Configuration {
  const { configuration } = readConfiguration(text);
  if (configuration === undefined) throw new Error(said(text).join("\n"));
  return configuration;
}

describe("a configuration file", () => {
  it("of the C engine is read with its defaults", () => {
    const { entries, ...configuration } = read(
      [
        "dyn_o_mite:",
        "  listen: 127.0.0.1:8102",
        "  dyn_listen: 127.0.0.1:8101",
        "  tokens: '101134286'",
        "  servers:",
        "  - 127.0.0.1:22122:1",
        "  data_store: 0",
        "",
      ].join("\n"),
    );
    expect(configuration).toEqual({
      pool: "dyn_o_mite",
      listen: { host: "127.0.0.1", port: 8102 },
      statsListen: { host: "0.0.0.0", port: 22222 },
      logLevel: undefined,
      settings: {},
      member: {
        clusterName: undefined,
        datacenter: undefined,
        rack: undefined,
        tokens: ["101134286"],
        listen: { host: "127.0.0.1", port: 8101 },
        advertise: undefined,
        seeds: [],
        hash: undefined,
        hashTag: undefined,
        distribution: undefined,
        slices: [],
        secretFile: undefined,
      },
      peers: {
        seedProvider: "simple_provider",
        dnsServer: undefined,
        env: "aws",
        secureServerOption: "none",
        pemKeyFile: "conf/dynomite.pem",
        gossip: false,
        gossipIntervalMs: 30_000,
        mbufSize: 16_384,
        messageRate: 50_000,
        localConnections: 1,
        remoteConnections: 1,
        readRepairs: false,
      },
      backend: {
        kind: "redis",
        address: { host: "127.0.0.1", port: 22122 },
        name: "127.0.0.1:22122",
        connections: 1,
        retryTimeoutMs: 10_000,
        failureLimit: 3,
        requirepass: undefined,
      },
    });
    expect(entries.get("servers")).toMatchObject({ line: 5, column: 3 });
  });

  it("may have every key of the C engine", () => {
    const text = [
      "dyn_o_mite:",
      "  datacenter: dc1",
      "  rack: rack1",
      "  listen: 10.0.0.1:8102 # clients",
      '  dyn_listen: "[::1]:8101"',
      "  stats_listen: 127.0.0.1:33331",
      "  servers:",
      "    - /run/redis.sock:1 cache",
      "  tokens: 1,2",
      "  dyn_seeds:",
      "  - b.example:8101:rack2:dc1:1383429731 b",
      "  - 10.0.0.3:8101:rack1:dc2:1383429731,5",
      "  dyn_seed_provider: florida_provider",
      "  hash: md5",
      "  hash_tag: '{}'",
      "  distribution: ketama",
      "  data_store: 1",
      "  timeout: 2500",
      "  backlog: 1024",
      "  client_connections: 0",
      "  read_consistency: DC_Quorum",
      "  write_consistency: dc_each_safe_quorum",
      "  secure_server_option: datacenter",
      "  pem_key_file: k.pem",
      "  recon_key_file: r.pem",
      "  recon_iv_file: i.pem",
      "  gos_interval: 10000",
      "  enable_gossip: true",
      "  preconnect: true",
      "  auto_eject_hosts: false",
      "  server_retry_timeout: 30000",
      "  server_failure_limit: 2",
      "  stats_interval: 10000",
      "  conn_msg_rate: 1000",
      "  mbuf_size: 32768",
      "  max_msgs: 300000",
      "  datastore_connections: 3",
      "  local_peer_connections: 255",
      "  remote_peer_connections: 2",
      "  read_repairs_enabled: true",
      "  env: network",
      "  dyn_read_timeout: 200000",
      "  dyn_write_timeout: 200000",
      "  dyn_connections: 100",
      "  dyn_port: 8101",
      "  server_connections: 1",
      "",
    ].join("\n");
    expect(read(text)).toMatchObject({
      listen: { host: "10.0.0.1", port: 8102 },
      statsListen: { host: "127.0.0.1", port: 33331 },
      settings: {
        requestTimeoutMs: 2500,
        readConsistency: "dc_quorum",
        writeConsistency: "dc_each_safe_quorum",
      },
      member: {
        datacenter: "dc1",
        rack: "rack1",
        tokens: ["1", "2"],
        listen: { host: "::1", port: 8101 },
        seeds: ["b.example:8101:rack2:dc1:1383429731 b", "10.0.0.3:8101:rack1:dc2:1383429731,5"],
        hash: "md5",
        hashTag: "{}",
        distribution: "vnode",
      },
      peers: {
        seedProvider: "florida_provider",
        env: "network",
        secureServerOption: "datacenter",
        pemKeyFile: "k.pem",
        gossip: true,
        gossipIntervalMs: 10_000,
        mbufSize: 32_768,
        messageRate: 1000,
        localConnections: 255,
        remoteConnections: 2,
        readRepairs: true,
      },
      backend: {
        kind: "memcached",
        address: { path: "/run/redis.sock" },
        name: "cache",
        connections: 3,
        retryTimeoutMs: 30_000,
        failureLimit: 2,
      },
    });
    const vain = said(text).map(
      (line) => /^f:\d+:\d+: warning: (\w+) has no effect: /.exec(line)![1],
    );
    expect(vain).toEqual([
      ...["distribution", "backlog", "client_connections", "recon_key_file", "recon_iv_file"],
      ...["auto_eject_hosts", "stats_interval", "max_msgs", "dyn_read_timeout"],
      ...["dyn_write_timeout", "dyn_connections", "dyn_port", "server_connections"],
    ]);
  });

  it("takes 0 for a number of the C engine that is not set", () => {
    const zeros = ["timeout", "gos_interval", "mbuf_size", "datastore_connections"];
    expect(
      said(pool(...zeros.map((key) => `${key}: 0`), "data_store: 0", "servers: [a:1:1]")),
    ).toEqual([]);
    const { settings, peers } = read(pool(...zeros.map((key) => `${key}: 0`)));
    expect([settings, peers.gossipIntervalMs, peers.mbufSize]).toEqual([{}, 30_000, 16_384]);
  });

  it.each([
    ["0", "redis"],
    ["redis", "redis"],
    ["valkey", "redis"],
    ["1", "memcached"],
    ["memcache", "memcached"],
    ["2", undefined],
    ["embedded", undefined],
  ])("with data_store: %s keeps its data in %s", (store, kind) => {
    const servers = kind === undefined ? [] : ["servers: [a:1:1]"];
    expect(read(pool(`data_store: ${store}`, ...servers)).backend?.kind).toBe(kind);
  });

  it.each<[string, unknown, string]>([
    ["127.0.0.1:6379:1", { host: "127.0.0.1", port: 6379 }, "127.0.0.1:6379"],
    ["redis.example:6379:100 main", { host: "redis.example", port: 6379 }, "main"],
    ["[::1]:6379:1", { host: "::1", port: 6379 }, "[::1]:6379"],
    ["::1:6379:1", { host: "::1", port: 6379 }, "[::1]:6379"],
    ["/run/a b.sock:1", undefined, ""],
    ["/run/redis.sock:1", { path: "/run/redis.sock" }, "/run/redis.sock"],
    ["/run/redis.sock:1 s", { path: "/run/redis.sock" }, "s"],
  ])("names the server %s", (entry, address, name) => {
    const text = pool("data_store: 0", "servers:", `- '${entry}'`);
    if (address === undefined) expect(said(text)).toHaveLength(1);
    else expect(read(text).backend).toMatchObject({ address, name });
  });

  it("has a key for every setting that has a flag", () => {
    for (const name of settingNames) {
      const setting: Setting = SETTINGS[name];
      const key = confKeyOf(setting);
      expect(key === undefined).toBe(setting.flag === undefined);
      if (key === undefined) continue;
      const value =
        setting.type === "choice"
          ? setting.choices.at(-1)
          : { bytes: "16mb", integer: "100", boolean: "true", text: "x" }[setting.type];
      expect(Object.keys(read(pool(`${key}: ${value}`)).settings)).toEqual([name]);
    }
    expect(read(pool("maxmemory: 1gb", "protected_mode: no")).settings).toEqual({
      maxMemoryBytes: 1_073_741_824,
      protectedMode: false,
    });
  });

  it("has no key twice in its tables", () => {
    const names = keyNames();
    expect(new Set(names).size).toBe(names.length);
  });

  it("keeps a token as it is written, and says what one above 32 bits counts as", () => {
    expect(read(pool("hash: murmur3", "tokens: 12345678901234567890123")).member.tokens).toEqual([
      "12345678901234567890123",
    ]);
    expect(said(pool("tokens: 4294967297"))).toEqual([
      "f:2:11: warning: tokens: token 4294967297 is above 4294967295 and counts as 1, as in the C engine",
    ]);
    expect(said(pool("tokens: '-0012'"))).toEqual([]);
  });

  it("may leave to flags what these give", () => {
    const text = "p:\n  data_store: embedded\n  dyn_seeds: [a:1:r:d:1]\n";
    expect(said(text)).toHaveLength(2);
    expect(said(text, new Set(["listen", "tokens"]))).toEqual([]);
  });
});

describe("of a configuration file is said:", () => {
  it.each<[string, string[]]>([
    ["", ["f:1:1: error: the file is empty: write one name with the keys below it"]],
    ["# nothing\n", ["f:1:1: error: the file is empty"]],
    ["just text", ["f:1:1: error: the file has no pool: write one name"]],
    ["p:\n", ['f:1:3: error: the pool "p" has no keys']],
    ["p: 1\n", ['f:1:4: error: the pool "p" has no keys']],
    ["'': {listen: a:1}\n", ["f:1:1: error: the pool has no name"]],
    [
      "p:\n  timeout: 0\nq:\n  timeout: 0\n",
      ["f:3:1: error: the file must have exactly one pool, and has 2"],
    ],
    ["p:\n  timeout: 0\n---\nq:\n", ["f:3:1: error: a second document begins here"]],
    [
      "p:\n\ttimeout: 0\n",
      ["f:2:1: error: this is no YAML: Tabs are not allowed as indentation: use spaces"],
    ],
    ["p:\n  rack: [a\n", ["f:3:1: error: this is no YAML: "]],
    ["x".repeat(MAX_FILE_LENGTH + 1), ["f:1:1: error: the file has 4194305 characters"]],
    [pool("rack: &x a"), ["f:2:12: error: rack cannot have this: an anchor of YAML"]],
    [pool("rack: !!str a"), ["f:2:15: error: rack cannot have this: a tag of YAML"]],
    [
      pool("rack: &x a", "datacenter: *x"),
      [
        "f:2:12: error: rack cannot have this: an anchor",
        "f:3:15: error: datacenter cannot have this: an alias",
      ],
    ],
    [pool("rak: a"), ["f:2:3: error: unknown key rak: write rack, or remove it"]],
    [
      pool("read-consistency: dc_one"),
      ['f:2:3: error: unknown key "read-consistency": write read_consistency, or remove it'],
    ],
    [pool("riak: a"), ["f:2:3: error: unknown key riak: "]],
    [pool("__proto__: a"), ["f:2:3: error: unknown key __proto__: remove it"]],
    [pool("[a]: b"), ["f:2:3: error: this is no key"]],
    [
      pool("rack: a", "hash: md5", "rack: b"),
      ["f:4:3: error: duplicate key rack: it is in line 2 already; remove one of them"],
    ],
    [
      pool("timeout: 100", "request_timeout_ms: 100"),
      ["f:3:3: error: request_timeout_ms sets the same as timeout in line 2: remove one of them"],
    ],
    [pool("rack:"), ["f:2:3: error: rack has no value: give it one, or remove it"]],
    [pool("rack: [a]"), ["f:2:9: error: rack cannot be a list: give one value"]],
    [pool("rack: {a: b}"), ["f:2:9: error: rack cannot have keys of its own"]],
    [
      pool("rack: a$b"),
      ['f:2:9: error: rack: "a$b" is no name of a rack: use 1 to 128 characters'],
    ],
    [pool("hash: sha1"), ['f:2:9: error: hash cannot be "sha1": give one of one_at_a_time, md5']],
    [
      pool("hash_tag: '{'"),
      ["f:2:13: error: hash_tag cannot be \"{\": give exactly two ASCII characters, as in '{}'"],
    ],
    [pool("hash_tag: {}"), ["f:2:13: error: hash_tag must be in quotes, as in hash_tag: '{}'"]],
    [
      pool("distribution: none"),
      ['f:2:17: error: distribution cannot be "none": give one of vnode, random_slicing'],
    ],
    [
      pool("timeout: -1"),
      ['f:2:12: error: timeout cannot be "-1": give a whole number from 10 to 3600000'],
    ],
    [pool("timeout: 5s"), ['f:2:12: error: timeout cannot be "5s"']],
    [
      pool("mbuf_size: 511"),
      [
        'f:2:14: error: mbuf_size cannot be "511": give a whole number from 512 to 512000, a multiple of 16',
      ],
    ],
    [pool("mbuf_size: 520"), ['f:2:14: error: mbuf_size cannot be "520"']],
    [pool("mbuf_size: 512016"), ['f:2:14: error: mbuf_size cannot be "512016"']],
    [
      pool("max_msgs: 99999"),
      [
        "f:2:3: warning: max_msgs has no effect",
        'f:2:13: error: max_msgs cannot be "99999": give a whole number from 100000 to 1000000',
      ],
    ],
    [
      pool("local_peer_connections: 256"),
      ['f:2:27: error: local_peer_connections cannot be "256": give a whole number from 1 to 255'],
    ],
    [
      pool("enable_gossip: on"),
      ['f:2:18: error: enable_gossip cannot be "on": give true or false'],
    ],
    [
      pool("secure_server_option: some"),
      [
        'f:2:25: error: secure_server_option cannot be "some": give one of none, rack, datacenter, all',
      ],
    ],
    [
      pool("read_consistency: dc_all"),
      [
        'f:2:21: error: read_consistency cannot be "dc_all": give one of dc_one, dc_quorum, dc_safe_quorum, dc_each_safe_quorum',
      ],
    ],
    [pool("listen: 8102"), ['f:2:11: error: listen cannot be "8102": give host:port']],
    [
      pool("listen: a:0"),
      [
        'f:2:11: error: listen cannot be "a:0": give host:port, as in 127.0.0.1:8102, with a port from 1 to 65535',
      ],
    ],
    [pool("listen: a:65536"), ['f:2:11: error: listen cannot be "a:65536"']],
    [
      pool("listen: /run/l.sock"),
      ["f:2:11: error: listen cannot be a Unix socket in this version"],
    ],
    [
      "p:\n  data_store: 2\n",
      ["f:1:1: error: the pool p has no listen: say where clients connect"],
    ],
    [
      "p:\n  listen: a:1\n",
      ["f:1:1: error: the pool p has no servers: say the redis server that keeps the data"],
    ],
    [
      pool("data_store: 3"),
      [
        'f:2:15: error: data_store cannot be "3": give one of 0, 1, 2, redis, valkey, memcache, memcached, embedded',
      ],
    ],
    [
      pool("data_store: 0", "servers:", "- a:1:1", "- b:1:1"),
      ["f:5:5: error: servers must name exactly one server, and names 2: remove the others"],
    ],
    [pool("data_store: 0", "servers: a:1:1"), ["f:3:12: error: servers must be a list"]],
    [
      pool("data_store: 0", "servers: [a:1]"),
      ['f:3:13: error: servers cannot be "a:1": give host:port:weight'],
    ],
    [pool("data_store: 0", "servers: [a:0:1]"), ['f:3:13: error: servers cannot be "a:0:1"']],
    [
      pool("data_store: 0", "servers: [a:1:1 b c]"),
      ['f:3:13: error: servers cannot be "a:1:1 b c"'],
    ],
    [
      pool("servers: [a:1:1]", "redis_requirepass: x"),
      [
        "f:2:3: warning: servers has no effect: the node keeps the data itself",
        "f:3:3: warning: redis_requirepass has no effect",
      ],
    ],
    [
      pool("dyn_seeds: [a:1:r:d:1]"),
      ["f:2:3: error: dyn_seeds is for members of a cluster: give tokens too"],
    ],
    [
      pool("tokens: 1", "dyn_seeds:", "- a:1:r:d", "- a:1:r:d:x", "- a:1:r r:d:1"),
      [
        'f:4:5: error: dyn_seeds: "a:1:r:d" names no member',
        'f:5:5: error: dyn_seeds: token "x" is not a decimal number',
        "f:6:5: error: dyn_seeds: ",
      ],
    ],
    [
      pool("tokens: '99999999999'"),
      ['f:2:11: error: tokens: token "99999999999" has more than 10 digits'],
    ],
    [
      pool("maxmemory: lots"),
      ['f:2:14: error: maxmemory cannot be "lots": give a number of bytes'],
    ],
  ])("%j", (text, expected) => {
    const found = said(text);
    expect(found.map((line, i) => line.slice(0, expected[i]?.length))).toEqual(expected);
    expect(readConfiguration(text).configuration === undefined).toBe(
      found.some((line) => line.includes(": error: ")),
    );
    for (const line of found) expect(line).not.toContain("\n");
  });

  it.each(["[", "{a: ", "- ", "? "])("%s nested too deeply", (opening) => {
    const found = said(`p:\n  a: ${opening.repeat(20_000)}`);
    expect(found.length).toBeGreaterThan(0);
    expect(found.length).toBeLessThan(12);
    expect(found.join("\n")).toContain(opening === "- " ? "this is no YAML" : "nested too deeply");
  });

  it("all at once, in the order of the lines", () => {
    expect(
      said(pool("rak: a", "hash: x", "timeout: y", "mbuf_size: 3")).map((line) => line.slice(0, 6)),
    ).toEqual(["f:2:3:", "f:3:9:", "f:4:12", "f:5:14"]);
  });

  it("a password never", () => {
    const text = pool(
      "data_store: 0",
      "servers: [a:1]",
      "redis_requirepass: [sesame]",
      "requirepass: {sesame: 1}",
    );
    expect(said(text)).toHaveLength(3);
    expect(said(text).join("\n")).not.toContain("sesame");
  });
});

it("only keys that have none are accepted in vain", () => {
  const vain = Object.entries(KEYS)
    .filter(([, key]) => "noEffect" in key)
    .map(([name]) => name);
  expect(vain).toEqual([
    ...["backlog", "client_connections", "stats_interval", "max_msgs", "dyn_read_timeout"],
    ...["dyn_write_timeout", "dyn_port", "dyn_connections", "recon_key_file", "recon_iv_file"],
    "server_connections",
  ]);
});
