// CLUSTER: Redis Cluster is not spoken here, and clients that ask are told so as Redis tells them.

import { CommandError } from "../../../store/commands/command.ts";
import { container, type SessionCommand, subcommand } from "../session-command.ts";

/** What clients ask to find out whether they talk to a cluster. */
const ASKED: readonly (readonly [name: string, arity: number, since: string])[] = [
  ["countkeysinslot", 3, "3.0.0"],
  ["getkeysinslot", 4, "3.0.0"],
  ["info", 2, "3.0.0"],
  ["keyslot", 3, "3.0.0"],
  ["links", 2, "7.0.0"],
  ["myid", 2, "3.0.0"],
  ["myshardid", 2, "7.2.0"],
  ["nodes", 2, "3.0.0"],
  ["shards", 2, "7.0.0"],
  ["slots", 2, "3.0.0"],
];

export const cluster: SessionCommand = container(
  {
    name: "cluster",
    group: "server",
    since: "3.0.0",
    summary: "Refused: this node does not speak the protocol of Redis Cluster.",
  },
  ASKED.map(([name, arity, since]) =>
    subcommand(
      { group: "server", flags: ["loading", "stale"] },
      { name, arity, since, summary: "Refused." },
      () => {
        throw new CommandError("ERR This instance has cluster support disabled");
      },
    ),
  ),
);
