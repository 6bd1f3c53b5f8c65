// What CLIENT SETNAME, CLIENT SETINFO and HELLO accept as a name: printable ASCII without spaces.

import { CommandError } from "../../store/commands/command.ts";

/** Throws the error that says what a name, here called `what`, must not have. */
export function checkClientName(name: string, what: string): void {
  if (/^[!-~]*$/.test(name)) return;
  throw new CommandError(`ERR ${what} cannot contain spaces, newlines or special characters.`);
}
