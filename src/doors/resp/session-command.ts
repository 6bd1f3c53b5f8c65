// What a command of the session is, and what it gets to work with. One is a small file in commands/ and a row in
// session-commands.ts; a subcommand is a row in its parent's list.

import type { Logger } from "../../base/logger.ts";
import type { Runtime } from "../../base/runtime.ts";
import type { Settings } from "../../base/settings.ts";
import type { RespWriter } from "../../codec/resp-writer.ts";
import type { Arguments } from "../../store/arguments.ts";
import type { Backend } from "../../store/backend/backend.ts";
import type { CommandFacts, CommandFlag } from "../../store/commands/command.ts";
import { NO_KEYS, unknownSubcommand } from "../../store/commands/command.ts";
import type { EmbeddedStore } from "../../store/embedded-store.ts";
import type { Catalogue } from "./catalogue.ts";
import type { ClientRegistry } from "./clients.ts";
import type { LaterReply } from "./feeder.ts";
import type { Pause } from "./pause.ts";
import type { RingClients } from "./ring-clients.ts";
import type { Session } from "./session.ts";
import type { Statistics } from "./statistics.ts";

/** What INFO tells of the process; the runtime knows it. */
export interface NodeFacts {
  /** The version of this package. */
  readonly version: string;
  /** The name of the machine; left out where nobody knows. */
  readonly host?: string;
  /** Operating system and machine, for example "Linux 6.1 x86_64"; "" where nobody knows. */
  readonly platform: string;
  /** 0 where there is no such thing. */
  readonly processId: number;
  /** The port that clients connect to, 0 for none. */
  port(): number;
  /** Resident memory of the process in bytes, 0 where nobody knows. */
  residentBytes(): number;
  /** Processor time of the process in seconds. */
  cpuSeconds(): { readonly user: number; readonly system: number };
}

/** What the commands of a session know of the node. */
export interface CommandHost {
  readonly store: EmbeddedStore;
  readonly settings: Settings;
  readonly clients: ClientRegistry;
  readonly runtime: Runtime;
  readonly log: Logger;
  readonly facts: NodeFacts;
  readonly table: Catalogue;
  readonly statistics: Statistics;
  readonly pause: Pause;
  /** What the ring does for clients; undefined where the node is alone. */
  readonly ring: RingClients | undefined;
  /** The server that keeps the data; undefined where the node does. */
  readonly backend: Backend | undefined;
  /** 40 hexadecimal digits that name this run of the node. */
  readonly runId: string;
  /** When the node began, on the monotonic clock, in ms. */
  readonly startedAt: number;
  /** Begins to close the node; undefined where a client may not. */
  readonly shutdown: (() => void) | undefined;
  /** Runs the commands of a transaction one after the other, each writing its reply. */
  runTransaction(session: Session, commands: readonly Uint8Array[][], reply: RespWriter): void;
  /** Runs one that works on the session or this node. */
  runQueued(session: Session, command: readonly Uint8Array[], reply: RespWriter): void;
}

export interface SessionCall {
  readonly host: CommandHost;
  readonly session: Session;
  readonly args: Arguments;
  readonly reply: RespWriter;
  /** Whether EXEC runs it: it must not wait. */
  readonly inTransaction: boolean;
}

/** A command that works on the session or the node. It writes one reply, or returns a promise of it, or throws CommandError. */
export interface SessionCommand extends CommandFacts {
  /** A name that is one of these, with the second argument, is that command. */
  readonly subcommands?: readonly SessionCommand[];
  run(call: SessionCall): LaterReply | undefined;
}

type Run = SessionCommand["run"];
type SubcommandFacts = Pick<SessionCommand, "name" | "arity" | "summary" | "since"> &
  Partial<SessionCommand>;

/** A subcommand: group, flags and cost come from what all of its family share. */
export function subcommand(
  family: Pick<SessionCommand, "group" | "flags">,
  facts: SubcommandFacts,
  run: Run,
): SessionCommand {
  return { keys: NO_KEYS, complexity: "O(1)", ...family, ...facts, run };
}

/** A command that only has subcommands, HELP among them. */
export function container(
  facts: Pick<SessionCommand, "name" | "summary" | "since" | "group">,
  subcommands: readonly SessionCommand[],
): SessionCommand {
  return {
    complexity: "Depends on subcommand.",
    arity: -2,
    flags: [],
    keys: NO_KEYS,
    ...facts,
    subcommands: [...subcommands, helpOf(facts.name, facts.group, subcommands)],
    run: ({ args }) => {
      throw unknownSubcommand(facts.name, args.text(1));
    },
  };
}

const HELP_FLAGS: readonly CommandFlag[] = ["loading", "stale"];

/** The HELP of a command: what its subcommands do. */
export function helpOf(
  parent: string,
  group: SessionCommand["group"],
  subcommands: readonly SessionCommand[],
): SessionCommand {
  const help = "Prints this help.";
  const facts = { name: "help", arity: 2, since: "5.0.0", summary: help };
  return subcommand({ group, flags: HELP_FLAGS }, facts, ({ reply }) => {
    const rows = [...subcommands, { name: "help", summary: help }];
    reply.array(1 + rows.length * 2);
    reply.simple(
      `${parent.toUpperCase()} <subcommand> [<arg> [value] [opt] ...]. Subcommands are:`,
    );
    for (const { name, summary } of rows) {
      reply.simple(name.toUpperCase());
      reply.simple(`    ${summary}`);
    }
  });
}
