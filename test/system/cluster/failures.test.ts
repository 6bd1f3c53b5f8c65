// Members of a cluster of three racks at DC_QUORUM that are killed, paused and started again under load: what their clients see,
// held against histories that are kept outside.
import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { describe, expect, it, onTestFinished, type TestContext } from "vitest";
import { type Cluster, type ClusterMember, places, startCluster } from "../cluster-harness.ts";
import { RawClient } from "../differential/raw-client.ts";
import { requireProgram } from "../programs.ts";
import { until } from "../until.ts";
import { connectRedis, Writer } from "./history.ts";
import { pauseReplica } from "./paused-replica.ts";

const QUORUM = ["--read-consistency", "dc_quorum", "--write-consistency", "dc_quorum"];
const NO_QUORUM = "-ERR Dynomite: Failed to achieve Quorum (2 of 3 needed, 1 answered)";

/** How long a replica stands still under load. The soak has a minute. */
const PAUSED_MS = 8000;

const run = promisify(execFile);

type Three = readonly [ClusterMember, ClusterMember, ClusterMember];

async function threeRacks(...flags: string[]): Promise<{ cluster: Cluster; members: Three }> {
  const cluster = await startCluster({ places: places(3), flags: [...QUORUM, ...flags] });
  await cluster.ready();
  return { cluster, members: cluster.members as unknown as Three };
}

/** The replies to commands that a member is sent in one go. */
const ask = (member: ClusterMember, ...lines: string[]) =>
  member.send(...lines.map((line) => line.split(" ")));

/** Reads keys that nobody writes any more, at DC_ONE over and over: each holds its own name. */
class SettledReader {
  readonly #client: RawClient;
  readonly #keys: readonly string[];
  readonly #wrong: string[] = [];
  #rounds = 0;
  #stopped = false;
  #done: Promise<void> = Promise.resolve();

  private constructor(client: RawClient, keys: readonly string[]) {
    this.#client = client;
    this.#keys = keys;
  }

  static async start({ port }: ClusterMember, keys: readonly string[]): Promise<SettledReader> {
    const client = await RawClient.connect({ host: "127.0.0.1", port, noDelay: true });
    onTestFinished(() => client.close());
    await client.send([["RINGLET", "CONSISTENCY", "DC_ONE", "DC_ONE"]]);
    const reader = new SettledReader(client, keys);
    reader.#done = reader.#read();
    return reader;
  }

  /** Waits for a few more rounds. */
  async more(): Promise<void> {
    const wanted = this.#rounds + 5;
    await until(
      () => this.#rounds >= wanted,
      () => "reads of a member that has started again hang",
    );
  }

  /** The replies that were neither right nor an error. */
  async stop(): Promise<readonly string[]> {
    this.#stopped = true;
    await this.#done;
    return this.#wrong;
  }

  async #read(): Promise<void> {
    const gets = this.#keys.map((key) => ["GET", key]);
    const right = this.#keys.map((key) => `$${key.length}\r\n${key}\r\n`);
    const all = `*${right.length}\r\n${right.join("")}`;
    while (!this.#stopped) {
      const replies = await this.#client.send([
        ...gets,
        ["MGET", ...this.#keys],
        ["HLEN", "settled"],
      ]);
      for (const [i, reply] of replies.entries()) {
        if (reply.startsWith("-") || reply === [...right, all, ":1\r\n"][i]) continue;
        this.#wrong.push(reply);
      }
      this.#rounds++;
    }
  }
}

/** Sets so many keys through a member, with redis-benchmark. */
async function load(context: TestContext, member: ClusterMember, count: number): Promise<void> {
  const program = requireProgram(context, "redis-benchmark");
  const flags = ["-p", String(member.port), "-q", "-t", "set", "-P", "64", "-d", "100"];
  await run(program, [...flags, "-r", String(count), "-n", String(count * 3)]);
}

describe("one of three nodes", () => {
  it("is killed: the others go on; started again, it is whole, and answers nothing wrong before", async (context) => {
    const { cluster, members } = await threeRacks();
    const [one, two, three] = members;
    await load(context, one, 50_000);
    const settled = Array.from({ length: 50 }, (_, i) => `settled:${i}`);
    await ask(one, ...settled.map((key) => `SET ${key} ${key}`), "HSET settled f v");
    const writers = [await Writer.start(one, "one"), await Writer.start(two, "two")];
    const bystander = await Writer.start(three, "three");
    for (const writer of [...writers, bystander]) await writer.more();

    await three.kill();
    for (const writer of writers) await writer.more();
    await bystander.stop();
    // Its errors are those of its connection, not replies.
    expect(bystander.errors.map(({ name }) => name)).not.toContain("ReplyError");

    await three.start();
    const reader = await SettledReader.start(three, settled);
    await three.ready();
    await reader.more();
    expect(await reader.stop()).toEqual([]);

    for (const writer of writers) await writer.more();
    for (const writer of writers) await writer.stop();
    expect(writers.flatMap(({ errors }) => errors)).toEqual([]);
    await cluster.equal();
    for (const member of members) {
      for (const writer of [...writers, bystander]) await writer.check(member);
    }
  });

  it("is paused under load: nobody waits for it, memory stays bounded, and it is equal again", (context) =>
    pauseReplica(context, PAUSED_MS));
});

describe("each node in turn", () => {
  it("is killed and started again: no acknowledged write is lost", async () => {
    const { cluster, members } = await threeRacks();
    const writers = await Promise.all(members.map((member, i) => Writer.start(member, `w${i}`)));
    const all = [...writers];
    for (const writer of writers) await writer.more();
    for (const [i, member] of members.entries()) {
      await member.kill();
      await writers[i]!.stop();
      for (const writer of writers) if (writer !== writers[i]) await writer.more(200);
      await member.start();
      await member.ready();
      writers[i] = await Writer.start(member, `again${i}`);
      all.push(writers[i]);
      await writers[i].more(200);
    }
    for (const writer of writers) await writer.stop();
    await cluster.equal();
    for (const member of members) for (const writer of all) await writer.check(member);
  });
});

describe("two of three nodes", () => {
  it("are killed: every command says so, none hangs; started again, all goes on", async () => {
    const { cluster, members } = await threeRacks();
    const [one, two, three] = members;
    await ask(one, "SET before 1", "HSET h f v");
    const client = await connectRedis(one);
    const underWay = Promise.allSettled(
      Array.from({ length: 3000 }, (_, i) => client.set(`under way:${i % 100}`, i)),
    );
    await Promise.all([two.kill(), three.kill()]);
    for (const answer of await underWay) {
      const text = answer.status === "fulfilled" ? answer.value : answer.reason.message;
      expect(text).toMatch(
        /^(OK|ERR Dynomite: Failed to achieve Quorum \(2 of 3 needed, 1 ans.*)$/,
      );
    }
    const lines = ["SET a 1", "GET before", "INCR n", "DEL before", "MSET a 1 b 2", "HSET h f w"];
    await until(
      async () => (await ask(one, "SET a 0"))[0] === `${NO_QUORUM}\r\n`,
      () => "the node does not say that there is no quorum",
    );
    expect(await ask(one, ...lines, "MULTI", "SET a 1", "EXEC", "PING")).toEqual([
      ...lines.map(() => `${NO_QUORUM}\r\n`),
      ...["+OK\r\n", "+QUEUED\r\n", `${NO_QUORUM}\r\n`, "+PONG\r\n"],
    ]);
    expect(await one.sendAtOne(["GET", "before"], ["SET", "alone", "1"])).toEqual([
      "$1\r\n1\r\n",
      "+OK\r\n",
    ]);

    await Promise.all([two.start(), three.start()]);
    await cluster.ready();
    expect(await ask(one, "SET a 1", "GET before", "HGET h f")).toEqual([
      "+OK\r\n",
      "$1\r\n1\r\n",
      "$1\r\nv\r\n",
    ]);
    await cluster.equal();
    expect(await three.sendAtOne(["MGET", "before", "alone"])).toEqual([
      "*2\r\n$1\r\n1\r\n$1\r\n1\r\n",
    ]);
  });

  it("are paused: writes end at their deadline with an unknown outcome, reads without", async () => {
    const { cluster, members } = await threeRacks(
      ...["--request-timeout-ms", "500", "--link-timeout-ms", "20000"],
    );
    const [one, two, three] = members;
    await ask(one, "SET before 1");
    two.pause();
    three.pause();
    const replies = await ask(one, "SET a 1", "GET before", "PING", "DEL before");
    two.goOn();
    three.goOn();
    expect(replies).toEqual([
      `${NO_QUORUM}: the outcome of the write is unknown\r\n`,
      `${NO_QUORUM}\r\n`,
      "+PONG\r\n",
      `${NO_QUORUM}: the outcome of the write is unknown\r\n`,
    ]);
    await cluster.equal();
    expect(await ask(two, "SET a 2", "GET a")).toEqual(["+OK\r\n", "$1\r\n2\r\n"]);
  });
});
