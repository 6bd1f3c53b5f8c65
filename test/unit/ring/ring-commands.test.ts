// The host's commands in a ring: who runs them, what is replicated, what is said when that fails.
import { describe, expect, it } from "vitest";
import { fromLatin1 } from "../../../src/store/arguments.ts";
import { failed, settle } from "../doors/resp/node-under-test.ts";
import { FakeCluster, SIX_MEMBERS } from "./fake-cluster.ts";

/** The values of the same key on all three members. */
const all = (value: string | null) => [value, value, value];

describe("a write", () => {
  it("runs at the first available replica of the key's fixed order, whoever is asked", async () => {
    const cluster = new FakeCluster();
    const key = cluster.keyOf(1);
    expect(await cluster.node(0).run("DC_QUORUM", "incrby", key, "5")).toBe(5);
    expect(await cluster.node(2).run("DC_QUORUM", "incrby", key, "5")).toBe(10);
    expect(cluster.node(1).served).toBe(2);
    expect(cluster.held(key)).toEqual(all("10"));
  });

  it("runs at the next replica where the first is down", async () => {
    const cluster = new FakeCluster();
    const key = cluster.keyOf(1);
    await cluster.node(0).run("DC_QUORUM", "append", key, "a");
    cluster.stop(1);
    await cluster.node(0).run("DC_QUORUM", "append", key, "b");
    expect(cluster.held(key)).toEqual(["ab", "a", "ab"]);
  });

  it("does not run at a fenced replica, which has what it is sent", async () => {
    const cluster = new FakeCluster();
    const key = cluster.keyOf(1);
    cluster.node(1).isFenced = true;
    await cluster.node(1).run("DC_QUORUM", "append", key, "a");
    expect(cluster.node(1).served).toBe(0);
    expect(cluster.held(key)).toEqual(all("a"));
  });

  it("is replicated as its effect: the expiry is the same moment everywhere", async () => {
    const cluster = new FakeCluster();
    const key = cluster.keyOf(0);
    await cluster.node(1).run("DC_ONE", "set", key, "v", "nx", "px", "1000");
    await cluster.runtime.advance(999);
    for (const node of cluster.nodes) expect(await node.run("DC_ONE", "get", key)).toBe("v");
    await cluster.runtime.advance(1);
    for (const node of cluster.nodes) expect(await node.run("DC_ONE", "get", key)).toBe(null);
  });

  it("that fails in itself is replicated to nobody", async () => {
    const cluster = new FakeCluster();
    const key = cluster.keyOf(0);
    await cluster.node(0).run("DC_ONE", "set", key, "text");
    const before = cluster.delivered;
    expect(await cluster.node(1).run("DC_QUORUM", "incr", key)).toEqual(
      failed("ERR value is not an integer or out of range"),
    );
    expect(cluster.delivered).toBe(before);
  });

  it("fails before anything is written when a quorum cannot be reached, with the real numbers", async () => {
    const cluster = new FakeCluster();
    const key = cluster.keyOf(0);
    cluster.stop(1);
    cluster.stop(2);
    expect(await cluster.node(0).run("DC_QUORUM", "incr", key)).toEqual(
      failed("ERR Dynomite: Failed to achieve Quorum (2 of 3 needed, 1 answered)"),
    );
    expect(cluster.held(key)).toEqual(all(null));
    expect(await cluster.node(0).run("DC_ONE", "incr", key)).toBe(1);
  });

  it("says that its outcome is unknown when it was written and too few have acknowledged", async () => {
    const cluster = new FakeCluster();
    const key = cluster.keyOf(0);
    const { send } = cluster.node(0);
    cluster.node(0).send = async (_members, _frame, need) => {
      return { ok: false, got: 0, need, stale: false };
    };
    expect(await cluster.node(0).run("DC_QUORUM", "incr", key)).toEqual(
      failed(
        "ERR Dynomite: Failed to achieve Quorum (2 of 3 needed, 1 answered): the outcome of the write is unknown",
      ),
    );
    cluster.node(0).send = send;
  });

  it("of elements merges with what other nodes have written", async () => {
    const cluster = new FakeCluster();
    await cluster.node(0).run("DC_QUORUM", "hset", "h", "a", "1");
    await cluster.node(1).run("DC_QUORUM", "hset", "h", "b", "2");
    for (const node of cluster.nodes) {
      expect(await node.run("DC_ONE", "hmget", "h", "a", "b")).toEqual(["1", "2"]);
    }
  });

  it("rests on the newest of a quorum, also where its executor has missed it", async () => {
    const cluster = new FakeCluster();
    const key = cluster.keyOf(0);
    await cluster.runtime.advance(10);
    cluster.node(1).writeAlone(key, "41");
    expect(await cluster.node(0).run("DC_QUORUM", "incr", key)).toBe(42);
    expect(cluster.held(key)).toEqual(all("42"));
  });

  it.each([
    ["hset", "f", "v"],
    ["hmset", "f", "v"],
    ["hsetnx", "f", "v"],
    ["hdel", "f"],
    ["hincrby", "f", "1"],
  ])(
    "of elements (%s) does not replace a string that its executor has missed",
    async (...words) => {
      const cluster = new FakeCluster();
      const key = cluster.keyOf(0);
      cluster.cut(0, 1);
      cluster.cut(0, 2);
      expect(await cluster.node(1).run("DC_QUORUM", "set", key, "a string")).toBe("OK");
      cluster.heal(0, 1);
      cluster.heal(0, 2);
      const [name, ...rest] = words;
      expect(await cluster.node(0).run("DC_QUORUM", name!, key, ...rest)).toEqual(
        failed("WRONGTYPE Operation against a key holding the wrong kind of value"),
      );
      expect(cluster.held(key)).toEqual(all("a string"));
    },
  );

  it("of elements answers by what a quorum holds", async () => {
    const cluster = new FakeCluster();
    const key = cluster.keyOf(0);
    await cluster.node(0).run("DC_QUORUM", "hset", key, "f", "1");
    cluster.cut(0, 1);
    cluster.cut(0, 2);
    expect(await cluster.node(1).run("DC_QUORUM", "hdel", key, "f")).toBe(1);
    cluster.heal(0, 1);
    cluster.heal(0, 2);
    expect(await cluster.node(0).run("DC_QUORUM", "hset", key, "f", "2")).toBe(1);
  });

  it("of several keys reaches the other replicas at once", async () => {
    const cluster = new FakeCluster();
    const key = cluster.keyOf(0);
    await cluster.node(0).run("DC_ONE", "set", key, "v");
    const before = cluster.delivered;
    expect(await cluster.node(0).run("DC_QUORUM", "rename", key, "other")).toBe("OK");
    expect(cluster.delivered).toBe(before + 2);
    expect(cluster.held("other")).toEqual(all("v"));
    expect(cluster.held(key)).toEqual(all(null));
  });
});

describe("a deletion", () => {
  it("answers at DC_QUORUM how many were there by the newest of R", async () => {
    const cluster = new FakeCluster();
    const key = cluster.keyOf(0);
    cluster.node(1).writeAlone(key, "v");
    expect(await cluster.node(0).run("DC_QUORUM", "del", key)).toBe(1);
    expect(cluster.held(key)).toEqual(all(null));
  });

  it("of a missing key leaves a tombstone that an older write does not pass", async () => {
    const cluster = new FakeCluster();
    const key = cluster.keyOf(0);
    cluster.node(2).writeAlone(key, "older");
    cluster.stop(2);
    await cluster.runtime.advance(10);
    expect(await cluster.node(0).run("DC_QUORUM", "del", key)).toBe(0);
    cluster.heal(2, 0);
    expect(await cluster.node(2).run("DC_QUORUM", "get", key)).toBe(null);
  });
});

describe("an acknowledgement means newest", () => {
  it("a blind write that is stale is stamped anew", async () => {
    const cluster = new FakeCluster();
    const key = cluster.keyOf(0);
    for (const index of [1, 2]) {
      const { kernel } = cluster.node(index).store;
      kernel.observeStamp(BigInt(cluster.runtime.now() + 5000) << 16n);
      cluster.cut(0, index);
    }
    await cluster.node(1).run("DC_QUORUM", "set", key, "ahead");
    for (const index of [1, 2]) cluster.heal(0, index);
    expect(await cluster.node(0).run("DC_QUORUM", "set", key, "later")).toBe("OK");
    expect(cluster.held(key)).toEqual(all("later"));
  });

  it("a write that something newer met in between comes before that, and is not run again", async () => {
    const cluster = new FakeCluster();
    const key = cluster.keyOf(0);
    await cluster.node(0).run("DC_QUORUM", "set", key, "1");
    const send = cluster.node(0).send.bind(cluster.node(0));
    cluster.node(0).send = async (...sent) => {
      cluster.node(0).send = send;
      await cluster.runtime.advance(10);
      for (const index of [1, 2]) cluster.node(index).writeAlone(key, "from elsewhere");
      return send(...sent);
    };
    expect(await cluster.node(0).run("DC_QUORUM", "incr", key)).toBe(2);
    expect(cluster.held(key)).toEqual([expect.any(String), "from elsewhere", "from elsewhere"]);
    expect(await cluster.node(0).run("DC_QUORUM", "get", key)).toBe("from elsewhere");
  });

  it("fields of a hash are written after those that their executor has missed", async () => {
    const cluster = new FakeCluster();
    for (const index of [1, 2]) {
      const { kernel } = cluster.node(index).store;
      kernel.observeStamp(BigInt(cluster.runtime.now() + 5000) << 16n);
    }
    const key = cluster.keyOf(0);
    const [, one, two] = cluster.nodes;
    cluster.cut(0, 1);
    cluster.cut(0, 2);
    await one!.run("DC_QUORUM", "hset", key, "f", "ahead");
    cluster.heal(0, 1);
    cluster.heal(0, 2);
    expect(await cluster.node(0).run("DC_QUORUM", "hset", key, "f", "later")).toBe(0);
    expect(await two!.run("DC_QUORUM", "hget", key, "f")).toBe("later");
  });
});

describe("a read", () => {
  it("answers at DC_ONE what this replica has", async () => {
    const cluster = new FakeCluster();
    cluster.node(0).writeAlone("k", "v");
    expect(await cluster.node(0).run("DC_ONE", "strlen", "k")).toBe(1);
    expect(await cluster.node(1).run("DC_ONE", "strlen", "k")).toBe(0);
  });

  it("answers at DC_QUORUM the newest of R", async () => {
    const cluster = new FakeCluster();
    cluster.node(1).writeAlone("k", "old");
    await cluster.runtime.advance(10);
    cluster.node(2).writeAlone("k", "new");
    expect(await cluster.node(0).run("DC_QUORUM", "getrange", "k", "0", "-1")).toBe("new");
  });

  it("at DC_SAFE_QUORUM has written back what it answers", async () => {
    const cluster = new FakeCluster();
    cluster.node(2).writeAlone("k", "new");
    expect(await cluster.node(0).run("DC_SAFE_QUORUM", "get", "k")).toBe("new");
    expect(cluster.held("k")).toEqual(all("new"));
  });

  it("goes to a replica that answers reads where this node is fenced", async () => {
    const cluster = new FakeCluster();
    await cluster.node(1).run("DC_QUORUM", "set", "k", "v");
    cluster.node(0).isFenced = true;
    const served = () => cluster.nodes.reduce((sum, node) => sum + node.served, 0);
    const before = served();
    expect(await cluster.node(0).run("DC_ONE", "get", "k")).toBe("v");
    expect(served()).toBe(before + 1);
  });

  it("is answered by a quorum that this node has not heard of yet", async () => {
    const cluster = new FakeCluster();
    await cluster.node(1).run("DC_QUORUM", "set", "k", "v");
    for (const index of [1, 2]) cluster.node(index).seemsFenced = true;
    expect(await cluster.node(0).run("DC_QUORUM", "getrange", "k", "0", "-1")).toBe("v");
    expect(await cluster.node(0).run("DC_QUORUM", "append", "k", "w")).toBe(2);
    cluster.node(0).isFenced = true;
    expect(await cluster.node(0).run("DC_QUORUM", "getrange", "k", "0", "-1")).toBe("vw");
    expect(await cluster.node(0).run("DC_QUORUM", "append", "k", "x")).toBe(3);
    for (const index of [1, 2]) cluster.node(index).isFenced = true;
    for (const command of [
      ["getrange", "k", "0", "-1"],
      ["append", "k", "y"],
    ] as const) {
      expect(await cluster.node(0).run("DC_QUORUM", ...command)).toEqual(
        failed("ERR Dynomite: Failed to achieve Quorum (2 of 3 needed, 0 answered)"),
      );
    }
    expect(cluster.held("k")).toEqual(all("vwx"));
  });

  it("goes on to the next replica when a link is lost", async () => {
    const cluster = new FakeCluster({ members: SIX_MEMBERS });
    const key = "somewhere";
    const holders = cluster.node(0).replicasOf(fromLatin1(key)).local;
    const outsider = cluster.nodes.find(({ self }) => !holders.some((m) => m.index === self.index));
    await outsider!.run("DC_QUORUM", "set", key, "v");
    cluster.accident = "lost-before";
    expect(await outsider!.run("DC_ONE", "get", key)).toBe("v");
  });

  it("asks the next replica too when one keeps it waiting, until the deadline", async () => {
    const cluster = new FakeCluster({ members: SIX_MEMBERS });
    const { runtime, requestTimeoutMs } = cluster;
    const key = "somewhere";
    const holders = cluster.node(0).replicasOf(fromLatin1(key)).local;
    const outsider = cluster.nodes.find(
      ({ self }) => !holders.some((m) => m.index === self.index),
    )!;
    await outsider.run("DC_QUORUM", "set", key, "v");
    cluster.accident = "silent";
    const reply = outsider.run("DC_ONE", "get", key);
    await runtime.advance(requestTimeoutMs / 16);
    expect(await reply).toBe("v");
    // All that is left is silent.
    for (const member of holders.slice(1)) cluster.cut(outsider.self.index, member.index);
    cluster.accident = "silent";
    const none = outsider.run("DC_ONE", "get", key);
    await runtime.advance(requestTimeoutMs);
    expect(await none).toEqual(failed(expect.stringContaining("1000 ms")));
  });

  it("is asked of the replica in the own rack first", async () => {
    const cluster = new FakeCluster({ members: SIX_MEMBERS });
    const key = "somewhere";
    const holders = cluster.node(0).replicasOf(fromLatin1(key)).local;
    for (const node of cluster.nodes) {
      if (holders.some(({ index }) => index === node.self.index)) continue;
      const near = holders.find(({ rack }) => rack === node.self.rack)!;
      const before = cluster.node(near.index).served;
      await node.run("DC_ONE", "get", key);
      expect(cluster.node(near.index).served).toBe(before + 1);
    }
  });

  it("fails when no replica answers", async () => {
    const cluster = new FakeCluster({ members: SIX_MEMBERS });
    const key = "somewhere";
    const holders = cluster.node(0).replicasOf(fromLatin1(key)).local;
    for (const { index } of holders) cluster.stop(index);
    const outsider = cluster.nodes.find(({ self }) => !holders.some((m) => m.index === self.index));
    expect(await outsider!.run("DC_ONE", "get", key)).toEqual(
      failed("ERR Dynomite: Failed to achieve Quorum (1 of 3 needed, 0 answered)"),
    );
  });
});

describe("a write whose connection to the executor is lost", () => {
  it("is sent again to the same executor, which runs it once", async () => {
    const cluster = new FakeCluster();
    const key = cluster.keyOf(1);
    cluster.accident = "lost-after";
    expect(await cluster.node(0).run("DC_QUORUM", "incr", key)).toBe(1);
    expect(cluster.node(1).served).toBe(2);
    expect(cluster.held(key)).toEqual(all("1"));
  });

  it("runs when it had not arrived", async () => {
    const cluster = new FakeCluster();
    const key = cluster.keyOf(1);
    cluster.accident = "lost-before";
    expect(await cluster.node(0).run("DC_QUORUM", "incr", key)).toBe(1);
  });

  it("has an unknown outcome when the executor does not come back in time, and does not run elsewhere", async () => {
    const cluster = new FakeCluster();
    const key = cluster.keyOf(1);
    cluster.accident = "lost-after";
    const request = cluster.node(0).request.bind(cluster.node(0));
    cluster.node(0).request = (member, ...rest) =>
      request(member, ...rest).catch((error: unknown) => {
        cluster.stop(1);
        throw error;
      });
    const reply = cluster.node(0).run("DC_ONE", "incr", key);
    await cluster.runtime.advance(2000);
    expect(await reply).toEqual(
      failed(
        "ERR Dynomite: the connection to the executor, 127.0.0.1:9001 (rack rack2 of dc1), was lost: the outcome of the write is unknown",
      ),
    );
    expect(cluster.held(key)).toEqual(all("1"));
  });

  it("has an unknown outcome when the executor was started again meanwhile", async () => {
    const cluster = new FakeCluster();
    const key = cluster.keyOf(1);
    cluster.accident = "lost-before";
    const { epochOf } = cluster.node(0);
    let asked = 0;
    cluster.node(0).epochOf = (member) =>
      asked++ === 0 ? "the run before" : epochOf.call(cluster.node(0), member);
    const reply = cluster.node(0).run("DC_ONE", "incr", key);
    await settle();
    expect(String(((await reply) as { error: string }).error)).toMatch(
      /outcome of the write is unknown$/,
    );
  });

  it("has an unknown outcome when the executor has forgotten what it ran", async () => {
    const cluster = new FakeCluster();
    cluster.node(1).remembered = 1;
    const key = cluster.keyOf(1);
    const request = cluster.node(0).request.bind(cluster.node(0));
    let isFirst = true;
    cluster.node(0).request = async (member, kind, body, timeoutMs) => {
      if (!isFirst) return request(member, kind, body, timeoutMs);
      isFirst = false;
      cluster.accident = "lost-after";
      const lost = await request(member, kind, body, timeoutMs).catch((error: unknown) => error);
      await cluster.node(0).run("DC_ONE", "incr", key);
      await cluster.node(0).run("DC_ONE", "incr", key);
      throw lost;
    };
    expect(await cluster.node(0).run("DC_ONE", "incr", key)).toEqual(
      failed(
        "ERR Dynomite: the executor no longer knows whether it ran the write before: the outcome of the write is unknown",
      ),
    );
    expect(cluster.held(key)).toEqual(all("3"));
  });
});

describe("commands of several keys", () => {
  const cluster = () => new FakeCluster({ members: SIX_MEMBERS });

  /** Two keys that no member holds both of. */
  function apart(of: FakeCluster): [string, string] {
    const holders = (key: string) =>
      of
        .node(0)
        .replicasOf(fromLatin1(key))
        .local.map(({ index }) => index)
        .sort();
    for (let i = 1; ; i++)
      if (holders("k0").join() !== holders(`k${i}`).join()) return ["k0", `k${i}`];
  }

  it("are split by owner and merged in order", async () => {
    const six = cluster();
    const [a, b] = apart(six);
    const node = six.node(0);
    expect(await node.run("DC_QUORUM", "mset", a, "1", b, "2")).toBe("OK");
    expect(await node.run("DC_QUORUM", "mget", b, "none", a, b)).toEqual(["2", null, "1", "2"]);
    expect(await node.run("DC_QUORUM", "exists", a, b, a, "none")).toBe(3);
    expect(await node.run("DC_QUORUM", "touch", a, b)).toBe(2);
    expect(await node.run("DC_QUORUM", "del", a, "none", b)).toBe(2);
    expect(await node.run("DC_QUORUM", "exists", a, b)).toBe(0);
  });

  it("keep binary values and nulls when their replies are merged", async () => {
    const six = cluster();
    const [a, b] = apart(six);
    await six.node(0).run("DC_ONE", "mset", a, "\r\n$-1\r\n\xff", b, "");
    expect(await six.node(0).run("DC_ONE", "mget", a, "none", b)).toEqual([
      "\r\n$-1\r\n\xff",
      null,
      "",
    ]);
  });

  it("of different owners that cannot be split are refused with the remedy", async () => {
    const six = cluster();
    const [a, b] = apart(six);
    expect(await six.node(0).run("DC_ONE", "rename", a, b)).toEqual(
      failed(
        "ERR Dynomite: keys of 'rename' belong to different owners and the command cannot be split; set hash_tag to {} on all nodes, and give them a common hash tag, as in {user1}:a {user1}:b",
      ),
    );
    const tagged = new FakeCluster({ members: SIX_MEMBERS, hashTag: "{}" });
    const [c, d] = apart(tagged);
    expect(await tagged.node(0).run("DC_ONE", "msetnx", c, "1", d, "2")).toEqual(
      failed(
        "ERR Dynomite: keys of 'msetnx' belong to different owners and the command cannot be split; give them a common hash tag, as in {user1}:a {user1}:b",
      ),
    );
    expect(await tagged.node(0).run("DC_ONE", "msetnx", "{t}c", "1", "{t}d", "2")).toBe(1);
  });

  it("say so when a part of a write has failed", async () => {
    const six = cluster();
    const [a, b] = apart(six);
    const gone = six.node(0).replicasOf(fromLatin1(b)).local;
    const node = six.nodes.find(({ self }) => !gone.some(({ index }) => index === self.index))!;
    for (const { index } of gone) six.stop(index);
    expect(await node.run("DC_ONE", "mset", a, "1", b, "2")).toEqual(
      failed(
        "ERR Dynomite: Failed to achieve Quorum (1 of 3 needed, 0 answered); other keys of the command have been written",
      ),
    );
  });
});

describe("a node that may not coordinate", () => {
  it("refuses commands on keys and says why", async () => {
    const cluster = new FakeCluster();
    cluster.node(0).refusal = "LOADING the node has reached 1 of 3 nodes";
    expect(await cluster.node(0).run("DC_ONE", "get", "k")).toEqual(
      failed("LOADING the node has reached 1 of 3 nodes"),
    );
  });
});

describe("the time that a request has", () => {
  it("is one, whatever its node asks of others one after the other", async () => {
    const cluster = new FakeCluster({ requestTimeoutMs: 1000 });
    const key = cluster.keyOf(0);
    const node = cluster.node(0);
    node.quorumMs = 100;
    const deadline = cluster.runtime.monotonic() + 1000;
    await node.run("DC_SAFE_QUORUM", "append", key, "a");
    expect(node.deadlines).toEqual([deadline, deadline]);
    node.deadlines.length = 0;
    const second = cluster.runtime.monotonic() + 1000;
    await node.run("DC_SAFE_QUORUM", "strlen", key);
    expect(node.deadlines).toEqual([second, second]);
  });

  it("is what the asking node has left where another runs it", async () => {
    const cluster = new FakeCluster({ requestTimeoutMs: 1000 });
    const key = cluster.keyOf(1);
    const executor = cluster.node(1);
    executor.quorumMs = 100;
    const deadline = cluster.runtime.monotonic() + 1000;
    await cluster.node(0).run("DC_QUORUM", "append", key, "a");
    expect(executor.deadlines).toEqual([deadline, deadline]);
  });
});

describe("DC_EACH_SAFE_QUORUM", () => {
  const TWO_DATACENTERS = ["dc1", "dc2"].flatMap((dc) =>
    [1, 2, 3].map((rack) => `rack${rack}:${dc}:0`),
  );

  it("writes to a quorum in every datacenter", async () => {
    const cluster = new FakeCluster({ members: TWO_DATACENTERS });
    await cluster.node(0).run("DC_EACH_SAFE_QUORUM", "set", "k", "v");
    expect(cluster.held("k")).toEqual(Array(6).fill("v"));
    cluster.stop(4);
    expect(await cluster.node(0).run("DC_EACH_SAFE_QUORUM", "set", "k", "w")).toBe("OK");
    cluster.stop(5);
    expect(await cluster.node(0).run("DC_EACH_SAFE_QUORUM", "set", "k", "x")).toEqual(
      failed("ERR Dynomite: Failed to achieve Quorum (2 of 3 needed, 0 answered)"),
    );
    expect(await cluster.node(0).run("DC_QUORUM", "set", "k", "y")).toBe("OK");
  });

  it("other levels send one copy to the other datacenter, which spreads it", async () => {
    const cluster = new FakeCluster({ members: TWO_DATACENTERS });
    const sent: number[] = [];
    for (const node of cluster.nodes.slice(0, 3)) {
      const send = node.send.bind(node);
      node.send = (members, frame, need) => {
        sent.push(...members.map(({ index }) => index).filter((index) => index >= 3));
        return send(members, frame, need);
      };
    }
    await cluster.node(0).run("DC_QUORUM", "hset", "h", "f", "v");
    expect(sent).toHaveLength(1);
    for (const node of cluster.nodes) expect(await node.run("DC_ONE", "hget", "h", "f")).toBe("v");
  });
});
