/** What this node says of itself: to all in the hello, and to each peer in STATUS frames, once in a while and when it changes. */
import { decodeStatus, encodeStatus } from "../link/frame.ts";
import type { EmbeddedStore } from "../store/embedded-store.ts";
import type { CatchingUp } from "./catching-up.ts";
import type { HeldBack } from "./held-back.ts";
import { type NodeState, stateFromJson, stateToJson } from "./node-state.ts";
import { oldestOf } from "./oldest.ts";
import type { Outboxes } from "./outboxes.ts";
import type { Peer, Peers } from "./peers.ts";
import type { RingPort } from "./port.ts";

export interface StatusParts {
  readonly ring: Pick<RingPort, "topology" | "epoch" | "isFenced" | "refusal">;
  readonly store: EmbeddedStore;
  readonly peers: Peers;
  readonly heldBack: HeldBack;
  readonly outboxes: Outboxes;
  readonly catchingUp: Pick<CatchingUp, "startedWith" | "isForgetful">;
}

export class Status {
  readonly #parts: StatusParts;
  /** Members whose frames had to be dropped since they were told so. */
  readonly #dropped = new Set<number>();
  /** The oldest stamp of what came from another datacenter, by the members of this one that have not been told. */
  readonly #brought = new Map<number, bigint>();

  constructor(parts: StatusParts) {
    this.#parts = parts;
  }

  /** What a hello says, as JSON can carry it. */
  forHello(): Record<string, unknown> {
    return stateToJson(this.#state(undefined, oldestOf(...this.#brought.values())));
  }

  sayToAll(): void {
    for (const peer of this.#parts.peers.open) this.sayTo(peer);
  }

  sayTo(peer: Peer): void {
    const { heldBack, outboxes } = this.#parts;
    const { index } = peer.member;
    // Behind everything that was minted before: what a peer has heard, it has got.
    outboxes.flush(peer);
    const state = this.#state(heldBack.oldestMissed(index), this.#brought.get(index));
    peer.session?.send(encodeStatus(stateToJson(state)));
    if (peer.session !== undefined) this.#brought.delete(index);
  }

  /** What was sent to a member had to be dropped: it is told in the next hello. */
  noteDropped(link: number): void {
    this.#dropped.add(link);
  }

  /** A member has heard this node's hello. */
  helloHeard(link: number): void {
    this.#dropped.delete(link);
  }

  /** Records with at least this stamp came from another datacenter: the other members of this one may lack them too. */
  noteBrought(oldest: bigint): void {
    const { members, self } = this.#parts.ring.topology;
    for (const { index, datacenter } of members) {
      if (datacenter !== self.datacenter || index === self.index) continue;
      this.#brought.set(index, oldestOf(this.#brought.get(index), oldest)!);
    }
  }

  /** `missed`, `brought`: what the one that it is told is to be told of that. */
  #state(missed: bigint | undefined, brought: bigint | undefined): NodeState {
    const { ring, store, peers, catchingUp } = this.#parts;
    const known: Record<string, string> = {};
    for (const { member, state } of peers.all) {
      if (state !== undefined) known[member.index] = state.epoch;
    }
    return {
      epoch: ring.epoch,
      fenced: ring.isFenced,
      forgetful: catchingUp.isForgetful,
      coordinating: ring.refusal === undefined,
      stamp: store.newestStamp,
      startedWith: catchingUp.startedWith,
      known,
      dropped: [...this.#dropped],
      missed,
      brought,
    };
  }
}

/** What a STATUS frame says; undefined when it is none. */
export function readStatus(frame: Uint8Array): NodeState | undefined {
  try {
    return stateFromJson(decodeStatus(frame));
  } catch {
    return undefined;
  }
}
