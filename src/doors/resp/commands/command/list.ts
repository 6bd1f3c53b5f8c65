// COMMAND LIST: the names of commands and subcommands, all or filtered.

import { fromLatin1 } from "../../../../store/arguments.ts";
import { syntaxError } from "../../../../store/commands/command.ts";
import { matchesGlob } from "../../../../store/commands/glob.ts";
import type { CatalogueRow } from "../../catalogue.ts";
import { categoriesOf } from "../../categories.ts";
import { type SessionCall, type SessionCommand, subcommand } from "../../session-command.ts";
import { COMMAND } from "./family.ts";

export const list: SessionCommand = subcommand(
  COMMAND,
  {
    name: "list",
    arity: -2,
    since: "7.0.0",
    complexity: "O(N) where N is the number of commands.",
    summary: "Answers the names of commands: all, or FILTERBY MODULE, ACLCAT or PATTERN.",
  },
  (call) => {
    const fits = readFilter(call);
    const rows = [...call.host.table.allRows()].filter(fits);
    call.reply.array(rows.length);
    for (const row of rows) call.reply.bulk(row.fullName);
  },
);

function readFilter({ args }: SessionCall): (row: CatalogueRow) => boolean {
  if (args.length === 2) return () => true;
  if (args.length !== 5 || args.word(2) !== "filterby") throw syntaxError();
  switch (args.word(3)) {
    case "module":
      return () => false;
    case "aclcat": {
      const category = args.word(4);
      return (row) => categoriesOf(row).includes(category);
    }
    case "pattern": {
      const pattern = args.bytes(4);
      return (row) => matchesGlob(pattern, fromLatin1(row.fullName), true);
    }
    default:
      throw syntaxError();
  }
}
