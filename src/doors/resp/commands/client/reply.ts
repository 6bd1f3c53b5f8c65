// CLIENT REPLY: whether the client hears of what its commands do.

import { syntaxError } from "../../../../store/commands/command.ts";
import type { Session } from "../../session.ts";
import { type SessionCommand, subcommand } from "../../session-command.ts";
import { CLIENT } from "./family.ts";

export const reply: SessionCommand = subcommand(
  CLIENT,
  {
    name: "reply",
    arity: 3,
    since: "3.2.0",
    summary: "Turns replies ON or OFF, or has the next one skipped (SKIP).",
  },
  ({ session, args, reply: writer }) => {
    switch (args.word(2)) {
      case "on":
        setReplies(session, "on");
        writer.ok();
        return;
      case "off":
        setReplies(session, "off");
        return;
      case "skip":
        if (session.replies !== "off") setReplies(session, "skip-next");
        return;
      default:
        throw syntaxError();
    }
  },
);

/** Sets what is sent of the replies. While it is not all of them, every command comes to the host. */
export function setReplies(session: Session, replies: Session["replies"]): void {
  session.replies = replies;
  session.setHostOnly("replies", replies !== "on");
}
