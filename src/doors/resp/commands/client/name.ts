// CLIENT GETNAME, SETNAME, SETINFO: what a client says it is.

import { CommandError } from "../../../../store/commands/command.ts";
import { checkClientName } from "../../client-name.ts";
import { type SessionCommand, subcommand } from "../../session-command.ts";
import { CLIENT } from "./family.ts";

export const getname: SessionCommand = subcommand(
  CLIENT,
  { name: "getname", arity: 2, since: "2.6.9", summary: "Answers the name of this connection." },
  ({ session, reply }) => {
    if (session.name === "") reply.null();
    else reply.latin1(session.name);
  },
);

export const setname: SessionCommand = subcommand(
  CLIENT,
  { name: "setname", arity: 3, since: "2.6.9", summary: "Names this connection." },
  ({ session, args, reply }) => {
    const name = args.text(2);
    checkClientName(name, "Client names");
    session.name = name;
    reply.ok();
  },
);

export const setinfo: SessionCommand = subcommand(
  CLIENT,
  {
    name: "setinfo",
    arity: 4,
    since: "7.2.0",
    summary: "Tells the library that the client uses: LIB-NAME, LIB-VER.",
  },
  ({ session, args, reply }) => {
    const attribute = args.word(2);
    const value = args.text(3);
    if (attribute !== "lib-name" && attribute !== "lib-ver") {
      throw new CommandError(`ERR Unrecognized option '${args.text(2)}'`);
    }
    checkClientName(value, attribute);
    if (attribute === "lib-name") session.library = value;
    else session.libraryVersion = value;
    reply.ok();
  },
);
