// Members that turn out to be nodes of the C engine are replicas: they get the commands of this ring's clients, and count in quorums.
import { describe, expect, it } from "vitest";
import {
  type Cluster,
  type ClusterMember,
  type Place,
  places,
  startCluster,
} from "../cluster-harness.ts";
import { until } from "../until.ts";
import { DnodeClient, REQ, REQ_FORWARD, request } from "./dnode-client.ts";
import { FakeCNode } from "./fake-c-node.ts";

const QUORUM = ["--read-consistency", "dc_quorum", "--write-consistency", "dc_quorum"];

/** A cluster in which the members from `from` on are replaced by nodes of the C engine, seen by those that are left. */
async function mixed(
  all: readonly Place[],
  from: number,
  flags: readonly string[] = QUORUM,
): Promise<{ cluster: Cluster; ours: readonly ClusterMember[]; theirs: readonly FakeCNode[] }> {
  const cluster = await startCluster({ places: all, flags });
  const ours = cluster.members.slice(0, from);
  const theirs: FakeCNode[] = [];
  for (const member of cluster.members.slice(from)) {
    await member.kill();
    theirs.push(await FakeCNode.listen(member.peerPort));
  }
  for (const member of ours) await sees(member, theirs.length);
  for (const member of ours) await member.ready();
  return { cluster, ours, theirs };
}

/** Waits until a member is linked with so many nodes of the C engine. */
async function sees(member: ClusterMember, count: number): Promise<void> {
  let info = "";
  await until(
    async () => {
      [info = ""] = await member.send(["INFO", "ring"]);
      return info.includes(`members_of_c_engine:${count}\r\n`);
    },
    () => `${info}\n${member.log}`,
  );
}

const argsOf = (node: FakeCNode) => node.received.map(({ args }) => args.join(" "));

describe("two nodes and one of the C engine", () => {
  it("give it every write as the client sent it, and answer at a quorum", async () => {
    const { ours, theirs } = await mixed(places(3), 2);
    const [one, two] = ours as [ClusterMember, ClusterMember];
    const [c] = theirs as [FakeCNode];
    expect(
      await one.send(
        ["SET", "a", "1"],
        ["incrby", "a", 41],
        ["HSET", "h", "f", "v"],
        ["MSET", "b", "x", "d", "y"],
      ),
    ).toEqual(["+OK\r\n", ":42\r\n", ":1\r\n", "+OK\r\n"]);
    expect(await two.send(["GET", "a"], ["HGET", "h", "f"], ["DEL", "b"])).toEqual([
      "$2\r\n42\r\n",
      "$1\r\nv\r\n",
      ":1\r\n",
    ]);
    await until(
      () =>
        c.strings.get("a") === "42" && !c.strings.has("b") && c.hashes.get("h")?.get("f") === "v",
      () => argsOf(c).join("\n"),
    );
    expect(argsOf(c).slice(0, 4)).toEqual(["SET a 1", "incrby a 41", "HSET h f v", "MSET b x d y"]);
    expect(new Set(c.received.map(({ type, sameDc }) => `${type} ${sameDc}`))).toEqual(
      new Set([`${REQ} 1`]),
    );
    expect([c.refused, c.deaths]).toEqual([[], []]);
    for (const node of ours) {
      expect(await node.sendAtOne(["GET", "a"], ["GET", "d"])).toEqual([
        "$2\r\n42\r\n",
        "$1\r\ny\r\n",
      ]);
    }
  });

  it("have a quorum with it when one of ours is gone, and none without it", async () => {
    const { ours, theirs } = await mixed(places(3), 2);
    const [one, two] = ours as [ClusterMember, ClusterMember];
    const [c] = theirs as [FakeCNode];
    await two.kill();
    expect(await one.send(["SET", "k", "v"], ["GET", "k"])).toEqual(["+OK\r\n", "$1\r\nv\r\n"]);
    expect(c.strings.get("k")).toBe("v");
    // Two that do not agree: the coordinator's own reply, as in the C engine, and at the safe level an error.
    c.strings.set("k", "other");
    expect(await one.send(["GET", "k"])).toEqual(["$1\r\nv\r\n"]);
    expect(
      await one.send(["RINGLET", "CONSISTENCY", "DC_SAFE_QUORUM", "DC_SAFE_QUORUM"], ["GET", "k"]),
    ).toEqual(["+OK\r\n", expect.stringMatching(/^-ERR Dynomite: Failed to achieve Quorum/)]);
    // Its server is gone: its error is no acknowledgement.
    c.instead = ([name]) =>
      name === "PING" ? "+PONG\r\n" : "-ERR Storage: Datastore refused connection\r\n";
    expect(await one.send(["SET", "k", "w"])).toEqual([
      expect.stringMatching(
        /^-ERR Dynomite: Failed to achieve Quorum \(2 of 3 needed, 1 answered\): the outcome of the write is unknown/,
      ),
    ]);
    await c.stop();
    await sees(one, 0);
    expect(await one.send(["SET", "k", "x"])).toEqual([
      expect.stringMatching(
        /^-ERR Dynomite: Failed to achieve Quorum \(2 of 3 needed, 1 answered\)\r/,
      ),
    ]);
  });

  it("refuse what it does not know with the reason, and send it nothing of that", async () => {
    const { ours, theirs } = await mixed(places(3), 2);
    const [one] = ours as [ClusterMember];
    const [c] = theirs as [FakeCNode];
    const refusal = (text: string) =>
      expect.stringMatching(
        new RegExp(
          `^-ERR Dynomite: a node of the C engine holds a replica, and .*${text}.*nothing was done`,
        ),
      );
    expect(
      await one.send(
        ["GETDEL", "k"],
        ["HSET", "h", "a", "1", "b", "2"],
        ["GET", ""],
        ["SET", "x".repeat(20_000), "v"],
        ["SELECT", "1"],
        ["SET", "k", "v"],
        ["SELECT", "0"],
        ["FLUSHALL"],
        ["WATCH", "k"],
        ["MULTI"],
        ["SET", "k", "v"],
        ["EXEC"],
        ["RINGLET", "CONSISTENCY", "DC_EACH_SAFE_QUORUM", "DC_EACH_SAFE_QUORUM"],
        ["SET", "k", "v"],
      ),
    ).toEqual([
      refusal("does not know 'getdel'"),
      refusal("does not know 'hset' with so many arguments"),
      refusal("keys of 1 to"),
      refusal("keys of 1 to"),
      "+OK\r\n",
      refusal("database 0 alone"),
      "+OK\r\n",
      refusal("does not know 'flushall'"),
      refusal("neither transactions nor WATCH"),
      "+OK\r\n",
      "+QUEUED\r\n",
      refusal("neither transactions nor WATCH"),
      "+OK\r\n",
      refusal("do not count towards this level"),
    ]);
    expect([c.received, c.refused, c.deaths]).toEqual([[], [], []]);
  });

  it("fail what it leaves without an answer by the deadline, and are linked again", async () => {
    const { ours, theirs } = await mixed(places(3), 2, [...QUORUM, "--request-timeout-ms", "500"]);
    const [one, two] = ours as [ClusterMember, ClusterMember];
    const [c] = theirs as [FakeCNode];
    await two.kill();
    c.instead = ([name]) => (name === "PING" ? "+PONG\r\n" : "nothing");
    expect(await one.send(["SET", "k", "v"])).toEqual([
      expect.stringMatching(
        /^-ERR Dynomite: Failed to achieve Quorum .*outcome of the write is unknown/,
      ),
    ]);
    c.instead = undefined;
    await sees(one, 1);
    await until(
      async () => (await one.send(["SET", "k", "v"]))[0] === "+OK\r\n",
      () => one.log,
    );
  });

  it("are all of one kind again when it is replaced by one of ours", async () => {
    const { cluster, ours, theirs } = await mixed(places(3), 2);
    const [one] = ours as [ClusterMember];
    await one.send(["SET", "k", "v"]);
    await theirs[0]!.stop();
    await cluster.members[2]!.start();
    await cluster.ready();
    await sees(one, 0);
    await until(
      async () =>
        (await one.send(["GETDEL", "k"]))[0] !== undefined &&
        !(await one.send(["GETDEL", "k"]))[0]!.startsWith("-"),
      () => one.log,
    );
    await cluster.equal();
  });
});

describe("one node among those of the C engine", () => {
  it("serves at once after a start, since there is nothing to copy, and says so", async () => {
    const { cluster, ours, theirs } = await mixed(places(3), 1);
    const [one] = ours as [ClusterMember];
    await one.kill();
    await one.start();
    await cluster.ready();
    await sees(one, 2);
    const [first, second] = theirs as [FakeCNode, FakeCNode];
    for (const c of [first, second]) c.strings.set("old", "theirs");
    expect(await one.send(["GET", "old"], ["SET", "new", "n"], ["INCR", "n"])).toEqual([
      "$6\r\ntheirs\r\n",
      "+OK\r\n",
      ":1\r\n",
    ]);
    await until(
      () =>
        [first, second].every((c) => c.strings.get("new") === "n" && c.strings.get("n") === "1"),
      () => [first, second].map(argsOf).join("\n"),
    );
    expect(await one.page("/ring")).toContain("catch-up: off");
  });

  it("forwards a write to one of theirs in another datacenter, which spreads it", async () => {
    const { ours, theirs } = await mixed([...places(1), ...places(2, 1, "dc2")], 1);
    const [one] = ours as [ClusterMember];
    expect(await one.send(["SET", "k", "v"], ["GET", "k"])).toEqual(["+OK\r\n", "$1\r\nv\r\n"]);
    const all = () => theirs.flatMap(({ received }) => received);
    await until(
      () => all().length > 0,
      () => "nothing was forwarded",
    );
    expect(all()).toEqual([{ type: REQ_FORWARD, sameDc: "0", args: ["SET", "k", "v"] }]);
  });

  it("takes none of them where its datacenter has more than three racks, or the hash is murmur3", async () => {
    for (const [all, flags, reason] of [
      [places(4), QUORUM, "4 racks"],
      [places(3), [...QUORUM, "--hash", "murmur3"], "hash is murmur3"],
    ] as const) {
      const cluster = await startCluster({ places: all, flags });
      const last = cluster.members.at(-1)!;
      await last.kill();
      const c = await FakeCNode.listen(last.peerPort);
      await cluster.members[0]!.logs(new RegExp(`PEER_VERSION_1.*${reason}`));
      expect(c.received).toEqual([]);
    }
  });
});

describe("a node of ours that is slow", () => {
  it("is not taken for one of the C engine: it shows what it is as soon as it can", async () => {
    const cluster = await startCluster({ places: places(3), flags: QUORUM });
    await cluster.ready();
    const [one, , three] = cluster.members as [ClusterMember, ClusterMember, ClusterMember];
    three.pause();
    // It has been dialled again, has said nothing, and is asked for a PING.
    await until(
      async () => /^ringlet_version1_requests_out_total [1-9]/m.test(await one.page("/metrics")),
      () => one.log,
    );
    three.goOn();
    await until(
      async () => (await one.send(["INFO", "ring"]))[0]!.includes("members_up:3\r\n"),
      () => one.log,
    );
    expect((await one.send(["INFO", "ring"]))[0]).toContain("members_of_c_engine:0\r\n");
    expect(one.log).not.toContain("node of the C engine is up");
    expect(await one.send(["SET", "k", "v"], ["GETDEL", "k"])).toEqual(["+OK\r\n", "$1\r\nv\r\n"]);
  });
});

describe("a forwarded write of a node of the C engine", () => {
  it("goes on to those of the C engine in the other racks, and to no other datacenter", async () => {
    const { ours, theirs } = await mixed([...places(2), ...places(1, 1, "dc2")], 1);
    const [one] = ours as [ClusterMember];
    const [near, far] = theirs as [FakeCNode, FakeCNode];
    const peer = await DnodeClient.connect(one.peerPort);
    peer.write(request(1, ["SET", "k", "v"], REQ_FORWARD) + request(2, ["INCR", "n"], REQ_FORWARD));
    peer.write(request(3, ["SET", "plain", "p"]));
    expect(await peer.answers(3)).toEqual(["+OK\r\n", ":1\r\n", "+OK\r\n"]);
    await until(
      () => near.received.length >= 2,
      () => argsOf(near).join("\n"),
    );
    expect(near.received).toEqual([
      { type: REQ, sameDc: "1", args: ["SET", "k", "v"] },
      { type: REQ, sameDc: "1", args: ["INCR", "n"] },
    ]);
    expect(far.received).toEqual([]);
    expect(await one.sendAtOne(["GET", "k"], ["GET", "n"])).toEqual(["$1\r\nv\r\n", "$1\r\n1\r\n"]);
    peer.destroy();
  });
});

describe("clients of a mixed ring", () => {
  it("leave the same on every replica, whatever is written at once by each to keys of its own", async () => {
    const { ours, theirs } = await mixed(places(3), 2);
    const [c] = theirs as [FakeCNode];
    const CLIENTS = 8;
    const ROUNDS = 40;
    await Promise.all(
      Array.from({ length: CLIENTS }, async (_, client) => {
        const node = ours[client % ours.length]!;
        const commands = Array.from({ length: ROUNDS }, (_, i) => [
          ["SET", `s${client}`, String(i)],
          ["INCR", `n${client}`],
        ]).flat();
        const replies = await node.send(...commands);
        expect(replies.filter((reply) => reply.startsWith("-"))).toEqual([]);
      }),
    );
    for (let client = 0; client < CLIENTS; client++) {
      await until(
        () => c.strings.get(`n${client}`) === String(ROUNDS),
        () => `n${client} is ${c.strings.get(`n${client}`)} there`,
      );
      expect(c.strings.get(`s${client}`)).toBe(String(ROUNDS - 1));
      for (const node of ours) {
        const wanted = [`$2\r\n${ROUNDS}\r\n`, `$2\r\n${ROUNDS - 1}\r\n`];
        await until(
          async () =>
            String(await node.sendAtOne(["GET", `n${client}`], ["GET", `s${client}`])) ===
            String(wanted),
          () => `a replica of ours lacks a write of client ${client}`,
        );
      }
    }
    expect([c.refused, c.deaths]).toEqual([[], []]);
  });
});
