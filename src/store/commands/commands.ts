// Every command of the keyspace. One more is a file in its family's folder and a row in the family's index.

import { bitmapCommands } from "./bitmap/index.ts";
import type { Command } from "./command.ts";
import { genericCommands } from "./generic/index.ts";
import { hashCommands } from "./hash/index.ts";
import { stringCommands } from "./string/index.ts";

export const commands: readonly Command[] = [
  ...stringCommands,
  ...bitmapCommands,
  ...genericCommands,
  ...hashCommands,
];
