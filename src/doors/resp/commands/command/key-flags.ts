// What a command does with its keys, in the words of Redis's key specifications.

import type { CommandRow } from "../../command-table.ts";

/** "RO" and "access" for a command that reads, "RW" and "update" for one that writes. */
export function keyFlagsOf(row: CommandRow): readonly string[] {
  return row.write ? ["RW", "update"] : ["RO", "access"];
}
