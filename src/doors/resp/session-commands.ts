// Every command of the session. One more is a file in commands/ and a row here.

import type { SessionCommand } from "./session-command.ts";

export const sessionCommands: readonly SessionCommand[] = [];
