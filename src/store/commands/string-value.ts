// Keys that must hold a string, or nothing: how the string and bitmap families read.

import { latin1 } from "../arguments.ts";
import type { Database, Entry } from "../database.ts";
import { type Call, wrongType } from "./command.ts";

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

const NOTHING = new Uint8Array(0);
