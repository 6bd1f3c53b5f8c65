// Keys that must hold a string, or nothing: how the string and bitmap families read and write.

import { fromLatin1, latin1 } from "../arguments.ts";
import type { Database, Entry } from "../database.ts";
import { type Call, CommandError, wrongType } from "./command.ts";

/** The string entry of a key among the arguments, 0 for none; throws WRONGTYPE for any other type. */
export function findString(call: Call, index: number): Entry {
  const entry = call.database.find(call.key(index));
  if (entry !== 0 && call.database.isObject(entry)) throw wrongType();
  return entry;
}

/** The bytes of a string entry as they lie in memory (valid until the next write); none for entry 0. */
export function bytesOf(database: Database, entry: Entry): Uint8Array {
  return entry === 0 ? NOTHING : database.value(entry);
}

/** A value as text, one character per byte; undefined where it has more than `most` bytes. */
export function shortText(database: Database, entry: Entry, most: number): string | undefined {
  if (database.length(entry) > most) return undefined;
  const value = database.value(entry);
  return latin1(value, 0, value.length);
}

/** Writes one argument as the string at the key that another one is, whatever was there. */
export function writeArgument(call: Call, key: number, value: number, expiry = 0): void {
  const written = call.database.write(call.key(key), call.args.size(value), expiry);
  written.set(call.args.view(value));
}

/** Writes text, which is one character per byte, as the string at the key that an argument is. */
export function writeText(call: Call, key: number, text: string, expiry: number): void {
  call.database.set(call.key(key), fromLatin1(text), expiry);
}

/** Throws when a string would be longer than allowed. */
export function requireLength(call: Call, length: number): void {
  if (length <= call.store.maxBulkBytes) return;
  throw new CommandError("ERR string exceeds maximum allowed size (proto-max-bulk-len)");
}

const NOTHING = new Uint8Array(0);
