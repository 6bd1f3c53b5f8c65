// The scripts as a server knows them: loaded over each connection before it is used, and again where the server has forgotten them.

import { RingletError } from "../../base/errors.ts";
import { concat } from "../../codec/concat.ts";
import type { RespValue } from "../../codec/resp-value.ts";
import type { Backend } from "../backend/backend.ts";
import { collect } from "../backend/collect.ts";
import type { BackendConnection } from "../backend/connection.ts";
import { SCRIPTS, type ScriptName } from "./scripts.ts";

type Argument = Uint8Array | string | number;
type Codec = Backend["codec"];

const NAMES = Object.keys(SCRIPTS) as ScriptName[];

export class ServerScripts {
  readonly #codec: Codec;
  /** What the server calls them; the same on every server. */
  #hashes: Readonly<Record<string, string>> = {};

  constructor(codec: Codec) {
    this.#codec = codec;
  }

  /** Has the server learn the scripts. */
  async load(connection: BackendConnection): Promise<void> {
    const requests = NAMES.map((name) =>
      this.#codec.writeRequest(["SCRIPT", "LOAD", SCRIPTS[name]]),
    );
    const { values } = this.#codec.parseReplies(await ask(connection, requests));
    const hashes: Record<string, string> = {};
    for (const [i, name] of NAMES.entries()) hashes[name] = textOf(values[i]!);
    this.#hashes = hashes;
  }

  /** The request that runs a script. */
  request(name: ScriptName, keys: readonly Uint8Array[], args: readonly Argument[]): Uint8Array {
    const hash = this.#hashes[name] ?? "";
    return this.#codec.writeRequest(["EVALSHA", hash, keys.length, ...keys, ...args]);
  }

  /** Runs a script and resolves to the items of its answer. Rejects with BackendError, and SERVER_SCRIPT for its error. */
  async run(
    connection: BackendConnection,
    name: ScriptName,
    keys: readonly Uint8Array[],
    args: readonly Argument[],
  ): Promise<readonly RespValue[]> {
    for (let isLoaded = false; ; isLoaded = true) {
      const bytes = await ask(connection, [this.request(name, keys, args)]);
      const reply = this.#codec.parseReplies(bytes).values[0]!;
      if (!isLoaded && isForgotten(reply)) await this.load(connection);
      else return itemsOf(reply);
    }
  }
}

/** Sends requests, one reply each, and resolves to the bytes of their replies. Rejects with BackendError. */
export function ask(
  connection: BackendConnection,
  requests: readonly Uint8Array[],
): Promise<Uint8Array> {
  return collect(connection, requests.length, concat(requests), () => undefined);
}

/** Whether the server has forgotten its scripts. */
export function isForgotten(reply: RespValue): boolean {
  return reply.type === "error" && reply.text.startsWith("NOSCRIPT");
}

/** The items of an answer. Throws SERVER_SCRIPT where it is none. */
export function itemsOf(reply: RespValue): readonly RespValue[] {
  if (reply.type === "array") return reply.items;
  throw new RingletError("SERVER_SCRIPT", `the server behind the node says: ${textOf(reply)}`);
}

export function textOf(value: RespValue): string {
  if (value.type === "bulk") return new TextDecoder().decode(value.bytes);
  if (value.type === "simple" || value.type === "error") return value.text;
  return value.type === "integer" ? String(value.value) : "";
}
