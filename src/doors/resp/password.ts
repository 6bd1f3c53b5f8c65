// The password of the user "default", who is the only one.

import { sameBytes } from "../../base/same-bytes.ts";
import { CommandError } from "../../store/commands/command.ts";
import type { Session } from "./session.ts";
import type { CommandHost } from "./session-command.ts";

/** The only user. */
export const USER = "default";

const TEXT = new TextEncoder();

/** Whether user and password are right (any password is, where none is set); if so the session is authenticated. */
export function authenticate(
  host: CommandHost,
  session: Session,
  user: string,
  given: Uint8Array,
): boolean {
  const password = host.settings.get("password");
  const right = password === "" || sameBytes(TEXT.encode(password), given);
  if (!right || user !== USER) return false;
  session.authenticated = true;
  return true;
}

export const wrongPassword = (): CommandError =>
  new CommandError("WRONGPASS invalid username-password pair or user is disabled.");
