// Transactions: the commands between MULTI and EXEC run at one executor, nothing in between, if no watched key has changed.

import type { EmbeddedStore } from "../store/embedded-store.ts";
import { isSameSet, partsOf, type Route } from "./command-keys.ts";
import type { QueuedCommand, RequestOptions, WatchedKey } from "./execute-request.ts";
import type { Executor } from "./executor.ts";
import { FieldReader, FieldWriter } from "./fields.ts";
import type { PlacedKey } from "./own-copy.ts";
import { requireReach } from "./quorum.ts";
import type { RingContext } from "./ring-context.ts";
import { crossOwnerTransaction, notHere } from "./ring-error.ts";
import type { ReplicaSet } from "./topology.ts";

/** The replies to the commands of a transaction, each in RESP; undefined: a watched key has changed, and nothing was run. */
export type TransactionReplies = readonly Uint8Array[] | undefined;

/** The replica set of keys that must have one: `before`, that of those that are known already. Throws CROSS_OWNER. */
export function joinSets(
  before: ReplicaSet | undefined,
  keys: readonly Uint8Array[],
  route: Route,
  hasHashTag: boolean,
): ReplicaSet | undefined {
  let set = before;
  for (const key of keys) {
    const other = route(key);
    if (set !== undefined && !isSameSet(set, other)) throw crossOwnerTransaction(hasHashTag);
    set ??= other;
  }
  return set;
}

/**
 * Runs a transaction on this node, a replica of all of its keys. `deadline`: when it must have an answer, in ms of
 * Runtime.monotonic(). Throws QuorumFailure.
 */
export async function runTransaction(
  context: RingContext,
  executor: Executor,
  set: ReplicaSet,
  transaction: {
    readonly options: RequestOptions;
    readonly watched: readonly WatchedKey[];
    readonly commands: readonly QueuedCommand[];
  },
  deadline: number,
): Promise<TransactionReplies> {
  const { port, store, local, embedded } = context;
  const { options, watched, commands } = transaction;
  const found = commands.map(({ args }) => local.find(args));
  const keys: PlacedKey[] = [...watched];
  for (const [i, { database, args }] of commands.entries()) {
    const row = found[i];
    if (row === undefined) throw notHere("this node does not know a command of the transaction");
    for (const part of partsOf(row.command, args, (key) => port.replicasOf(key))) {
      keys.push(...part.keys.map((key) => ({ database, key })));
    }
  }
  requireReach(set, options.level, port.topology.self, (member) => port.isUp(member));
  const level = options.level === "DC_SAFE_QUORUM" ? "DC_QUORUM" : options.level;
  await executor.readNewest(once(keys), { set, level, deadline });
  const { result, effects } = embedded.runOnce((): TransactionReplies => {
    if (watched.some((key) => versionOf(store, key) !== key.version)) return undefined;
    return commands.map(({ database, args }, i) =>
      local.run(found[i]!, args, { ...options, database }),
    );
  });
  await executor.settle(effects, { set, level: options.level, deadline });
  return result;
}

/** What WATCH remembers of a key: "" where it is missing, else something that differs after every change. */
export function versionOf(store: EmbeddedStore, { database, key }: PlacedKey): string {
  return store.databases[database]!.version(store.place(key)) ?? "";
}

export function encodeReplies(replies: TransactionReplies): Uint8Array {
  return new FieldWriter()
    .u8(replies === undefined ? 0 : 1)
    .list(replies ?? [])
    .done();
}

export function decodeReplies(body: Uint8Array): TransactionReplies {
  const reader = new FieldReader(body);
  const wasRun = reader.u8() === 1;
  const replies = reader.list();
  reader.end();
  return wasRun ? replies : undefined;
}

/** Each key once. */
function once(keys: readonly PlacedKey[]): PlacedKey[] {
  const seen = new Map<string, PlacedKey>();
  for (const placed of keys) seen.set(`${placed.database}:${placed.key.join()}`, placed);
  return [...seen.values()];
}
