// What a command does with its keys, in the words of Redis's key specifications.

import type { CatalogueRow } from "../../catalogue.ts";

/**
 * The flags of a command's key at `position` among its keys (0 is the first). `options`: the arguments in lower case, where
 * they are known.
 */
export function keyFlagsOf(
  row: CatalogueRow,
  position: number,
  options: readonly string[] = [],
): readonly string[] {
  if (row.fullName === "set" && options.includes("get")) return READ_AND_UPDATE;
  const flags = FLAGS.get(row.fullName) ?? [row.write ? UPDATE : READ];
  return flags[Math.min(position, flags.length - 1)]!;
}

const KNOW: readonly string[] = ["RO"];
const READ: readonly string[] = ["RO", "access"];
const OVERWRITE: readonly string[] = ["OW", "update"];
const MAKE: readonly string[] = ["OW", "insert"];
const UPDATE: readonly string[] = ["RW", "update"];
const INSERT: readonly string[] = ["RW", "insert"];
const DELETE: readonly string[] = ["RW", "delete"];
const READ_AND_UPDATE: readonly string[] = ["RW", "access", "update"];
const READ_AND_DELETE: readonly string[] = ["RW", "access", "delete"];
const REMOVE: readonly string[] = ["RM", "delete"];

/** Per key; the last one is for all that follow. Other commands read, or update. */
const FLAGS: ReadonlyMap<string, readonly (readonly string[])[]> = new Map([
  ...each([KNOW], "exists type touch strlen hlen hstrlen hexists watch memory|usage"),
  ...each([KNOW], "object|encoding object|freq object|idletime object|refcount"),
  ...each([OVERWRITE], "set mset setex psetex"),
  ...each([MAKE], "setnx msetnx"),
  ...each([INSERT], "append hsetnx"),
  ...each([DELETE], "hdel"),
  ...each([REMOVE], "del unlink"),
  ...each([READ_AND_DELETE], "getdel"),
  ...each([READ_AND_UPDATE], "getset getex setbit bitfield incr decr incrby decrby incrbyfloat"),
  ...each([READ_AND_UPDATE], "hincrby hincrbyfloat"),
  ...each([READ_AND_DELETE, OVERWRITE], "rename"),
  ...each([READ_AND_DELETE, MAKE], "renamenx"),
  ...each([READ, OVERWRITE], "copy"),
  ...each([OVERWRITE, READ], "bitop"),
]);

function each<T>(flags: T, names: string): [string, T][] {
  return names.split(" ").map((name) => [name, flags]);
}
