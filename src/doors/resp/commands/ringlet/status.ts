// RINGLET STATUS: how this node and its cluster are, in lines for people.

import { type SessionCommand, subcommand } from "../../session-command.ts";
import { ringLines } from "../info/ring.ts";
import { RINGLET, ringOf } from "./family.ts";

export const status: SessionCommand = subcommand(
  RINGLET,
  {
    name: "status",
    arity: 2,
    since: "1.0.0",
    summary: "Answers lines about this node in its cluster.",
  },
  (call) => {
    const lines = ringLines(ringOf(call).ring);
    call.reply.array(lines.length);
    for (const [name, value] of lines) call.reply.bulk(`${name}: ${value}`);
  },
);
