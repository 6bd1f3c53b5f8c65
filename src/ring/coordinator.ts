/**
 * The rules of consistency, as a pure machine for one request on one key: answers of replicas in, decisions out. The kernel's
 * path follows the same rules over outboxes and slots, and a differential test holds the two equal.
 */

import { compareStamps, OLDEST, type Stamp } from "../store/stamp.ts";
import { type ConsistencyLevel, neededReplicas } from "./levels.ts";

/** A configured replica, as the coordinator sees it when the request begins. */
export interface Replica {
  readonly id: number;
  readonly isUp: boolean;
  /** Up, and not fenced as far as the coordinator knows; of itself it knows for certain. */
  readonly isReadable: boolean;
}

export interface CoordinatedRequest {
  /** "effect": the outcome of a command that depends on what was there, run on this node at DC_ONE. */
  readonly kind: "read" | "blind" | "effect";
  readonly level: ConsistencyLevel;
  /** The replicas by datacenter, the coordinator's own first, each in the key's fixed order. */
  readonly datacenters: readonly (readonly Replica[])[];
  /** The coordinator, where it is one of the replicas. */
  readonly self: number | undefined;
  /**
   * The coordinator has lost its memory, and may have acknowledged writes that it does not know of any more: at levels above DC_ONE
   * it is no replica that holds this one as the newest.
   */
  readonly hasForgotten?: boolean;
  /** Of a write: its own. Of a read: of the record that the coordinator holds, OLDEST for none. */
  readonly stamp: Stamp;
}

/** What a replica says to a read or a write. A write here is a client's or a repair; `stamp` is the one that it carried. */
export type ReplicaAnswer =
  | { readonly to: "read"; readonly says: "equal" | "older" }
  | { readonly to: "read"; readonly says: "newer"; readonly stamp: Stamp }
  | { readonly to: "write"; readonly says: "acknowledged"; readonly stamp: Stamp }
  | {
      readonly to: "write";
      readonly says: "stale";
      readonly stamp: Stamp;
      readonly held: Stamp;
    }
  | { readonly to: "read"; readonly says: "failed" }
  | { readonly to: "write"; readonly says: "failed"; readonly stamp: Stamp };

/** What to do now, in this order. */
export type Decision =
  /** Ask a replica whether it holds something newer than `stamp`. */
  | { readonly do: "read"; readonly from: number; readonly stamp: Stamp }
  /** Send a replica the record with this stamp; `spread`: it passes it on to its whole datacenter. */
  | {
      readonly do: "write";
      readonly to: number;
      readonly stamp: Stamp;
      readonly spread: boolean;
    }
  /** The coordinator, a replica itself, takes over the newer record that it was told of. */
  | { readonly do: "adopt"; readonly stamp: Stamp }
  /** Mint a stamp newer than `after`, and go on with restamped(). */
  | { readonly do: "restamp"; readonly after: Stamp }
  /** Answer the client: of a read, with the record that has this stamp (OLDEST: nothing is there). */
  | { readonly do: "reply"; readonly stamp: Stamp }
  /** Answer the error; `unknown`: the write may have been done. */
  | {
      readonly do: "fail";
      readonly got: number;
      readonly need: number;
      readonly of: number;
      readonly unknown: boolean;
    };

/** The replicas of a datacenter that the level counts. */
interface Group {
  readonly replicas: readonly Replica[];
  readonly need: number;
}

/**
 * One request on one key.
 *
 * - N is what the topology names; who is up only decides whom we ask. Too few up: the request fails before anything is sent.
 * - A fence is the replica's own: it refuses reads while it has one. What the coordinator knows of it may be old, so it only
 *   decides who is asked first where one answer is enough.
 * - An acknowledgement says "I hold exactly this stamp". A replica that holds something newer says so, and is never counted.
 * - A replica that has lost its memory applies what comes, but acknowledges no write at or below the newest that it may have
 *   acknowledged before; to such a write it says "stale", or "failed" while it has not been told which that is.
 * - Blind writes are stamped again and sent anew when they are stale. What depends on the old value (an effect) is not: above
 *   DC_ONE it is no request of this kind, since the newest of a quorum is read before its command runs (executor.ts).
 * - A read answers the newest of all that it has heard, and repairs who holds less. At the safe levels the answer waits until a
 *   quorum holds it.
 */
export class Coordination {
  readonly #request: CoordinatedRequest;
  readonly #groups: readonly Group[];
  readonly #isSafe: boolean;
  /** Of a write: the stamp that is being sent. Of a read: the newest that was heard of. */
  #stamp: Stamp;
  /** Who certainly holds #stamp. */
  readonly #holders = new Set<number>();
  /** Who has said what it holds; of reads only, the coordinator itself included. */
  readonly #heard = new Set<number>();
  /** Who has been asked and has not answered, and who has been sent #stamp and has not answered. */
  readonly #asked = new Set<number>();
  readonly #sent = new Set<number>();
  /** Whose link is gone. */
  readonly #lost = new Set<number>();
  /** Of a read of one: who was asked already. */
  readonly #tried = new Set<number>();
  #wroteSomething = false;
  #isOver = false;

  constructor(request: CoordinatedRequest) {
    const { level, datacenters } = request;
    this.#request = request;
    this.#stamp = request.stamp;
    const counted = level === "DC_EACH_SAFE_QUORUM" ? datacenters : datacenters.slice(0, 1);
    this.#groups = counted.map((replicas) => ({
      replicas,
      need: neededReplicas(level, replicas.length),
    }));
    this.#isSafe = level === "DC_SAFE_QUORUM" || level === "DC_EACH_SAFE_QUORUM";
  }

  /** Whether the client has its answer. What a replica says later is still repaired, where the coordinator holds the record. */
  get isOver(): boolean {
    return this.#isOver;
  }

  /** Begins the request. */
  start(): Decision[] {
    for (const { replicas, need } of this.#groups) {
      const usable = replicas.filter((replica) => this.#isUsable(replica));
      if (usable.length >= need) continue;
      const own = usable.some(({ id }) => id === this.#request.self) ? 1 : 0;
      return this.#fail(own, need, replicas.length, false);
    }
    return this.#request.kind === "read" ? this.#startRead() : this.#startWrite();
  }

  /** A replica has answered. */
  answered(from: number, answer: ReplicaAnswer): Decision[] {
    if (answer.to === "read") return this.#readAnswered(from, answer);
    // An answer to a stamp that has been given up says nothing about the one that is being sent.
    if (compareStamps(answer.stamp, this.#stamp) !== 0 || !this.#sent.delete(from)) return [];
    switch (answer.says) {
      case "acknowledged":
        this.#holders.add(from);
        return this.#decide();
      case "stale":
        return this.#stale(from, answer.held);
      case "failed":
        return this.#decide();
    }
  }

  /** The link to a replica is gone: what it was asked and sent has no answer. */
  lost(replica: number): Decision[] {
    this.#lost.add(replica);
    const wasAsked = this.#asked.delete(replica);
    const wasSent = this.#sent.delete(replica);
    return wasAsked || wasSent ? this.#decide() : [];
  }

  /** The stamp that restamp asked for: newer than all that the coordinator knows. */
  restamped(stamp: Stamp): Decision[] {
    if (this.#isOver) return [];
    this.#stamp = stamp;
    return this.#startWrite();
  }

  /** The request has no more time. */
  deadlinePassed(): Decision[] {
    if (this.#isOver) return [];
    return this.#failNow();
  }

  #isUsable({ id, isUp, isReadable }: Replica): boolean {
    const { kind, self, level, hasForgotten } = this.#request;
    if (id !== self) return isUp;
    if (kind === "read") return isReadable;
    return level === "DC_ONE" || !hasForgotten;
  }

  /** Whether the coordinator counts as a replica of this request. */
  #selfCounts(): boolean {
    const { self, datacenters } = this.#request;
    return datacenters[0]!.some((replica) => replica.id === self && this.#isUsable(replica));
  }

  #startWrite(): Decision[] {
    const { self, datacenters } = this.#request;
    this.#holders.clear();
    this.#sent.clear();
    if (self !== undefined && this.#selfCounts()) this.#holders.add(self);
    const decisions: Decision[] = [];
    for (const [index, replicas] of datacenters.entries()) {
      // A datacenter that the level does not count gets one copy, which its receiver spreads.
      const spread = index > 0 && this.#groups.length === 1;
      for (const { id, isUp } of replicas) {
        if (id === self || !isUp || this.#lost.has(id)) continue;
        if (!spread) this.#sent.add(id);
        decisions.push({ do: "write", to: id, stamp: this.#stamp, spread });
        if (spread) break;
      }
    }
    this.#wroteSomething ||= decisions.length !== 0 || self !== undefined;
    return [...decisions, ...this.#decide()];
  }

  #startRead(): Decision[] {
    const { self, level } = this.#request;
    if (this.#selfCounts()) {
      this.#heard.add(self!);
      this.#holders.add(self!);
      if (level === "DC_ONE") return this.#decide();
    }
    return level === "DC_ONE" ? this.#askNext() : [...this.#askAll(), ...this.#decide()];
  }

  #askAll(): Decision[] {
    const { self, stamp } = this.#request;
    const decisions: Decision[] = [];
    for (const { replicas } of this.#groups) {
      for (const { id, isUp } of replicas) {
        if (id === self || !isUp) continue;
        this.#asked.add(id);
        decisions.push({ do: "read", from: id, stamp });
      }
    }
    return decisions;
  }

  /** Asks the next replica of those that are to answer alone; none is left: the read fails. */
  #askNext(): Decision[] {
    const { self, stamp } = this.#request;
    const left = this.#groups[0]!.replicas.filter(
      ({ id, isUp }) => isUp && id !== self && !this.#tried.has(id) && !this.#lost.has(id),
    );
    const next = left.find(({ isReadable }) => isReadable) ?? left[0];
    if (next === undefined) return this.#failNow();
    this.#tried.add(next.id);
    this.#asked.add(next.id);
    return [{ do: "read", from: next.id, stamp }];
  }

  #readAnswered(from: number, answer: ReplicaAnswer & { readonly to: "read" }): Decision[] {
    if (!this.#asked.delete(from)) return [];
    if (answer.says === "failed") return this.#decide();
    if (this.#isOver && this.#request.self === undefined) return [];
    this.#heard.add(from);
    const held = this.#heldBy(answer);
    const order = held === "less" ? -1 : compareStamps(held, this.#stamp);
    if (order > 0) return [...this.#learn(from, held as Stamp), ...this.#decide()];
    if (order === 0) this.#holders.add(from);
    const isOnItsWay = this.#sent.has(from) || this.#holders.has(from);
    const repairs = order < 0 && !isOnItsWay ? this.#repair([from]) : [];
    return [...repairs, ...this.#decide()];
  }

  /** The stamp that a replica holds by its answer; "less": an older one than it was asked about. */
  #heldBy(answer: ReplicaAnswer & { readonly to: "read" }): Stamp | "less" {
    if (answer.says === "newer") return answer.stamp;
    return answer.says === "equal" ? this.#request.stamp : "less";
  }

  /** Something newer is known: the coordinator takes it over, and sends it to who lacks it. */
  #learn(from: number, stamp: Stamp): Decision[] {
    const { self } = this.#request;
    const decisions: Decision[] = [];
    this.#stamp = stamp;
    this.#holders.clear();
    this.#sent.clear();
    this.#holders.add(from);
    if (self !== undefined) {
      this.#holders.add(self);
      decisions.push({ do: "adopt", stamp });
    }
    // A replica passes on what is new to it to all others; who is none, to those that have said that they have less.
    const behind = self === undefined ? [...this.#heard] : this.#everybodyUp();
    return [...decisions, ...this.#repair(behind.filter((id) => id !== from && id !== self))];
  }

  #everybodyUp(): number[] {
    const replicas = this.#groups.flatMap((group) => group.replicas);
    return replicas.filter(({ id, isUp }) => isUp && !this.#lost.has(id)).map(({ id }) => id);
  }

  #repair(replicas: readonly number[]): Decision[] {
    if (compareStamps(this.#stamp, OLDEST) === 0) return [];
    for (const id of replicas) this.#sent.add(id);
    return replicas.map((to) => ({ do: "write", to, stamp: this.#stamp, spread: false }));
  }

  #stale(from: number, held: Stamp): Decision[] {
    if (this.#isOver) return [];
    switch (this.#request.kind) {
      case "blind":
        this.#sent.clear();
        return [{ do: "restamp", after: held }];
      case "effect":
        return this.#decide();
      case "read":
        // Something was written after the read began: who holds that cannot fall behind what is to be answered.
        this.#holders.add(from);
        return this.#decide();
    }
  }

  /** Whether the client can be answered, or never will be. */
  #decide(): Decision[] {
    if (this.#isOver) return [];
    if (this.#groups.every((group) => this.#isReached(group))) {
      this.#isOver = true;
      return [{ do: "reply", stamp: this.#stamp }];
    }
    if (this.#groups.every((group) => this.#isReachable(group))) return [];
    const readsOne = this.#request.kind === "read" && this.#request.level === "DC_ONE";
    return readsOne ? this.#askNext() : this.#failNow();
  }

  #isReached({ replicas, need }: Group): boolean {
    const count = (ids: ReadonlySet<number>) => replicas.filter(({ id }) => ids.has(id)).length;
    if (this.#request.kind !== "read") return count(this.#holders) >= need;
    if (count(this.#heard) < need) return false;
    const nothingIsThere = compareStamps(this.#stamp, OLDEST) === 0;
    return !this.#isSafe || nothingIsThere || count(this.#holders) >= need;
  }

  /** Whether open answers can still bring enough. */
  #isReachable({ replicas, need }: Group): boolean {
    const count = (may: (id: number) => boolean) => replicas.filter(({ id }) => may(id)).length;
    const mayBeHeard = (id: number) => this.#heard.has(id) || this.#asked.has(id);
    const mayHold = (id: number) =>
      this.#holders.has(id) || this.#asked.has(id) || this.#sent.has(id);
    if (this.#request.kind !== "read") return count(mayHold) >= need;
    // Who has refused to be read may still hold what it is sent, and is not heard by that.
    return count(mayBeHeard) >= need && (!this.#isSafe || count(mayHold) >= need);
  }

  /** Fails with the numbers of the datacenter that is missing most. */
  #failNow(): Decision[] {
    const certain = this.#request.kind === "read" && !this.#isSafe ? this.#heard : this.#holders;
    const short = this.#groups
      .map(({ replicas, need }) => ({
        got: replicas.filter(({ id }) => certain.has(id)).length,
        need,
        of: replicas.length,
      }))
      .sort((one, other) => one.got - one.need - (other.got - other.need))[0]!;
    return this.#fail(short.got, short.need, short.of, this.#wroteSomething);
  }

  #fail(got: number, need: number, of: number, unknown: boolean): Decision[] {
    this.#isOver = true;
    return [{ do: "fail", got, need, of, unknown }];
  }
}
