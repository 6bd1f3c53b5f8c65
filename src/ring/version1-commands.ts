// What may be sent to a node of the C engine: it closes the connection at a command that it does not know, or not in that form.

import type { Member } from "./member.ts";
import { memberName } from "./member.ts";
import { notWithVersion1 } from "./ring-error.ts";

/** Arguments that a command may have there, its name among them: fewest, most, and how many more at a time. */
type Arity = readonly [least: number, most: number, step?: number];

const MANY = Number.POSITIVE_INFINITY;

/** Commands on strings, hashes and keys of any type that it takes. */
const KNOWN: ReadonlyMap<string, Arity> = new Map<string, Arity>([
  ["append", [3, 3]],
  ["bitcount", [2, 4]],
  ["decr", [2, 2]],
  ["decrby", [3, 3]],
  ["del", [2, MANY]],
  ["exists", [2, MANY]],
  ["expire", [3, 3]],
  ["expireat", [3, 3]],
  ["get", [2, 2]],
  ["getbit", [3, 3]],
  ["getrange", [4, 4]],
  ["getset", [3, 3]],
  ["hdel", [3, MANY]],
  ["hexists", [3, 3]],
  ["hget", [3, 3]],
  ["hgetall", [2, 2]],
  ["hincrby", [4, 4]],
  ["hincrbyfloat", [4, 4]],
  ["hkeys", [2, 2]],
  ["hlen", [2, 2]],
  ["hmget", [3, MANY]],
  ["hmset", [4, MANY, 2]],
  ["hscan", [3, MANY]],
  ["hset", [4, 4]],
  ["hsetnx", [4, 4]],
  ["hvals", [2, 2]],
  ["incr", [2, 2]],
  ["incrby", [3, 3]],
  ["incrbyfloat", [3, 3]],
  ["mget", [2, MANY]],
  ["mset", [3, MANY, 2]],
  ["persist", [2, 2]],
  ["pexpire", [3, 3]],
  ["pexpireat", [3, 3]],
  ["psetex", [4, 4]],
  ["pttl", [2, 2]],
  ["set", [3, MANY]],
  ["setbit", [4, 4]],
  ["setex", [4, 4]],
  ["setnx", [3, 3]],
  ["setrange", [4, 4]],
  ["strlen", [2, 2]],
  ["ttl", [2, 2]],
  ["type", [2, 2]],
]);

/** Longest key, in bytes: with the C engine's `mbuf_size` as it is by default, a key must fit one buffer. */
const MAX_KEY_BYTES = 16_319;

/** Throws RingletError VERSION_1_PEER for a command that `peer`, a node of the C engine, would close its connection at. */
export function requireKnownToC(
  peer: Member,
  name: string,
  args: readonly Uint8Array[],
  keys: readonly Uint8Array[],
): void {
  const who = memberName(peer);
  const arity = KNOWN.get(name);
  if (arity === undefined) throw notWithVersion1(`${who} does not know '${name}'`);
  const [least, most, step = 1] = arity;
  if (args.length < least || args.length > most || (args.length - least) % step !== 0) {
    throw notWithVersion1(`${who} does not know '${name}' with so many arguments`);
  }
  if (keys.some(({ length }) => length === 0 || length > MAX_KEY_BYTES)) {
    throw notWithVersion1(`${who} takes keys of 1 to ${MAX_KEY_BYTES} bytes alone`);
  }
}
