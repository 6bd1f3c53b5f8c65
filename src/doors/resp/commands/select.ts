// SELECT: which of the databases 0 to 15 the client's commands work on.

import { CommandError, NO_KEYS } from "../../../store/commands/command.ts";
import { readInteger } from "../../../store/commands/parse.ts";
import { DATABASES } from "../../../store/kernel.ts";
import type { SessionCommand } from "../session-command.ts";

export const select: SessionCommand = {
  name: "select",
  arity: 2,
  flags: ["loading", "stale", "fast"],
  keys: NO_KEYS,
  group: "connection",
  since: "1.0.0",
  complexity: "O(1)",
  summary: "Selects one of the databases 0 to 15.",
  run({ session, args, reply }) {
    const index = readInteger(args, 1);
    if (BigInt.asIntN(32, index) !== index) {
      throw new CommandError(
        "ERR value is out of range, value must between -2147483648 and 2147483647",
      );
    }
    if (index < 0n || index >= DATABASES) throw new CommandError("ERR DB index is out of range");
    session.database = Number(index);
    reply.ok();
  },
};
