/** What the same commands are sent to in a differential run. */

import { MAX_EXPIRY_MS } from "../../../src/store/commands/parse.ts";
import { HashObject } from "../../../src/store/objects/hash.ts";
import type { HostObject } from "../../../src/store/objects.ts";
import { type Decoded, decodeReply } from "../../unit/store/decode-reply.ts";
import { type Argument, Harness, type HarnessOptions } from "../../unit/store/harness.ts";
import { HASH_KEY, KEYS } from "./command-source.ts";
import type { RawClient } from "./raw-client.ts";

/** A key's value (undefined: none; of a hash, its fields in order), and when it expires, in ms since the epoch, 0 for never. */
export interface KeyState {
  readonly value: string | undefined;
  readonly expiry: number;
}

/** Runs commands and tells what they left behind. */
export interface Target {
  readonly name: string;
  /** Makes it empty, but for a hash at HASH_KEY. `protocol`: of the replies to come. */
  reset(protocol: 2 | 3): Promise<void>;
  send(commands: readonly (readonly Argument[])[]): Promise<string[]>;
  state(): Promise<KeyState[]>;
  /** Whether the reply to a command is a matter of this target's own, and not to be compared. */
  isOwn?(command: readonly Argument[]): boolean;
}

/** A server on a socket. */
export class SocketTarget implements Target {
  readonly name: string;
  readonly #client: RawClient;

  constructor(name: string, client: RawClient) {
    this.name = name;
    this.#client = client;
  }

  async reset(protocol: 2 | 3): Promise<void> {
    await this.send([["HELLO", protocol], ["FLUSHALL"], ["HSET", HASH_KEY, "field", "value"]]);
  }

  send(commands: readonly (readonly Argument[])[]): Promise<string[]> {
    return this.#client.send(commands);
  }

  async state(): Promise<KeyState[]> {
    const values = await this.send(KEYS.map((key) => ["GET", key]));
    const hashes = await this.send(KEYS.map((key) => ["HGETALL", key]));
    const expiries = await this.send(KEYS.map((key) => ["PEXPIRETIME", key]));
    return KEYS.map((_, i) => {
      const string = decodeReply(values[i]!);
      const fields = decodeReply(hashes[i]!);
      const isHash = Array.isArray(fields) && fields.length > 0;
      const expiry = Math.max(0, Number(expiries[i]!.slice(1)));
      return {
        value: typeof string === "string" ? string : isHash ? inOrder(fields) : undefined,
        expiry: Math.min(expiry, MAX_EXPIRY_MS),
      };
    });
  }
}

/** Several servers that should be as one, but for how each represents a value: each gets a few commands, then the next one. */
export class SharedTarget extends SocketTarget {
  readonly #clients: readonly RawClient[];
  #next = 0;

  constructor(name: string, clients: readonly RawClient[]) {
    super(name, clients[0]!);
    this.#clients = clients;
  }

  override async reset(protocol: 2 | 3): Promise<void> {
    for (const client of this.#clients) await client.send([["HELLO", protocol]]);
    await super.reset(protocol);
  }

  isOwn([name, subcommand]: readonly Argument[]): boolean {
    return /^object encoding$/i.test(`${name} ${subcommand}`);
  }

  override async send(commands: readonly (readonly Argument[])[]): Promise<string[]> {
    const replies: string[] = [];
    while (replies.length < commands.length) {
      const client = this.#clients[this.#next++ % this.#clients.length]!;
      const count = 1 + (this.#next % MOST_AT_ONCE);
      replies.push(...(await client.send(commands.slice(replies.length, replies.length + count))));
    }
    return replies;
  }
}

const MOST_AT_ONCE = 5;

/** The embedded store in this process, without a door. */
export class LocalTarget implements Target {
  readonly name: string;
  readonly #options: HarnessOptions;
  #harness: Harness;

  constructor(options: HarnessOptions) {
    this.name = `the ${options.runBy}`;
    this.#options = options;
    this.#harness = new Harness(options);
  }

  async reset(protocol: 2 | 3): Promise<void> {
    if (this.#harness.protocol !== protocol) {
      this.#harness = new Harness({ ...this.#options, protocol });
    }
    this.#harness.store.flushAll();
    this.#harness.setHash(HASH_KEY);
  }

  async send(commands: readonly (readonly Argument[])[]): Promise<string[]> {
    this.#harness.store.setNow(Date.now());
    return commands.map((command) => this.#harness.raw(...command));
  }

  async state(): Promise<KeyState[]> {
    const { store, database } = this.#harness;
    store.setNow(Date.now());
    return KEYS.map((key) => {
      const entry = this.#harness.find(key);
      if (entry === 0) return { value: undefined, expiry: 0 };
      const expiry = database.expiry(entry);
      if (database.isObject(entry)) {
        return { value: inOrder(fieldsOf(database.object(entry))), expiry };
      }
      return { value: Buffer.from(database.value(entry)).toString("latin1"), expiry };
    });
  }
}

/** Fields and values by turns, in the order of the fields. */
function inOrder(fields: readonly Decoded[]): string {
  const pairs = Array.from({ length: fields.length / 2 }, (_, i) => fields.slice(2 * i, 2 * i + 2));
  return JSON.stringify(pairs.map((pair) => JSON.stringify(pair)).sort());
}

function fieldsOf(object: HostObject): string[] {
  if (!(object instanceof HashObject)) throw new Error(`a ${object.type} is not known here`);
  return Array.from({ length: object.size }, (_, place) => [
    object.fieldAt(place),
    Buffer.from(object.valueAt(place) as string, "latin1").toString("latin1"),
  ]).flat();
}
