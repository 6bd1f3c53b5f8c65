// RINGLET DIGEST: what this node holds, in a few digits, to compare it with another replica.

import { CommandError } from "../../../../store/commands/command.ts";
import { tableDigest } from "../../../../store/table-digest.ts";
import { type SessionCommand, subcommand } from "../../session-command.ts";
import { RINGLET } from "./family.ts";

export const digest: SessionCommand = subcommand(
  RINGLET,
  {
    name: "digest",
    arity: 2,
    since: "1.0.0",
    complexity: "O(N) with N being the number of entries of the node.",
    flags: ["admin", "noscript", "loading", "stale"],
    summary:
      "Answers the databases of this node that hold something, each with a digest of its keys, values, expiries and stamps.",
  },
  ({ host, reply }) => {
    const { store, backend } = host;
    if (backend !== undefined) {
      throw new CommandError(
        "ERR the server behind this node holds the data: ask that for a digest",
      );
    }
    const digests = store.databases
      .map(({ index }) => ({ index, value: tableDigest(store, index) }))
      .filter(({ value }) => value !== 0n);
    reply.map(digests.length);
    for (const { index, value } of digests) {
      reply.integer(index);
      reply.bulk(value.toString(16).padStart(16, "0"));
    }
  },
);
