// WAIT: how many replicas have the client's writes. A node on its own has none, so 0 is the answer, after the timeout when
// more were asked for.

import { CommandError, NO_KEYS } from "../../../store/commands/command.ts";
import { readInteger } from "../../../store/commands/parse.ts";
import type { SessionCommand } from "../session-command.ts";
import { waitFor } from "../waiting.ts";

export const wait: SessionCommand = {
  name: "wait",
  arity: 3,
  flags: ["blocking"],
  keys: NO_KEYS,
  group: "generic",
  since: "3.0.0",
  complexity: "O(1)",
  summary: "Waits until so many replicas have the client's writes; answers how many have.",
  run(call) {
    const { args, reply } = call;
    const replicas = readInteger(args, 1);
    const timeoutMs = readInteger(
      args,
      2,
      () => new CommandError("ERR timeout is not an integer or out of range"),
    );
    if (timeoutMs < 0n) throw new CommandError("ERR timeout is negative");
    if (replicas > 0n && !call.inTransaction) {
      return waitFor(call, Number(timeoutMs), (later) => later.integer(0));
    }
    reply.integer(0);
  },
};
