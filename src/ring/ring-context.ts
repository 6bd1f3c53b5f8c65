/** What the parts that run commands in a ring share. */
import type { Logger } from "../base/logger.ts";
import type { Runtime } from "../base/runtime.ts";
import type { EmbeddedStore } from "../store/embedded-store.ts";
import type { EmbeddedCopy } from "./embedded-copy.ts";
import type { CommandTable, LocalCommands } from "./local-commands.ts";
import type { RingPort } from "./port.ts";

export interface RingContext {
  readonly port: RingPort;
  readonly store: EmbeddedStore;
  readonly runtime: Runtime;
  readonly log: Logger;
  readonly local: LocalCommands;
  readonly embedded: EmbeddedCopy;
  /** The commands that clients may send. */
  readonly commands: CommandTable;
  /** How long a request may take, in ms. */
  readonly requestTimeoutMs: () => number;
}
