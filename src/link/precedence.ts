/** Which of two connections between the same two nodes stays, decided alike on both sides. */
import { type Boot, isNewerBoot, isSameBoot } from "./hello.ts";

/** A connection between this node and a peer, proven. */
export interface Contender {
  readonly dialledBy: "self" | "peer";
  /** Number of the dial, of whoever dialled. */
  readonly attempt: number;
  /** The peer's run of its process. */
  readonly peerBoot: Boot;
}

/**
 * Whether `candidate` takes the place of `present`. A newer run of the peer's process does; an older one does not. A later dial of
 * the same node does, because it only dials when it has no session. Of the dials of both nodes that of the lower link number
 * stays. (Dials that both have begun at once do not come here: see LinkHub.)
 */
export function takesPlace(
  candidate: Contender,
  present: Contender,
  self: number,
  peer: number,
): boolean {
  if (!isSameBoot(candidate.peerBoot, present.peerBoot)) {
    return isNewerBoot(candidate.peerBoot, present.peerBoot);
  }
  if (candidate.dialledBy === present.dialledBy) return candidate.attempt > present.attempt;
  return (candidate.dialledBy === "self") === self < peer;
}
