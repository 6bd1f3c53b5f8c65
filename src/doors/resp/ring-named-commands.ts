// The commands that a client of a ring may send which are not about its keys, where the nodes have servers behind them.

import { type CommandWay, NAMED_COMMANDS } from "./backend-commands.ts";

/** What the node answers beside what it answers on a node that is alone: there it is the server's. */
const ANSWERED_HERE = [
  ...["ping", "echo", "time", "command", "config", "slowlog", "latency", "acl", "cluster", "role"],
] as const;

/** The names, and the way of each, as NAMED_COMMANDS; the number of a name is its position, counted from 1. */
export const RING_NAMED_COMMANDS: readonly (readonly [name: string, way: CommandWay])[] = [
  ...NAMED_COMMANDS,
  ...ANSWERED_HERE.map((name) => [name, "local"] as const),
];

/** Why a command is refused. */
export function refusalInRing(name: string): string {
  return `ERR '${name}' is not served by a ring whose nodes have servers behind them: nothing was done. Use commands on keys alone, or let the nodes keep the data (data_store: embedded)`;
}
