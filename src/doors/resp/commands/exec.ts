// EXEC: runs the queued commands, nothing of another client in between. One that fails does not stop the others.

import type { RespWriter } from "../../../codec/resp-writer.ts";
import { CommandError, NO_KEYS } from "../../../store/commands/command.ts";
import type { SessionCommand } from "../session-command.ts";

export const exec: SessionCommand = {
  name: "exec",
  arity: 1,
  flags: ["noscript", "loading", "stale", "skip_slowlog"],
  keys: NO_KEYS,
  group: "transactions",
  since: "1.2.0",
  complexity: "Depends on the commands in the transaction.",
  summary: "Runs the commands of the transaction, unless a watched key has changed.",
  run({ host, session, reply }) {
    const { transaction } = session;
    if (transaction === undefined) throw new CommandError("ERR EXEC without MULTI");
    const { watched } = session;
    const changed = host.ring === undefined && watched.haveChanged(host.store);
    const keys = { watched: watched.inRing, set: transaction.set ?? watched.set };
    session.endTransaction();
    if (transaction.broken) {
      throw new CommandError("EXECABORT Transaction discarded because of previous errors.");
    }
    if (host.ring !== undefined) {
      const runHere = (command: readonly Uint8Array[], later: RespWriter) =>
        host.runQueued(session, command, later);
      return host.ring.exec(runHere, session, transaction, keys);
    }
    if (changed) {
      reply.nullArray();
      return;
    }
    reply.array(transaction.commands.length);
    host.runTransaction(session, transaction.commands, reply);
  },
};
