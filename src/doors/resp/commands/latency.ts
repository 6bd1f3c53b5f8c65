// LATENCY: nothing is monitored, and latency-monitor-threshold says so (0).

import { container, type SessionCommand, subcommand } from "../session-command.ts";

const FAMILY = { group: "server", flags: ["admin", "noscript", "loading", "stale"] } as const;

export const latency: SessionCommand = container(
  {
    name: "latency",
    group: "server",
    since: "2.8.13",
    summary: "The monitor of latency events, which this node does not have.",
  },
  [
    subcommand(
      FAMILY,
      { name: "latest", arity: 2, since: "2.8.13", summary: "Answers an empty list." },
      ({ reply }) => {
        reply.array(0);
      },
    ),
    subcommand(
      FAMILY,
      { name: "history", arity: 3, since: "2.8.13", summary: "Answers an empty list." },
      ({ reply }) => {
        reply.array(0);
      },
    ),
    subcommand(
      FAMILY,
      {
        name: "reset",
        arity: -2,
        since: "2.8.13",
        summary: "Answers 0: there is nothing to reset.",
      },
      ({ reply }) => {
        reply.integer(0);
      },
    ),
  ],
);
