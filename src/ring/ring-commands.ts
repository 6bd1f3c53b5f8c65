/** The commands of clients that the host runs in a ring: finds who is to run each, and has it run. */
import { RingletError } from "../base/errors.ts";
import type { Logger } from "../base/logger.ts";
import type { Runtime } from "../base/runtime.ts";
import type { EmbeddedStore } from "../store/embedded-store.ts";
import { keyIndexes, type Merge, type Part, partsOf, SPLITTABLE } from "./command-keys.ts";
import { EmbeddedCopy } from "./embedded-copy.ts";
import type { QueuedCommand, RequestOptions, WatchedKey } from "./execute-request.ts";
import { ExecuteServer } from "./execute-server.ts";
import { Executor } from "./executor.ts";
import { FieldReader } from "./fields.ts";
import { Forwarding } from "./forwarding.ts";
import { Gather } from "./gather.ts";
import { GatherServer } from "./gather-server.ts";
import { isBlind } from "./kinds-of-writes.ts";
import type { ConsistencyLevel } from "./levels.ts";
import { type CommandTable, type KeyspaceCommand, LocalCommands } from "./local-commands.ts";
import { isOverAllOwners, runOverAll } from "./over-all-owners.ts";
import type { OwnCopy, ReplicaCommand } from "./own-copy.ts";
import { PeerCommands } from "./peer-commands.ts";
import type { RingPort } from "./port.ts";
import { mayBeRead } from "./quorum.ts";
import { RememberedWrites } from "./remembered-writes.ts";
import { errorReply, isError, mergeReplies, withMore } from "./reply-parts.ts";
import type { RingContext } from "./ring-context.ts";
import {
  crossOwner,
  errorText,
  notCoordinating,
  notInTransaction,
  notWithVersion1,
} from "./ring-error.ts";
import type { ReplicaSet } from "./topology.ts";
import {
  decodeReplies,
  joinSets,
  runTransaction,
  type TransactionReplies,
  versionOf,
} from "./transactions.ts";

const UTF8 = new TextDecoder();

export interface RingCommandsParts {
  readonly port: RingPort;
  readonly store: EmbeddedStore;
  readonly runtime: Runtime;
  readonly log: Logger;
  /** How long a request may take, in ms. */
  readonly requestTimeoutMs: () => number;
  /** How many writes of other nodes are remembered, so that none is run twice. */
  readonly rememberedWrites: () => number;
  /** The copy that a server behind the node keeps, and its commands; without it the store of this process keeps the keys. */
  readonly server?: { readonly copy: OwnCopy; readonly commands: CommandTable } | undefined;
}

/** What a client has chosen that its commands depend on. */
export interface ClientOptions {
  readonly database: number;
  readonly protocol: 2 | 3;
  /** CLIENT NO-TOUCH. */
  readonly noTouch: boolean;
  readonly readLevel: ConsistencyLevel;
  readonly writeLevel: ConsistencyLevel;
}

/** A client's command. */
export interface ClientCommand {
  /** In lower case; of a subcommand behind its parent's: "object|encoding". */
  readonly name: string;
  /** With the name; copies, since they outlive the call. */
  readonly args: readonly Uint8Array[];
  readonly client: ClientOptions;
  /** Resolves when the earlier commands of the client have their replies: it sees what they wrote, and comes after it. */
  readonly after?: Promise<void> | undefined;
}

export class RingCommands {
  readonly #context: RingContext;
  readonly #executor: Executor;
  readonly #forwarding: Forwarding;
  readonly #gather: Gather;
  readonly #ofPeers: PeerCommands;

  constructor(parts: RingCommandsParts) {
    const { rememberedWrites, server, ...shared } = parts;
    const local = new LocalCommands(parts.store, parts.log);
    const embedded = new EmbeddedCopy({ ...shared, local });
    this.#context = { ...shared, local, embedded, commands: server?.commands ?? local };
    this.#executor = new Executor(this.#context, server?.copy ?? embedded);
    this.#forwarding = new Forwarding(this.#context);
    new ExecuteServer(this.#context, this.#executor, new RememberedWrites(rememberedWrites));
    this.#ofPeers = new PeerCommands(this.#context, this.#executor, (part) => this.#runPart(part));
    this.#gather = new Gather(this.#context, new GatherServer(this.#context));
  }

  /**
   * Runs a command of the keyspace, its number of arguments being right. The reply in RESP, an error where it failed; undefined:
   * the command has no keys and is about this node alone, so the caller runs it as a single node does.
   */
  run(command: ClientCommand): Promise<Uint8Array> | undefined {
    const found = this.#context.commands.get(command.name);
    if (found === undefined) return undefined;
    if (isOverAllOwners(found.name)) {
      return this.#answer(found.name, () => this.#overAll(found, command));
    }
    const parts = partsOf(found.command, command.args, (key) => this.#context.port.replicasOf(key));
    if (parts.length === 0) return undefined;
    return this.#answer(found.name, () => this.#runParts(found, parts, command));
  }

  /**
   * Runs a command that a version 1 peer has sent (see peer-commands.ts): the reply in RESP 2, an error where it failed. It keeps
   * `args`.
   */
  runForPeer(args: readonly Uint8Array[], isForwarded: boolean): Uint8Array | Promise<Uint8Array> {
    const reply = this.#ofPeers.run(args, isForwarded);
    if (reply instanceof Uint8Array) return reply;
    return reply.catch((error) => errorReply(this.textOf(error, "a command of a peer")));
  }

  /**
   * What a command that is queued adds to the replica set of its transaction. Throws RingletError CROSS_OWNER for keys of another
   * set, NOT_IN_TRANSACTION for a command over all owners.
   */
  join(before: ReplicaSet | undefined, command: Pick<ClientCommand, "name" | "args">) {
    const { port, local } = this.#context;
    if (isOverAllOwners(command.name)) throw notInTransaction(command.name);
    const found = local.get(command.name);
    if (found === undefined) return before;
    const route = (key: Uint8Array) => port.replicasOf(key);
    const keys = partsOf(found.command, command.args, route).flatMap((part) => part.keys);
    return this.joinKeys(before, keys);
  }

  /** Whether a command works on keys that it names. */
  hasKeys({ name, args }: Pick<ClientCommand, "name" | "args">): boolean {
    const found = this.#context.local.get(name);
    return found !== undefined && keyIndexes(found.command, args).length !== 0;
  }

  /** The same for keys that are watched. */
  joinKeys(before: ReplicaSet | undefined, keys: readonly Uint8Array[]): ReplicaSet | undefined {
    const { port } = this.#context;
    const hasHashTag = port.topology.hashTag !== undefined;
    return joinSets(before, keys, (key) => port.replicasOf(key), hasHashTag);
  }

  /** The versions of keys of one replica set, for WATCH. Rejects with RingletError. */
  async versions(keys: readonly Uint8Array[], client: ClientOptions): Promise<WatchedKey[]> {
    const { port, store } = this.#context;
    this.#requireCoordinating();
    const set = this.joinKeys(undefined, keys);
    const { database } = client;
    const placed = keys.map((key) => ({ database, key }));
    if (set === undefined) return [];
    this.#requireNoVersion1(set);
    const options = { ...optionsOf(client), level: client.readLevel };
    if (set.local.includes(port.topology.self) && !port.isFenced) {
      const reach = { set, level: options.level, deadline: this.#deadline() };
      await this.#executor.readNewest(placed, reach);
      return placed.map((key) => ({ ...key, version: versionOf(store, key) }));
    }
    const request = { kind: "versions", options, keys: [...keys] } as const;
    const versions = new FieldReader(await this.#forwarding.read(request, set)).list();
    return placed.map((key, i) => ({ ...key, version: UTF8.decode(versions[i]!) }));
  }

  /** Runs a transaction whose keys are all of `set`, at their executor. Rejects with RingletError. */
  async transaction(
    set: ReplicaSet,
    commands: readonly QueuedCommand[],
    watched: readonly WatchedKey[],
    client: ClientOptions,
    after?: Promise<void>,
  ): Promise<TransactionReplies> {
    this.#requireCoordinating();
    this.#requireNoVersion1(set);
    const options = { ...optionsOf(client), level: client.writeLevel };
    const deadline = this.#deadline();
    if (after !== undefined) await after;
    const here = () =>
      runTransaction(this.#context, this.#executor, set, { options, commands, watched }, deadline);
    let replies: TransactionReplies;
    let ranHere = false;
    const request = { kind: "transaction", options, commands, watched } as const;
    const body = await this.#forwarding.write(request, set, async () => {
      ranHere = true;
      replies = await here();
      return NOTHING;
    });
    return ranHere ? replies : decodeReplies(body);
  }

  async #runParts(
    found: KeyspaceCommand,
    parts: readonly Part[],
    { client, after }: ClientCommand,
  ): Promise<Uint8Array> {
    const common = { found, options: this.#optionsOf(found, client), deadline: this.#deadline() };
    if (after !== undefined) await after;
    const [only] = parts;
    if (only !== undefined && parts.length === 1) return this.#runPart({ ...common, ...only });
    const merge = SPLITTABLE.get(found.name);
    if (merge === undefined) {
      throw crossOwner(found.name, this.#context.port.topology.hashTag !== undefined);
    }
    return this.#runSplit(parts, common, merge);
  }

  async #runSplit(
    parts: readonly Part[],
    common: Omit<ReplicaCommand, keyof Part>,
    merge: Merge,
  ): Promise<Uint8Array> {
    const { found } = common;
    const replies = await Promise.all(
      parts.map((part) => this.#answer(found.name, () => this.#runPart({ ...common, ...part }))),
    );
    const reply = mergeReplies(merge, parts, replies);
    const isHalf = found.writes && isError(reply) && !replies.every(isError);
    return isHalf ? withMore(reply, "; other keys of the command have been written") : reply;
  }

  /** Runs a command for keys of one replica set: here or at another node. */
  #runPart(command: ReplicaCommand): Promise<Uint8Array> {
    const { port } = this.#context;
    const { found, set, options } = command;
    const { args } = command;
    const { self } = port.topology;
    const isReplica = set.local.includes(self);
    const { version1 } = this.#executor;
    if (version1.concerns(set, found.writes)) {
      if (!found.writes) return version1.read(command);
      version1.require(command);
      if (!version1.hasOurs(set)) return version1.write(command);
    }
    if (!found.writes) {
      const elsewhere = () => this.#forwarding.read({ kind: "read", options, args }, set);
      if (!isReplica || !mayBeRead(port, self)) return elsewhere();
      return this.#executor.read(command).catch(ifNotHere(elsewhere));
    }
    if (isReplica && port.isUp(self) && isBlind(found.name, args))
      return this.#executor.write(command);
    return this.#forwarding.write({ kind: "write", options, args }, set, () =>
      this.#executor.write(command),
    );
  }

  async #overAll(
    found: KeyspaceCommand,
    { args, client, after }: ClientCommand,
  ): Promise<Uint8Array> {
    const { local, port } = this.#context;
    if (found.writes && port.topology.members.some((member) => port.version1(member))) {
      throw notWithVersion1(`it does not know '${found.name}'`);
    }
    if (after !== undefined) await after;
    const options = this.#optionsOf(found, client);
    return runOverAll(this.#gather, found, args, options, () => local.run(found, args, options));
  }

  /** When a request that begins now must have an answer, in ms of Runtime.monotonic(). */
  #deadline(): number {
    return this.#context.runtime.monotonic() + this.#context.requestTimeoutMs();
  }

  #optionsOf({ writes }: KeyspaceCommand, client: ClientOptions): RequestOptions {
    return { ...optionsOf(client), level: writes ? client.writeLevel : client.readLevel };
  }

  /** Transactions, and WATCH before them, need stamps at every replica. */
  #requireNoVersion1(set: ReplicaSet): void {
    if (!this.#executor.version1.concerns(set, true)) return;
    throw notWithVersion1("it knows neither transactions nor WATCH");
  }

  #requireCoordinating(): void {
    const { refusal } = this.#context.port;
    if (refusal !== undefined) throw notCoordinating(refusal);
  }

  /** Has `work` make a reply, and makes an error one of what it throws. */
  async #answer<T extends Uint8Array | undefined>(
    name: string,
    work: () => Promise<T>,
  ): Promise<T | Uint8Array> {
    try {
      this.#requireCoordinating();
      return await work();
    } catch (error) {
      return errorReply(this.textOf(error, name));
    }
  }

  /** The text of an error reply for what running `name` threw. What nothing should throw is logged. */
  textOf(error: unknown, name: string): string {
    if (error instanceof RingletError) return errorText(error);
    if (error instanceof WebAssembly.RuntimeError) throw error;
    const detail = error instanceof Error ? (error.stack ?? error.message) : String(error);
    this.#context.log.error(`a command failed for a reason of our own: ${detail}`, {
      command: name,
    });
    return `ERR internal error in '${name}': it may have changed part of what it was to change. Please report it with the node's log.`;
  }
}

/** Goes on elsewhere when the server behind this node has not done a command: nothing was done. */
function ifNotHere<T>(elsewhere: () => Promise<T>): (error: unknown) => Promise<T> {
  return (error) => {
    if (error instanceof RingletError && error.code === "NOT_HERE") return elsewhere();
    throw error;
  };
}

const NOTHING = new Uint8Array(0);

function optionsOf({ database, protocol, noTouch }: ClientOptions) {
  return { database, protocol, noTouch };
}
