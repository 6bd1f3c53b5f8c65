// What the ring does for the clients of the RESP door: commands on keys, transactions, watched keys, levels of connections.

import { RingletError } from "../../base/errors.ts";
import type { Logger } from "../../base/logger.ts";
import type { Runtime } from "../../base/runtime.ts";
import type { Settings } from "../../base/settings.ts";
import type { RespWriter } from "../../codec/resp-writer.ts";
import type { QueuedCommand, WatchedKey } from "../../ring/execute-request.ts";
import type { Retry } from "../../ring/host-quorums.ts";
import { type ConsistencyLevel, parseLevel } from "../../ring/levels.ts";
import type { RingPort } from "../../ring/port.ts";
import type { ReplyGates } from "../../ring/reply-gate.ts";
import type { RetryHandler } from "../../ring/ring.ts";
import {
  type ClientOptions,
  RingCommands,
  type RingCommandsParts,
} from "../../ring/ring-commands.ts";
import { errorText } from "../../ring/ring-error.ts";
import type { ReplicaSet } from "../../ring/topology.ts";
import type { PeerCommandHandler } from "../../ring/version1-peers.ts";
import { type Arguments, latin1 } from "../../store/arguments.ts";
import { CommandError } from "../../store/commands/command.ts";
import type { EmbeddedStore } from "../../store/embedded-store.ts";
import type { ClientHandle, ClientRegistry } from "./clients.ts";
import type { LaterReply } from "./feeder.ts";
import type { Session, SessionLevels } from "./session.ts";
import type { Transaction } from "./transaction.ts";

/** What the clients' part needs of the ring's driver. */
export interface ClientsRing extends RingPort {
  onRetry: RetryHandler | undefined;
  onPeerCommand: PeerCommandHandler | undefined;
  readonly replies: Pick<ReplyGates, "isGated" | "settled">;
}

/** What commands on keys depend on of a client's session. */
export type SessionOptions = Pick<Session, "database" | "protocol" | "noTouch" | "levels">;

export interface RingClientsParts {
  readonly ring: ClientsRing;
  readonly store: EmbeddedStore;
  readonly settings: Settings;
  readonly runtime: Runtime;
  readonly log: Logger;
  readonly clients: ClientRegistry;
  /** What keeps the keys in place of the store: see RingCommandsParts. */
  readonly server: RingCommandsParts["server"];
  /** Reads a command that the kernel began, and its name in lower case. */
  readonly parse: (request: Uint8Array) => {
    readonly name: string;
    readonly args: readonly Uint8Array[];
  };
}

export class RingClients {
  readonly ring: ClientsRing;
  readonly commands: RingCommands;
  readonly #settings: Settings;
  readonly #clients: ClientRegistry;
  readonly #parse: RingClientsParts["parse"];

  constructor(parts: RingClientsParts) {
    const { ring, settings } = parts;
    this.ring = ring;
    this.#settings = settings;
    this.#clients = parts.clients;
    this.#parse = parts.parse;
    this.commands = new RingCommands({
      port: ring,
      store: parts.store,
      runtime: parts.runtime,
      log: parts.log,
      requestTimeoutMs: () => settings.get("requestTimeoutMs"),
      rememberedWrites: () => settings.get("rememberedWrites"),
      server: parts.server,
    });
    ring.onRetry = (retry) => this.#runAgain(retry);
    ring.onPeerCommand = (args, isForwarded) => this.commands.runForPeer(args, isForwarded);
    parts.clients.onAdd(({ session }) => session.setLevels(this.defaultLevels));
  }

  /** The levels that connections begin with. */
  get defaultLevels(): SessionLevels {
    return {
      read: levelNamed(this.#settings.get("readConsistency")),
      write: levelNamed(this.#settings.get("writeConsistency")),
    };
  }

  /** Runs a command on keys. Undefined: it has none, and runs as on a single node. */
  run(session: Session, name: string, args: Arguments): Promise<Uint8Array> | undefined {
    const client = this.#optionsOf(session);
    return this.commands.run({ name, args: copied(args), client, after: this.#earlier(session) });
  }

  /** The same for a command that the kernel does not see; `after`: the client's commands that it comes after have their replies. */
  runFor(
    session: SessionOptions,
    name: string,
    args: readonly Uint8Array[],
    after: Promise<void> | undefined,
  ): Promise<Uint8Array> | undefined {
    return this.commands.run({ name, args, client: this.#optionsOf(session), after });
  }

  /** Checks that a command can be part of the transaction that is open, and notes its keys. Throws CommandError. */
  join(session: Session, transaction: Transaction, name: string, args: Arguments): void {
    try {
      const before = transaction.set ?? session.watched.set;
      transaction.set = this.commands.join(before, { name, args: copied(args) });
    } catch (error) {
      if (error instanceof RingletError) throw new CommandError(errorText(error));
      throw error;
    }
  }

  /** WATCH: notes the versions of keys as their executor's level has them. */
  async watch(session: Session, args: Arguments): LaterReply {
    const keys = copied(args).slice(1);
    try {
      const set = this.commands.joinKeys(session.watched.set, keys);
      await this.#earlier(session);
      const watched = await this.commands.versions(keys, this.#optionsOf(session));
      session.watched.addInRing(watched, set);
      return (reply) => reply.ok();
    } catch (error) {
      const text = this.commands.textOf(error, "watch");
      return (reply) => reply.error(text);
    }
  }

  /**
   * EXEC: the commands on keys run at their executor, nothing of another client in between; then the others run here, each
   * reply in its place. `runHere` runs one of those.
   */
  async exec(
    runHere: (command: readonly Uint8Array[], reply: RespWriter) => void,
    session: Session,
    { commands, names }: Transaction,
    keys: { readonly watched: readonly WatchedKey[]; readonly set: ReplicaSet | undefined },
  ): LaterReply {
    const onKeys: QueuedCommand[] = [];
    const places: (number | undefined)[] = [];
    let { database } = session;
    for (const [i, args] of commands.entries()) {
      const name = names[i]!;
      if (name === "select") database = selected(args, database);
      const hasKeys = this.commands.hasKeys({ name, args });
      places.push(hasKeys ? onKeys.push({ database, args }) - 1 : undefined);
    }
    let replies: readonly Uint8Array[] | undefined = [];
    try {
      if (keys.set !== undefined) {
        const client = this.#optionsOf(session);
        const after = this.#earlier(session);
        replies = await this.commands.transaction(keys.set, onKeys, keys.watched, client, after);
      }
    } catch (error) {
      const text = this.commands.textOf(error, "exec");
      return (reply) => reply.error(text);
    }
    if (replies === undefined) return (reply) => reply.nullArray();
    return (reply) => {
      reply.array(commands.length);
      for (const [i, place] of places.entries()) {
        if (place !== undefined) reply.raw(replies[place]!);
        else runHere(commands[i]!, reply);
      }
    };
  }

  /** Runs a read that the kernel began and cannot end: its replica is lost, or what is newer is more than it writes back. */
  async #runAgain({ connection, request, database }: Retry): Promise<Uint8Array> {
    const session = this.#sessionOf(connection);
    const { name, args } = this.#parse(request);
    const client: ClientOptions = {
      ...(session === undefined ? this.#optionsOfNobody() : this.#optionsOf(session)),
      database,
    };
    const reply = this.commands.run({ name, args, client });
    if (reply === undefined) throw new Error(`'${name}' is not run for other nodes`);
    return reply;
  }

  /** Resolves when the commands of a client that the kernel has run have their replies; undefined: they have. */
  #earlier({ kernelConnection }: Session): Promise<void> | undefined {
    const { replies } = this.ring;
    return replies.isGated(kernelConnection) ? replies.settled(kernelConnection) : undefined;
  }

  #sessionOf(kernelConnection: number): Session | undefined {
    for (const { session } of this.#clients as Iterable<ClientHandle>) {
      if (session.kernelConnection === kernelConnection) return session;
    }
    return undefined;
  }

  #optionsOf(session: SessionOptions): ClientOptions {
    const { database, protocol, noTouch } = session;
    const { read, write } = session.levels ?? this.defaultLevels;
    return { database, protocol, noTouch, readLevel: read, writeLevel: write };
  }

  /** Of a client that has gone meanwhile. */
  #optionsOfNobody(): ClientOptions {
    const { read, write } = this.defaultLevels;
    return { database: 0, protocol: 2, noTouch: false, readLevel: read, writeLevel: write };
  }
}

function copied(args: Arguments): Uint8Array[] {
  return Array.from({ length: args.length }, (_, index) => args.bytes(index));
}

/** A level as the settings name it. */
function levelNamed(name: string): ConsistencyLevel {
  return parseLevel(name) ?? "DC_ONE";
}

/** The database that SELECT selects; the one before where it will fail. */
function selected(args: readonly Uint8Array[], before: number): number {
  const word = args[1]!;
  const text = latin1(word, 0, word.length);
  return /^(?:[0-9]|1[0-5])$/.test(text) ? Number(text) : before;
}

/** Writes a reply whose bytes are there already. */
export function laterBytes(bytes: Promise<Uint8Array>): LaterReply {
  return bytes.then((reply) => (writer: RespWriter) => writer.raw(reply));
}
