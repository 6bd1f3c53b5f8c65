// The ACL categories of a command, as COMMAND INFO and ACL CAT show them: from its flags and its group.

import type { CommandFlag } from "../../store/commands/command.ts";
import type { CatalogueRow } from "./catalogue.ts";

/** Every category that a command here can have, in Redis's order. */
export const CATEGORIES: readonly string[] = [
  "keyspace",
  "read",
  "write",
  "hash",
  "string",
  "bitmap",
  "admin",
  "fast",
  "slow",
  "blocking",
  "dangerous",
  "connection",
  "transaction",
];

/** Commands that can make a node slow or tell much, beside the admin ones. */
const DANGEROUS: ReadonlySet<string> = new Set([
  "keys",
  "flushall",
  "flushdb",
  "info",
  "role",
  "client|list",
  "client|kill",
]);

const GROUP_CATEGORIES: Readonly<Record<string, string>> = {
  string: "string",
  bitmap: "bitmap",
  hash: "hash",
  generic: "keyspace",
  connection: "connection",
  transactions: "transaction",
};

/** The categories of a command, without the "@". */
export function categoriesOf({ facts, fullName }: CatalogueRow): string[] {
  const has = (flag: CommandFlag) => facts.flags.includes(flag);
  const categories: string[] = [];
  const group = GROUP_CATEGORIES[facts.group];
  if (group !== undefined) categories.push(group);
  if (has("write")) categories.push("write");
  if (has("readonly")) categories.push("read");
  if (has("admin")) categories.push("admin");
  if (has("blocking")) categories.push("blocking");
  if (has("admin") || DANGEROUS.has(fullName)) categories.push("dangerous");
  categories.push(has("fast") ? "fast" : "slow");
  return CATEGORIES.filter((category) => categories.includes(category));
}
