// CLIENT TRACKING, CACHING, GETREDIR, TRACKINGINFO: there is no tracking of keys, so turning it on is refused.

import { CommandError, syntaxError } from "../../../../store/commands/command.ts";
import { type SessionCommand, subcommand } from "../../session-command.ts";
import { CLIENT } from "./family.ts";

const SINCE = "6.0.0";

export const tracking: SessionCommand = subcommand(
  CLIENT,
  { name: "tracking", arity: -3, since: SINCE, summary: "OFF is the only mode; ON is refused." },
  ({ args, reply }) => {
    const word = args.word(2);
    if (word === "on") {
      throw new CommandError(
        "ERR CLIENT TRACKING is not supported by ringlet; turn client-side caching off",
      );
    }
    if (word !== "off") throw syntaxError();
    reply.ok();
  },
);

export const caching: SessionCommand = subcommand(
  CLIENT,
  { name: "caching", arity: 3, since: SINCE, summary: "Refused: there is no tracking." },
  () => {
    throw new CommandError("ERR CLIENT CACHING is not supported by ringlet");
  },
);

export const getredir: SessionCommand = subcommand(
  CLIENT,
  { name: "getredir", arity: 2, since: SINCE, summary: "Answers -1: there is no tracking." },
  ({ reply }) => {
    reply.integer(-1);
  },
);

export const trackinginfo: SessionCommand = subcommand(
  CLIENT,
  { name: "trackinginfo", arity: 2, since: "6.2.0", summary: "Answers that tracking is off." },
  ({ reply }) => {
    reply.map(3);
    reply.bulk("flags");
    reply.set(1);
    reply.bulk("off");
    reply.bulk("redirect");
    reply.integer(-1);
    reply.bulk("prefixes");
    reply.array(0);
  },
);
