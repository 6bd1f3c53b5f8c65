import type { Arguments } from "../arguments.ts";
import type { Database, Key } from "../database.ts";
import type { EmbeddedStore } from "../embedded-store.ts";
import type { Reply } from "../reply.ts";

/** What a command of the keyspace gets to work with. It writes exactly one reply, or throws CommandError. */
export interface Call {
  readonly store: EmbeddedStore;
  /** The selected database. */
  readonly database: Database;
  readonly args: Arguments;
  readonly reply: Reply;
  /** A key among the arguments. */
  key(index: number): Key;
}

/** Redis's flags of a command, as COMMAND INFO shows them. */
export type CommandFlag =
  | "write"
  | "readonly"
  | "denyoom"
  | "admin"
  | "noscript"
  | "random"
  | "loading"
  | "stale"
  | "fast"
  | "no_auth"
  | "movablekeys"
  | "noasync"
  | "allow_busy"
  | "no_multi"
  | "blocking"
  | "skip_monitor"
  | "skip_slowlog";

/** Which arguments are keys: every `step`-th from `first` to `last` (negative: from the end). No keys: all 0. */
export interface KeyRange {
  readonly first: number;
  readonly last: number;
  readonly step: number;
}

/** What COMMAND tells about a command, for every kind of it. */
export interface CommandFacts {
  /** In lower case; of a subcommand without its parent's name. */
  readonly name: string;
  /** Arguments with the name; negative: at least so many. */
  readonly arity: number;
  readonly flags: readonly CommandFlag[];
  readonly keys: KeyRange;
  /** Of COMMAND DOCS: group, version of Redis that has it first, what it costs, what it does (our words). */
  readonly group:
    | "string"
    | "bitmap"
    | "generic"
    | "hash"
    | "connection"
    | "server"
    | "transactions";
  readonly since: string;
  readonly complexity: string;
  readonly summary: string;
}

/** A command of the keyspace: one small file each, and a row in commands.ts. */
export interface Command extends CommandFacts {
  /** Where the keys are, when a KeyRange cannot say: indexes of the arguments. */
  findKeys?(args: readonly string[]): number[];
  /** The second argument must name one of these. */
  readonly subcommands?: readonly Command[];
  run(call: Call): void;
}

/** No argument is a key. */
export const NO_KEYS: KeyRange = { first: 0, last: 0, step: 0 };
/** The first argument is the only key. */
export const ONE_KEY: KeyRange = { first: 1, last: 1, step: 1 };
/** Every argument is a key. */
export const ALL_KEYS: KeyRange = { first: 1, last: -1, step: 1 };

/** An error reply: the message begins with Redis's code word. The command has changed nothing. */
export class CommandError extends Error {}

export const syntaxError = (): CommandError => new CommandError("ERR syntax error");
export const notAnInteger = (): CommandError =>
  new CommandError("ERR value is not an integer or out of range");
export const wrongType = (): CommandError =>
  new CommandError("WRONGTYPE Operation against a key holding the wrong kind of value");
/** `parent`: the name of the command, in lower case. */
export const unknownSubcommand = (parent: string, name: string): CommandError =>
  new CommandError(`ERR unknown subcommand '${name}'. Try ${parent.toUpperCase()} HELP.`);
/** `name`: the command's, in lower case. */
export const wrongArity = (name: string): CommandError =>
  new CommandError(`ERR wrong number of arguments for '${name}' command`);
