// What goes wrong with commands in a ring, as errors with codes and as the text that clients get.

import { RingletError } from "../base/errors.ts";
import { memberName } from "./member.ts";
import type { Member } from "./topology.ts";

/** The text of an error reply, its code word first. */
export function errorText(error: RingletError): string {
  return HAS_CODE_WORD.has(error.code) ? error.message : `ERR ${error.message}`;
}

/** Errors whose message begins with a code word of Redis already. */
const HAS_CODE_WORD: ReadonlySet<string> = new Set(["NOT_COORDINATING", "OUT_OF_MEMORY"]);

/** This node may not coordinate now; nothing was done. `text`: with its code word. */
export const notCoordinating = (text: string): RingletError =>
  new RingletError("NOT_COORDINATING", text);

/** The node that was to run a request cannot; nothing was done, and another one may be asked. */
export const notHere = (why: string): RingletError =>
  new RingletError("NOT_HERE", `Dynomite: ${why}; nothing was done`);

/** A write was sent to its executor, and whether it was run cannot be found out. */
export const outcomeUnknown = (why: string): RingletError =>
  new RingletError("OUTCOME_UNKNOWN", `Dynomite: ${why}: the outcome of the write is unknown`);

/** A read has had no answer in time. */
export const noAnswer = (timeoutMs: number): RingletError =>
  new RingletError("NO_ANSWER", `Dynomite: no replica has answered within ${timeoutMs} ms`);

/** A range of keys that nobody answers for: `replicas` are those who hold it. */
export const rangeUnreachable = (replicas: readonly Member[]): RingletError =>
  new RingletError(
    "RANGE_UNREACHABLE",
    `Dynomite: a part of the keys cannot be reached, so the answer would not be whole: none of ${replicas.map(memberName).join(", ")} answers now`,
  );

/** A node of the C engine holds a replica, and what was asked cannot be had with it; nothing was done. */
export const notWithVersion1 = (why: string): RingletError =>
  new RingletError(
    "VERSION_1_PEER",
    `Dynomite: a node of the C engine holds a replica, and ${why}; nothing was done`,
  );

/** Keys that a transaction cannot have together. */
export function crossOwnerTransaction(hasHashTag: boolean): RingletError {
  return new RingletError(
    "CROSS_OWNER",
    `Dynomite: the keys of a transaction, watched ones included, must belong to the same owners; ${remedy(hasHashTag)}`,
  );
}

/** A command over all owners in a transaction, which one executor runs. */
export const notInTransaction = (command: string): RingletError =>
  new RingletError(
    "NOT_IN_TRANSACTION",
    `Dynomite: '${command}' works on all owners and cannot be part of a transaction, which one of them runs`,
  );

/** Keys that one node cannot work on at once. `hasHashTag`: whether the cluster has one. */
export function crossOwner(command: string, hasHashTag: boolean): RingletError {
  return new RingletError(
    "CROSS_OWNER",
    `Dynomite: keys of '${command}' belong to different owners and the command cannot be split; ${remedy(hasHashTag)}`,
  );
}

function remedy(hasHashTag: boolean): string {
  const tag = "give them a common hash tag, as in {user1}:a {user1}:b";
  return hasHashTag ? tag : `set hash_tag to {} on all nodes, and ${tag}`;
}
