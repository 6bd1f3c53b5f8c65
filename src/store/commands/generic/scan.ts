// SCAN cursor [MATCH pattern] [COUNT count] [TYPE type]

import type { Database, Entry } from "../../database.ts";
import { type Command, NO_KEYS } from "../command.ts";
import { isMeant, readCursor, readScanOptions, type ScanOptions } from "../scan-options.ts";

export const scan: Command = {
  name: "scan",
  arity: -2,
  flags: ["readonly"],
  keys: NO_KEYS,
  group: "generic",
  since: "2.8.0",
  complexity: "O(1) for each call, O(N) for all calls of a walk through N keys",
  summary:
    "Walks on through the keys of the database; one that is there all the time is told once.",
  run({ args, database, reply }) {
    const start = Number(BigInt.asUintN(32, readCursor(args, 1)));
    const options = readScanOptions(args, 2, true);
    const { entries, next } = walk(database, start, options.count);
    const found = entries.filter((entry) => isWanted(database, entry, options));
    reply.array(2);
    reply.latin1(String(next));
    reply.array(found.length);
    for (const entry of found) reply.bulk(database.keyView(entry));
  },
};

/** Steps that a call takes at most through places where there is nothing: well under a millisecond. */
const MIN_STEPS = 1024;

/** Walks on from `start` until `count` entries are found, if it does not take too long. */
function walk(
  database: Database,
  start: number,
  count: number,
): { entries: Entry[]; next: number } {
  const entries: Entry[] = [];
  let next = start;
  for (let steps = MIN_STEPS + 10 * count; steps > 0 && entries.length < count; steps--) {
    const step = database.walk(next);
    entries.push(...step.entries);
    next = step.next;
    if (next === 0) break;
  }
  return { entries, next };
}

function isWanted(database: Database, entry: Entry, options: ScanOptions): boolean {
  if (options.type !== undefined && database.type(entry) !== options.type) return false;
  return isMeant(options.pattern, () => database.keyView(entry));
}
