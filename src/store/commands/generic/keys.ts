// KEYS pattern

import type { Entry } from "../../database.ts";
import { type Command, NO_KEYS } from "../command.ts";
import { matchesGlob } from "../glob.ts";

export const keys: Command = {
  name: "keys",
  arity: 2,
  flags: ["readonly"],
  keys: NO_KEYS,
  group: "generic",
  since: "1.0.0",
  complexity: "O(N), N being the number of keys in the database",
  summary: "Answers every key that fits a glob pattern.",
  run({ args, database, reply }) {
    const pattern = args.bytes(1);
    const found: Entry[] = [];
    let cursor = 0;
    do {
      const { entries, next } = database.walk(cursor);
      for (const entry of entries) {
        if (matchesGlob(pattern, database.keyView(entry))) found.push(entry);
      }
      cursor = next;
    } while (cursor !== 0);
    reply.array(found.length);
    for (const entry of found) reply.bulk(database.keyView(entry));
  },
};
