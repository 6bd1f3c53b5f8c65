// CLIENT KILL: closes connections, by address as it always was, or by filters that must all fit.

import { CommandError, syntaxError } from "../../../../store/commands/command.ts";
import { parseInteger } from "../../../../store/commands/parse.ts";
import type { ClientHandle } from "../../clients.ts";
import { USER } from "../../password.ts";
import { type SessionCall, type SessionCommand, subcommand } from "../../session-command.ts";
import { CLIENT_ADMIN } from "./family.ts";
import { isOfType } from "./type.ts";

export const kill: SessionCommand = subcommand(
  CLIENT_ADMIN,
  {
    name: "kill",
    arity: -3,
    since: "2.4.0",
    complexity: "O(N) where N is the number of clients.",
    summary:
      "Closes the connection from an address, or those that fit ID, ADDR, LADDR, TYPE, USER, SKIPME.",
  },
  (call) => {
    const { host, args, reply } = call;
    if (args.length === 3) {
      const address = args.text(2);
      const found = [...host.clients].filter(
        ({ session }) => session.facts.remoteAddress === address,
      );
      if (found.length === 0) throw new CommandError("ERR No such client");
      close(call, found);
      reply.ok();
      return;
    }
    const fits = readFilter(call);
    const found = [...host.clients].filter(fits);
    close(call, found);
    reply.integer(found.length);
  },
);

/** The client that asks is answered first. */
function close({ session }: SessionCall, handles: readonly ClientHandle[]): void {
  for (const handle of handles) {
    if (handle.session === session) session.closing = true;
    else handle.kill(false);
  }
}

type Filter = (handle: ClientHandle) => boolean;

function readFilter({ args, session }: SessionCall): Filter {
  const filters: Filter[] = [];
  let skipMe = true;
  if (args.length % 2 !== 0) throw syntaxError();
  for (let i = 2; i < args.length; i += 2) {
    const value = args.text(i + 1);
    switch (args.word(i)) {
      case "id": {
        const id = Number(parseInteger(value) ?? 0n);
        if (id <= 0) throw new CommandError("ERR client-id should be greater than 0");
        filters.push((handle) => handle.session.facts.id === id);
        break;
      }
      case "addr":
        filters.push((handle) => handle.session.facts.remoteAddress === value);
        break;
      case "laddr":
        filters.push((handle) => handle.session.facts.localAddress === value);
        break;
      case "type": {
        const fits = isOfType(value);
        filters.push(() => fits);
        break;
      }
      case "user":
        if (value !== USER) throw new CommandError(`ERR No such user '${value}'`);
        break;
      case "skipme":
        skipMe = readYesNo(value);
        break;
      default:
        throw syntaxError();
    }
  }
  return (handle) =>
    !(skipMe && handle.session === session) && filters.every((fits) => fits(handle));
}

function readYesNo(text: string): boolean {
  const word = text.toLowerCase();
  if (word !== "yes" && word !== "no") throw syntaxError();
  return word === "yes";
}
