// What a command does with its keys, in the words of Redis's key specifications.

import type { CatalogueRow } from "../../catalogue.ts";

/** "RO" and "access" for a command that reads, "RW" and "update" for one that writes. */
export function keyFlagsOf(row: CatalogueRow): readonly string[] {
  return row.write ? ["RW", "update"] : ["RO", "access"];
}
