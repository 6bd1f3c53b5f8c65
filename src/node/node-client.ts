/**
 * Commands of the program that embeds a node: they go the way of a client's, over connections in memory, and their replies come
 * back as values.
 */
import { RingletError } from "../base/errors.ts";
import type { Runtime, Timer } from "../base/runtime.ts";
import type { RespValue } from "../codec/resp-value.ts";
import { type ConsistencyLevel, parseLevel } from "../ring/levels.ts";
import { DATABASES } from "../store/kernel.ts";
import type { ByteStream } from "../transport/stream.ts";
import { type ClientCodec, type CommandArgument, MemoryClient } from "./memory-client.ts";
import { plainReply, type Reply, replyError } from "./plain-reply.ts";

export type { CommandArgument } from "./memory-client.ts";
export interface ExecuteOptions {
  /** How many replicas the command hears; by default what the settings readConsistency and writeConsistency say. */
  readonly consistency?: ConsistencyLevel;
  /** 0 to 15; 0 by default. */
  readonly database?: number;
  /** Stops waiting. A command that was sent may have been run. */
  readonly signal?: AbortSignal;
  /** Stops waiting after so long. */
  readonly timeoutMs?: number;
}

export interface SetOptions extends ExecuteOptions {
  /** How long the value stays, in ms; without it, for ever. */
  readonly expiresInMs?: number;
}

/** What a client of the node needs of it. */
export interface NodeClientParts {
  readonly runtime: Runtime;
  /** Takes a connection in, as the door does. */
  readonly accept: (stream: ByteStream) => void;
  readonly codec: ClientCodec;
  /** The password that clients must send; "": none. */
  readonly password: () => string;
  /** Why the node runs no commands; undefined: it does. */
  readonly refusal?: { readonly code: string; readonly message: string } | undefined;
}

/** Commands that change what a connection is: many callers share one. */
const OF_THE_CONNECTION: ReadonlySet<string> = new Set([
  ...["auth", "hello", "select", "quit", "reset", "client", "ringlet consistency"],
  ...["multi", "exec", "discard", "watch", "unwatch", "dyno_config:conn_consistency"],
]);

export class NodeClient {
  readonly #parts: NodeClientParts;
  /** By database and level. */
  readonly #connections = new Map<string, MemoryClient>();
  #isClosed = false;

  constructor(parts: NodeClientParts) {
    this.#parts = parts;
  }

  /** The value of a string key; undefined where there is none. Throws as execute(). */
  async get(key: CommandArgument, options: ExecuteOptions = {}): Promise<Uint8Array | undefined> {
    const reply = await this.execute(["GET", key], options);
    return reply === null ? undefined : (reply as Uint8Array);
  }

  /** Sets the value of a key, whatever was there. Throws as execute(). */
  async set(key: CommandArgument, value: CommandArgument, options: SetOptions = {}): Promise<void> {
    const { expiresInMs } = options;
    const expiry = expiresInMs === undefined ? [] : ["PX", Math.ceil(expiresInMs)];
    await this.execute(["SET", key, value, ...expiry], options);
  }

  /** Removes keys; how many were there. Throws as execute(). */
  async del(keys: CommandArgument | readonly CommandArgument[], options: ExecuteOptions = {}) {
    const list = Array.isArray(keys) ? keys : [keys as CommandArgument];
    if (list.length === 0) return 0;
    return (await this.execute(["DEL", ...list], options)) as number;
  }

  /**
   * Runs any command that is no matter of the connection, and resolves to its reply: strings as bytes, simple strings as text,
   * integers as numbers (bigints beyond 2^53), nulls as null, arrays and sets as arrays, maps as Maps.
   *
   * Rejects with RingletError: an error reply by its code word (WRONGTYPE, OOM, ERR …), NO_QUORUM, OUTCOME_UNKNOWN (a write may
   * have been run), ABORTED and TIMEOUT (nobody waits any more, and the command may have been run), NOT_SENT (aborted before),
   * CONNECTION_STATE (MULTI, SELECT and their kind), BAD_ARGUMENT, CLOSED.
   *
   * @example
   * await client.execute(["HSET", "user:1", "name", "Ada"], { consistency: "DC_QUORUM" });
   */
  execute(command: readonly CommandArgument[], options: ExecuteOptions = {}): Promise<Reply> {
    return new Promise((resolve, reject) => {
      const { signal } = options;
      this.#check(command, options);
      const connection = this.#connection(options);
      let timer: Timer | undefined;
      const stop = (error: RingletError) => {
        end();
        reject(error);
      };
      const abort = () => {
        stop(
          new RingletError("ABORTED", "the command was aborted; it may have been run", {
            cause: signal?.reason,
          }),
        );
      };
      const end = () => {
        timer?.cancel();
        signal?.removeEventListener("abort", abort);
      };
      signal?.addEventListener("abort", abort);
      if (options.timeoutMs !== undefined) {
        timer = this.#parts.runtime.after(options.timeoutMs, () =>
          stop(
            new RingletError(
              "TIMEOUT",
              `the command had no reply within ${options.timeoutMs} ms; it may have been run`,
            ),
          ),
        );
      }
      const answered = (value: RespValue) => {
        end();
        if (value.type === "error") reject(replyError(value.text));
        else resolve(plainReply(value));
      };
      connection.send(command, answered, stop);
    });
  }

  /** Ends all that waits, with CLOSED. */
  async close(): Promise<void> {
    this.#isClosed = true;
    for (const connection of this.#connections.values()) connection.hangUp();
    this.#connections.clear();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  #check(command: readonly CommandArgument[], options: ExecuteOptions): void {
    const { consistency, database = 0, signal } = options;
    const bad = (what: string) => new RingletError("BAD_ARGUMENT", `${what}; nothing was sent`);
    if (this.#isClosed) throw new RingletError("CLOSED", "the node is closed; nothing was sent");
    const { refusal } = this.#parts;
    if (refusal !== undefined) throw new RingletError(refusal.code, refusal.message);
    if (signal?.aborted) {
      throw new RingletError("NOT_SENT", "the command was aborted before it was sent", {
        cause: signal.reason,
      });
    }
    const [name] = command;
    if (typeof name !== "string" || name === "") throw bad("a command begins with its name");
    const words = [name, `${name} ${command[1]}`].map((word) => word.toLowerCase());
    if (words.some((word) => OF_THE_CONNECTION.has(word))) {
      throw new RingletError(
        "CONNECTION_STATE",
        `${name} is about a connection, and many callers share this one: use the options of execute(), or a Redis client; nothing was sent`,
      );
    }
    if (!Number.isInteger(database) || database < 0 || database >= DATABASES) {
      throw bad(`there is no database ${database}`);
    }
    if (consistency !== undefined && parseLevel(consistency) === undefined) {
      throw bad(`there is no consistency level ${consistency}`);
    }
  }

  #connection({ consistency, database = 0 }: ExecuteOptions): MemoryClient {
    const name = `${database}:${consistency ?? ""}`;
    const open = this.#connections.get(name);
    if (open !== undefined && !open.isClosed) return open;
    const client = new MemoryClient(this.#parts.codec);
    this.#connections.set(name, client);
    this.#parts.accept(client);
    const password = this.#parts.password();
    const begin: CommandArgument[][] = [];
    if (password !== "") begin.push(["AUTH", password]);
    begin.push(["HELLO", "3"], ["CLIENT", "SETNAME", "embedded"], ["SELECT", database]);
    for (const words of begin) client.send(words, ignored, ignored);
    if (consistency !== undefined) {
      const words = ["RINGLET", "CONSISTENCY", consistency, consistency];
      client.send(words, (value) => refuseLevel(client, value), ignored);
    }
    return client;
  }
}

/** A level that could not be set must not pass for another one. */
function refuseLevel(client: MemoryClient, value: RespValue): void {
  if (value.type === "error") client.fail(replyError(value.text));
}

const ignored = () => {};
