// RINGLET CONSISTENCY: how many replicas the reads and writes of this connection hear.

import { type ConsistencyLevel, LEVELS, parseLevel } from "../../../../ring/levels.ts";
import { CommandError, syntaxError } from "../../../../store/commands/command.ts";
import type { SessionLevels } from "../../session.ts";
import { type SessionCall, type SessionCommand, subcommand } from "../../session-command.ts";
import { RINGLET, ringOf } from "./family.ts";

export const consistency: SessionCommand = subcommand(
  RINGLET,
  {
    name: "consistency",
    arity: -2,
    since: "1.0.0",
    summary:
      "Sets the levels of this connection (one for both, the one of reads and that of writes, READ level or WRITE level), or answers them.",
  },
  (call) => {
    const { session, args, reply } = call;
    const before = session.levels ?? ringOf(call).defaultLevels;
    if (args.length > 2) {
      session.setLevels(readLevels(call, before));
      reply.ok();
      return;
    }
    reply.map(2);
    reply.bulk("read");
    reply.bulk(before.read);
    reply.bulk("write");
    reply.bulk(before.write);
  },
);

function readLevels(call: SessionCall, before: SessionLevels): SessionLevels {
  const { args } = call;
  ringOf(call);
  if (args.length === 3) {
    const level = readLevel(call, 2);
    return { read: level, write: level };
  }
  if (args.length !== 4) throw syntaxError();
  switch (args.word(2)) {
    case "read":
      return { ...before, read: readLevel(call, 3) };
    case "write":
      return { ...before, write: readLevel(call, 3) };
    default:
      return { read: readLevel(call, 2), write: readLevel(call, 3) };
  }
}

/** An argument that names a level. */
export function readLevel({ args }: SessionCall, index: number): ConsistencyLevel {
  const level = parseLevel(args.word(index));
  if (level !== undefined) return level;
  throw new CommandError(
    `ERR no consistency level has that name: use one of ${LEVELS.join(", ")}; nothing was changed`,
  );
}
