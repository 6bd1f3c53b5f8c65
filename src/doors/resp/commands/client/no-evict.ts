// CLIENT NO-EVICT and NO-TOUCH: what the node spares this client, and what this client spares the keys.

import { syntaxError } from "../../../../store/commands/command.ts";
import { type SessionCall, type SessionCommand, subcommand } from "../../session-command.ts";
import { CLIENT, CLIENT_ADMIN } from "./family.ts";

export const noEvict: SessionCommand = subcommand(
  CLIENT_ADMIN,
  {
    name: "no-evict",
    arity: 3,
    since: "7.0.0",
    summary: "ON: this client is not cut off when the clients together hold too much.",
  },
  (call) => {
    call.session.noEvict = readOnOff(call);
    call.reply.ok();
  },
);

export const noTouch: SessionCommand = subcommand(
  CLIENT,
  {
    name: "no-touch",
    arity: 3,
    since: "7.2.0",
    summary: "ON: commands of this client do not count as accesses to keys, but for TOUCH.",
  },
  (call) => {
    call.session.noTouch = readOnOff(call);
    call.reply.ok();
  },
);

function readOnOff({ args }: SessionCall): boolean {
  const word = args.word(2);
  if (word !== "on" && word !== "off") throw syntaxError();
  return word === "on";
}
