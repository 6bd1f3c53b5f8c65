/** What COMMAND tells about the commands of a family, against redis-server. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Command } from "../../../src/store/commands/command.ts";
import { commands } from "../../../src/store/commands/commands.ts";
import { type Decoded, decodeReply } from "../../unit/store/decode-reply.ts";
import { REDIS_IS_MISSING, RedisServer, redisServerPath } from "./redis-server.ts";

describe.skipIf(redisServerPath === undefined)(
  redisServerPath === undefined ? REDIS_IS_MISSING : "facts about commands, against redis-server",
  () => {
    let server: RedisServer;

    beforeAll(async () => {
      server = await RedisServer.start();
    });

    afterAll(() => server.stop());

    test.each(commands.flatMap(withSubcommands))(
      "%s: arity, flags, keys, group and version",
      async (name, command) => {
        const [info, docs] = await server.client.send([
          ["COMMAND", "INFO", name],
          ["COMMAND", "DOCS", name],
        ]);
        expect(factsOf(command)).toEqual(factsOfRedis(decodeReply(info!), decodeReply(docs!)));
      },
    );
  },
);

/** A command and its subcommands, by their whole names. */
function withSubcommands(command: Command): [name: string, command: Command][] {
  const { name, subcommands = [] } = command;
  const whole = subcommands.map((sub) => ({ ...sub, name: `${name}|${sub.name}` }));
  return [command, ...whole].map((each) => [each.name, each]);
}

function factsOf({ name, arity, flags, keys, group, since }: Command): object {
  const { first, last, step } = keys;
  return { name, arity, flags: [...flags].sort(), first, last, step, group, since };
}

function factsOfRedis(info: Decoded, docs: Decoded): object {
  const [name, arity, flags, first, last, step] = list(list(info)[0]!);
  const pairs = list(list(docs)[1]!);
  const doc = (key: string): Decoded | undefined => pairs[pairs.indexOf(key) + 1];
  return {
    name,
    arity,
    flags: [...list(flags!)].sort(),
    first,
    last,
    step,
    group: doc("group"),
    since: doc("since"),
  };
}

function list(value: Decoded): readonly Decoded[] {
  if (!Array.isArray(value)) throw new Error(`no array: ${JSON.stringify(value)}`);
  return value;
}
