/** How many replicas a request needs, whether it can have them, and what is said when it cannot. */
import { RingletError } from "../base/errors.ts";
import { type ConsistencyLevel, neededReplicas } from "./levels.ts";
import type { RingPort } from "./port.ts";
import type { Member, ReplicaSet } from "./topology.ts";

/** A level could not be reached (NO_QUORUM). */
export class QuorumFailure extends RingletError {
  /**
   * `got` of the `n` configured replicas answered, `need` had to. `unknown`: something has been written, so that the write may be
   * seen later; without it nothing was.
   */
  constructor(got: number, need: number, n: number, unknown: boolean) {
    super("NO_QUORUM", quorumText(got, need, n, unknown));
  }
}

/** The text of the error, without its code word. */
export function quorumText(got: number, need: number, n: number, unknown: boolean): string {
  const tail = unknown ? ": the outcome of the write is unknown" : "";
  return `Dynomite: Failed to achieve Quorum (${need} of ${n} needed, ${got} answered)${tail}`;
}

/** Who of the replicas can take part: reachable ones. */
export type Usable = (member: Member) => boolean;

/**
 * Throws QuorumFailure when too few of the configured replicas can take part, before anything has been sent: only `self` has
 * answered then, where it is one of them. The levels count in this node's datacenter; DC_EACH_SAFE_QUORUM counts in every one.
 */
export function requireReach(
  set: ReplicaSet,
  level: ConsistencyLevel,
  self: Member,
  isUsable: Usable,
): void {
  for (const group of groupsOf(set, level)) {
    const need = neededReplicas(level, group.length);
    const usable = group.filter(isUsable);
    if (usable.length >= need) continue;
    throw new QuorumFailure(usable.includes(self) ? 1 : 0, need, group.length, false);
  }
}

/**
 * Whether a member may be asked to read: it can be reached. Whether it is fenced it knows best itself, and refuses then; this node
 * asks itself for nothing while it is.
 */
export function mayBeRead(
  port: Pick<RingPort, "topology" | "isUp" | "isFenced">,
  member: Member,
): boolean {
  return port.isUp(member) && !(member === port.topology.self && port.isFenced);
}

/** The replicas that a level counts, by datacenter, this node's own first. */
export function groupsOf(set: ReplicaSet, level: ConsistencyLevel): readonly (readonly Member[])[] {
  return level === "DC_EACH_SAFE_QUORUM" ? [set.local, ...set.remote] : [set.local];
}
