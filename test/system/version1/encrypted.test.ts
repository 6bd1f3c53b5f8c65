// secure_server_option: nodes of the C engine that encrypt what they dial, and members of our kind that share their key.
import { generateKeyPairSync } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { testDirectory } from "../certificates.ts";
import { type ClusterMember, freePorts, places, startCluster } from "../cluster-harness.ts";
import { runRinglet } from "../harness.ts";
import { until } from "../until.ts";
import { DnodeClient, REQ_FORWARD, request } from "./dnode-client.ts";
import { FakeCNode } from "./fake-c-node.ts";
import { SessionKey } from "./session-key.ts";

/** Makes a key, and returns where it is. */
function makeKey(directory: string, bits: number, name = `${bits}.pem`): string {
  const { privateKey } = generateKeyPairSync("rsa", { modulusLength: bits });
  const path = join(directory, name);
  writeFileSync(path, privateKey.export({ type: "pkcs1", format: "pem" }));
  return path;
}

/** Flags of a member whose file says how it encrypts; all else comes from its other flags. */
function confFlags(directory: string, option: string, key: string, ...lines: string[]): string[] {
  const path = join(directory, `${Math.random()}.yml`);
  const text = [
    "dyn_o_mite:",
    ...["listen: 127.0.0.1:8102", "data_store: embedded", `secure_server_option: ${option}`],
    ...[`pem_key_file: ${key}`, ...lines],
  ];
  writeFileSync(path, `${text.join("\n  ")}\n`);
  return ["--conf-file", path];
}

describe("a node of the C engine that encrypts", () => {
  it.each([
    ["all", 1024, 16_384],
    ["datacenter", 2048, 16_384],
    ["rack", 1024, 512],
  ])(
    "is served under %s, with a key of %d bits and buffers of %d bytes",
    async (option, bits, mbufBytes) => {
      const directory = testDirectory();
      const key = makeKey(directory, bits);
      const flags = confFlags(directory, option, key, `mbuf_size: ${mbufBytes}`);
      const cluster = await startCluster({ places: places(1), flags });
      await cluster.ready();
      const node = cluster.members[0]!;
      const session = new SessionKey(readFileSync(key, "utf8"), mbufBytes);
      const peer = await DnodeClient.connect(node.peerPort, session.open);
      const big = "0123456789".repeat(10_000);
      peer.write(
        session.request(1, ["SET", "k", big]) +
          session.request(2, ["GET", "k"], REQ_FORWARD) +
          session.request(3, ["STRLEN", "k"]),
      );
      const answers = await peer.frames(3);
      expect(answers.map(({ id, flags: encrypted, payload }) => [id, encrypted, payload])).toEqual([
        [1, 1, "+OK\r\n"],
        [2, 1, `$${big.length}\r\n${big}\r\n`],
        [3, 1, `:${big.length}\r\n`],
      ]);
      peer.destroy();
      expect(node.log).toMatch(bits === 1024 ? /short enough to be broken/ : /crash with the key/);
    },
  );

  it("is closed where what it sends cannot be decrypted, and the node goes on", async () => {
    const directory = testDirectory();
    const key = makeKey(directory, 1024);
    const other = makeKey(directory, 1024, "other.pem");
    const flags = confFlags(directory, "all", key);
    const cluster = await startCluster({ places: places(1), flags });
    await cluster.ready();
    const node = cluster.members[0]!;
    const [pem, otherPem] = [readFileSync(key, "utf8"), readFileSync(other, "utf8")];
    const attempts = [
      // Its key is another one.
      new SessionKey(otherPem).request(1, ["PING"]),
      // No key has come.
      new SessionKey(pem).frame(1, "x".repeat(32), "d"),
      new SessionKey(pem).frame(1, "x".repeat(32)),
      new SessionKey(pem).frame(1, "not whole blocks"),
      new SessionKey(pem).frame(1, ""),
      new SessionKey(pem).frame(1, "x".repeat(32), "y".repeat(128)),
      // All must encrypt.
      request(1, ["PING"]),
    ];
    for (const [i, bytes] of attempts.entries()) {
      const peer = await DnodeClient.connect(node.peerPort);
      peer.write(bytes);
      expect([i, await peer.closed()]).toEqual([i, ""]);
      peer.destroy();
    }
    const page = await node.page("/metrics");
    expect(page).toMatch(
      new RegExp(
        `^ringlet_version1_\\w*closed\\w*\\{.*DECRYPT_FAILED.*\\} ${attempts.length}$`,
        "m",
      ),
    );
    const session = new SessionKey(pem);
    const peer = await DnodeClient.connect(node.peerPort, session.open);
    peer.write(session.request(1, ["PING"]));
    expect(await peer.answers(1)).toEqual(["+PONG\r\n"]);
    peer.destroy();
  });

  it("may leave out encryption where not all must", async () => {
    const directory = testDirectory();
    const flags = confFlags(directory, "datacenter", makeKey(directory, 1024));
    const cluster = await startCluster({ places: places(1), flags });
    await cluster.ready();
    const peer = await DnodeClient.connect(cluster.members[0]!.peerPort);
    peer.write(request(1, ["PING"]));
    expect(await peer.answers(1)).toEqual(["+PONG\r\n"]);
    peer.destroy();
  });
});

describe("members that share a key", () => {
  it.each(["all", "rack", "datacenter"])("encrypt their links under %s", async (option) => {
    const directory = testDirectory();
    const key = makeKey(directory, 3072);
    const flags = [
      ...confFlags(directory, option, key),
      ...["--require-encryption", "yes", "--write-consistency", "dc_quorum"],
    ];
    const cluster = await startCluster({ places: places(3), flags });
    await cluster.ready();
    expect(await cluster.members[0]!.send(["SET", "k", "x".repeat(100_000)])).toEqual(["+OK\r\n"]);
    await cluster.equal();
    const { members } = JSON.parse(await cluster.members[0]!.page("/ring"));
    expect(members.map(({ encrypted }: { encrypted: boolean | null }) => encrypted)).toEqual([
      null,
      true,
      true,
    ]);
  });

  it("refuse one with another key, and both logs say so", async () => {
    const directory = testDirectory();
    const keys = [makeKey(directory, 2048, "one.pem"), makeKey(directory, 2048, "two.pem")];
    const cluster = await startCluster({
      places: places(2),
      flagsOf: (i) => confFlags(directory, "all", keys[i]!),
    });
    for (const member of cluster.members) await member.logs(/\(SECRET_MISMATCH\)/);
  });
});

describe("a node does not start", () => {
  it.each([
    [
      "a key that is not there",
      () => "missing.pem",
      /pem_key_file: the file cannot be read: ENOENT/,
    ],
    [
      "what is no key",
      (directory: string) => join(directory, "none.pem"),
      /pem_key_file: .* cannot be used/,
    ],
    [
      "a key of 512 bits",
      (directory: string) => makeKey(directory, 512),
      /no RSA key of 1024 bits or more/,
    ],
  ])("with %s", async (_, keyOf, message) => {
    const directory = testDirectory();
    writeFileSync(join(directory, "none.pem"), "nothing\n");
    const [port] = await freePorts(1);
    const { code, stderr } = await runRinglet([
      ...["serve", "--listen", "127.0.0.1:0", "--tokens", "0"],
      ...["--dyn-listen", `127.0.0.1:${port}`],
      ...confFlags(directory, "all", keyOf(directory)),
    ]);
    expect(stderr).toMatch(message);
    expect(code).toBe(2);
  });
});

describe("members of the C engine that encrypt", () => {
  it("are sent everything encrypted under all, with a value above one buffer", async () => {
    const directory = testDirectory();
    const key = makeKey(directory, 1024);
    const pem = readFileSync(key, "utf8");
    const flags = [
      ...confFlags(directory, "all", key),
      ...["--read-consistency", "dc_quorum", "--write-consistency", "dc_quorum"],
    ];
    const cluster = await startCluster({ places: places(3), flags });
    const [one, two, three] = cluster.members as [ClusterMember, ClusterMember, ClusterMember];
    await three.kill();
    const c = await FakeCNode.listen(three.peerPort, pem);
    await until(
      async () => (await one.send(["INFO", "ring"]))[0]!.includes("members_of_c_engine:1\r\n"),
      () => one.log,
    );
    await two.kill();
    const big = "0123456789".repeat(5000);
    expect(await one.send(["SET", "k", big], ["STRLEN", "k"], ["GET", "k"])).toEqual([
      "+OK\r\n",
      `:${big.length}\r\n`,
      `$${big.length}\r\n${big}\r\n`,
    ]);
    expect(c.strings.get("k")).toBe(big);
    expect([c.decrypted, c.deaths]).toEqual([c.received.length + c.pings, []]);
  });

  it("are sent nothing where there is a secret and nothing encrypts for them", async () => {
    const cluster = await startCluster({
      places: places(3),
      secretOf: () => "a secret of the test",
    });
    const [one, , three] = cluster.members as [ClusterMember, ClusterMember, ClusterMember];
    await three.kill();
    const c = await FakeCNode.listen(three.peerPort);
    await one.logs("PEER_VERSION_1");
    expect([c.received, c.pings]).toEqual([[], 0]);
  });
});
