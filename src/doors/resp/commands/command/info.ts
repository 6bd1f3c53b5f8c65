// COMMAND INFO: arity, flags, keys and categories of commands, in the shape of Redis 7.

import type { RespWriter } from "../../../../codec/resp-writer.ts";
import type { CatalogueRow } from "../../catalogue.ts";
import { categoriesOf } from "../../categories.ts";
import { type SessionCommand, subcommand } from "../../session-command.ts";
import { COMMAND } from "./family.ts";
import { keyFlagsOf } from "./key-flags.ts";

export const info: SessionCommand = subcommand(
  COMMAND,
  {
    name: "info",
    arity: -2,
    since: "2.8.13",
    complexity: "O(N) where N is the number of commands.",
    summary: "Answers what commands are like: those named, or all.",
  },
  ({ host, args, reply }) => {
    if (args.length === 2) {
      reply.array(host.table.size);
      for (const row of host.table.rows()) writeInfo(row, reply);
      return;
    }
    reply.array(args.length - 2);
    for (let i = 2; i < args.length; i++) {
      const row = host.table.get(args.word(i));
      if (row === undefined) reply.null();
      else writeInfo(row, reply);
    }
  },
);

/** Ten fields: name, arity, flags, first, last and step of the keys, categories, tips, key specifications, subcommands. */
export function writeInfo(row: CatalogueRow, reply: RespWriter): void {
  const { facts } = row;
  reply.array(10);
  reply.bulk(row.fullName);
  reply.integer(facts.arity);
  writeNames(facts.flags, reply);
  reply.integer(facts.keys.first);
  reply.integer(facts.keys.last);
  reply.integer(facts.keys.step);
  writeNames(
    categoriesOf(row).map((category) => `@${category}`),
    reply,
  );
  reply.set(0);
  writeKeySpecs(row, reply);
  writeSubcommands(row, reply);
}

function writeNames(names: readonly string[], reply: RespWriter): void {
  reply.set(names.length);
  for (const name of names) reply.simple(name);
}

function writeKeySpecs(row: CatalogueRow, reply: RespWriter): void {
  const { first, last, step } = row.facts.keys;
  if (first === 0) {
    reply.set(0);
    return;
  }
  reply.set(1);
  reply.map(3);
  reply.bulk("flags");
  writeNames(keyFlagsOf(row, 0), reply);
  reply.bulk("begin_search");
  reply.map(2);
  reply.bulk("type");
  reply.bulk("index");
  reply.bulk("spec");
  reply.map(1);
  reply.bulk("index");
  reply.integer(first);
  reply.bulk("find_keys");
  reply.map(2);
  reply.bulk("type");
  reply.bulk("range");
  reply.bulk("spec");
  reply.map(3);
  reply.bulk("lastkey");
  // Counted from the first key, or from the end.
  reply.integer(last < 0 ? last : last - first);
  reply.bulk("keystep");
  reply.integer(step);
  reply.bulk("limit");
  reply.integer(0);
}

function writeSubcommands(row: CatalogueRow, reply: RespWriter): void {
  if (row.subcommands === undefined) {
    reply.set(0);
    return;
  }
  reply.array(row.subcommands.size);
  for (const sub of row.subcommands.values()) writeInfo(sub, reply);
}
