// The commands that have no keys and work on all of them.

import { ListedArguments } from "../store/arguments.ts";
import { CommandError } from "../store/commands/command.ts";
import { readCursor, readScanOptions } from "../store/commands/scan-options.ts";
import type { RequestOptions } from "./execute-request.ts";
import type { Gather } from "./gather.ts";
import type { KeyspaceCommand } from "./local-commands.ts";
import { errorReply } from "./reply-parts.ts";

const NAMES: ReadonlySet<string> = new Set([
  ...["scan", "keys", "dbsize", "randomkey"],
  ...["flushall", "flushdb"],
]);

/** Whether a command works on the keys of all owners. */
export const isOverAllOwners = (name: string): boolean => NAMES.has(name);

/** Runs one of them; `here` runs it on this node alone. */
export async function runOverAll(
  gather: Gather,
  { name }: KeyspaceCommand,
  args: readonly Uint8Array[],
  options: RequestOptions,
  here: () => Uint8Array,
): Promise<Uint8Array> {
  switch (name) {
    case "dbsize":
      return gather.size(options);
    case "randomkey":
      return gather.random(options);
    case "keys":
      return gather.keys(options, args[1]!);
    case "scan":
      try {
        const listed = new ListedArguments(args);
        const cursor = readCursor(listed, 1);
        return await gather.scan(options, cursor, readScanOptions(listed, 2, true));
      } catch (error) {
        if (error instanceof CommandError) return errorReply(error.message);
        throw error;
      }
    default:
      return gather.flush(options.level, here);
  }
}
