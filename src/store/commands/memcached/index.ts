// What the memcached door has the executor of a key run in a ring. No client of the RESP door can name these commands.

import { runItem } from "../../items.ts";
import { type Command, type CommandFlag, ONE_KEY } from "../command.ts";
import { decodeOperation, ITEM_COMMANDS, writeOutcome } from "./item-message.ts";

export const memcachedCommands: readonly Command[] = [
  itemCommand(ITEM_COMMANDS.read, ["readonly"], "Reads an item."),
  itemCommand(ITEM_COMMANDS.change, ["write"], "Removes an item, or changes when it expires."),
  itemCommand(ITEM_COMMANDS.set, ["write", "denyoom"], "Writes an item, whatever is there."),
  itemCommand(ITEM_COMMANDS.write, ["write", "denyoom"], "Writes an item as what is there says."),
];

function itemCommand(name: string, flags: readonly CommandFlag[], summary: string): Command {
  return {
    name,
    arity: 4,
    flags,
    keys: ONE_KEY,
    group: "string",
    since: "7.0.0",
    complexity: "O(N) where N is the length of the value.",
    summary,
    run(call) {
      const { store, database, args, reply } = call;
      const operation = decodeOperation(args);
      writeOutcome(reply, runItem(store, database, call.key(1), operation), operation);
    },
  };
}
