// The keys of a node with a server behind it, as the executor works with them.

import { decodeWrite, encodeRead, FRAME_FLAG } from "../../link/frame.ts";
import { effectFrame } from "../../store/effect.ts";
import { compareStamps, nodeOf, OLDEST, type Stamp, stampFrom, timeOf } from "../../store/stamp.ts";
import {
  isServerFailure,
  type StampedStore,
  wasNotSent,
} from "../../store/stamped/stamped-store.ts";
import { isBlind } from "../kinds-of-writes.ts";
import type { OwnCopy, PlacedKey, ReplicaCommand, Run } from "../own-copy.ts";
import type { QuorumOutcome, QuorumWishes, RingPort } from "../port.ts";
import { notHere, outcomeUnknown } from "../ring-error.ts";
import type { Member } from "../topology.ts";
import type { DataRequests } from "./data-requests.ts";
import { quorumOf, type Said } from "./quorum-of.ts";

export interface ServerCopyParts {
  readonly port: RingPort;
  readonly store: StampedStore;
  readonly requests: DataRequests;
  /** When what begins now has failed, in ms of Runtime.monotonic(). */
  readonly deadline: () => number;
}

/** Writes beside the blind ones that leave none of their keys as it was. */
const WRITES_ALL: ReadonlySet<string> = new Set(["del", "unlink", "getset"]);
/** Newer than every stamp: what is asked for is the stamp alone. */
const NEWEST: Stamp = { ms: Number.MAX_SAFE_INTEGER, tail: 0 };

export class ServerCopy implements OwnCopy {
  readonly #parts: ServerCopyParts;

  constructor(parts: ServerCopyParts) {
    this.#parts = parts;
  }

  async read({ args }: ReplicaCommand): Promise<Uint8Array> {
    this.#requireReadable();
    return this.#orElsewhere(this.#parts.store.query(args));
  }

  async write({ found, args, keys }: ReplicaCommand): Promise<Run<Uint8Array>> {
    const blind = isBlind(found.name, args);
    // What it depends on was read before: it must not be gone.
    if (!blind) this.#requireReadable();
    const { store } = this.#parts;
    try {
      return await store.write(args, keys, blind || WRITES_ALL.has(found.name));
    } catch (error) {
      if (!isServerFailure(error)) throw error;
      store.counters.failures++;
      if (wasNotSent(error)) throw notHere(error.message);
      throw outcomeUnknown(error.message);
    }
  }

  async readAround(
    { key }: PlacedKey,
    need: number,
    { among, deadline = this.#parts.deadline() }: QuorumWishes,
  ): Promise<QuorumOutcome> {
    const { port, store, requests } = this.#parts;
    const { stamp } = await this.#orElsewhere(store.read(key, NEWEST));
    const frame = encodeRead({
      ...{ database: 0, flags: 0, key },
      ...{ stamp: timeOf(stamp), node: nodeOf(stamp) },
    });
    const known = new Map<Member, Stamp>();
    let newest = stamp;
    const ask = async (member: Member): Promise<Said> => {
      const answer = await requests.ask(member, frame, deadline);
      if (answer.says === "failed" || answer.says === "stale") return "failed";
      if (answer.says === "newer") {
        const write = decodeWrite(answer.write);
        const theirs = stampFrom(write.stamp, write.node);
        known.set(member, theirs);
        if (compareStamps(theirs, newest) > 0) newest = theirs;
        const { outcome } = await store.apply(write);
        return outcome === "refused" ? "failed" : "held";
      }
      known.set(member, answer.says === "held" ? stamp : OLDEST);
      return "held";
    };
    const members = (among ?? this.#others(key)).filter((member) => port.isUp(member));
    const answers = members.map((member) => ask(member).catch(failedServer));
    void Promise.all(answers).then(() => {
      const behind = [...known].filter(([, theirs]) => compareStamps(theirs, newest) < 0);
      const lacking = behind.map(([member]) => member);
      if (lacking.length !== 0) void this.#repair(key, lacking, deadline);
    });
    return quorumOf(answers, need);
  }

  async replicate(
    { key }: PlacedKey,
    need: number,
    { among, deadline = this.#parts.deadline() }: QuorumWishes,
  ): Promise<QuorumOutcome> {
    const { port, store } = this.#parts;
    const { effect } = await this.#orElsewhere(store.read(key, OLDEST));
    if (effect === undefined) return { ok: true, got: need, need, stale: false };
    const frame = effectFrame(effect);
    if (among === undefined) {
      for (const replicas of port.replicasOf(key).remote) {
        const receiver = replicas.find((member) => port.isUp(member));
        if (receiver === undefined) continue;
        const copy = frame.slice();
        copy[FLAGS_AT]! |= FRAME_FLAG.spread;
        void this.#tell(receiver, copy, deadline);
      }
    }
    const members = among ?? this.#others(key);
    return quorumOf(this.#tellAll(members, frame, deadline), need, true);
  }

  send(
    members: readonly Member[],
    frame: Uint8Array,
    need: number,
    { deadline = this.#parts.deadline() }: Pick<QuorumWishes, "deadline">,
  ): Promise<QuorumOutcome> {
    return quorumOf(this.#tellAll(members, frame, deadline), need);
  }

  #tellAll(members: readonly Member[], frame: Uint8Array, deadline: number): Promise<Said>[] {
    return members
      .filter((member) => this.#parts.port.isUp(member))
      .map((member) => this.#tell(member, frame, deadline));
  }

  async #tell(member: Member, frame: Uint8Array, deadline: number): Promise<Said> {
    const answer = await this.#parts.requests.ask(member, frame, deadline);
    // What is written again is newer.
    if (answer.says === "stale") this.#parts.store.observe(answer.stamp);
    return answer.says === "held" || answer.says === "stale" ? answer.says : "failed";
  }

  /** Sends what is held to members that hold less; the next read does it again where that fails. */
  async #repair(key: Uint8Array, members: readonly Member[], deadline: number): Promise<void> {
    try {
      const { effect } = await this.#parts.store.read(key, OLDEST);
      if (effect !== undefined) this.#tellAll(members, effectFrame(effect), deadline);
    } catch (error) {
      failedServer(error);
    }
  }

  /** Has another node do what the server has not: nothing was changed. */
  async #orElsewhere<T>(work: Promise<T>): Promise<T> {
    try {
      return await work;
    } catch (error) {
      if (!isServerFailure(error)) throw error;
      this.#parts.store.counters.failures++;
      throw notHere(error.message);
    }
  }

  #requireReadable(): void {
    if (this.#parts.port.isFenced) throw notHere("this node has not got its data back yet");
  }

  #others(key: Uint8Array): Member[] {
    const { port } = this.#parts;
    return port.replicasOf(key).local.filter((member) => member !== port.topology.self);
  }
}

const FLAGS_AT = 5;

/** What the server has not done is a failure of the replica; anything else is one of ours. */
function failedServer(error: unknown): Said {
  if (isServerFailure(error)) return "failed";
  throw error;
}
