// COMMAND: which commands there are, and what they are like.

import { NO_KEYS } from "../../../../store/commands/command.ts";
import { helpOf, type SessionCommand } from "../../session-command.ts";
import { count } from "./count.ts";
import { docs } from "./docs.ts";
import { getkeys, getkeysandflags } from "./getkeys.ts";
import { info, writeInfo } from "./info.ts";
import { list } from "./list.ts";

const SUBCOMMANDS = [count, docs, getkeys, getkeysandflags, info, list];

export const command: SessionCommand = {
  name: "command",
  arity: -1,
  flags: ["loading", "stale"],
  keys: NO_KEYS,
  group: "server",
  since: "2.8.13",
  complexity: "O(N) where N is the number of commands.",
  summary: "Answers what every command is like.",
  subcommands: [...SUBCOMMANDS, helpOf("command", "server", SUBCOMMANDS)],
  run({ host, reply }) {
    reply.array(host.table.size);
    for (const row of host.table.rows()) writeInfo(row, reply);
  },
};
