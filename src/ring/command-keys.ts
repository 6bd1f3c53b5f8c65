// Which replicas a command's keys have, and into which parts a command can be split where they have different ones.

import { latin1 } from "../store/arguments.ts";
import type { Command } from "../store/commands/command.ts";
import type { ReplicaSet } from "./topology.ts";

/** Finds the replicas of a key. */
export type Route = (key: Uint8Array) => ReplicaSet;

/** A command for the keys of one replica set. */
export interface Part {
  readonly set: ReplicaSet;
  readonly keys: readonly Uint8Array[];
  /** The command with these keys alone. */
  readonly args: readonly Uint8Array[];
  /** Positions of the keys among all keys of the command. */
  readonly positions: readonly number[];
}

/** Indexes of the arguments that are keys; `args` begin with the name. */
export function keyIndexes(
  { keys, findKeys }: Pick<Command, "keys" | "findKeys">,
  args: readonly Uint8Array[],
): number[] {
  if (findKeys !== undefined) {
    return findKeys(args.map((argument) => latin1(argument, 0, argument.length)));
  }
  if (keys.first === 0) return [];
  const last = keys.last < 0 ? args.length + keys.last : Math.min(keys.last, args.length - 1);
  const indexes: number[] = [];
  for (let i = keys.first; i <= last; i += keys.step) indexes.push(i);
  return indexes;
}

/** How the replies to the parts of a command become one. */
export type Merge = "sum" | "items" | "ok";

/** Commands that can be split by owner. */
export const SPLITTABLE: ReadonlyMap<string, Merge> = new Map([
  ["del", "sum"],
  ["unlink", "sum"],
  ["exists", "sum"],
  ["touch", "sum"],
  ["mget", "items"],
  ["mset", "ok"],
]);

/**
 * The parts of a command by replica set, in the order of their first keys. One part: all keys have the same replicas. The order in
 * which a set names its replicas does not count: whoever holds one of the keys holds the others.
 */
export function partsOf(
  command: Pick<Command, "keys" | "findKeys">,
  args: readonly Uint8Array[],
  route: Route,
): Part[] {
  const indexes = keyIndexes(command, args);
  const parts = new Map<string, { set: ReplicaSet; positions: number[] }>();
  for (const [position, index] of indexes.entries()) {
    const set = route(args[index]!);
    const name = nameOf(set);
    const part = parts.get(name);
    if (part === undefined) parts.set(name, { set, positions: [position] });
    else part.positions.push(position);
  }
  if (parts.size === 1) {
    const { set, positions } = [...parts.values()][0]!;
    return [{ set, positions, args, keys: indexes.map((index) => args[index]!) }];
  }
  const { step } = command.keys;
  return [...parts.values()].map(({ set, positions }) => ({
    set,
    positions,
    keys: positions.map((position) => args[indexes[position]!]!),
    args: [
      args[0]!,
      ...positions.flatMap((position) => args.slice(indexes[position]!, indexes[position]! + step)),
    ],
  }));
}

/** Whether two sets have the same members. */
export function isSameSet(one: ReplicaSet, other: ReplicaSet): boolean {
  return one === other || nameOf(one) === nameOf(other);
}

/** Names the members of a set, whatever their order. */
function nameOf({ local, remote }: ReplicaSet): string {
  return [...local, ...remote.flat()]
    .map(({ index }) => index)
    .sort((a, b) => a - b)
    .join();
}
