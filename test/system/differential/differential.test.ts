/**
 * Random commands, the same to redis-server and to what answers like it: every reply must be equal to the byte, but where
 * order, chance or a clock decide, and so must be what the keys hold in the end. RINGLET_SEED replays a run, RINGLET_ROUNDS makes it longer.
 */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Argument } from "../../unit/store/harness.ts";
import { RandomSource } from "../../unit/store/random-source.ts";
import { type Cluster, places, startCluster } from "../cluster-harness.ts";
import { type RunningNode, startNode } from "../harness.ts";
import { bitmapCommand } from "./bitmap-commands.ts";
import type { CommandSource } from "./command-source.ts";
import { saysTheSame } from "./equivalence.ts";
import { genericCommand } from "./generic-commands.ts";
import { hashCommand } from "./hash-commands.ts";
import { RawClient } from "./raw-client.ts";
import { REDIS_IS_MISSING, RedisServer, redisServerPath } from "./redis-server.ts";
import { stringCommand } from "./string-commands.ts";
import { LocalTarget, SharedTarget, SocketTarget, type Target } from "./targets.ts";

/** A family is added with a line here. */
const FAMILIES: Readonly<Record<string, CommandSource>> = {
  string: stringCommand,
  bitmap: bitmapCommand,
  generic: genericCommand,
  hash: hashCommand,
};

const MAX_BULK_BYTES = 1024 * 1024;
const ROUNDS = Number(process.env.RINGLET_ROUNDS ?? 30);
const COMMANDS_PER_ROUND = 150;
/** How far apart the clocks of the two sides may be. */
const EXPIRY_TOLERANCE_MS = 60_000;

const seed = Number(process.env.RINGLET_SEED ?? Date.now() % 0x1_0000_0000);

describe.skipIf(redisServerPath === undefined)(
  redisServerPath === undefined ? REDIS_IS_MISSING : "commands, against redis-server",
  () => {
    let redisServer: RedisServer;
    let node: RunningNode;
    let client: RawClient;
    let cluster: Cluster;
    let clients: readonly RawClient[];
    const targets: Record<string, () => Target> = {
      "the kernel": () => new LocalTarget({ runBy: "kernel", maxBulkBytes: MAX_BULK_BYTES }),
      "the host": () => new LocalTarget({ runBy: "host", maxBulkBytes: MAX_BULK_BYTES }),
      "a node": () => new SocketTarget("a node", client),
      "three replicas": () => new SharedTarget("three replicas", clients),
    };

    beforeAll(async () => {
      const setting = ["--proto-max-bulk-len", String(MAX_BULK_BYTES)];
      redisServer = await RedisServer.start(...setting);
      node = await startNode({ flags: setting, keep: true });
      client = await RawClient.connect({ host: node.host, port: node.port });
      const quorum = ["--read-consistency", "dc_quorum", "--write-consistency", "dc_quorum"];
      cluster = await startCluster({
        places: places(3),
        flags: [...quorum, ...setting],
        keep: true,
      });
      await cluster.ready();
      clients = await Promise.all(
        cluster.members.map(({ port }) => RawClient.connect({ host: "127.0.0.1", port })),
      );
    });

    afterAll(async () => {
      client.close();
      for (const one of clients) one.close();
      await Promise.all([redisServer.stop(), node.stop("SIGKILL"), cluster.stop()]);
    });

    describe.each(Object.keys(FAMILIES))("the %s family", (family) => {
      test.each(Object.keys(targets))("run by %s", async (name) => {
        const redis = new SocketTarget("redis-server", redisServer.client);
        const ours = targets[name]!();
        for (let round = 0; round < ROUNDS; round++) {
          await compare(redis, ours, FAMILIES[family]!, seed + round);
        }
      });
    });
  },
);

async function compare(
  redis: Target,
  ours: Target,
  source: CommandSource,
  seed: number,
): Promise<void> {
  const random = new RandomSource(seed);
  const protocol = seed % 2 === 0 ? 2 : 3;
  const now = Date.now();
  const commands = Array.from({ length: COMMANDS_PER_ROUND }, () => source(random, now));
  await redis.reset(protocol);
  await ours.reset(protocol);
  const expected = await redis.send(commands);
  const actual = await ours.send(commands);
  for (const [i, reply] of expected.entries()) {
    if (ours.isOwn?.(commands[i]!) || saysTheSame(commands[i]!, reply, actual[i]!)) continue;
    const where = `RINGLET_SEED=${seed} RINGLET_ROUNDS=1, command ${i}, run by ${ours.name}`;
    const history = historyOf(commands, i);
    expect.fail(
      `${where}\n${history}\nredis-server: ${shown(reply)}\nours:         ${shown(actual[i]!)}`,
    );
  }
  const [theirState, ourState] = [await redis.state(), await ours.state()];
  for (const [i, { value, expiry }] of theirState.entries()) {
    const state = ourState[i]!;
    const difference = Math.abs(state.expiry - expiry);
    if (state.value === value && difference < EXPIRY_TOLERANCE_MS) continue;
    expect.fail(
      `RINGLET_SEED=${seed} RINGLET_ROUNDS=1: in the end key ${i} holds ${shown(String(value))} until ${expiry} in redis-server, ${shown(String(state.value))} until ${state.expiry} in ours`,
    );
  }
}

/** The command at `index`, and the ones before it that share an argument with it. */
function historyOf(commands: readonly (readonly Argument[])[], index: number): string {
  const keys = new Set(commands[index]!.slice(1));
  return commands
    .slice(0, index + 1)
    .filter((command, i) => i === index || command.slice(1).some((word) => keys.has(word)))
    .slice(-12)
    .map((command) => command.map((word) => shown(String(word))).join(" "))
    .join("\n");
}

function shown(text: string): string {
  const most = 400;
  return JSON.stringify(text.length > most ? `${text.slice(0, most)}… (${text.length})` : text);
}
