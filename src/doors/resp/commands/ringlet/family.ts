// What the subcommands of RINGLET share.

import { CommandError } from "../../../../store/commands/command.ts";
import type { RingClients } from "../../ring-clients.ts";
import type { SessionCall } from "../../session-command.ts";

export const RINGLET = {
  group: "server",
  flags: ["noscript", "loading", "stale"],
} as const;

/** The ring that the node is a member of. Throws the error of a node that is alone. */
export function ringOf({ host }: SessionCall): RingClients {
  if (host.ring !== undefined) return host.ring;
  throw new CommandError(
    "ERR there is no ring: this node is alone, and every read and write is its own",
  );
}
