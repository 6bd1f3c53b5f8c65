// A node of the C engine dials a real one: what it asks is run as the C engine would run it, and whatever it sends does no harm.
import { readFileSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Cluster, type ClusterMember, places, startCluster } from "../cluster-harness.ts";
import { until } from "../until.ts";
import { DnodeClient, frame, REQ, REQ_FORWARD, request } from "./dnode-client.ts";

/** The value of a metric of a member without labels, or of all its samples together. */
async function metric(member: ClusterMember, name: string): Promise<number> {
  const page = await member.page("/metrics");
  const values = [
    ...page.matchAll(new RegExp(`^ringlet_version1_${name}(?:_total)?(?:{.*})? (\\d+)`, "gm")),
  ];
  return values.reduce((sum, [, value]) => sum + Number(value), 0);
}

describe("a node that a C node dials", () => {
  let cluster: Cluster;
  let node: ClusterMember;

  beforeAll(async () => {
    cluster = await startCluster({ places: places(1), keep: true });
    await cluster.ready();
    node = cluster.members[0]!;
  });
  afterAll(() => cluster.stop());

  it("runs requests in order, and answers each with its id", async () => {
    const peer = await DnodeClient.connect(node.peerPort);
    peer.write(
      request(4, ["SET", "a", "1"]) +
        request(9, ["INCRBY", "a", 41]) +
        request(7, ["GET", "a"]) +
        request(7, ["HSET", "h", "f", "v"], REQ_FORWARD) +
        request(12, ["hgetall", "h"], REQ_FORWARD) +
        frame(13, REQ, "PING\r\n") +
        request(14, ["GET", "missing"]),
    );
    const head = { type: 5, flags: 0, sameDc: 1 };
    expect(await peer.frames(7)).toEqual([
      { ...head, id: 4, payload: "+OK\r\n" },
      { ...head, id: 9, payload: ":42\r\n" },
      { ...head, id: 7, payload: "$2\r\n42\r\n" },
      { ...head, sameDc: 0, id: 7, payload: ":1\r\n" },
      { ...head, sameDc: 0, id: 12, payload: "*2\r\n$1\r\nf\r\n$1\r\nv\r\n" },
      { ...head, id: 13, payload: "+PONG\r\n" },
      { ...head, id: 14, payload: "$-1\r\n" },
    ]);
    expect(await node.send(["GET", "a"])).toEqual(["$2\r\n42\r\n"]);
    expect(await metric(node, "requests")).toBeGreaterThanOrEqual(7);
    peer.destroy();
  });

  it("waits for the first request of a connection that is silent, however long", async () => {
    const before = await metric(node, "connections");
    const peer = await DnodeClient.connect(node.peerPort);
    await until(
      async () => (await metric(node, "connections")) > before,
      () => "the connection is not served",
    );
    peer.write(request(1, ["SET", "late", "x"]));
    expect(await peer.answers(1)).toEqual(["+OK\r\n"]);
    peer.destroy();
  });

  it("passes over what is no request, and goes on", async () => {
    const [skipped, ignored, gossip] = await Promise.all(
      ["skipped_bytes", "ignored_frames", "gossip"].map((name) => metric(node, name)),
    );
    const peer = await DnodeClient.connect(node.peerPort);
    const wrongMagic = `$2015$ 3 3 0 1 1 *1 d *14\r\n*1\r\n$4\r\nPING\r\n`;
    const noHeader = "GET / HTTP/1.1\r\n\r\n";
    peer.write(
      noHeader +
        wrongMagic +
        [0, 1, 2, 5, 6, 99].map((type) => frame(2, type, "+OK\r\n")).join("") +
        frame(0, 7, "dc1$r1$1,1700000000,4,127.0.0.1").replace(" d ", " a ") +
        request(3, ["SET", "k", "v"]) +
        "junk" +
        request(4, ["GET", "k"]),
    );
    expect(await peer.answers(2)).toEqual(["+OK\r\n", "$1\r\nv\r\n"]);
    expect((await metric(node, "skipped_bytes")) - skipped!).toBe(
      noHeader.length + wrongMagic.length + "junk".length,
    );
    expect((await metric(node, "ignored_frames")) - ignored!).toBe(6);
    expect((await metric(node, "gossip")) - gossip!).toBe(1);
    peer.destroy();
  });

  it("reads frames cut at every byte, and lengths that are wrong", async () => {
    const peer = await DnodeClient.connect(node.peerPort);
    const set = request(1, ["SET", "cut", "v".repeat(300)]);
    for (const byte of set) {
      peer.write(byte);
      await new Promise(setImmediate);
    }
    peer.write(request(2, ["GET", "cut"]).replace(/\*\d+\r/, "*0\r"));
    peer.write(
      request(3, ["STRLEN", "cut"]).replace(/\*(\d+)\r/, (_, n) => `*${Number(n) + 31}\r`),
    );
    expect(await peer.answers(3)).toEqual([
      "+OK\r\n",
      `$300\r\n${"v".repeat(300)}\r\n`,
      ":300\r\n",
    ]);
    peer.destroy();
  });

  it("carries a value of 40 MiB, both ways", async () => {
    const value = "0123456789abcdef".repeat((40 * 1024 * 1024) / 16);
    const peer = await DnodeClient.connect(node.peerPort);
    peer.write(
      request(1, ["SET", "big", value]) + request(2, ["GET", "big"]) + request(3, ["DEL", "big"]),
    );
    const [set, get, del] = await peer.answers(3);
    expect([set, del]).toEqual(["+OK\r\n", ":1\r\n"]);
    expect(get === `$${value.length}\r\n${value}\r\n`).toBe(true);
    peer.destroy();
  });

  it("answers what it cannot run with an error, and stays", async () => {
    const peer = await DnodeClient.connect(node.peerPort);
    peer.write(
      request(1, ["NOSUCH", "x"]) +
        request(2, ["GET"]) +
        request(3, ["HGET", "s", "f"]) +
        request(4, ["SET", "s", "v"]) +
        request(5, ["HGET", "s", "f"]) +
        request(6, ["EVAL", "return 1", 1, "k"]) +
        request(7, ["QUIT"]) +
        request(8, ["GET", "s"]),
    );
    expect(await peer.answers(8)).toEqual([
      "-ERR unknown command 'NOSUCH'\r\n",
      "-ERR wrong number of arguments for 'get' command\r\n",
      "$-1\r\n",
      "+OK\r\n",
      expect.stringMatching(/^-WRONGTYPE /),
      expect.stringMatching(/^-ERR .*'EVAL' was not run: .*read_repairs_enabled: false/),
      "+OK\r\n",
      "$1\r\nv\r\n",
    ]);
    peer.destroy();
  });

  it.each([
    ["a payload that is no command", frame(2, REQ, "*1\r\n:1\r\n"), "DNODE_BAD_PAYLOAD"],
    [
      "an encrypted payload",
      frame(2, REQ, "0123456789abcdef").replace(" 3 0 ", " 3 1 "),
      "DECRYPT_FAILED",
    ],
    ["a payload of 4 GB", "   $2014$ 2 3 1 1 1 *1 d *4000000000\r\n", "DNODE_LONG_PAYLOAD"],
    ["a value of 500 MB", frame(2, REQ, "*2\r\n$3\r\nGET\r\n$500000000\r\n"), "DNODE_LONG_PAYLOAD"],
    ["a data field of 4 GB", "   $2014$ 2 3 0 1 1 *4000000000 ", "DNODE_LONG_DATA"],
  ])("closes the connection with %s, what came before is answered", async (_, bytes, code) => {
    const before = await metric(node, "closed");
    const peer = await DnodeClient.connect(node.peerPort);
    peer.write(request(1, ["SET", "k", "v"]) + bytes + request(3, ["SET", "k", "w"]));
    expect(await peer.answers(1)).toEqual(["+OK\r\n"]);
    expect(await peer.closed()).toBe("");
    expect(await metric(node, "closed")).toBe(before + 1);
    expect(await node.page("/metrics")).toContain(
      `ringlet_version1_closed_total{reason="${code}"}`,
    );
    expect(await node.send(["GET", "k"])).toEqual(["$1\r\nv\r\n"]);
  });

  it("answers what was asked when the peer sends nothing more", async () => {
    const peer = await DnodeClient.connect(node.peerPort);
    peer.write(request(1, ["SET", "half", "x"]) + request(2, ["GET", "half"], REQ_FORWARD));
    peer.end();
    expect(await peer.answers(2)).toEqual(["+OK\r\n", "$1\r\nx\r\n"]);
    expect(await peer.closed()).toBe("");
  });
});

describe("members that a C node of another datacenter dials", () => {
  it("give a forwarded write to the other racks of theirs, a plain one to nobody, and neither to other datacenters", async () => {
    const cluster = await startCluster({ places: [...places(3), ...places(1, 1, "dc2")] });
    await cluster.ready();
    const [one, two, three, other] = cluster.members as [
      ClusterMember,
      ClusterMember,
      ClusterMember,
      ClusterMember,
    ];
    const peer = await DnodeClient.connect(one.peerPort);
    peer.write(
      request(1, ["SET", "plain", "p"]) + request(2, ["SET", "forwarded", "f"], REQ_FORWARD),
    );
    peer.write(
      request(3, ["INCRBY", "count", 5], REQ_FORWARD) + request(4, ["INCR", "count"], REQ_FORWARD),
    );
    expect(await peer.answers(4)).toEqual(["+OK\r\n", "+OK\r\n", ":5\r\n", ":6\r\n"]);
    const GETS = [
      ["GET", "forwarded"],
      ["GET", "count"],
      ["GET", "plain"],
    ];
    for (const member of [one, two, three]) {
      let replies: string[] = [];
      await until(
        async () => {
          replies = await member.sendAtOne(...GETS);
          return replies[0] === "$1\r\nf\r\n" && replies[1] === "$1\r\n6\r\n";
        },
        () => `a rack answers ${replies}`,
      );
      expect(replies[2]).toBe(member === one ? "$1\r\np\r\n" : "$-1\r\n");
    }
    expect(await other.sendAtOne(...GETS)).toEqual(["$-1\r\n", "$-1\r\n", "$-1\r\n"]);
    peer.destroy();
  });

  it("are closed to it where the cluster has a secret", async () => {
    const cluster = await startCluster({
      places: places(1),
      secretOf: () => "a secret of the test",
    });
    const peer = await DnodeClient.connect(cluster.members[0]!.peerPort);
    peer.write(request(1, ["SET", "k", "v"]));
    expect(await peer.closed()).toBe("");
    await cluster.members[0]!.logs("PEER_VERSION_1");
  });
});

describe("the recorded requests of a C node", () => {
  const folder = new URL("../../fixtures/dnode/", import.meta.url);
  const bytesOf = (file: string) => readFileSync(new URL(file, folder), "latin1");
  /** The payload of a frame without its magic. */
  const bodyOf = (text: string) => text.slice(text.indexOf("\r\n") + 2);
  /** What the recorded scenario wrote into this node's server without a node. */
  const PUT_THERE = [
    ["div", "val-1"],
    ["div2", "B"],
    ["div3", "ABC"],
    ["only2", "B"],
  ] as const;
  /** The answer while the recorded scenario had stopped that server. */
  const STOPPED = "-ERR Storage: Datastore refused connection\r\n";
  /** Commands of types that the embedded store does not have. */
  const MISSING =
    /^\*\d+\r\n\$\d+\r\n([lrszLRSZ](?:push|pop|range|add|card|members|rem|score|ismember|len|inter|union|diff|index|trim|set)|sort|eval)/i;

  it.each([
    "rack3-dc-quorum/6-n1-to-n2.bin",
    "dc2-none/10-n1-to-n3.bin",
    "fwd-none/2-n1-to-n2.bin",
  ])("%s has the recorded answers", async (file) => {
    const cluster = await startCluster({ places: places(1) });
    await cluster.ready();
    const [node] = cluster.members as [ClusterMember];
    await node.send(...PUT_THERE.map(([key, value]) => ["SET", key, value]));
    const peer = await DnodeClient.connect(node.peerPort);
    const requests = bytesOf(file);
    const answers = bytesOf(file.replace(/(n\d)-to-(n\d)/, "$2-to-$1"));
    peer.write(requests);
    const recorded = answers.split("   $2014$ ").slice(1);
    const got = await peer.frames(recorded.length);
    const commands = requests.split("   $2014$ ").slice(1);
    const isComparable = (_: unknown, i: number) =>
      !MISSING.test(bodyOf(commands[i]!)) && bodyOf(recorded[i]!) !== STOPPED;
    const pairs = <Text>(texts: readonly Text[]) =>
      texts.map((text, i) => [bodyOf(commands[i]!), text]).filter(isComparable);
    const wanted = pairs(recorded.map((text) => `${text.split(" ")[0]} ${bodyOf(text)}`));
    expect(pairs(got.map(({ id, payload }) => `${id} ${payload}`))).toEqual(wanted);
    expect(wanted.length).toBeGreaterThan(recorded.length / 3);
    peer.destroy();
  });
});
