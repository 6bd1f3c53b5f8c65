// SHUTDOWN: closes the node. There is nothing to save, so a client that asks to save is told so.

import { CommandError, NO_KEYS, syntaxError } from "../../../store/commands/command.ts";
import type { SessionCommand } from "../session-command.ts";

export const shutdown: SessionCommand = {
  name: "shutdown",
  arity: -1,
  flags: ["admin", "noscript", "loading", "stale", "no_multi", "allow_busy"],
  keys: NO_KEYS,
  group: "server",
  since: "1.0.0",
  complexity: "O(1)",
  summary: "Closes the node when every client is answered. Its data is lost: it is in memory only.",
  run({ host, session, args }) {
    const options = new Set<string>();
    for (let i = 1; i < args.length; i++) options.add(args.word(i));
    for (const option of options) if (!OPTIONS.has(option)) throw syntaxError();
    if (options.has("abort")) {
      throw options.size > 1 ? syntaxError() : new CommandError("ERR No shutdown in progress.");
    }
    if (options.has("save")) {
      if (options.has("nosave")) throw syntaxError();
      throw new CommandError("ERR nothing can be saved: this node keeps its data in memory only");
    }
    if (host.shutdown === undefined) {
      throw new CommandError("ERR clients may not close this node");
    }
    session.closing = true;
    host.shutdown();
  },
};

/** NOW and FORCE change nothing: there are no replicas to wait for, and no save that could fail. */
const OPTIONS: ReadonlySet<string> = new Set(["nosave", "save", "now", "force", "abort"]);
