// Runs the commands that the kernel hands over: decides whether a client may run one now, runs it, and turns what goes wrong
// into error replies.

import { toHex } from "../../base/hex.ts";
import type { Logger } from "../../base/logger.ts";
import type { Runtime } from "../../base/runtime.ts";
import type { Settings } from "../../base/settings.ts";
import { ReplyTooLong, RespWriter } from "../../codec/resp-writer.ts";
import type { RingCommandsParts } from "../../ring/ring-commands.ts";
import type { Arguments } from "../../store/arguments.ts";
import type { Backend } from "../../store/backend/backend.ts";
import { type Call, CommandError, wrongArity } from "../../store/commands/command.ts";
import { commands } from "../../store/commands/commands.ts";
import type { Database, Key } from "../../store/database.ts";
import { type EmbeddedStore, OutOfMemory } from "../../store/embedded-store.ts";
import { ServingState } from "../serving-state.ts";
import { fitsArity } from "./catalogue.ts";
import { ClientRegistry } from "./clients.ts";
import { type CommandRow, CommandTable } from "./command-table.ts";
import type { LaterReply } from "./feeder.ts";
import { KeptCommands, replyTooLong } from "./kept-commands.ts";
import { Pause } from "./pause.ts";
import { RequestReader } from "./request-reader.ts";
import { type ClientsRing, laterBytes, RingClients } from "./ring-clients.ts";
import type { Session } from "./session.ts";
import type { CommandHost, NodeFacts } from "./session-command.ts";
import { sessionCommands } from "./session-commands.ts";
import { Statistics } from "./statistics.ts";

export interface CommanderParts {
  readonly store: EmbeddedStore;
  readonly settings: Settings;
  readonly runtime: Runtime;
  readonly log: Logger;
  readonly facts: NodeFacts;
  /** The other nodes; undefined for a node that is alone. */
  readonly ring?: ClientsRing | undefined;
  /** What keeps the keys of a member in place of the store. */
  readonly ringServer?: RingCommandsParts["server"];
  /** The server that keeps the data; undefined where the node does. */
  readonly backend?: Backend | undefined;
  /** Begins to close the node, for SHUTDOWN; undefined: clients may not. */
  readonly shutdown?: () => void;
}

/** Longest reply of a command where client-output-buffer-limit sets no limit. */
const MAX_REPLY_BYTES = 1024 * 1024 * 1024;
/** Bytes that a write needs beside its arguments: the header of a record. */
const RECORD_BYTES = 64;

export class Commander implements CommandHost {
  readonly store: EmbeddedStore;
  readonly settings: Settings;
  readonly runtime: Runtime;
  readonly log: Logger;
  readonly facts: NodeFacts;
  readonly shutdown: (() => void) | undefined;
  readonly clients = new ClientRegistry();
  readonly table = new CommandTable(commands, sessionCommands);
  readonly statistics: Statistics;
  readonly pause: Pause;
  readonly state = new ServingState();
  readonly ring: RingClients | undefined;
  readonly backend: Backend | undefined;
  readonly runId: string;
  readonly startedAt: number;
  readonly #kept: KeptCommands;
  readonly #call: KeyspaceCall;
  #inTransaction = false;

  constructor(parts: CommanderParts) {
    this.store = parts.store;
    this.settings = parts.settings;
    this.runtime = parts.runtime;
    this.log = parts.log;
    this.facts = parts.facts;
    this.shutdown = parts.shutdown;
    this.backend = parts.backend;
    this.statistics = new Statistics(parts.store, this.clients);
    this.pause = new Pause(parts.runtime, this.clients, (held) =>
      parts.store.kernel.holdExpiry(held ? 1 : 0),
    );
    this.#followState();
    this.startedAt = parts.runtime.monotonic();
    this.runId = toHex(parts.runtime.randomBytes(20));
    this.#kept = new KeptCommands(parts.store);
    this.#call = new KeyspaceCall(parts.store);
    this.ring = parts.ring === undefined ? undefined : this.#joinRing(parts.ring, parts.ringServer);
    this.#followSettings();
  }

  #joinRing(ring: ClientsRing, server: RingCommandsParts["server"]): RingClients {
    const { store, settings, runtime, log, clients } = this;
    const reader = new RequestReader(store);
    const parse = (request: Uint8Array) =>
      reader.read(request, (args) => ({ name: this.table.find(args).fullName }));
    return new RingClients({ ring, store, settings, runtime, log, clients, server, parse });
  }

  /** The work of every tick: samples for the rates. */
  tick(): void {
    this.statistics.sample(this.runtime.monotonic());
  }

  /** Runs one command of a client: writes its reply, or returns a promise of it. */
  execute(session: Session, args: Arguments, reply: RespWriter): LaterReply | undefined {
    if (session.replies === "on") return this.#perform(session, args, reply);
    return this.#performSilently(session, args, reply);
  }

  /** Whether the reply to a command may be large: one that reads values, or runs others. */
  mayReplyMuch(args: Arguments): boolean {
    try {
      const row = this.table.find(args);
      return row.fullName === "exec" || (row.keyspace !== undefined && !row.write);
    } catch {
      return false;
    }
  }

  runTransaction(session: Session, queued: readonly Uint8Array[][], reply: RespWriter): void {
    this.#inTransaction = true;
    try {
      for (const command of queued) {
        this.#runKept(session, command, reply);
      }
    } finally {
      this.#inTransaction = false;
    }
  }

  runQueued(session: Session, command: readonly Uint8Array[], reply: RespWriter): void {
    this.#inTransaction = true;
    try {
      this.#runKept(session, command, reply);
    } finally {
      this.#inTransaction = false;
    }
  }

  /** Runs a command that was kept; in a ring all of it here, where its reply is caught, and not in the kernel. */
  #runKept(
    session: Session,
    command: readonly Uint8Array[],
    reply: RespWriter,
  ): LaterReply | undefined {
    const inRing = this.ring !== undefined;
    if (inRing) session.setHostOnly("kept", true);
    try {
      return this.#kept.run(session, command, reply, (args, writer) =>
        this.#perform(session, args, writer),
      );
    } finally {
      if (inRing) session.setHostOnly("kept", false);
    }
  }

  /** CLIENT REPLY OFF and SKIP: the command runs, its reply is dropped. */
  #performSilently(session: Session, args: Arguments, reply: RespWriter): LaterReply | undefined {
    const before = reply.length;
    if (session.replies === "skip-next") session.replies = "skip";
    const later = this.#perform(session, args, reply);
    // CLIENT REPLY ON is answered.
    if (session.replies === "on") return later;
    if (session.replies === "skip") {
      session.replies = "on";
      session.setHostOnly("replies", false);
    }
    reply.truncate(before);
    return later?.then(() => () => {});
  }

  /** Checks that a command may run, in the order of Redis, and runs it. */
  #perform(session: Session, args: Arguments, reply: RespWriter): LaterReply | undefined {
    let row: CommandRow | undefined;
    try {
      row = this.table.find(args);
      if (!fitsArity(row.facts, args.length)) throw wrongArity(row.fullName);
      this.#check(session, row, args);
    } catch (error) {
      this.#refuse(session, row, error, reply);
      return undefined;
    }
    if (!this.#inTransaction && this.#mustWait(session, row)) return this.#holdBack(session, args);
    if (session.transaction !== undefined && !RUN_IN_MULTI.has(row.fullName)) {
      session.transaction.add(row, args, sizeOf(args));
      reply.simple("QUEUED");
      return undefined;
    }
    return this.#run(session, row, args, reply);
  }

  #check(session: Session, row: CommandRow, args: Arguments): void {
    if (!session.authenticated && !row.noAuth) {
      throw new CommandError("NOAUTH Authentication required.");
    }
    this.#checkState(session, row);
    const { transaction } = session;
    if (transaction !== undefined && row.noMulti) {
      throw new CommandError("ERR Command not allowed inside a transaction");
    }
    this.#requireRoom(session, row, args);
    if (transaction === undefined || RUN_IN_MULTI.has(row.fullName)) return;
    this.ring?.join(session, transaction, row.fullName, args);
    const limit = this.settings.get("maxRequestBytes");
    if (transaction.bytes + sizeOf(args) <= limit) return;
    transaction.break();
    throw new CommandError(
      `ERR the transaction is longer than ${limit} bytes (client-query-buffer-limit); nothing of it was run`,
    );
  }

  /** Throws where the node's state allows no such command. */
  #checkState({ transaction }: Session, row: CommandRow): void {
    const isExec = row.fullName === "exec" && transaction !== undefined;
    if (row.keyspace === undefined && !isExec) return;
    const refusal = this.state.refusal(isExec ? transaction.writes : row.write);
    if (refusal !== undefined) throw new CommandError(`ERR ${refusal}`);
  }

  #requireRoom(session: Session, row: CommandRow, args: Arguments): void {
    // In a ring, the executor looks whether it has room.
    if (this.ring !== undefined) return;
    let bytes: number;
    if (row.fullName === "exec") {
      if (!session.transaction?.denyOom) return;
      bytes = session.transaction.bytes;
    } else if (row.denyOom) bytes = sizeOf(args) + RECORD_BYTES;
    else if (session.transaction !== undefined && !RUN_IN_MULTI.has(row.fullName)) bytes = 0;
    else return;
    if (!this.store.makeRoom(bytes)) throw this.store.outOfMemory();
  }

  /** Answers a command that may not run: a transaction that it was to be part of cannot be run either. */
  #refuse(session: Session, row: CommandRow | undefined, error: unknown, reply: RespWriter): void {
    if (row !== undefined) row.counters.rejected.total++;
    const before = reply.length;
    const text = this.#textOf(error, row);
    if (row?.fullName === "exec" && session.transaction !== undefined) {
      session.endTransaction();
      reply.error(`EXECABORT Transaction discarded because of: ${text.replace(/^ERR /, "")}`);
    } else {
      session.transaction?.break();
      reply.error(text);
    }
    this.statistics.countError(reply.view().subarray(before));
  }

  #run(
    session: Session,
    row: CommandRow,
    args: Arguments,
    reply: RespWriter,
  ): LaterReply | undefined {
    const before = reply.length;
    const start = this.runtime.monotonic();
    this.statistics.hostCommands.total++;
    row.counters.calls.total++;
    session.lastCommand = row.fullName;
    session.lastCommandAt = this.store.now;
    reply.limitBytes = this.settings.get("outputLimitBytes") || MAX_REPLY_BYTES;
    let later: LaterReply | undefined;
    try {
      if (row.keyspace !== undefined) {
        this.store.countsAccesses = !session.noTouch || row.fullName === "touch";
        this.store.countsHits = row.reads;
        const inRing = this.ring?.run(session, row.fullName, args);
        if (inRing !== undefined) later = this.#whenAnswered(row, inRing);
        else row.keyspace.run(this.#call.of(session, args, reply));
      } else {
        const inTransaction = this.#inTransaction;
        later = row.session!.run({ host: this, session, args, reply, inTransaction });
      }
    } catch (error) {
      const isTooLong = error instanceof ReplyTooLong;
      reply.errorInstead(before, isTooLong ? replyTooLong(reply) : this.#textOf(error, row));
    }
    this.store.countsHits = false;
    row.counters.microseconds.total += (this.runtime.monotonic() - start) * 1000;
    if (reply.length !== before) this.#countFailure(row, reply, before);
    return later;
  }

  /** Counts a command that other nodes have part in when its reply is there. */
  #whenAnswered(row: CommandRow, reply: Promise<Uint8Array>): LaterReply {
    const start = this.runtime.monotonic();
    const counted = reply.then((bytes) => {
      row.counters.microseconds.total += (this.runtime.monotonic() - start) * 1000;
      if (bytes[0] === MINUS) {
        row.counters.failed.total++;
        this.statistics.countError(bytes);
      }
      return bytes;
    });
    return laterBytes(counted);
  }

  #countFailure(row: CommandRow, reply: RespWriter, before: number): void {
    const written = reply.view();
    if (written[before] !== MINUS) return;
    row.counters.failed.total++;
    this.statistics.countError(written.subarray(before));
  }

  #mustWait(session: Session, row: CommandRow): boolean {
    switch (this.pause.mode) {
      case undefined:
        return false;
      case "all":
        return true;
      case "write":
        return row.write || (row.fullName === "exec" && session.transaction?.writes === true);
    }
  }

  /** Keeps a command until the pause is over, and runs it then. */
  async #holdBack(session: Session, args: Arguments): LaterReply {
    const { id } = session.facts;
    const command = Array.from({ length: args.length }, (_, index) => args.bytes(index));
    this.clients.setWaiting(id, () => false);
    await this.pause.over;
    this.clients.setWaiting(id, undefined);
    if (this.clients.get(id)?.session !== session) return () => {};
    this.store.setNow(this.runtime.now());
    const replies = new RespWriter();
    replies.protocol = session.protocol;
    const later = this.#runKept(session, command, replies);
    const writeLater = await later;
    return (reply) => {
      reply.raw(replies.view());
      writeLater?.(reply);
    };
  }

  /** The text of an error reply. What no command should throw is logged, and the node goes on. */
  #textOf(error: unknown, row: CommandRow | undefined): string {
    if (error instanceof CommandError) return error.message;
    if (error instanceof OutOfMemory) return `${error.code} ${error.message}`;
    const name = row?.fullName ?? "";
    const detail = error instanceof Error ? (error.stack ?? error.message) : String(error);
    this.log.error(`a command failed for a reason of our own: ${detail}`, { command: name });
    return `ERR internal error in '${name}': it may have changed part of what it was to change. Please report it with the node's log.`;
  }

  /** While not all commands are allowed, the kernel runs none by itself. */
  #followState(): void {
    this.state.onChange((state) => {
      for (const { session } of this.clients) session.setHostOnly("state", state !== "normal");
    });
    this.clients.onAdd(({ session }) => {
      if (this.state.name !== "normal") session.setHostOnly("state", true);
    });
  }

  #followSettings(): void {
    const { settings, store } = this;
    const setMaxMemory = () => {
      store.setMaxMemory(settings.get("maxMemoryBytes"), settings.get("maxMemoryPolicy"));
    };
    setMaxMemory();
    store.setMaxBulk(settings.get("maxBulkBytes"));
    const setHashLimits = () => {
      store.hashLimits.entries = settings.get("hashListpackEntries");
      store.hashLimits.valueBytes = settings.get("hashListpackValueBytes");
    };
    setHashLimits();
    settings.onChange("hashListpackEntries", setHashLimits);
    settings.onChange("hashListpackValueBytes", setHashLimits);
    settings.onChange("maxMemoryBytes", setMaxMemory);
    settings.onChange("maxMemoryPolicy", setMaxMemory);
    settings.onChange("maxBulkBytes", (bytes) => store.setMaxBulk(bytes));
    settings.onChange("password", (password) => {
      if (password !== "") return;
      for (const { session } of this.clients) session.authenticated = true;
    });
  }
}

const MINUS = 45;

/** Commands that MULTI does not queue. */
const RUN_IN_MULTI: ReadonlySet<string> = new Set([
  "exec",
  "discard",
  "multi",
  "watch",
  "quit",
  "reset",
]);

/** Bytes of all arguments of a command. */
function sizeOf(args: Arguments): number {
  let bytes = 0;
  for (let i = 0; i < args.length; i++) bytes += args.size(i);
  return bytes;
}

/** What the keyspace's commands get, one object for all: they do not run each other. */
class KeyspaceCall implements Call {
  readonly store: EmbeddedStore;
  database: Database;
  args!: Arguments;
  reply!: RespWriter;

  constructor(store: EmbeddedStore) {
    this.store = store;
    this.database = store.databases[0]!;
  }

  of(session: Session, args: Arguments, reply: RespWriter): this {
    this.database = this.store.databases[session.database]!;
    this.args = args;
    this.reply = reply;
    return this;
  }

  key(index: number): Key {
    return { pointer: this.args.pointer(index), length: this.args.size(index) };
  }
}
