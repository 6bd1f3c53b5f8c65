// What clients of the door have of a ring: levels of their connection, transactions, the commands that tell about it.
import { describe, expect, it } from "vitest";
import { SILENT } from "../../../../src/base/logger.ts";
import { Settings } from "../../../../src/base/settings.ts";
import { RespWriter } from "../../../../src/codec/resp-writer.ts";
import { Commander } from "../../../../src/doors/resp/commander.ts";
import { encodeRequest, Feeder } from "../../../../src/doors/resp/feeder.ts";
import type { ClientsRing } from "../../../../src/doors/resp/ring-clients.ts";
import { Session } from "../../../../src/doors/resp/session.ts";
import { fromLatin1, latin1 } from "../../../../src/store/arguments.ts";
import { CONNECTION } from "../../../../src/store/kernel.ts";
import { FakeCluster, type FakeNode, SIX_MEMBERS } from "../../ring/fake-cluster.ts";
import { type Decoded, decodeReply } from "../../store/decode-reply.ts";
import { failed, TestNode } from "./node-under-test.ts";

/** A client of a member; every command goes to the host, as those do that the kernel hands over. */
class RingClient {
  readonly commander: Commander;
  readonly ring: FakeNode & Pick<ClientsRing, "onRetry" | "onPeerCommand" | "replies">;
  readonly session: Session;
  readonly #feeder: Feeder;

  constructor(cluster: FakeCluster, node: FakeNode, settings = new Settings({})) {
    const replies = { isGated: () => false, settled: () => Promise.resolve() };
    this.ring = Object.assign(node, { onRetry: undefined, onPeerCommand: undefined, replies });
    this.commander = new Commander({
      store: node.store,
      settings,
      runtime: cluster.runtime,
      log: SILENT,
      ring: this.ring,
      facts: {
        ...{ version: "0", platform: "test", processId: 1, port: () => 0 },
        ...{ residentBytes: () => 0, cpuSeconds: () => ({ user: 0, system: 0 }) },
      },
    });
    const { kernel, memory } = node.store;
    const connection = kernel.connectionOpen() >>> 0;
    const facts = { id: 1, remoteAddress: "", localAddress: "", connectedAt: 0 };
    this.session = new Session(node.store, connection, facts, true);
    this.commander.clients.add({
      session: this.session,
      ...{ inputBytes: 0, outputBytes: 0, pendingInputBytes: 0, pendingOutputBytes: 0 },
      ...{ lastInputAt: 0, kill: () => {} },
    });
    this.#feeder = new Feeder(node.store);
    const toHost = kernel.connectionOpen() >>> 0;
    memory.words[toHost >>> 2] = CONNECTION.host;
    this.#toHost = toHost;
  }

  readonly #toHost: number;

  async run(...words: readonly string[]): Promise<Decoded> {
    const request = encodeRequest(words.map(fromLatin1));
    const reply = new RespWriter();
    reply.protocol = this.session.protocol;
    const { later } = this.#feeder.feed(
      {
        kernelConnection: this.#toHost,
        ...{ protocol: this.session.protocol, closing: false, mustWait: false },
        mayReplyMuch: () => false,
        execute: (args, writer) => this.commander.execute(this.session, args, writer),
        send: (bytes) => reply.raw(bytes),
      },
      [request],
      request.length,
    );
    (await later)?.(reply);
    return decodeReply(latin1(reply.view(), 0, reply.length));
  }
}

function client(options = {}, index = 0, settings = new Settings({})) {
  const cluster = new FakeCluster(options);
  return { cluster, client: new RingClient(cluster, cluster.node(index), settings) };
}

describe("a read that the kernel began and cannot end", () => {
  it("is answered by a replica of its key where this node is none", async () => {
    const { cluster, client: one } = client({ members: SIX_MEMBERS });
    const key = cluster.keyOf(1);
    const holders = cluster.node(0).replicasOf(fromLatin1(key)).local;
    expect(holders).not.toContain(cluster.node(0).self);
    for (const { index } of holders) cluster.node(index).writeAlone(key, "there");
    const reply = await one.ring.onRetry!({
      ...{ slot: 1, connection: one.session.kernelConnection, database: 0 },
      request: encodeRequest(["GET", key].map(fromLatin1)),
    });
    expect(latin1(reply, 0, reply.length)).toBe("$5\r\nthere\r\n");
  });
});

describe("the levels of a connection", () => {
  it("begin as the settings say", async () => {
    const settings = new Settings({ readConsistency: "dc_quorum" });
    const { client: one } = client({}, 0, settings);
    expect(await one.run("RINGLET", "CONSISTENCY")).toEqual([
      "read",
      "DC_QUORUM",
      "write",
      "DC_ONE",
    ]);
  });

  it("are set with RINGLET CONSISTENCY, both or one", async () => {
    const { client: one } = client();
    expect(await one.run("ringlet", "consistency", "dc_quorum", "DC_SAFE_QUORUM")).toBe("OK");
    expect(one.session.levels).toEqual({ read: "DC_QUORUM", write: "DC_SAFE_QUORUM" });
    expect(await one.run("ringlet", "consistency", "write", "dc_one")).toBe("OK");
    expect(await one.run("ringlet", "consistency", "read", "dc_each_safe_quorum")).toBe("OK");
    expect(one.session.levels).toEqual({ read: "DC_EACH_SAFE_QUORUM", write: "DC_ONE" });
  });

  it("are set both with one level", async () => {
    const { client: one } = client();
    expect(await one.run("RINGLET", "CONSISTENCY", "dc_safe_quorum")).toBe("OK");
    expect(one.session.levels).toEqual({ read: "DC_SAFE_QUORUM", write: "DC_SAFE_QUORUM" });
  });

  it("are set both with DYNO_CONFIG:CONN_CONSISTENCY", async () => {
    const { client: one } = client();
    expect(await one.run("DYNO_CONFIG:CONN_CONSISTENCY", "DC_QUORUM")).toBe("OK");
    expect(one.session.levels).toEqual({ read: "DC_QUORUM", write: "DC_QUORUM" });
  });

  it("stay as they are where a name is none", async () => {
    const { client: one } = client();
    const unknown = failed(
      "ERR no consistency level has that name: use one of DC_ONE, DC_QUORUM, DC_SAFE_QUORUM, DC_EACH_SAFE_QUORUM; nothing was changed",
    );
    expect(await one.run("DYNO_CONFIG:CONN_CONSISTENCY", "ALL")).toEqual(unknown);
    expect(await one.run("RINGLET", "CONSISTENCY", "DC_ONE", "ALL")).toEqual(unknown);
    expect(await one.run("RINGLET", "CONSISTENCY", "ALL")).toEqual(unknown);
    expect(await one.run("RINGLET", "CONSISTENCY", "READ", "DC_ONE", "DC_ONE")).toEqual(
      failed("ERR syntax error"),
    );
    expect(one.session.levels).toEqual({ read: "DC_ONE", write: "DC_ONE" });
  });

  it("are what commands of the host run at", async () => {
    const { cluster, client: one } = client();
    cluster.node(2).writeAlone("k", "there");
    expect(await one.run("GETRANGE", "k", "0", "-1")).toBe("");
    await one.run("RINGLET", "CONSISTENCY", "read", "DC_QUORUM");
    expect(await one.run("GETRANGE", "k", "0", "-1")).toBe("there");
    cluster.stop(1);
    cluster.stop(2);
    expect(await one.run("HSET", "h", "f", "v")).toBe(1);
    await one.run("RINGLET", "CONSISTENCY", "write", "DC_QUORUM");
    expect(await one.run("HSET", "h", "f", "v")).toEqual(
      failed("ERR Dynomite: Failed to achieve Quorum (2 of 3 needed, 1 answered)"),
    );
  });

  it("mean nothing on a node that is alone", () => {
    const alone = new TestNode().connect();
    const error = failed(
      "ERR there is no ring: this node is alone, and every read and write is its own",
    );
    expect(alone.run("RINGLET", "CONSISTENCY")).toEqual(error);
    expect(alone.run("RINGLET", "CONSISTENCY", "DC_ONE", "DC_ONE")).toEqual(error);
    expect(alone.run("DYNO_CONFIG:CONN_CONSISTENCY", "DC_ONE")).toEqual(error);
    expect(alone.run("RINGLET", "RING")).toEqual(error);
    expect(alone.run("INFO", "ring")).toBe("# Ring\r\nring_enabled:0\r\n");
  });
});

describe("a transaction in a ring", () => {
  it("runs at the executor; commands without keys run here, each reply in its place", async () => {
    const { cluster, client: one } = client();
    const key = cluster.keyOf(2);
    expect(await one.run("MULTI")).toBe("OK");
    for (const words of [["SET", key, "1"], ["ECHO", "between"], ["INCR", key], ["PING"]]) {
      expect(await one.run(...words)).toBe("QUEUED");
    }
    expect(await one.run("EXEC")).toEqual(["OK", "between", 2, "PONG"]);
    expect(cluster.node(2).served).toBe(1);
    expect(cluster.held(key)).toEqual(["2", "2", "2"]);
  });

  it("follows SELECT", async () => {
    const { cluster, client: one } = client();
    const key = cluster.keyOf(1);
    await one.run("MULTI");
    for (const words of [
      ["SET", key, "in 0"],
      ["SELECT", "5"],
      ["SET", key, "in 5"],
    ]) {
      await one.run(...words);
    }
    expect(await one.run("EXEC")).toEqual(["OK", "OK", "OK"]);
    expect(one.session.database).toBe(5);
    expect(await one.run("GET", key)).toBe("in 5");
    expect(cluster.held(key)).toEqual(["in 0", "in 0", "in 0"]);
  });

  it("cannot have keys of different owners: the command is refused, and EXEC with it", async () => {
    const { client: one } = client({ members: SIX_MEMBERS, hashTag: "{}" });
    await one.run("MULTI");
    const replies: Decoded[] = [];
    for (let i = 0; i < 20; i++) replies.push(await one.run("SET", `k${i}`, "v"));
    expect(replies[0]).toBe("QUEUED");
    expect(replies).toContainEqual(
      failed(
        "ERR Dynomite: the keys of a transaction, watched ones included, must belong to the same owners; give them a common hash tag, as in {user1}:a {user1}:b",
      ),
    );
    expect(await one.run("EXEC")).toEqual(
      failed("EXECABORT Transaction discarded because of previous errors."),
    );
    expect(await one.run("EXISTS", "k0")).toBe(0);
  });

  it("cannot have commands over all owners", async () => {
    const { client: one } = client();
    await one.run("MULTI");
    expect(await one.run("FLUSHALL")).toEqual(
      failed(
        "ERR Dynomite: 'flushall' works on all owners and cannot be part of a transaction, which one of them runs",
      ),
    );
    expect(await one.run("DISCARD")).toBe("OK");
    expect(await one.run("FLUSHALL")).toBe("OK");
  });

  it("runs nothing where a watched key has changed at another node", async () => {
    const { cluster, client: one } = client();
    const other = new RingClient(cluster, cluster.node(1));
    await one.run("DYNO_CONFIG:CONN_CONSISTENCY", "DC_QUORUM");
    expect(await one.run("WATCH", "k")).toBe("OK");
    await cluster.runtime.advance(1);
    await other.run("SET", "k", "theirs");
    await one.run("MULTI");
    await one.run("SET", "k", "mine");
    expect(await one.run("EXEC")).toBe(null);
    expect(await one.run("GET", "k")).toBe("theirs");
    await one.run("WATCH", "k");
    await one.run("UNWATCH");
    await other.run("SET", "k", "theirs again");
    await one.run("MULTI");
    await one.run("SET", "k", "mine");
    expect(await one.run("EXEC")).toEqual(["OK"]);
  });

  it("that cannot reach its quorum says so", async () => {
    const { cluster, client: one } = client();
    await one.run("DYNO_CONFIG:CONN_CONSISTENCY", "DC_QUORUM");
    await one.run("MULTI");
    await one.run("SET", "k", "v");
    cluster.stop(1);
    cluster.stop(2);
    expect(await one.run("EXEC")).toEqual(
      failed("ERR Dynomite: Failed to achieve Quorum (2 of 3 needed, 1 answered)"),
    );
    expect(await one.run("PING")).toBe("PONG");
  });
});

describe("what tells about the ring", () => {
  it("RINGLET RING has a line for each member", async () => {
    const { cluster, client: one } = client();
    cluster.stop(2);
    cluster.node(1).isFenced = true;
    expect(await one.run("RINGLET", "RING")).toEqual([
      "127.0.0.1:9000 (rack rack1 of dc1) tokens 0: this node, up",
      "127.0.0.1:9001 (rack rack2 of dc1) tokens 0: up, catching up",
      "127.0.0.1:9002 (rack rack3 of dc1) tokens 0: down",
    ]);
  });

  it("INFO ring and RINGLET STATUS count members", async () => {
    const { cluster, client: one } = client();
    cluster.stop(2);
    const info = String(await one.run("INFO", "ring"));
    expect(info).toContain("ring_enabled:1\r\n");
    expect(info).toContain("members:3\r\nmembers_up:2\r\n");
    expect(await one.run("RINGLET", "STATUS")).toContain("replicas_per_datacenter: 3");
  });

  it("errors of commands that others have part in are counted", async () => {
    const { cluster, client: one } = client();
    await one.run("SET", "k", "text");
    await one.run("HSET", "k", "f", "v");
    expect(one.commander.table.get("hset")!.counters.failed.total).toBe(1);
    expect(one.commander.statistics.errors("ever").get("WRONGTYPE")).toBe(1);
    expect(cluster.held("k")).toEqual(["text", "text", "text"]);
  });
});
