// The items of the node for the memcached door: on the node's own table, or in a ring by way of the replicas of their keys.

import type { RespReplyFace } from "../../codec/resp-reply.ts";
import type { RingPort } from "../../ring/port.ts";
import type { RingCommands } from "../../ring/ring-commands.ts";
import {
  encodeOperation,
  itemCommandOf,
  readOutcome,
} from "../../store/commands/memcached/item-message.ts";
import type { EmbeddedStore } from "../../store/embedded-store.ts";
import { bytesNeeded, type ItemOperation, type ItemOutcome, runItem } from "../../store/items.ts";
import type { SessionLevels } from "../resp/session.ts";

/** An operation that the node could not do, or does not know the outcome of; the message is that of the ring. */
export class ItemError extends Error {}

/** What the door needs of the ring. */
export interface ItemsRing {
  readonly port: RingPort;
  readonly commands: Pick<RingCommands, "run">;
  readonly defaultLevels: SessionLevels;
}

/** The database that memcached clients see. */
const DATABASE = 0;

export class Items {
  readonly #store: EmbeddedStore;
  readonly #ring: ItemsRing | undefined;
  readonly #codec: Pick<RespReplyFace, "parseReply">;

  constructor(
    store: EmbeddedStore,
    ring: ItemsRing | undefined,
    codec: Pick<RespReplyFace, "parseReply">,
  ) {
    this.#store = store;
    this.#ring = ring;
    this.#codec = codec;
  }

  /**
   * Runs an operation: at once where this node can by itself. Throws, or rejects with, OutOfMemory (nothing was changed) and
   * ItemError. The item of an outcome at once is there until the next operation.
   */
  run(key: Uint8Array, operation: ItemOperation): ItemOutcome | Promise<ItemOutcome> {
    const ring = this.#ring;
    if (ring === undefined || (operation.do === "read" && this.#readsHere(ring, key))) {
      return this.#runHere(key, operation);
    }
    return this.#runInRing(ring, key, operation);
  }

  /** Removes all items. */
  flush(): Promise<void> | undefined {
    if (this.#ring !== undefined) return this.#flushRing(this.#ring);
    this.#store.databases[DATABASE]!.flush();
    this.#store.afterCommand();
    return undefined;
  }

  /** Items that are there, those included that have expired and were not found yet. */
  get count(): number {
    return this.#store.databases[DATABASE]!.size;
  }

  /** Whether this node's own copy is what a read answers. */
  #readsHere({ port, defaultLevels }: ItemsRing, key: Uint8Array): boolean {
    if (port.isFenced || port.refusal !== undefined) return false;
    const { local } = port.replicasOf(key);
    if (!local.includes(port.topology.self)) return false;
    return defaultLevels.read === "DC_ONE" || local.length === 1;
  }

  #runHere(key: Uint8Array, operation: ItemOperation): ItemOutcome {
    const store = this.#store;
    const bytes = bytesNeeded(operation);
    if (bytes !== 0 && !store.makeRoom(bytes)) throw store.outOfMemory();
    store.countsAccesses = true;
    store.countsHits = operation.do === "read";
    try {
      return runItem(store, store.databases[DATABASE]!, store.place(key), operation);
    } finally {
      store.countsHits = false;
      if (operation.do !== "read") store.afterCommand();
    }
  }

  async #runInRing(
    ring: ItemsRing,
    key: Uint8Array,
    operation: ItemOperation,
  ): Promise<ItemOutcome> {
    const args = encodeOperation(key, operation);
    const reply = await this.#command(ring, itemCommandOf(operation), args);
    const parsed = this.#codec.parseReply(reply);
    if (parsed.status === "complete") {
      if (parsed.value.type === "error") throw this.#errorOf(parsed.value.text);
      const outcome = readOutcome(parsed.value);
      if (outcome !== undefined) return outcome;
    }
    throw new ItemError("internal error: a reply of the ring cannot be read");
  }

  async #flushRing(ring: ItemsRing): Promise<void> {
    const reply = await this.#command(ring, "flushdb", [new TextEncoder().encode("flushdb")]);
    const parsed = this.#codec.parseReply(reply);
    if (parsed.status !== "complete" || parsed.value.type !== "error") return;
    throw this.#errorOf(parsed.value.text);
  }

  #command(ring: ItemsRing, name: string, args: readonly Uint8Array[]): Promise<Uint8Array> {
    const { read, write } = ring.defaultLevels;
    const client = {
      ...({ database: DATABASE, protocol: 3, noTouch: false } as const),
      ...{ readLevel: read, writeLevel: write },
    };
    return ring.commands.run({ name, args, client })!;
  }

  #errorOf(text: string): Error {
    if (text.startsWith("OOM ")) return this.#store.outOfMemory();
    return new ItemError(text.replace(/^ERR /, ""));
  }
}
