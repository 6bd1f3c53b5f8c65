/** What nodes say of themselves, in the hello and whenever it changes: JSON on the wire. */
import { toHex } from "../base/hex.ts";
import type { Runtime } from "../base/runtime.ts";

/** As a node says it. */
export interface NodeState {
  /** Identity of what it holds: another one when data was lost. */
  readonly epoch: string;
  /** It lacks its last store epoch: it takes writes and answers no read. */
  readonly fenced: boolean;
  /** It is fenced because it lost its memory, and not only because others had to drop what they sent to it. */
  readonly forgetful: boolean;
  /** Whether it coordinates requests of clients. */
  readonly coordinating: boolean;
  /** The newest stamp that it has minted or seen. */
  readonly stamp: bigint;
  /** Epochs of the members, its own among them, with which it began when most replicas held no state. */
  readonly startedWith: readonly string[];
  /** The last epoch that it knew of each member, by index. */
  readonly known: Readonly<Record<string, string>>;
  /** Members whose frames it had to drop, by index: they lack what it sent them. */
  readonly dropped: readonly number[];
  /** The one that is told lacks records with at least this stamp, which this node could not send to it and has not told it of yet. */
  readonly missed: bigint | undefined;
  /** Its datacenter lacks records with at least this stamp that it has got from another datacenter since. */
  readonly brought: bigint | undefined;
}

/** A store epoch that no node has had: NodeState.epoch. */
export function newEpoch(runtime: Runtime): string {
  return toHex(runtime.randomBytes(EPOCH_BYTES));
}

/** The state as JSON can carry it. */
export function stateToJson(state: NodeState): Record<string, unknown> {
  const { stamp, missed, brought } = state;
  return {
    ...state,
    stamp: String(stamp),
    missed: missed?.toString(),
    brought: brought?.toString(),
  };
}

/** Reads the state of a peer; undefined when it is none. */
export function stateFromJson(json: unknown): NodeState | undefined {
  if (typeof json !== "object" || json === null) return undefined;
  const {
    epoch,
    fenced,
    forgetful = fenced,
    coordinating,
    stamp,
    startedWith,
    known,
    dropped,
    missed,
    brought,
  } = json as Record<string, unknown>;
  if (typeof epoch !== "string" || epoch.length > MAX_EPOCH_LENGTH) return undefined;
  if (typeof fenced !== "boolean" || typeof forgetful !== "boolean") return undefined;
  if (typeof coordinating !== "boolean") return undefined;
  const newest = readStamp(stamp);
  if (newest === undefined || !isListOf(startedWith, "string") || !isListOf(dropped, "number")) {
    return undefined;
  }
  if (typeof known !== "object" || known === null || !isListOf(Object.values(known), "string")) {
    return undefined;
  }
  return {
    epoch,
    fenced,
    forgetful,
    coordinating,
    stamp: newest,
    startedWith: startedWith as string[],
    known: known as Record<string, string>,
    dropped: dropped as number[],
    missed: readStamp(missed),
    brought: readStamp(brought),
  };
}

/** Random bytes of a store epoch. */
const EPOCH_BYTES = 12;
/** Longest epoch that is taken from a peer, in characters. */
const MAX_EPOCH_LENGTH = 64;
/** Most elements of a list that is taken from a peer. */
const MAX_LIST_LENGTH = 4096;

function readStamp(text: unknown): bigint | undefined {
  return typeof text === "string" && /^\d{1,20}$/.test(text)
    ? BigInt.asUintN(64, BigInt(text))
    : undefined;
}

function isListOf(value: unknown, type: "string" | "number"): boolean {
  return (
    Array.isArray(value) &&
    value.length <= MAX_LIST_LENGTH &&
    value.every((element) => typeof element === type)
  );
}
