// The commands that clients of a ring may send where a Redis or Valkey server keeps the keys of each node: those whose keys stand where
// the command alone says, that do not wait, and that do the same on every replica.

import { latin1 } from "../../store/arguments.ts";
import type { CommandTable, KeyspaceCommand } from "../local-commands.ts";

/** By their keys (first, last, step): name and arity; those that may write, and those that do not. */
const TABLE: readonly {
  readonly keys: readonly [first: number, last: number, step: number];
  readonly writes: string;
  readonly reads: string;
}[] = [
  {
    keys: [1, 1, 1],
    writes: `append 3, decr 2, decrby 3, getdel 2, getex -2, getset 3, incr 2, incrby 3, incrbyfloat 3, psetex 4, set -3, setex 4,
      setnx 3, setrange 4, bitfield -2, setbit 4, expire -3, expireat -3, persist 2, pexpire -3, pexpireat -3, restore -4, geoadd -5,
      hdel -3, hincrby 4, hincrbyfloat 4, hmset -4, hset -4, hsetnx 4, pfadd -2, linsert 5, lpop -2, lpush -3, lpushx -3, lrem 4,
      lset 4, ltrim 4, rpop -2, rpush -3, rpushx -3, sadd -3, spop -2, srem -3, zadd -4, zincrby 4, zpopmax -2, zpopmin -2, zrem -3,
      zremrangebylex 4, zremrangebyrank 4, zremrangebyscore 4, xadd -5, xdel -3, xtrim -4`,
    reads: `get 2, getrange 4, strlen 2, substr 4, bitcount -2, bitfield_ro -2, bitpos -3, getbit 3, dump 2, expiretime 2,
      pexpiretime 2, pttl 2, ttl 2, type 2, geodist -4, geohash -2, geopos -2, georadius_ro -6, georadiusbymember_ro -5,
      geosearch -7, hexists 3, hget 3, hgetall 2, hkeys 2, hlen 2, hmget -3, hrandfield -2, hscan -3, hstrlen 3, hvals 2, lindex 3,
      llen 2, lpos -3, lrange 4, scard 2, sismember 3, smembers 2, smismember -3, srandmember -2, sscan -3, zcard 2, zcount 4,
      zlexcount 4, zmscore -3, zrandmember -2, zrange -4, zrangebylex -4, zrangebyscore -4, zrank 3, zrevrange -4,
      zrevrangebylex -4, zrevrangebyscore -4, zrevrank 3, zscan -3, zscore 3, xlen 2, xrange -4, xrevrange -4`,
  },
  {
    keys: [1, 2, 1],
    writes:
      "rename 3, renamenx 3, lmove 5, rpoplpush 3, smove 4, zrangestore -5, geosearchstore -8",
    reads: "lcs -3",
  },
  {
    keys: [1, -1, 1],
    // PFCOUNT changes what the server keeps of one key.
    writes:
      "del -2, unlink -2, pfcount -2, pfmerge -2, sdiffstore -3, sinterstore -3, sunionstore -3",
    reads: "exists -2, mget -2, touch -2, sdiff -2, sinter -2, sunion -2",
  },
  { keys: [1, -1, 2], writes: "mset -3, msetnx -3", reads: "" },
  { keys: [2, -1, 1], writes: "bitop -4", reads: "" },
];

/** Longest name of a command. */
const MAX_NAME_BYTES = 64;

export class ServerCommands implements CommandTable {
  readonly #byName = new Map<string, KeyspaceCommand>();

  constructor() {
    for (const { keys, writes, reads } of TABLE) {
      this.#add(keys, writes, true);
      this.#add(keys, reads, false);
    }
  }

  find([name]: readonly Uint8Array[]): KeyspaceCommand | undefined {
    if (name === undefined || name.length > MAX_NAME_BYTES) return undefined;
    return this.#byName.get(latin1(name, 0, name.length).toLowerCase());
  }

  get(name: string): KeyspaceCommand | undefined {
    return this.#byName.get(name);
  }

  #add([first, last, step]: (typeof TABLE)[number]["keys"], rows: string, writes: boolean): void {
    for (const row of rows.split(",")) {
      const [name, arity] = row.trim().split(" ");
      if (name === undefined || name === "") continue;
      const command = { arity: Number(arity), keys: { first, last, step } };
      this.#byName.set(name, { command, name, writes, reads: !writes });
    }
  }
}
