/** The two sides of a differential run. */

import { MAX_EXPIRY_MS } from "../../../src/store/commands/parse.ts";
import { type Argument, Harness, type HarnessOptions } from "../../unit/store/harness.ts";
import { HASH_KEY, KEYS } from "./command-source.ts";
import type { RedisServer } from "./redis-server.ts";

/** A key's value (undefined: none, or no string), and when it expires, in ms since the epoch, 0 for never. */
export interface KeyState {
  readonly value: string | undefined;
  readonly expiry: number;
}

/** Runs commands and tells what they left behind. */
export interface Target {
  readonly name: string;
  /** Makes it empty, but for a hash at HASH_KEY. */
  reset(): Promise<void>;
  send(commands: readonly (readonly Argument[])[]): Promise<string[]>;
  state(): Promise<KeyState[]>;
}

/** redis-server. */
export class RedisTarget implements Target {
  readonly name = "redis-server";
  readonly #server: RedisServer;

  constructor(server: RedisServer) {
    this.#server = server;
  }

  async reset(): Promise<void> {
    await this.#server.send([["FLUSHALL"], ["HSET", HASH_KEY, "field", "value"]]);
  }

  send(commands: readonly (readonly Argument[])[]): Promise<string[]> {
    return this.#server.send(commands);
  }

  async state(): Promise<KeyState[]> {
    const values = await this.send(KEYS.map((key) => ["GET", key]));
    const expiries = await this.send(KEYS.map((key) => ["PEXPIRETIME", key]));
    return KEYS.map((_, i) => {
      const value = values[i]!;
      const isString = value.startsWith("$") && !value.startsWith("$-1");
      const expiry = Math.max(0, Number(expiries[i]!.slice(1)));
      return {
        value: isString ? value.slice(value.indexOf("\n") + 1, -2) : undefined,
        expiry: Math.min(expiry, MAX_EXPIRY_MS),
      };
    });
  }
}

/** The embedded store in this process. */
export class LocalTarget implements Target {
  readonly name: string;
  readonly #harness: Harness;

  constructor(options: HarnessOptions) {
    this.name = `the ${options.runBy}, protocol ${options.protocol}`;
    this.#harness = new Harness(options);
  }

  async reset(): Promise<void> {
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
      if (database.isObject(entry)) return { value: undefined, expiry };
      return { value: Buffer.from(database.value(entry)).toString("latin1"), expiry };
    });
  }
}
