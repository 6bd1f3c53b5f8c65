// MEMORY USAGE key [SAMPLES count], MEMORY STATS

import type { Arguments } from "../../arguments.ts";
import { NO_KEYS, syntaxError } from "../command.ts";
import { readInteger } from "../parse.ts";
import { container, type Subcommand } from "../subcommands.ts";

/** Of an entry beside its record: its share of the index. */
const SLOT_BYTES = 16;

const usage: Subcommand = {
  name: "usage",
  arity: -3,
  flags: ["readonly"],
  keys: { first: 2, last: 2, step: 1 },
  group: "server",
  since: "4.0.0",
  complexity: "O(1)",
  summary: "Answers about how many bytes a key and its value take.",
  usage: " <key> [SAMPLES <count>]",
  help: [
    "Answers about how many bytes <key> and its value take. Nothing needs to be",
    "sampled for that: <count> is read and changes nothing.",
  ],
  run(call) {
    const { args, database, reply } = call;
    checkOptions(args);
    const entry = database.peek(call.key(2));
    if (entry === 0) {
      reply.null();
      return;
    }
    const object = database.isObject(entry) ? database.object(entry).bytes : 0;
    reply.integer(database.recordBytes(entry) + SLOT_BYTES + object);
  },
};

function checkOptions(args: Arguments): void {
  for (let i = 3; i < args.length; i += 2) {
    if (args.word(i) !== "samples" || i + 1 === args.length) throw syntaxError();
    if (readInteger(args, i + 1) < 0n) throw syntaxError();
  }
}

const PAGE_BYTES = 65536;

const stats: Subcommand = {
  name: "stats",
  arity: 2,
  flags: [],
  keys: NO_KEYS,
  group: "server",
  since: "4.0.0",
  complexity: "O(1)",
  summary: "Tells how many bytes the data takes.",
  usage: "",
  help: ["Tells how many bytes the data takes."],
  run({ reply, store }) {
    const used = store.figure("usedBytes");
    const index = store.figure("tablePages") * PAGE_BYTES;
    const records = store.kernel.heldBytes() - index;
    const keys = store.databases.reduce((sum, database) => sum + database.size, 0);
    const facts: readonly (readonly [string, number])[] = [
      ["dataset.bytes", used],
      ["overhead.hashtable.main", index],
      ["keys.count", keys],
      ["keys.bytes-per-key", keys === 0 ? 0 : Math.floor(used / keys)],
      ["fragmentation.bytes", records - store.figure("liveBytes")],
    ];
    reply.map(facts.length);
    for (const [name, value] of facts) {
      reply.bulk(name);
      reply.integer(value);
    }
  },
};

export const memory = container(
  {
    name: "memory",
    since: "4.0.0",
    group: "server",
    summary: "Tells what takes how much memory.",
  },
  "4.0.0",
  [stats, usage],
);
