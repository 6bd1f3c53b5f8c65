// What the outcome of a write depends on.

import { latin1 } from "../store/arguments.ts";
import { ITEM_COMMANDS } from "../store/commands/memcached/item-message.ts";

/** Writes that replace whatever is there. */
const BLIND: ReadonlySet<string> = new Set(["mset", "setex", "psetex", ITEM_COMMANDS.set]);

/** Options that make SET look at what is there. */
const LOOKING: ReadonlySet<string> = new Set(["nx", "xx", "get", "keepttl"]);

/**
 * Whether a write replaces what is there without looking at it: any replica may run it. HSET and its kind do look: at the type of
 * the key, and for their reply at the fields.
 */
export function isBlind(name: string, args: readonly Uint8Array[]): boolean {
  if (BLIND.has(name)) return true;
  if (name !== "set") return false;
  return !args.slice(3).some((argument) => LOOKING.has(wordOf(argument)));
}

function wordOf(argument: Uint8Array): string {
  return argument.length > MAX_WORD ? "" : latin1(argument, 0, argument.length).toLowerCase();
}

const MAX_WORD = "keepttl".length;
