// The generic family.

import type { Command } from "../command.ts";

export const genericCommands: readonly Command[] = [];
