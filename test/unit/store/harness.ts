/**
 * Runs commands as a client would, one at a time: a request goes through feed(), the kernel answers it or hands it over, and
 * what is handed over runs by its row in src/store/commands/. With `host`, every command is handed over.
 */
import type { RespWriter } from "../../../src/codec/resp-writer.ts";
import { fitsArity } from "../../../src/doors/resp/catalogue.ts";
import { CommandTable } from "../../../src/doors/resp/command-table.ts";
import { Feeder } from "../../../src/doors/resp/feeder.ts";
import { type Arguments, fromLatin1, latin1 } from "../../../src/store/arguments.ts";
import { type Call, CommandError, wrongArity } from "../../../src/store/commands/command.ts";
import { commands } from "../../../src/store/commands/commands.ts";
import type { Database, Entry } from "../../../src/store/database.ts";
import {
  type EmbeddedStore,
  type EmbeddedStoreOptions,
  OutOfMemory,
} from "../../../src/store/embedded-store.ts";
import { CONNECTION } from "../../../src/store/kernel.ts";
import { type Decoded, decodeReply } from "./decode-reply.ts";
import { openStore } from "./store-under-test.ts";

/** An argument: text is one character per byte. */
export type Argument = string | number | bigint | Uint8Array;

export interface HarnessOptions extends EmbeddedStoreOptions {
  /** Who runs a command that both know: the kernel by default. */
  readonly runBy?: "kernel" | "host";
  /** Of the replies; 2 by default. */
  readonly protocol?: 2 | 3;
}

/** A store and one client of it. */
export class Harness {
  readonly store: EmbeddedStore;
  readonly #feeder: Feeder;
  readonly #kernelConnection: number;
  readonly protocol: 2 | 3;
  readonly #table = new CommandTable(commands, []);
  #sent = "";
  #selected = 0;
  /** Commands that the host ran. */
  get hostCommands(): number {
    return this.#feeder.hostCommands;
  }

  constructor({ runBy = "kernel", protocol = 2, ...options }: HarnessOptions = {}) {
    this.store = openStore(options);
    this.#feeder = new Feeder(this.store);
    this.protocol = protocol;
    this.#kernelConnection = this.store.kernel.connectionOpen() >>> 0;
    const flags =
      (runBy === "host" ? CONNECTION.host : 0) | (protocol === 3 ? CONNECTION.resp3 : 0);
    this.store.memory.words[this.#kernelConnection >>> 2] = flags;
  }

  /** Database 0. */
  get database(): Database {
    return this.store.databases[0]!;
  }

  /** The entry of a key in database 0, 0 for none. */
  find(key: string): Entry {
    return this.database.find(this.store.place(fromLatin1(key)));
  }

  /** Puts what is no string at a key. */
  setHash(key: string): void {
    this.run("hset", key, "field", "value");
  }

  /** Runs a command and returns its reply as plain values. */
  run(...words: readonly Argument[]): Decoded {
    return decodeReply(this.raw(...words));
  }

  /** Runs a command and returns the bytes of its reply, one character per byte. */
  raw(...words: readonly Argument[]): string {
    return this.chunk([words]);
  }

  /** Runs commands that come in one chunk; SELECT is among those that it knows. Returns the bytes of their replies. */
  chunk(commands: readonly (readonly Argument[])[]): string {
    this.#sent = "";
    const request = fromLatin1(commands.map(encodeRequest).join(""));
    this.#feeder.feed(
      {
        kernelConnection: this.#kernelConnection,
        protocol: this.protocol,
        closing: false,
        mustWait: false,
        mayReplyMuch: () => false,
        execute: (args, reply) => this.#execute(args, reply),
        send: (bytes) => {
          this.#sent += latin1(bytes, 0, bytes.length);
        },
      },
      [request],
      request.length,
    );
    return this.#sent;
  }

  #execute(args: Arguments, reply: RespWriter): undefined {
    const before = reply.length;
    try {
      if (args.text(0).toLowerCase() === "select") {
        this.#selected = Number(args.text(1));
        this.store.memory.words[(this.#kernelConnection >>> 2) + 1] = this.#selected;
        reply.simple("OK");
        return;
      }
      const row = this.#table.find(args);
      if (!fitsArity(row.facts, args.length)) throw wrongArity(row.fullName);
      row.keyspace!.run(this.#call(args, reply));
    } catch (error) {
      reply.truncate(before);
      if (error instanceof CommandError) reply.error(error.message);
      else if (error instanceof OutOfMemory) reply.error(`${error.code} ${error.message}`);
      else throw error;
    }
  }

  #call(args: Arguments, reply: RespWriter): Call {
    return {
      store: this.store,
      database: this.store.databases[this.#selected]!,
      args,
      reply,
      key: (index) => ({ pointer: args.pointer(index), length: args.size(index) }),
    };
  }
}

/** A request as RESP, one character per byte. */
export function encodeRequest(words: readonly Argument[]): string {
  let request = `*${words.length}\r\n`;
  for (const word of words) {
    const text = typeof word === "object" ? latin1(word, 0, word.length) : String(word);
    request += `$${text.length}\r\n${text}\r\n`;
  }
  return request;
}
