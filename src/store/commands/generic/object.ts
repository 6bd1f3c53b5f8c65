// OBJECT ENCODING | FREQ | IDLETIME | REFCOUNT key: what a key's entry is like inside.

import type { Database, Entry } from "../../database.ts";
import { type Call, CommandError } from "../command.ts";
import { MAX_INTEGER_CHARACTERS, parseInteger } from "../parse.ts";
import { shortText } from "../string-value.ts";
import { container, type Subcommand } from "../subcommands.ts";

const encoding: Subcommand = {
  ...about("encoding", "2.2.3", "Answers how the value of a key is represented, by Redis's names."),
  help: ["Answers how the value at <key> is represented."],
  run: withEntry(({ database, reply }, entry) => {
    reply.latin1(encodingOf(database, entry));
  }),
};

const freq: Subcommand = {
  ...about("freq", "4.0.0", "Answers how often a key is looked at; needs an LFU policy."),
  help: ["Answers how often <key> is looked at. There is no LFU policy, so it is not known."],
  run: withEntry(() => {
    throw new CommandError(
      "ERR An LFU maxmemory policy is not selected, access frequency not tracked. Please note that when switching between policies at runtime LRU and LFU data will take some time to adjust.",
    );
  }),
};

const idletime: Subcommand = {
  ...about("idletime", "2.2.3", "Answers how many seconds ago a key was last looked at."),
  help: ["Answers how many seconds ago <key> was last looked at."],
  run: withEntry(({ database, reply }, entry) => {
    reply.integer(database.idleSeconds(entry));
  }),
};

const refcount: Subcommand = {
  ...about("refcount", "2.2.3", "Answers how many keys share a value: always 1."),
  help: ["Answers how many keys share the value at <key>: 1, values are not shared."],
  run: withEntry(({ reply }) => {
    reply.integer(1);
  }),
};

export const object = container(
  {
    name: "object",
    since: "2.2.3",
    group: "generic",
    summary: "Tells what the entry of a key is like inside.",
  },
  "6.2.0",
  [encoding, freq, idletime, refcount],
);

function about(name: string, since: string, summary: string) {
  return {
    name,
    arity: 3,
    flags: ["readonly"],
    keys: { first: 2, last: 2, step: 1 },
    group: "generic",
    since,
    complexity: "O(1)",
    summary,
    usage: " <key>",
  } as const;
}

/** Runs `tell` with the entry of the key, or replies null where there is none; it does not count as an access. */
function withEntry(tell: (call: Call, entry: Entry) => void): (call: Call) => void {
  return (call) => {
    const entry = call.database.peek(call.key(2));
    if (entry === 0) call.reply.null();
    else tell(call, entry);
  };
}

/** Longest string that Redis puts into one allocation with its object. */
const MAX_EMBEDDED_BYTES = 44;

/** Redis's name of how the value of an entry is represented. */
export function encodingOf(database: Database, entry: Entry): string {
  if (database.isObject(entry)) return database.object(entry).encoding();
  if (database.isRaw(entry) || database.length(entry) > MAX_EMBEDDED_BYTES) return "raw";
  const text = shortText(database, entry, MAX_INTEGER_CHARACTERS);
  return text !== undefined && parseInteger(text) !== undefined ? "int" : "embstr";
}
