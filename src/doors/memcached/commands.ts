// Runs the requests of memcached clients, one after the other, and writes their answers.

import type { Logger } from "../../base/logger.ts";
import type { Runtime, Timer } from "../../base/runtime.ts";
import type { MemcachedInvalid, MemcachedRequest } from "../../codec/memcached-message.ts";
import { latin1 } from "../../store/arguments.ts";
import { OutOfMemory } from "../../store/embedded-store.ts";
import type { ItemOperation, ItemOutcome, StoreMode } from "../../store/items.ts";
import type { Pause } from "../resp/pause.ts";
import type { ServingState } from "../serving-state.ts";
import { ItemError, type Items } from "./items.ts";
import { keptOutcome, keptRequest } from "./kept.ts";
import { answerMeta, type MetaRequest, readMeta } from "./meta.ts";
import type { ReplyBuffer } from "./reply-buffer.ts";
import {
  type Figure,
  MEMCACHED_VERSION,
  type Measured,
  type MemcachedStatistics,
  settingsFigures,
} from "./statistics.ts";

export interface MemcachedCommandsParts {
  readonly items: Items;
  readonly runtime: Runtime;
  readonly log: Logger;
  readonly pause: Pause;
  readonly state: ServingState;
  readonly statistics: MemcachedStatistics;
  readonly measure: () => Measured;
  readonly port: () => number;
}

/** The client of a request. */
export interface Requester {
  readonly replies: ReplyBuffer;
  /** How many keys of the request that runs have been answered. */
  keysDone: number;
  /** Whether replies must leave before there are more. */
  readonly mustWait: boolean;
}

/** What became of a request: it is answered, it goes on when replies have left, the connection is to close. */
export type Ran = "answered" | "held" | "quit";

/** Keys of one request that other nodes are asked for at a time. */
const KEYS_AT_ONCE = 64;

const READS: ReadonlySet<string> = new Set(["get", "gets", "mg", "me"]);
/** Reads that change when an item expires. */
const TOUCHING_READS: ReadonlySet<string> = new Set(["gat", "gats"]);
const KEYLESS: ReadonlySet<string> = new Set([
  "version",
  "verbosity",
  "stats",
  "quit",
  "mn",
  "invalid",
]);

export class MemcachedCommands {
  readonly #parts: MemcachedCommandsParts;
  #flushTimer: Timer | undefined;

  constructor(parts: MemcachedCommandsParts) {
    this.#parts = parts;
  }

  /** Runs a request, whose bytes are there until this returns. */
  run(request: MemcachedRequest | MemcachedInvalid, client: Requester): Ran | Promise<Ran> {
    const { mode, over } = this.#parts.pause;
    const isHeld =
      mode !== undefined &&
      !KEYLESS.has(request.command) &&
      (mode === "all" || !READS.has(request.command));
    if (isHeld) {
      const kept = keptRequest(request);
      return over!.then(() => this.#answer(kept, client));
    }
    return this.#answer(request, client);
  }

  /** Forgets a flush_all that has not come yet. */
  close(): void {
    this.#flushTimer?.cancel();
  }

  #answer(request: MemcachedRequest | MemcachedInvalid, client: Requester): Ran | Promise<Ran> {
    const { replies } = client;
    const before = replies.length;
    try {
      this.#checkState(request.command);
      const ran = this.#dispatch(request, client);
      if (!(ran instanceof Promise)) return ran;
      return ran.catch((error: unknown) => this.#fail(error, request, replies, replies.length));
    } catch (error) {
      // The values that were found stay: some may have left.
      const isGet = "keys" in request;
      return this.#fail(error, request, replies, isGet ? replies.length : before);
    }
  }

  #checkState(command: string): void {
    if (KEYLESS.has(command)) return;
    const isRead = READS.has(command) || TOUCHING_READS.has(command);
    const refusal = this.#parts.state.refusal(!isRead);
    if (refusal !== undefined) throw new ItemError(refusal);
  }

  #fail(
    error: unknown,
    request: MemcachedRequest | MemcachedInvalid,
    replies: ReplyBuffer,
    before: number,
  ): Ran {
    const text = this.#textOf(error, request.command);
    replies.truncate(before);
    if (!("noreply" in request && request.noreply)) replies.line(`SERVER_ERROR ${text}`);
    return "answered";
  }

  #textOf(error: unknown, command: string): string {
    if (error instanceof OutOfMemory) return "out of memory storing object";
    if (error instanceof ItemError) return error.message;
    if (error instanceof WebAssembly.RuntimeError) throw error;
    const detail = error instanceof Error ? (error.stack ?? error.message) : String(error);
    this.#parts.log.error(`a memcached command failed for a reason of our own: ${detail}`, {
      command,
    });
    return "internal error: it may have changed part of what it was to change";
  }

  #dispatch(request: MemcachedRequest | MemcachedInvalid, client: Requester): Ran | Promise<Ran> {
    const { replies } = client;
    const { statistics } = this.#parts;
    switch (request.command) {
      case "invalid":
        replies.line(request.reply);
        return "answered";
      case "get":
      case "gets":
        return this.#get(request.keys, READ, request.command === "gets", client);
      case "gat":
      case "gats": {
        const touch = { do: "touch", exptime: request.exptime } as const;
        return this.#get(request.keys, touch, request.command === "gats", client);
      }
      case "set":
      case "add":
      case "replace":
      case "append":
      case "prepend":
        return this.#store(request, request.command, undefined, replies);
      case "cas":
        return this.#store(request, "set", request.cas, replies);
      case "incr":
      case "decr":
        return this.#count(request, replies);
      case "touch": {
        const { key, exptime, noreply } = request;
        return this.#item(key, { do: "touch", exptime }, ({ status }) => {
          statistics.count("cmd_touch");
          statistics.count(status === "done" ? "touch_hits" : "touch_misses");
          if (!noreply) replies.line(status === "done" ? "TOUCHED" : "NOT_FOUND");
        });
      }
      case "delete":
        return this.#item(request.key, { do: "delete" }, ({ status }) => {
          statistics.count(status === "done" ? "delete_hits" : "delete_misses");
          if (!request.noreply) replies.line(status === "done" ? "DELETED" : "NOT_FOUND");
        });
      case "flush_all":
        return this.#flush(request, replies);
      case "version":
        replies.line(`VERSION ${MEMCACHED_VERSION}`);
        return "answered";
      case "verbosity":
        if (!request.noreply) replies.line("OK");
        return "answered";
      case "stats":
        this.#stats(request.tokens, replies);
        return "answered";
      case "quit":
        return "quit";
      case "mn":
        replies.line("MN");
        return "answered";
      case "me":
      case "mg":
      case "ms":
      case "md":
      case "ma":
        return this.#meta(request, replies);
    }
  }

  /** Runs an operation on one item, and has `answer` write what it came to. */
  #item(
    key: Uint8Array,
    operation: ItemOperation,
    answer: (outcome: ItemOutcome) => void,
  ): Ran | Promise<Ran> {
    const outcome = this.#parts.items.run(key, operation);
    if (outcome instanceof Promise) {
      return outcome.then((came) => {
        answer(came);
        return "answered";
      });
    }
    answer(outcome);
    return "answered";
  }

  #get(
    keys: readonly Uint8Array[],
    operation: ItemOperation,
    cas: boolean,
    client: Requester,
  ): Ran | Promise<Ran> {
    while (client.keysDone < keys.length) {
      if (client.mustWait) return "held";
      const key = keys[client.keysDone]!;
      const outcome = this.#parts.items.run(key, operation);
      if (outcome instanceof Promise) {
        const all = keys.slice(client.keysDone).map((each) => each.slice());
        return this.#getElsewhere(all, outcome, operation, cas, client);
      }
      this.#value(key, outcome, operation, cas, client);
    }
    client.keysDone = 0;
    client.replies.line("END");
    return "answered";
  }

  /** Asks for some keys at a time. `first`: the outcome of the first key, which was asked for already. */
  async #getElsewhere(
    keys: readonly Uint8Array[],
    first: Promise<ItemOutcome>,
    operation: ItemOperation,
    cas: boolean,
    client: Requester,
  ): Promise<Ran> {
    const asked: (ItemOutcome | Promise<ItemOutcome>)[] = [first];
    for (const key of keys.slice(1, KEYS_AT_ONCE)) {
      const outcome = this.#parts.items.run(key, operation);
      asked.push(outcome instanceof Promise ? outcome : keptOutcome(outcome));
    }
    try {
      for (const [i, outcome] of (await Promise.all(asked)).entries()) {
        this.#value(keys[i]!, outcome, operation, cas, client);
      }
    } catch (error) {
      client.keysDone = 0;
      throw error;
    }
    if (keys.length > asked.length) return "held";
    client.keysDone = 0;
    client.replies.line("END");
    return "answered";
  }

  #value(
    key: Uint8Array,
    { item }: ItemOutcome,
    operation: ItemOperation,
    cas: boolean,
    client: Requester,
  ): void {
    const { statistics } = this.#parts;
    client.keysDone++;
    statistics.count("cmd_get");
    if (operation.do === "touch") {
      statistics.count("cmd_touch");
      statistics.count(item === undefined ? "touch_misses" : "touch_hits");
    }
    statistics.count(item === undefined ? "get_misses" : "get_hits");
    if (item !== undefined) client.replies.value(key, item, cas);
  }

  #store(
    request: Extract<MemcachedRequest, { flags: number }>,
    mode: StoreMode,
    cas: bigint | undefined,
    replies: ReplyBuffer,
  ): Ran | Promise<Ran> {
    const { key, flags, exptime, value, noreply } = request;
    const operation = { do: "store", mode, flags, exptime, value, cas } as const;
    return this.#item(key, operation, ({ status }) => {
      this.#countStore(status, cas);
      if (!noreply) replies.line(STORE_REPLIES[status]);
    });
  }

  #countStore(status: ItemOutcome["status"], cas: bigint | undefined): void {
    const { statistics } = this.#parts;
    statistics.count("cmd_set");
    if (status === "done") statistics.count("total_items");
    if (cas === undefined) return;
    if (status === "done") statistics.count("cas_hits");
    else statistics.count(status === "exists" ? "cas_badval" : "cas_misses");
  }

  #count(
    request: Extract<MemcachedRequest, { command: "incr" | "decr" }>,
    replies: ReplyBuffer,
  ): Ran | Promise<Ran> {
    const { command, key, delta, noreply } = request;
    const operation = { do: "count", down: command === "decr", delta } as const;
    return this.#item(key, operation, ({ status, item }) => {
      this.#parts.statistics.count(`${command}_${status === "missing" ? "misses" : "hits"}`);
      if (!noreply)
        replies.line(
          item === undefined ? COUNT_REPLIES[status]! : latin1(item.value, 0, item.value.length),
        );
    });
  }

  #meta(request: MetaRequest, replies: ReplyBuffer): Ran | Promise<Ran> {
    const { statistics, measure } = this.#parts;
    statistics.count("cmd_meta");
    const meta = readMeta(request);
    if (typeof meta === "string") {
      replies.line(meta);
      return "answered";
    }
    const { operation, command } = meta;
    return this.#item(meta.key, operation, (outcome) => {
      const isDone = outcome.status === "done";
      if (command === "mg") {
        statistics.count("cmd_get");
        statistics.count(isDone ? "get_hits" : "get_misses");
      } else if (operation.do === "store") this.#countStore(outcome.status, operation.cas);
      else if (command === "md") statistics.count(isDone ? "delete_hits" : "delete_misses");
      else if (operation.do === "count") {
        const missing = outcome.status === "missing";
        statistics.count(`${operation.down ? "decr" : "incr"}_${missing ? "misses" : "hits"}`);
      }
      const answer = answerMeta(meta, outcome, measure().store.now);
      if (answer === undefined) return;
      replies.line(answer.line);
      if (answer.value !== undefined) replies.block(answer.value);
    });
  }

  #flush(
    { delay, noreply }: Extract<MemcachedRequest, { command: "flush_all" }>,
    replies: ReplyBuffer,
  ): Ran | Promise<Ran> {
    const { items, runtime, statistics, measure, log } = this.#parts;
    statistics.count("cmd_flush");
    this.#flushTimer?.cancel();
    this.#flushTimer = undefined;
    const now = measure().store.now;
    const delayMs = delay > MAX_RELATIVE_SECONDS ? delay * 1000 - now : delay * 1000;
    if (delayMs > 0) {
      const flushLater = async () => {
        this.#flushTimer = undefined;
        try {
          await items.flush();
        } catch (error) {
          log.warn(`flush_all did not reach all nodes: ${this.#textOf(error, "flush_all")}`);
        }
      };
      this.#flushTimer = runtime.after(Math.min(delayMs, MAX_TIMER_MS), () => void flushLater());
      if (!noreply) replies.line("OK");
      return "answered";
    }
    const answer = (): Ran => {
      if (!noreply) replies.line("OK");
      return "answered";
    };
    return items.flush()?.then(answer) ?? answer();
  }

  #stats(tokens: readonly string[], replies: ReplyBuffer): void {
    const { statistics, measure, port } = this.#parts;
    let figures: readonly Figure[] = [];
    switch (tokens[0]) {
      case undefined:
        figures = statistics.general(measure());
        break;
      case "settings":
        figures = settingsFigures(measure().settings, port());
        break;
      case "reset":
        statistics.reset();
        replies.line("RESET");
        return;
      case "items":
      case "slabs":
      case "sizes":
      case "conns":
      case "extstore":
        break;
      default:
        replies.line("ERROR");
        return;
    }
    for (const [name, value] of figures) replies.line(`STAT ${name} ${value}`);
    replies.line("END");
  }
}

const READ: ItemOperation = { do: "read" };
const MAX_RELATIVE_SECONDS = 60 * 60 * 24 * 30;
/** The longest delay of a timer. */
const MAX_TIMER_MS = 2_147_483_647;

const STORE_REPLIES: Readonly<Record<ItemOutcome["status"], string>> = {
  done: "STORED",
  exists: "EXISTS",
  missing: "NOT_FOUND",
  refused: "NOT_STORED",
  notANumber: "NOT_STORED",
  tooLarge: "SERVER_ERROR object too large for cache",
};

const COUNT_REPLIES: Readonly<Partial<Record<ItemOutcome["status"], string>>> = {
  missing: "NOT_FOUND",
  notANumber: "CLIENT_ERROR cannot increment or decrement non-numeric value",
};
