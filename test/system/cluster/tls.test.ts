// Members over mutual TLS: a ring of three, and members whose certificates are not trusted.
import { connect } from "node:net";
import { beforeEach, expect, it } from "vitest";
import { Authority, type Pair, testDirectory } from "../certificates.ts";
import { type ClusterOptions, places, startCluster } from "../cluster-harness.ts";
import { runRinglet } from "../harness.ts";
import { requireProgram } from "../programs.ts";

beforeEach((context) => {
  requireProgram(context, "openssl");
});

function peerFlags({ cert, key }: Pair, authority: Authority): string[] {
  return [
    ...["--peer-tls-cert-file", cert, "--peer-tls-key-file", key],
    ...["--peer-tls-ca-cert-file", authority.file],
  ];
}

function startWith(flagsOf: ClusterOptions["flagsOf"] & {}) {
  return startCluster({ places: places(3), flagsOf });
}

it("three members share their data over mutual TLS, and need no secret to require encryption", async () => {
  const authority = new Authority(testDirectory(), "ca");
  const cluster = await startWith((i) => [
    ...peerFlags(authority.issue(`n${i}`), authority),
    ...["--require-encryption", "yes", "--write-consistency", "dc_quorum"],
  ]);
  await cluster.ready();
  const big = "x".repeat(5_000_000);
  const [first, second, third] = cluster.members;
  expect(await first!.send(["SET", "k", "v"], ["SET", "big", big], ["INCR", "n"])).toEqual([
    "+OK\r\n",
    "+OK\r\n",
    ":1\r\n",
  ]);
  expect(await second!.send(["INCR", "n"])).toEqual([":2\r\n"]);
  await cluster.equal();
  expect(await third!.sendAtOne(["GET", "k"], ["STRLEN", "big"])).toEqual([
    "$1\r\nv\r\n",
    ":5000000\r\n",
  ]);
  const { members } = JSON.parse(await first!.page("/ring"));
  const encrypted = members.map((member: { encrypted: boolean | null }) => member.encrypted);
  expect(encrypted).toEqual([null, true, true]);

  // A member that restarts comes back.
  await second!.kill();
  await second!.start();
  await cluster.ready();
  await cluster.equal();
});

it.each([
  ["another CA", /its certificate is not from a CA in --peer-tls-ca-cert-file/],
  ["an expired certificate", /its certificate has expired \(CERT_HAS_EXPIRED\)/],
])("a member with %s is refused, and the logs of both sides say so", async (what, reason) => {
  const directory = testDirectory();
  const authority = new Authority(directory, "ca");
  const stranger = new Authority(directory, "stranger");
  const cluster = await startWith((i) => {
    if (i < 2) return peerFlags(authority.issue(`n${i}`), authority);
    return what === "another CA"
      ? peerFlags(stranger.issue("n2"), stranger)
      : peerFlags(authority.issue("n2", { days: -1 }), authority);
  });
  const [first, second, refused] = cluster.members;
  await first!.ready();
  await second!.ready();
  for (const member of [first!, second!]) {
    await member.logs(new RegExp(`([Rr]efused the peer at .*): ${reason.source}`));
  }
  await refused!.logs(
    what === "another CA" ? reason : new RegExp(`refused this node: ${reason.source}`),
  );
  expect(await refused!.status("/readyz")).toBe(503);
  expect(first!.log).not.toMatch(/Linked with dc1\/r3/);
});

it("a member without TLS and one with it do not become a ring, and both say why", async () => {
  const authority = new Authority(testDirectory(), "ca");
  const cluster = await startWith((i) =>
    i === 2 ? [] : peerFlags(authority.issue(`n${i}`), authority),
  );
  const [first, , plain] = cluster.members;
  await first!.logs("it does not speak TLS");
  await plain!.logs("it speaks TLS");
  await first!.ready();
});

it("what is no member at all is closed at the address of the peers", async () => {
  const authority = new Authority(testDirectory(), "ca");
  const cluster = await startWith((i) => peerFlags(authority.issue(`n${i}`), authority));
  await cluster.ready();
  const { members } = JSON.parse(await cluster.members[0]!.page("/ring"));
  const [host, port] = members[0].address.split(":");
  const socket = connect({ host, port: Number(port) });
  socket.on("error", () => {});
  const closed = new Promise((resolve) => socket.on("close", resolve));
  socket.write("   $2014$ 1 3 0 1 1 *1 d *14\r\n*1\r\n$4\r\nPING\r\n");
  await closed;
  await cluster.members[0]!.logs("it does not speak TLS");
  await cluster.ready();
});

it("does not start without a CA for members", async () => {
  const { cert, key } = new Authority(testDirectory(), "ca").issue("node");
  const { code, stderr } = await runRinglet([
    ...["serve", "--listen", "127.0.0.1:0", "--dyn-listen", "127.0.0.1:0", "--tokens", "0"],
    ...["--peer-tls-cert-file", cert, "--peer-tls-key-file", key],
  ]);
  expect(stderr).toMatch(/nothing says whose are trusted: give --peer-tls-ca-cert-file/);
  expect(code).toBe(2);
});
