// Keys that must hold a hash, or nothing: how the hash family reads and writes.

import { type Arguments, latin1 } from "../arguments.ts";
import { HashObject, type HashValue, LONG_VALUE_BYTES, MAX_FIELDS } from "../objects/hash.ts";
import type { Reply } from "../reply.ts";
import { type Call, CommandError, wrongType } from "./command.ts";

/** The hash at the key that argument 1 is; undefined for none. Throws WRONGTYPE for any other type. */
export function findHash(call: Call): HashObject | undefined {
  const { database } = call;
  const entry = database.find(call.key(1));
  if (entry === 0) return undefined;
  const object = database.isObject(entry) ? database.object(entry) : undefined;
  if (!(object instanceof HashObject)) throw wrongType();
  return object;
}

/**
 * Has `change` change the hash at the key that argument 1 is, a new one where there is none, and writes it. A `change` that
 * throws must have changed nothing.
 */
export function changeHash<T>(call: Call, change: (hash: HashObject) => T): T {
  const found = findHash(call);
  const hash = found ?? call.database.newHash(call.key(1));
  // No command adds more fields than every second argument.
  if (hash.size + call.args.length / 2 > MAX_FIELDS) {
    throw new CommandError(`ERR a hash takes at most ${MAX_FIELDS} fields; nothing was changed`);
  }
  const result = change(hash);
  if (found === undefined) call.database.addHash(call.key(1), hash);
  else call.database.objectChanged(call.key(1));
  return result;
}

/** An argument as the value of a field. */
export function fieldValue(args: Arguments, index: number): HashValue {
  return args.size(index) < LONG_VALUE_BYTES ? args.text(index) : args.bytes(index);
}

/** A value as text, one character per byte. */
export function textOf(value: HashValue): string {
  return typeof value === "string" ? value : latin1(value, 0, value.length);
}

/** Replies the value of a field; undefined: null. */
export function replyValue(reply: Reply, value: HashValue | undefined): void {
  if (value === undefined) reply.null();
  else if (typeof value === "string") reply.latin1(value);
  else reply.bulk(value);
}
