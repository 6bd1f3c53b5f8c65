// The catalogue of commands: what COMMAND, CONFIG RESETSTAT, INFO and ACL know of each.

import type { Arguments } from "../../store/arguments.ts";
import type { CommandFacts } from "../../store/commands/command.ts";
import type { CommandCounters } from "./statistics.ts";

/** A command or a subcommand. */
export interface CatalogueRow {
  readonly facts: CommandFacts;
  /** The name, of a subcommand behind its parent's: "client|kill". */
  readonly fullName: string;
  /** Where the keys are when a KeyRange cannot say: indexes of the arguments. */
  readonly findKeys: ((args: readonly string[]) => number[]) | undefined;
  readonly subcommands: ReadonlyMap<string, CatalogueRow> | undefined;
  readonly counters: CommandCounters;
  /** Its number where the kernel answers it, else 0. */
  readonly kernelNumber: number;
  /** Whether it has the flag "write". */
  readonly write: boolean;
}

export interface Catalogue {
  /** Commands, without subcommands. */
  readonly size: number;
  /** All commands, without subcommands. */
  rows(): IterableIterator<CatalogueRow>;
  /** All that can be called: each subcommand behind its parent. */
  allRows(): IterableIterator<CatalogueRow>;
  /** A command by its name in lower case, a subcommand by "parent|name". */
  get(fullName: string): CatalogueRow | undefined;
  /** The command that the arguments from `start` on name. */
  findFrom(args: Arguments, start: number): CatalogueRow | undefined;
}

/** Whether a command takes so many arguments, its name included. */
export function fitsArity(facts: CommandFacts, length: number): boolean {
  return facts.arity < 0 ? length >= -facts.arity : length === facts.arity;
}
