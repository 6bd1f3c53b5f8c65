// The body of an "execute" request: a client's command for the node that is to run it.
//
//   u8 kind (1 read, 2 write, 3 transaction, 4 versions)   u8 database   u8 level   u8 flags (1 RESP 3, 2 no touch, 4 retry, 8 own datacenter)
//   kinds 2 and 3: u64 counter, text epoch of the asker, text epoch that the executor is to have; the asker is known by its link
//   kinds 1 and 2: the arguments       kind 3: the watched keys (key, version, database), the commands (database, arguments)
//   kind 4: the keys
// The answer: of kinds 1 and 2 the reply in RESP; of 3 a byte (1: run) and the replies; of 4 the versions ("" for none).

import { RingletError } from "../base/errors.ts";
import { FieldReader, FieldWriter } from "./fields.ts";
import { type ConsistencyLevel, LEVELS } from "./levels.ts";
import type { RunOptions } from "./local-commands.ts";

/** What a request works with beside its command. */
export interface RequestOptions extends RunOptions {
  readonly level: ConsistencyLevel;
  /** What it writes goes to no other datacenter: it came from one. */
  readonly isOfDatacenter?: boolean | undefined;
}

/** Names a write, so that its executor runs it once however often it is sent. */
export interface RequestId {
  /** Counts up in one run of the asking node. */
  readonly counter: bigint;
  /** Run of the asking node, and run of the executor that it was sent to first. */
  readonly epoch: string;
  readonly executorEpoch: string;
  /** Whether it was sent before. */
  readonly isRetry: boolean;
}

/** A key that must be as it was when the client began to watch it. */
export interface WatchedKey {
  readonly database: number;
  readonly key: Uint8Array;
  /** "" for a key that was missing. */
  readonly version: string;
}

/** A command of a transaction. */
export interface QueuedCommand {
  readonly database: number;
  readonly args: readonly Uint8Array[];
}

export type ExecuteRequest =
  | {
      readonly kind: "read";
      readonly options: RequestOptions;
      readonly args: readonly Uint8Array[];
    }
  | {
      readonly kind: "write";
      readonly options: RequestOptions;
      readonly id: RequestId;
      readonly args: readonly Uint8Array[];
    }
  | {
      readonly kind: "transaction";
      readonly options: RequestOptions;
      readonly id: RequestId;
      readonly watched: readonly WatchedKey[];
      readonly commands: readonly QueuedCommand[];
    }
  | {
      readonly kind: "versions";
      readonly options: RequestOptions;
      readonly keys: readonly Uint8Array[];
    };

const KINDS = ["", "read", "write", "transaction", "versions"] as const;
const FLAG = { resp3: 1, noTouch: 2, retry: 4, isOfDatacenter: 8 } as const;

export function encodeExecute(request: ExecuteRequest): Uint8Array {
  const { options } = request;
  const id = "id" in request ? request.id : undefined;
  const writer = new FieldWriter()
    .u8(KINDS.indexOf(request.kind))
    .u8(options.database)
    .u8(LEVELS.indexOf(options.level))
    .u8(
      (options.protocol === 3 ? FLAG.resp3 : 0) |
        (options.noTouch ? FLAG.noTouch : 0) |
        (options.isOfDatacenter ? FLAG.isOfDatacenter : 0) |
        (id?.isRetry ? FLAG.retry : 0),
    );
  if (id !== undefined) writer.u64(id.counter).text(id.epoch).text(id.executorEpoch);
  switch (request.kind) {
    case "read":
    case "write":
      return writer.list(request.args).done();
    case "transaction":
      writer.u32(request.watched.length);
      for (const { database, key, version } of request.watched) {
        writer.u8(database).bytes(key).text(version);
      }
      writer.u32(request.commands.length);
      for (const { database, args } of request.commands) writer.u8(database).list(args);
      return writer.done();
    case "versions":
      return writer.list(request.keys).done();
  }
}

/** Throws RingletError MALFORMED_REQUEST. What it returns are views of `body`. */
export function decodeExecute(body: Uint8Array): ExecuteRequest {
  const reader = new FieldReader(body);
  const kind = KINDS[reader.u8()];
  const database = reader.u8();
  const level = LEVELS[reader.u8()];
  const flags = reader.u8();
  if (kind === undefined || kind === "" || level === undefined || database > 15) throw malformed();
  const options: RequestOptions = {
    database,
    level,
    protocol: flags & FLAG.resp3 ? 3 : 2,
    noTouch: (flags & FLAG.noTouch) !== 0,
    ...((flags & FLAG.isOfDatacenter) !== 0 && { isOfDatacenter: true }),
  };
  const request = readRest(reader, kind, options, (flags & FLAG.retry) !== 0);
  reader.end();
  return request;
}

function readRest(
  reader: FieldReader,
  kind: ExecuteRequest["kind"],
  options: RequestOptions,
  isRetry: boolean,
): ExecuteRequest {
  switch (kind) {
    case "read":
      return { kind, options, args: reader.list() };
    case "write":
      return { kind, options, id: readId(reader, isRetry), args: reader.list() };
    case "transaction": {
      const id = readId(reader, isRetry);
      const watched: WatchedKey[] = [];
      for (let left = reader.u32(); left > 0; left--) {
        watched.push({
          database: readDatabase(reader),
          key: reader.bytes(),
          version: reader.text(),
        });
      }
      const commands: QueuedCommand[] = [];
      for (let left = reader.u32(); left > 0; left--) {
        commands.push({ database: readDatabase(reader), args: reader.list() });
      }
      return { kind, options, id, watched, commands };
    }
    case "versions":
      return { kind, options, keys: reader.list() };
  }
}

function readDatabase(reader: FieldReader): number {
  const database = reader.u8();
  if (database > 15) throw malformed();
  return database;
}

function readId(reader: FieldReader, isRetry: boolean): RequestId {
  return { counter: reader.u64(), epoch: reader.text(), executorEpoch: reader.text(), isRetry };
}

const malformed = (): RingletError =>
  new RingletError(
    "MALFORMED_REQUEST",
    "a request between nodes cannot be read; nothing of it was run",
  );
