// Runs commands of the keyspace on this node's own table, for clients of any node: bytes in, the bytes of the reply out.

import type { Logger } from "../base/logger.ts";
import { ReplyTooLong, RespWriter } from "../codec/resp-writer.ts";
import { Arguments, latin1 } from "../store/arguments.ts";
import { type Call, type Command, CommandError } from "../store/commands/command.ts";
import { commands } from "../store/commands/commands.ts";
import { memcachedCommands } from "../store/commands/memcached/index.ts";
import type { Database, Key } from "../store/database.ts";
import { type EmbeddedStore, OutOfMemory } from "../store/embedded-store.ts";

/** A command of the keyspace with what routing it needs. */
export interface KeyspaceCommand {
  readonly command: Pick<Command, "arity" | "keys" | "findKeys">;
  /** In lower case; of a subcommand behind its parent's: "object|encoding". */
  readonly name: string;
  readonly writes: boolean;
  readonly reads: boolean;
}

/** Commands of the keyspace by their names. */
export interface CommandTable {
  /** The command that arguments name; undefined for one that is none of the keyspace. */
  find(args: readonly Uint8Array[]): KeyspaceCommand | undefined;
  /** A command by its name in lower case, a subcommand by "parent|name". */
  get(name: string): KeyspaceCommand | undefined;
}

/** A command of this node's own table. */
interface LocalCommand extends KeyspaceCommand {
  readonly command: Command;
  /** It needs room for what it writes. */
  readonly needsRoom: boolean;
}

/** What a client has chosen that its commands depend on. */
export interface RunOptions {
  readonly database: number;
  readonly protocol: 2 | 3;
  /** Look-ups leave the access clock alone. */
  readonly noTouch: boolean;
}

const PAGE_BYTES = 65536;
/** Longest reply of a command. */
const MAX_REPLY_BYTES = 64 * 1024 * 1024;
/** Bytes that a write needs beside its arguments: the header of a record. */
const RECORD_BYTES = 64;

export class LocalCommands implements CommandTable {
  readonly #store: EmbeddedStore;
  readonly #log: Logger;
  readonly #byName = new Map<string, LocalCommand>();
  readonly #args: Arguments;
  readonly #reply = new RespWriter();
  /** Where the arguments of short commands are put. */
  readonly #page: number;

  constructor(store: EmbeddedStore, log: Logger) {
    this.#store = store;
    this.#log = log;
    this.#args = new Arguments(store.memory);
    this.#page = store.kernel.takePages(1, 1) >>> 0;
    if (this.#page === 0) throw store.outOfMemory();
    for (const command of [...commands, ...memcachedCommands]) this.#add(command, command.name);
  }

  #add(command: Command, name: string): void {
    const has = (flag: Command["flags"][number]) => command.flags.includes(flag);
    this.#byName.set(name, {
      command,
      name,
      writes: has("write"),
      reads: has("readonly"),
      needsRoom: has("denyoom"),
    });
    for (const sub of command.subcommands ?? []) this.#add(sub, `${name}|${sub.name}`);
  }

  /** The command that arguments name; undefined for one that is none of the keyspace. */
  find(args: readonly Uint8Array[]): LocalCommand | undefined {
    const found = this.#byName.get(wordOf(args[0]));
    if (found?.command.subcommands === undefined) return found;
    return this.#byName.get(`${found.name}|${wordOf(args[1])}`);
  }

  /** A command by its name in lower case, a subcommand by "parent|name". */
  get(name: string): LocalCommand | undefined {
    return this.#byName.get(name);
  }

  /** Runs a command whose number of arguments is right; the reply is an error where it failed. The time must have been set. */
  run(
    { name }: Pick<KeyspaceCommand, "name">,
    args: readonly Uint8Array[],
    options: RunOptions,
  ): Uint8Array {
    const { command, reads, needsRoom } = this.#byName.get(name)!;
    const store = this.#store;
    const reply = this.#reply;
    reply.protocol = options.protocol;
    reply.limitBytes = MAX_REPLY_BYTES;
    try {
      const bytes = args.reduce((sum, argument) => sum + argument.length, 0);
      if (needsRoom && !store.makeRoom(bytes + RECORD_BYTES)) throw store.outOfMemory();
      store.countsAccesses = !options.noTouch || name === "touch";
      store.countsHits = reads;
      this.#withArguments(args, bytes, (placed) => {
        command.run(new LocalCall(store, store.databases[options.database]!, placed, reply));
      });
    } catch (error) {
      reply.errorInstead(0, this.#textOf(error, name));
    }
    store.countsHits = false;
    store.afterCommand();
    const written = reply.view().slice();
    reply.clear();
    return written;
  }

  /** Puts arguments into linear memory while `use` works on them. */
  #withArguments(
    args: readonly Uint8Array[],
    bytes: number,
    use: (placed: Arguments) => void,
  ): void {
    const { kernel, memory } = this.#store;
    const total = args.length * 8 + bytes;
    const pages = total <= PAGE_BYTES ? 0 : Math.ceil(total / PAGE_BYTES);
    const region = pages === 0 ? this.#page : kernel.takePages(pages, 1) >>> 0;
    if (region === 0) throw this.#store.outOfMemory();
    try {
      let at = region + args.length * 8;
      for (const [i, argument] of args.entries()) {
        memory.words[(region >>> 2) + i * 2] = at;
        memory.words[(region >>> 2) + i * 2 + 1] = argument.length;
        memory.bytes.set(argument, at);
        at += argument.length;
      }
      use(this.#args.point(region, args.length));
    } finally {
      if (pages !== 0) kernel.freePages(region, pages);
    }
  }

  #textOf(error: unknown, name: string): string {
    if (error instanceof CommandError) return error.message;
    if (error instanceof OutOfMemory) return `${error.code} ${error.message}`;
    if (error instanceof ReplyTooLong) {
      return `ERR the command was run, but its reply is longer than ${MAX_REPLY_BYTES} bytes and was dropped: ask for less at a time`;
    }
    if (error instanceof WebAssembly.RuntimeError) throw error;
    const detail = error instanceof Error ? (error.stack ?? error.message) : String(error);
    this.#log.error(`a command failed for a reason of our own: ${detail}`, { command: name });
    return `ERR internal error in '${name}': it may have changed part of what it was to change. Please report it with the node's log.`;
  }
}

class LocalCall implements Call {
  readonly store: EmbeddedStore;
  readonly database: Database;
  readonly args: Arguments;
  readonly reply: RespWriter;

  constructor(store: EmbeddedStore, database: Database, args: Arguments, reply: RespWriter) {
    this.store = store;
    this.database = database;
    this.args = args;
    this.reply = reply;
  }

  key(index: number): Key {
    return { pointer: this.args.pointer(index), length: this.args.size(index) };
  }
}

/** Longest name of a command. */
const MAX_NAME_BYTES = 64;

function wordOf(argument: Uint8Array | undefined): string {
  if (argument === undefined || argument.length > MAX_NAME_BYTES) return "";
  return latin1(argument, 0, argument.length).toLowerCase();
}
