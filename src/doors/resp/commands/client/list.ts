// CLIENT LIST and CLIENT INFO: a line for each client.

import { CommandError, syntaxError } from "../../../../store/commands/command.ts";
import { readInteger } from "../../../../store/commands/parse.ts";
import { clientLine } from "../../client-line.ts";
import type { ClientHandle } from "../../clients.ts";
import { type SessionCall, type SessionCommand, subcommand } from "../../session-command.ts";
import { CLIENT, CLIENT_ADMIN } from "./family.ts";
import { isOfType } from "./type.ts";

export const list: SessionCommand = subcommand(
  CLIENT_ADMIN,
  {
    name: "list",
    arity: -2,
    since: "2.4.0",
    complexity: "O(N) where N is the number of clients.",
    summary: "Answers a line for each client: all, those of a TYPE, or those with an ID.",
  },
  (call) => {
    let lines = "";
    for (const handle of selected(call)) lines += `${clientLine(call, handle)}\n`;
    call.reply.verbatim("txt", lines);
  },
);

export const clientInfo: SessionCommand = subcommand(
  CLIENT,
  { name: "info", arity: 2, since: "6.2.0", summary: "Answers the line of this client." },
  (call) => {
    const handle = call.host.clients.get(call.session.facts.id);
    if (handle === undefined) throw new CommandError("ERR this connection is not listed");
    call.reply.verbatim("txt", `${clientLine(call, handle)}\n`);
  },
);

function selected({ host, args }: SessionCall): ClientHandle[] {
  const all = [...host.clients];
  if (args.length === 2) return all;
  const option = args.word(2);
  if (option === "type" && args.length === 4) return isOfType(args.text(3)) ? all : [];
  if (option !== "id" || args.length === 3) throw syntaxError();
  const handles: ClientHandle[] = [];
  for (let i = 3; i < args.length; i++) {
    const id = readInteger(args, i, () => new CommandError("ERR Invalid client ID"));
    const handle = host.clients.get(Number(id));
    if (handle !== undefined) handles.push(handle);
  }
  return handles;
}
