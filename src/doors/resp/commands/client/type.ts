// The types of clients that CLIENT LIST and KILL know. Every client here is normal.

import { CommandError } from "../../../../store/commands/command.ts";

/** Whether clients are of the type that `text` names. Throws for what is no type. */
export function isOfType(text: string): boolean {
  const type = text.toLowerCase();
  if (!TYPES.includes(type)) throw new CommandError(`ERR Unknown client type '${text}'`);
  return type === "normal";
}

const TYPES: readonly string[] = ["normal", "slave", "replica", "pubsub", "master"];
