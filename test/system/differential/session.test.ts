// What the commands of the session answer, beside redis-server: the same bytes for the same commands, in RESP 2 and in RESP 3.
import type { NetConnectOpts } from "node:net";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type RunningNode, startNode } from "../harness.ts";
import { requireFound } from "../programs.ts";
import { RawClient } from "./raw-client.ts";
import { RedisServer, redisServerPath } from "./redis-server.ts";

let node: RunningNode;
let redis: RedisServer | undefined;
beforeAll(async () => {
  node = await startNode({ keep: true });
  if (redisServerPath !== undefined) {
    redis = await RedisServer.start("--enable-debug-command", "yes");
  }
});
afterAll(async () => {
  await node.stop();
  await redis?.stop();
});

/** Scripts, each for a connection of its own; "→" separates commands, spaces arguments, and '' is an empty one. */
const SCRIPTS = String.raw`
select 0 → select 15 → select 16 → select -1 → select abc → select 99999999999 → select → select 1 2
hello 4 → hello abc → hello 3 foo → hello 3 auth a → hello 3 setname → hello 2 auth a b → hello 3 auth a b
auth foo → auth default foo → auth foo bar → auth a b c → auth
ping → ping a → ping a b → echo → echo a → echo a b
reset → quit
multi → reset → exec
multi → quit
quit foo
client → client foo → client foo bar → client kill → client kill 1.1.1.1:1 → client kill id 0 → client kill id abc
client kill id 9999999 → client kill type foo → client kill user foo → client kill skipme foo → client kill foo bar
client kill id 10 wrong arg extra → client kill addr 1.1.1.1:1 laddr 2.2.2.2:2 → client kill type pubsub
client list type foo → client list type pubsub → client list id → client list id abc → client list id 9999999
client list foo → client list type normal foo → client info foo → client id foo
client getname → client setname a\x20b → client setname me → client getname → client setname '' → client getname
client reply foo → client reply → client no-evict foo → client no-evict on → client no-evict off
client pause abc → client pause -1 → client pause 10 foo → client pause → client unpause → client unpause foo
client unblock abc → client unblock 999 → client unblock 1 foo → client unblock
client getredir → client trackinginfo → client tracking foo → client tracking off → client tracking
config → config foo → config get → config set → config set maxmemory → config resetstat foo → config rewrite
config get maxmemory → config get MAXMEMORY → config get foo
config set foo bar → config set maxmemory abc → config set maxmemory -1 → config set maxmemory 0 maxmemory 0
config set timeout -1 → config set timeout abc → config set hash-max-listpack-value abc
config set client-output-buffer-limit normal → config set client-output-buffer-limit normal\x201\x202
config set client-output-buffer-limit normal\x201\x202\x20a → config set client-output-buffer-limit foo\x201\x202\x203
config resetstat → config set save '' appendonly no → config set maxmemory 1gb timeout abc → config get maxmemory
command count foo → command foo → command getkeys → command getkeys foo bar → command list foo
command getkeys get a → command getkeys mset a b c d → command getkeys del a b c → command getkeys get a b
command getkeys watch a b → command getkeys ping a → command getkeys object encoding a → command getkeysandflags get a
command list filterby module foo → command list filterby aclcat foo → command list filterby foo bar
command docs foo → command info foo → command info get → command info hget
command info config|get → command list filterby pattern mge?
exec → discard → multi → multi → exec → unwatch → watch
multi → watch a → exec
multi → foo → exec
multi → get → exec → get a
multi → client foo → exec
multi → shutdown → exec
multi → set a x → incr a → get a → exec → get a
multi → discard foo → discard
multi → exec foo → exec
multi → set a 1 → foo → set a 2 → exec → discard
multi → select 3 → set a three → select 0 → get a → exec
watch a → set a 5 → multi → get a → exec → multi → get a → exec
watch a → multi → set a 6 → exec
watch a → unwatch → set a 7 → multi → exec
multi → wait 1 0 → exec
wait 0 0 → wait a b → wait -1 0 → wait 1 -1 → wait 1 10 → wait 1 abc → wait
role → role a → time a
slowlog get a → slowlog get -2 → slowlog len → slowlog reset → slowlog get → slowlog foo → slowlog get 1 2
latency latest → latency history foo → latency reset → latency reset foo → latency foo
module list → module foo → acl whoami → acl users → acl cat foo → acl foo → cluster info → cluster
function list → function flush → function flush foo → function flush sync
debug foo → debug sleep → debug set-active-expire → debug set-active-expire 1 → debug error MY\x20error
debug protocol string → debug protocol integer → debug protocol double → debug protocol bignum → debug protocol null
debug protocol array → debug protocol set → debug protocol map → debug protocol verbatim → debug protocol true
shutdown foo → shutdown save nosave → shutdown abort → info foo → info cluster → info keyspace foo
foo → foo a b → FOO\x0d\x0abar a\x0ab → get → GET a b → foo|bar → '' → '' a
`;

const scripts = SCRIPTS.trim()
  .split("\n")
  .map(
    (line) => [line, line.split(" → ").map((command) => command.split(" ").map(plain))] as const,
  );

function plain(word: string): string {
  if (word === "''") return "";
  return word.replace(/\\x(..)/g, (_, code: string) => String.fromCharCode(parseInt(code, 16)));
}

describe.each([2, 3] as const)("in RESP %i", (protocol) => {
  it.for(scripts)("%s", async ([, commands], context) => {
    const server = requireFound(
      context,
      redis,
      "redis-server is missing: apt-get install redis-server",
    );
    const ours = await answers({ host: node.host, port: node.port }, protocol, commands);
    const theirs = await answers({ path: server.path }, protocol, commands);
    expect(ours).toEqual(theirs);
  });
});

/** The replies of a server to commands, one after the other; the last is "closed" when it has closed the connection. */
async function answers(
  server: NetConnectOpts,
  protocol: 2 | 3,
  commands: readonly (readonly string[])[],
): Promise<string[]> {
  const client = await RawClient.connect(server);
  const replies: string[] = [];
  try {
    await client.send([["flushall"]]);
    if (protocol === 3) await client.send([["hello", 3]]);
    for (const command of commands) replies.push(...(await client.send([command])));
    await client.send([["ping"]]);
  } catch {
    replies.push("closed");
  } finally {
    client.close();
  }
  return replies;
}
