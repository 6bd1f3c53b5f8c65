// Every command that a client can send, by name: the keyspace's, the session's, and their subcommands.

import { type Arguments, latin1 } from "../../store/arguments.ts";
import {
  type Command,
  CommandError,
  type CommandFacts,
  unknownSubcommand,
} from "../../store/commands/command.ts";
import { KERNEL_COMMANDS } from "../../store/kernel.ts";
import type { Catalogue, CatalogueRow } from "./catalogue.ts";
import type { SessionCommand } from "./session-command.ts";
import { CommandCounters } from "./statistics.ts";

/** A command or subcommand with what the commander must know of it at each call. */
export interface CommandRow extends CatalogueRow {
  /** What runs it: one of the two. */
  readonly keyspace: Command | undefined;
  readonly session: SessionCommand | undefined;
  readonly subcommands: ReadonlyMap<string, CommandRow> | undefined;
  // Its flags.
  readonly reads: boolean;
  readonly denyOom: boolean;
  readonly noAuth: boolean;
  readonly noMulti: boolean;
}

/** Longest name that is looked for. */
const MAX_NAME_BYTES = 64;
/** Characters of a name, and of all arguments together, that an error repeats. */
const SHOWN_CHARACTERS = 128;

export class CommandTable implements Catalogue {
  readonly #rows = new Map<string, CommandRow>();

  constructor(keyspace: readonly Command[], session: readonly SessionCommand[]) {
    for (const command of keyspace) this.#add(keyspaceRow(command, ""));
    for (const command of session) this.#add(sessionRow(command, ""));
  }

  get size(): number {
    return this.#rows.size;
  }

  rows(): IterableIterator<CommandRow> {
    return this.#rows.values();
  }

  *allRows(): IterableIterator<CommandRow> {
    for (const row of this.#rows.values()) {
      yield row;
      if (row.subcommands !== undefined) yield* row.subcommands.values();
    }
  }

  get(fullName: string): CommandRow | undefined {
    const bar = fullName.indexOf("|");
    if (bar < 0) return this.#rows.get(fullName);
    return this.#rows.get(fullName.slice(0, bar))?.subcommands?.get(fullName.slice(bar + 1));
  }

  /** The command that the arguments name. Throws the error of an unknown one. */
  find(args: Arguments): CommandRow {
    const row = this.#named(args, 0, this.#rows);
    if (row === undefined) throw unknownCommand(args);
    if (row.subcommands === undefined || args.length === 1) return row;
    const sub = this.#named(args, 1, row.subcommands);
    if (sub === undefined) throw unknownSubcommand(row.fullName, shown(args, 1, SHOWN_CHARACTERS));
    return sub;
  }

  findFrom(args: Arguments, start: number): CommandRow | undefined {
    const row = this.#named(args, start, this.#rows);
    if (row?.subcommands === undefined || args.length === start + 1) return row;
    return this.#named(args, start + 1, row.subcommands);
  }

  #named(
    args: Arguments,
    index: number,
    rows: ReadonlyMap<string, CommandRow>,
  ): CommandRow | undefined {
    return args.size(index) <= MAX_NAME_BYTES ? rows.get(args.word(index)) : undefined;
  }

  #add(row: CommandRow): void {
    if (this.#rows.has(row.fullName)) throw new Error(`two commands are named ${row.fullName}`);
    this.#rows.set(row.fullName, row);
  }
}

function keyspaceRow(command: Command, prefix: string): CommandRow {
  const fullName = prefix + command.name;
  const subcommands = command.subcommands?.map(
    (sub) => [sub.name, keyspaceRow(sub, `${fullName}|`)] as const,
  );
  return {
    ...row(command, fullName),
    keyspace: command,
    session: undefined,
    findKeys: command.findKeys?.bind(command),
    subcommands: subcommands === undefined ? undefined : new Map(subcommands),
  };
}

function sessionRow(command: SessionCommand, prefix: string): CommandRow {
  const fullName = prefix + command.name;
  const subcommands = command.subcommands?.map(
    (sub) => [sub.name, sessionRow(sub, `${fullName}|`)] as const,
  );
  return {
    ...row(command, fullName),
    keyspace: undefined,
    session: command,
    findKeys: undefined,
    subcommands: subcommands === undefined ? undefined : new Map(subcommands),
  };
}

function row(facts: CommandFacts, fullName: string) {
  const { flags } = facts;
  return {
    facts,
    fullName,
    counters: new CommandCounters(),
    kernelNumber: Math.max(0, (KERNEL_COMMANDS as readonly string[]).indexOf(fullName)),
    write: flags.includes("write"),
    reads: flags.includes("readonly"),
    denyOom: flags.includes("denyoom"),
    noAuth: flags.includes("no_auth"),
    noMulti: flags.includes("no_multi"),
  };
}

function unknownCommand(args: Arguments): CommandError {
  let rest = "";
  for (let i = 1; i < args.length && rest.length < SHOWN_CHARACTERS; i++) {
    rest += `'${shown(args, i, SHOWN_CHARACTERS - rest.length)}' `;
  }
  const name = shown(args, 0, SHOWN_CHARACTERS);
  return new CommandError(`ERR unknown command '${name}', with args beginning with: ${rest}`);
}

/** The beginning of an argument, as C shows it: up to the first NUL. */
function shown(args: Arguments, index: number, most: number): string {
  const text = latin1(args.view(index), 0, Math.min(most, args.size(index)));
  const nul = text.indexOf("\0");
  return nul < 0 ? text : text.slice(0, nul);
}
