// COMMAND DOCS: what commands do, in a sentence each.

import type { RespWriter } from "../../../../codec/resp-writer.ts";
import type { CatalogueRow } from "../../catalogue.ts";
import { type SessionCommand, subcommand } from "../../session-command.ts";
import { COMMAND } from "./family.ts";

export const docs: SessionCommand = subcommand(
  COMMAND,
  {
    name: "docs",
    arity: -2,
    since: "7.0.0",
    complexity: "O(N) where N is the number of commands.",
    summary: "Answers what commands do: those named, or all.",
  },
  ({ host, args, reply }) => {
    const rows: CatalogueRow[] = args.length === 2 ? [...host.table.rows()] : [];
    for (let i = 2; i < args.length; i++) {
      const row = host.table.get(args.word(i));
      if (row !== undefined) rows.push(row);
    }
    writeDocs(rows, reply);
  },
);

function writeDocs(rows: readonly CatalogueRow[], reply: RespWriter): void {
  reply.map(rows.length);
  for (const row of rows) {
    reply.bulk(row.fullName);
    writeOne(row, reply);
  }
}

function writeOne({ facts, subcommands }: CatalogueRow, reply: RespWriter): void {
  reply.map(subcommands === undefined ? 4 : 5);
  reply.bulk("summary");
  reply.bulk(facts.summary);
  reply.bulk("since");
  reply.bulk(facts.since);
  reply.bulk("group");
  reply.bulk(facts.group);
  reply.bulk("complexity");
  reply.bulk(facts.complexity);
  if (subcommands === undefined) return;
  reply.bulk("subcommands");
  writeDocs([...subcommands.values()], reply);
}
