// Runs commands on this node as a replica of their keys: reads at their level, writes once, with what they changed sent to the
// other replicas.

import type { Effect } from "../store/effect.ts";
import { NOT_TOLD } from "../store/kernel-ring.ts";
import { isBlind } from "./kinds-of-writes.ts";
import { type ConsistencyLevel, neededReplicas } from "./levels.ts";
import type { OwnCopy, PlacedKey, ReplicaCommand, Run } from "./own-copy.ts";
import type { QuorumOutcome } from "./port.ts";
import { mayBeRead, QuorumFailure, requireReach } from "./quorum.ts";
import { framesOf } from "./replication-frames.ts";
import type { RingContext } from "./ring-context.ts";
import type { Member, ReplicaSet } from "./topology.ts";
import { Version1Replicas } from "./version1-replicas.ts";

/** The replicas that an operation is about, how many of them, and until when, in ms of Runtime.monotonic(). */
export interface Reach {
  readonly set: ReplicaSet;
  readonly level: ConsistencyLevel;
  readonly deadline: number;
}

export class Executor {
  readonly #context: RingContext;
  readonly #own: OwnCopy;
  /** What concerns keys with a replica at a node of the C engine. */
  readonly version1: Version1Replicas;

  constructor(context: RingContext, own: OwnCopy) {
    this.#context = context;
    this.#own = own;
    this.version1 = new Version1Replicas(context);
  }

  /**
   * Answers a read: from this node's own copy at DC_ONE, else with the newest of a quorum; at the safe levels a quorum holds what
   * the reply was made of. Where a replica has something newer by then, it is read again: what is not held by a quorum may yet be
   * written anew, and must not have been seen. Throws QuorumFailure.
   */
  async read(command: ReplicaCommand): Promise<Uint8Array> {
    const keys = placedKeys(command);
    const reach = reachOf(command);
    for (;;) {
      await this.#askNewest(keys, reach);
      const read = this.#own.read(command);
      const reply = read instanceof Promise ? await read : read;
      if (!isSafe(reach.level)) return reply;
      const heard = await this.#hold(keys, reach);
      requireAll(heard, false);
      const newer = heard.find(({ stale }) => stale);
      if (newer === undefined) return reply;
      if (this.#context.runtime.monotonic() < reach.deadline) continue;
      throw new QuorumFailure(newer.own, newer.need + newer.own, newer.n, false);
    }
  }

  /** Has the newest of a quorum in this node's table, for each key; at the safe levels a quorum holds it. Throws QuorumFailure. */
  async readNewest(keys: readonly PlacedKey[], reach: Reach): Promise<void> {
    await this.#askNewest(keys, reach);
    if (isSafe(reach.level)) requireAll(await this.#hold(keys, reach), false);
  }

  async #askNewest(keys: readonly PlacedKey[], reach: Reach): Promise<void> {
    const { port } = this.#context;
    const { set, level } = reach;
    requireReach(set, level, port.topology.self, (member) => mayBeRead(port, member));
    if (level !== "DC_ONE") requireAll(await this.#readAround(keys, reach), false);
  }

  /**
   * Runs a write once. Where its outcome depends on what is there, the newest is read from a quorum before, so that what turns
   * out to be newer than its stamp was written while it ran: such a write comes after this one, and may replace it.
   * Throws QuorumFailure.
   */
  async write(command: ReplicaCommand): Promise<Uint8Array> {
    const { found, args, set, options } = command;
    if (this.version1.concerns(set, true)) return this.version1.write(command);
    requireReach(set, options.level, this.#context.port.topology.self, (member) =>
      this.#mayAcknowledge(member, options.level),
    );
    const reach = reachOf(command);
    const isRepeatable = isBlind(found.name, args);
    if (options.level !== "DC_ONE" && !isRepeatable) {
      await this.readNewest(placedKeys(command), { ...reach, level: readLevelOf(options.level) });
    }
    const run = this.#own.write(command);
    const { result, effects } = run instanceof Promise ? await run : run;
    await this.settle(effects, reach, isRepeatable ? () => this.#own.write(command) : undefined);
    return result;
  }

  /**
   * Replicates what something has changed, and waits until the level has it. A replica that holds something newer has not
   * acknowledged: the newest of a quorum is read, which may replace what was written, and what this node has then goes out: a
   * quorum holds something at least as new. With `again`, which changes the same anew with a newer stamp, that goes out
   * instead. Throws QuorumFailure.
   */
  async settle(
    effects: readonly Effect[],
    reach: Reach,
    again?: () => Changed | Promise<Changed>,
  ): Promise<void> {
    if (effects.length === 0) return;
    let heard = await this.#replicate(effects, reach);
    while (isStale(heard) && this.#context.runtime.monotonic() < reach.deadline) {
      // What a quorum holds may have been read: it must not come back above what was written since.
      if (again !== undefined && heard.some(({ ok }) => ok)) break;
      requireAll(await this.#readAround(effects, reach), true);
      heard =
        again === undefined
          ? await this.#hold(effects, reach)
          : await this.#replicateAgain(again(), reach);
    }
    requireAll(heard, true);
  }

  async #replicateAgain(
    changed: Changed | Promise<Changed>,
    reach: Reach,
  ): Promise<readonly Heard[]> {
    const { effects } = changed instanceof Promise ? await changed : changed;
    return this.#replicate(effects, reach);
  }

  /** Sends effects to the other replicas; resolves when those that the level needs have answered, or cannot any more. */
  #replicate(effects: readonly Effect[], reach: Reach): Promise<readonly Heard[]> {
    const { deadline } = reach;
    const frames = framesOf(effects, false);
    if (reach.level !== "DC_EACH_SAFE_QUORUM") this.#spread(effects, reach.set);
    return this.#ask(
      reach,
      (members, need) => frames.map((frame) => this.#own.send(members, frame, need, { deadline })),
      reach.level === "DC_ONE" ? 1 : this.#ownShare,
    );
  }

  /** Whether a member can be one of those that a write needs: this node only knows of itself what it may have forgotten. */
  #mayAcknowledge(member: Member, level: ConsistencyLevel): boolean {
    const { port } = this.#context;
    const mustKnow = member === port.topology.self && level !== "DC_ONE";
    return port.isUp(member) && (!mustKnow || this.#ownShare === 1);
  }

  /** What this node's having a write counts for. */
  get #ownShare(): 0 | 1 {
    return this.#context.port.forgotten === NOT_TOLD ? 0 : 1;
  }

  /** Sends one copy to each other datacenter, whose receiver spreads it; nobody waits for that. */
  #spread(effects: readonly Effect[], set: ReplicaSet): void {
    const { port } = this.#context;
    for (const replicas of set.remote) {
      const receiver = replicas.find((member) => port.isUp(member));
      if (receiver === undefined) continue;
      for (const frame of framesOf(effects, true)) void this.#own.send([receiver], frame, 0, {});
    }
  }

  /** Asks for something newer than what this node holds, which is taken over. */
  #readAround(keys: readonly PlacedKey[], reach: Reach): Promise<readonly Heard[]> {
    const { deadline } = reach;
    return this.#ask(reach, (members, need, isOwn) =>
      keys.map(({ database, key }) => {
        const wishes = isOwn ? { deadline } : { deadline, among: members };
        return this.#own.readAround({ database, key }, need, wishes);
      }),
    );
  }

  /** Sends what this node holds now: resolves when those that the level needs hold it, or something newer. */
  #hold(keys: readonly PlacedKey[], reach: Reach): Promise<readonly Heard[]> {
    const { deadline } = reach;
    return this.#ask(reach, (members, need, isOwn) =>
      keys.map(({ database, key }) => {
        const wishes = isOwn ? { deadline } : { deadline, among: members };
        return this.#own.replicate({ database, key }, need, wishes);
      }),
    );
  }

  /** Has `ask` ask the replicas of each datacenter that the level counts; `share`: what this node counts for among its own. */
  async #ask(
    { set, level }: Reach,
    ask: (members: readonly Member[], need: number, isOwn: boolean) => Promise<QuorumOutcome>[],
    share: 0 | 1 = 1,
  ): Promise<readonly Heard[]> {
    const { self } = this.#context.port.topology;
    const others = set.local.filter((member) => member !== self);
    const heard: Promise<Heard>[] = [];
    const add = (members: readonly Member[], own: 0 | 1, n: number, isOwn: boolean) => {
      const need = neededReplicas(level, n) - own;
      if (members.length === 0) return;
      for (const asked of ask(members, need, isOwn)) {
        heard.push(asked.then((outcome) => ({ ...outcome, own, n })));
      }
    };
    add(others, share, set.local.length, true);
    if (level === "DC_EACH_SAFE_QUORUM") {
      for (const replicas of set.remote) add(replicas, 0, replicas.length, false);
    }
    return Promise.all(heard);
  }
}

/** What running something has changed. */
type Changed = Pick<Run<unknown>, "effects">;

/** What the replicas of a datacenter have said. */
export interface Heard extends QuorumOutcome {
  /** 1 where this node is one more replica, which has it. */
  readonly own: 0 | 1;
  /** Replicas that are configured there. */
  readonly n: number;
}

const reachOf = ({ set, options, deadline }: ReplicaCommand): Reach => ({
  set,
  level: options.level,
  deadline,
});

const placedKeys = ({ keys, options }: ReplicaCommand): PlacedKey[] =>
  keys.map((key) => ({ database: options.database, key }));

/** Whether a quorum must hold what is read. */
function isSafe(level: ConsistencyLevel): boolean {
  return level === "DC_SAFE_QUORUM" || level === "DC_EACH_SAFE_QUORUM";
}

/** The level that what a write depends on is read at: nothing need be written back before. */
function readLevelOf(level: ConsistencyLevel): ConsistencyLevel {
  return level === "DC_SAFE_QUORUM" ? "DC_QUORUM" : level;
}

/** Whether something newer stood in the way of a quorum. */
function isStale(heard: readonly Heard[]): boolean {
  return heard.some(({ ok, stale }) => !ok && stale);
}

/** Throws the failure that is furthest from its quorum. */
function requireAll(heard: readonly Heard[], hasWritten: boolean): void {
  const [worst] = heard
    .filter(({ ok }) => !ok)
    .sort((one, other) => one.got - one.need - (other.got - other.need));
  if (worst === undefined) return;
  const { got, need, own, n } = worst;
  throw new QuorumFailure(got + own, need + own, n, hasWritten);
}
