/**
 * A Redis or Valkey server as the store of a member of a ring: every write has a stamp, kept in a side record of the key, and the newer
 * stamp wins. What a command changes is told as whole values: a string as it is, any other type as DUMP has it.
 */
import { RingletError } from "../../base/errors.ts";
import type { RespValue } from "../../codec/resp-value.ts";
import type { WriteFrame } from "../../link/frame.ts";
import { FRAME_FLAG } from "../../link/frame.ts";
import type { Applied } from "../apply.ts";
import type { Backend } from "../backend/backend.ts";
import type { BackendConnection } from "../backend/connection.ts";
import { BackendError } from "../backend/failure.ts";
import type { Effect } from "../effect.ts";
import { compareStamps, nodeOf, type Stamp, stampFrom, timeOf } from "../stamp.ts";
import { SIDE_DATABASE } from "./scripts.ts";
import { ask, isForgotten, itemsOf, type ServerScripts, textOf } from "./server-scripts.ts";

export interface StampedStoreParts {
  readonly backend: Backend;
  readonly scripts: ServerScripts;
  /** This node's place in stamps. */
  readonly node: number;
  /** A stamp newer than every one that was minted or seen here. */
  readonly mint: () => bigint;
  /** Takes note of a stamp: whether it is not too far ahead of the clock. */
  readonly observe: (stamp: bigint) => boolean;
}

/** What the server holds of a key. */
export interface HeldKey {
  /** OLDEST: nothing. */
  readonly stamp: Stamp;
  /** All of it, where it is newer than what the asker holds. */
  readonly effect: Effect | undefined;
}

/** What became of a write, and what the server held before it. */
export interface ApplyOutcome {
  readonly outcome: Exclude<Applied, "merged" | "noMemory">;
  readonly held: Stamp;
}

/** What has come of a command: its reply as protocol 2 has it, and what it changed. */
export interface StampedRun {
  readonly result: Uint8Array;
  readonly effects: readonly Effect[];
}

/** What the store has seen since the node began. */
export class StampedCounters {
  /** Values that were not written through the ring, and got a stamp when they were found. */
  foundUnstamped = 0;
  /** Reads and writes of other nodes, and of this one, that the server did not do. */
  failures = 0;
}

/** A step through the keys of a database: 0 ends it. */
export interface WalkStep {
  readonly next: number;
  readonly keys: readonly Uint8Array[];
}

export class StampedStore {
  readonly counters = new StampedCounters();
  readonly #parts: StampedStoreParts;

  constructor(parts: StampedStoreParts) {
    this.#parts = parts;
  }

  /** Whether the server answers. */
  get isUp(): boolean {
    return this.#parts.backend.isUp;
  }

  /** Takes note of a stamp: what is written from now on is newer. */
  observe(stamp: bigint): void {
    this.#parts.observe(stamp);
  }

  /** What is held of a key; its value where that is newer than `than`. */
  async read(key: Uint8Array, than: Stamp): Promise<HeldKey> {
    const items = await this.#run("read", key, [than.ms, than.tail]);
    const [, , isFound, kind, expiry, value] = items;
    this.#noteFound(isFound!);
    const stamp = stampOf(items);
    this.#parts.observe(timeOf(stamp));
    const isNewer = compareStamps(stamp, than) > 0;
    const effect = isNewer
      ? effectOf(key, stamp, textOf(kind!), textOf(expiry!), value)
      : undefined;
    return { stamp, effect };
  }

  /** Applies what another node has written, where it is newer. */
  async apply(write: WriteFrame): Promise<ApplyOutcome> {
    const { key, value, flags, expiry } = write;
    const stamp = stampFrom(write.stamp, write.node);
    if (!this.#parts.observe(write.stamp)) return { outcome: "refused", held: stamp };
    const isTombstone = (flags & FRAME_FLAG.tombstone) !== 0;
    const kind = isTombstone ? "t" : (flags & FRAME_FLAG.object) !== 0 ? "d" : "s";
    const items = await this.#run("apply", key, [
      ...[stamp.ms, stamp.tail, kind],
      ...[String(expiry), value],
    ]);
    this.#noteFound(items[2]!);
    return { outcome: textOf(items[3]!) as ApplyOutcome["outcome"], held: stampOf(items) };
  }

  /** Runs a command that only reads; its reply as protocol 2 has it. */
  async query(args: readonly Uint8Array[]): Promise<Uint8Array> {
    const { backend } = this.#parts;
    return ask(await this.#connect(), [backend.codec.writeRequest(args)]);
  }

  /**
   * Runs a command on its keys and stamps what it has changed, at once. `writesAll`: it writes all of its keys, whatever was there, so
   * that they get its stamp though the same value may be there.
   */
  async write(
    args: readonly Uint8Array[],
    keys: readonly Uint8Array[],
    writesAll: boolean,
  ): Promise<StampedRun> {
    const { backend, scripts, node, mint } = this.#parts;
    const { codec } = backend;
    const stamp = stampFrom(BigInt.asUintN(64, mint()), node);
    const stampArgs = [stamp.ms, stamp.tail, node, writesAll ? 1 : 0];
    const connection = await this.#connect();
    const bytes = await ask(connection, [
      codec.writeRequest(["MULTI"]),
      codec.writeRequest(args),
      scripts.request("stamp", keys, stampArgs),
      codec.writeRequest(["EXEC"]),
    ]);
    const [, queued, , done] = codec.parseReplies(bytes).values;
    // It was refused before anything was run.
    if (queued!.type === "error") return { result: codec.writeReply(queued!, 2), effects: [] };
    if (done!.type !== "array") return { result: codec.writeReply(done!, 2), effects: [] };
    const [reply, stamped] = done!.items;
    const result = codec.writeReply(reply!, 2);
    // What was changed without a stamp is stamped now, before another node is told.
    const items = isForgotten(stamped!)
      ? await scripts.run(connection, "stamp", keys, stampArgs)
      : itemsOf(stamped!);
    return { result, effects: this.#effectsOf(keys, items) };
  }

  /** A step through the keys of clients, or through the side records. */
  async walk(database: "keys" | "side", cursor: number, count: number): Promise<WalkStep> {
    const number = database === "keys" ? 0 : SIDE_DATABASE;
    const connection = await this.#connect();
    const [next, keys] = await this.#parts.scripts.run(
      connection,
      "walk",
      [],
      [...[number, cursor, count]],
    );
    return {
      next: Number(textOf(next!)),
      keys: itemsOf(keys!).map((key) => bytesOf(key)),
    };
  }

  #run(
    name: "read" | "apply",
    key: Uint8Array,
    args: readonly (Uint8Array | string | number)[],
  ): Promise<readonly RespValue[]> {
    const { scripts, node, mint } = this.#parts;
    const found = stampFrom(BigInt.asUintN(64, mint()), node);
    return this.#connect().then((connection) =>
      scripts.run(connection, name, [key], [found.ms, found.tail, node, ...args]),
    );
  }

  /** A connection that takes requests now. Rejects with BackendError. */
  async #connect(): Promise<BackendConnection> {
    for (;;) {
      const connection = this.#parts.backend.share();
      if (connection === undefined) throw this.#parts.backend.error;
      if (!connection.isFull) return connection;
      await new Promise<void>((resolve) => connection.whenRoom(resolve));
    }
  }

  #effectsOf(keys: readonly Uint8Array[], items: readonly RespValue[]): Effect[] {
    const stamp = stampOf(items);
    this.#parts.observe(timeOf(stamp));
    const effects: Effect[] = [];
    for (let i = 2; i < items.length; i += 4) {
      const key = keys[Number(textOf(items[i]!)) - 1]!;
      const [kind, expiry, value] = items.slice(i + 1, i + 4);
      effects.push(effectOf(key, stamp, textOf(kind!), textOf(expiry!), value)!);
    }
    return effects;
  }

  #noteFound(isFound: RespValue): void {
    if (textOf(isFound) === "1") this.counters.foundUnstamped++;
  }
}

/** Whether an error says that the server has not done, or may not have done, what it was asked for. */
export function isServerFailure(error: unknown): error is RingletError {
  return error instanceof BackendError || codeOf(error) === "SERVER_SCRIPT";
}

/** Whether an error says that nothing was sent to the server. */
export function wasNotSent(error: unknown): boolean {
  return ["BACKEND_UNREACHABLE", "BACKEND_REFUSED", "BACKEND_BUSY"].includes(codeOf(error));
}

function codeOf(error: unknown): string {
  return error instanceof RingletError ? error.code : "";
}

/** The stamp that answers of scripts begin with. */
function stampOf([ms, tail]: readonly RespValue[]): Stamp {
  return { ms: Number(textOf(ms!)), tail: Number(textOf(tail!)) };
}

function effectOf(
  key: Uint8Array,
  stamp: Stamp,
  kind: string,
  expiry: string,
  value: RespValue | undefined,
): Effect | undefined {
  const common = { database: 0, key, stamp: timeOf(stamp), node: nodeOf(stamp) };
  if (kind === "n") return undefined;
  if (kind === "t") return { ...common, kind: "tombstone", expiry: 0, bytes: NOTHING };
  return {
    ...common,
    kind: kind === "s" ? "value" : "object",
    expiry: Number(expiry),
    bytes: bytesOf(value!),
  };
}

function bytesOf(value: RespValue): Uint8Array {
  return value.type === "bulk" ? value.bytes : NOTHING;
}

const NOTHING = new Uint8Array(0);
