// INFO: what the node is and does, in sections of lines "name:value".

import { NO_KEYS } from "../../../../store/commands/command.ts";
import type { CommandHost, SessionCommand } from "../../session-command.ts";
import { backend } from "./backend.ts";
import { clients } from "./clients.ts";
import { commandstats, errorstats } from "./commandstats.ts";
import { cpu } from "./cpu.ts";
import { keyspace } from "./keyspace.ts";
import { memory } from "./memory.ts";
import { cluster, modules, persistence, replication } from "./none.ts";
import { ring } from "./ring.ts";
import { ringlet } from "./ringlet.ts";
import type { Section } from "./section.ts";
import { server } from "./server.ts";
import { stats } from "./stats.ts";

export const info: SessionCommand = {
  name: "info",
  arity: -1,
  flags: ["loading", "stale"],
  keys: NO_KEYS,
  group: "server",
  since: "1.0.0",
  complexity: "O(N) where N is the number of clients and of commands.",
  summary: "Answers what the node is and does: the sections named, by default most of them.",
  run({ host, args, reply }) {
    const asked: string[] = [];
    for (let i = 1; i < args.length; i++) asked.push(args.word(i));
    reply.verbatim("txt", infoText(host, asked));
  },
};

/** The text of the sections named, in the order of the table; none named: the default ones. */
export function infoText(host: CommandHost, asked: readonly string[] = []): string {
  const names = new Set(asked.length === 0 ? ["default"] : asked);
  const all = names.has("all") || names.has("everything");
  const byDefault = names.has("default");
  return SECTIONS.filter(
    (section) => all || (byDefault && section.byDefault) || names.has(section.title.toLowerCase()),
  )
    .map((section) => {
      const lines = section.lines(host).map(([name, value]) => `${name}:${value}\r\n`);
      return `# ${section.title}\r\n${lines.join("")}`;
    })
    .join("\r\n");
}

/** All sections as an object of objects, numbers as numbers: what /info serves as JSON. */
export function infoSnapshot(host: CommandHost): Record<string, Record<string, string | number>> {
  return Object.fromEntries(
    SECTIONS.map((section) => [
      section.title.toLowerCase(),
      Object.fromEntries(section.lines(host)),
    ]),
  );
}

const SECTIONS: readonly Section[] = [
  server,
  clients,
  memory,
  persistence,
  stats,
  replication,
  cpu,
  modules,
  commandstats,
  errorstats,
  cluster,
  keyspace,
  ring,
  backend,
  ringlet,
];
