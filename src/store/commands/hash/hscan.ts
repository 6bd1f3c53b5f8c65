// HSCAN key cursor [MATCH pattern] [COUNT count]

import { fromLatin1 } from "../../arguments.ts";
import type { HashObject } from "../../objects/hash.ts";
import { type Command, ONE_KEY } from "../command.ts";
import { findHash, replyValue } from "../hash-value.ts";
import { isMeant, readCursor, readScanOptions } from "../scan-options.ts";

export const hscan: Command = {
  name: "hscan",
  arity: -3,
  flags: ["readonly"],
  keys: ONE_KEY,
  group: "hash",
  since: "2.8.0",
  complexity: "O(1) for each call, O(N) for all calls of a walk through N fields",
  summary: "Walks on through the fields of a hash; one that is there all the time is told.",
  run(call) {
    const { args, reply } = call;
    const cursor = readCursor(args, 2);
    const hash = findHash(call);
    const options =
      hash === undefined ? { count: 0, pattern: undefined } : readScanOptions(args, 3, false);
    const { first, last } = placesAt(hash, cursor, options.count);
    const places: number[] = [];
    for (let place = last; place >= first; place--) {
      if (isMeant(options.pattern, () => fromLatin1(hash!.fieldAt(place)))) places.push(place);
    }
    reply.array(2);
    reply.latin1(String(first));
    reply.array(places.length * 2);
    for (const place of places) {
      reply.latin1(hash!.fieldAt(place));
      replyValue(reply, hash!.valueAt(place));
    }
  },
};

/**
 * The places that a call tells: those before `cursor`, all for 0. `first` is the next cursor. A small hash is told whole, so
 * that its cursor is always 0.
 */
function placesAt(
  hash: HashObject | undefined,
  cursor: bigint,
  count: number,
): { first: number; last: number } {
  const size = hash?.size ?? 0;
  const end = cursor === 0n || cursor > BigInt(size) ? size : Number(cursor);
  if (hash === undefined || hash.encoding() === "listpack") return { first: 0, last: size - 1 };
  return { first: Math.max(0, end - count), last: end - 1 };
}
