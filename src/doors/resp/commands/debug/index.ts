// DEBUG: for tests of clients and of the node. It can stop or harm nothing but its own client.

import { CommandError, NO_KEYS } from "../../../../store/commands/command.ts";
import { helpOf, type SessionCommand } from "../../session-command.ts";
import { error } from "./error.ts";
import { object } from "./object.ts";
import { populate } from "./populate.ts";
import { protocol } from "./protocol.ts";
import { setActiveExpire } from "./set-active-expire.ts";
import { sleep } from "./sleep.ts";

const SUBCOMMANDS = [error, object, populate, protocol, setActiveExpire, sleep];
const BY_NAME: ReadonlyMap<string, SessionCommand> = new Map(
  [...SUBCOMMANDS, helpOf("debug", "server", SUBCOMMANDS)].map((sub) => [sub.name, sub]),
);

export const debug: SessionCommand = {
  name: "debug",
  arity: -2,
  flags: ["admin", "noscript", "loading", "stale"],
  keys: NO_KEYS,
  group: "server",
  since: "1.0.0",
  complexity: "Depends on subcommand.",
  summary: "What tests of clients and of the node need.",
  run(call) {
    const { args } = call;
    const sub = BY_NAME.get(args.word(1));
    const fits =
      sub !== undefined && (sub.arity < 0 ? args.length >= -sub.arity : args.length === sub.arity);
    if (fits) return sub.run(call);
    throw new CommandError(
      `ERR unknown subcommand or wrong number of arguments for '${args.text(1)}'. Try DEBUG HELP.`,
    );
  },
};
