// Commands on keys that a node of the C engine holds a replica of. It gets the client's command, as the C engine would send it, and
// its reply counts towards the quorum; nodes of ours get what the command has changed, with its stamp. Replies are compared as the
// C engine does: a quorum has answered when so many replies are the same.

import { RingletError } from "../base/errors.ts";
import { encodeExecute } from "./execute-request.ts";
import { isBlind } from "./kinds-of-writes.ts";
import { type ConsistencyLevel, neededReplicas } from "./levels.ts";
import type { ReplicaCommand, Run } from "./own-copy.ts";
import { REQUEST_KIND } from "./port.ts";
import { QuorumFailure } from "./quorum.ts";
import { framesOf } from "./replication-frames.ts";
import { isError } from "./reply-parts.ts";
import type { RingContext } from "./ring-context.ts";
import { notWithVersion1 } from "./ring-error.ts";
import type { Member, ReplicaSet } from "./topology.ts";
import { requireKnownToC } from "./version1-commands.ts";

export class Version1Replicas {
  readonly #context: RingContext;

  constructor(context: RingContext) {
    this.#context = context;
  }

  /** Whether a member holds a replica that is known to be a node of the C engine, up or down; for a read, in this datacenter. */
  concerns({ local, remote }: ReplicaSet, writes: boolean): boolean {
    return (writes ? [...local, ...remote.flat()] : local).some((member) => this.#isOfC(member));
  }

  /** Whether a replica in this datacenter is one of ours, and can be reached. */
  hasOurs({ local }: ReplicaSet): boolean {
    const { port } = this.#context;
    return local.some((member) => !this.#isOfC(member) && port.isUp(member));
  }

  /** Throws RingletError VERSION_1_PEER, with the reason, for a command that such replicas cannot be given. */
  require({ found, args, keys, set, options }: ReplicaCommand): void {
    const peer = [...set.local, ...set.remote.flat()].find((member) => this.#isOfC(member))!;
    if (options.database !== 0) throw notWithVersion1("there is database 0 alone");
    if (options.level === "DC_EACH_SAFE_QUORUM") {
      throw notWithVersion1("its answers from other datacenters do not count towards this level");
    }
    requireKnownToC(peer, found.name, args, keys);
  }

  /** Throws QuorumFailure. */
  async read(command: ReplicaCommand): Promise<Uint8Array> {
    this.require(command);
    const { set, options } = command;
    const { self } = this.#context.port.topology;
    const need = this.#requireReach(command);
    if (options.level === "DC_ONE") return inProtocol(await this.#readOne(command), command);
    // This node's own reply comes first: where no two agree, it is the one.
    const others = set.local.filter((member) => member !== self);
    const order = set.local.includes(self) ? [self, ...others] : others;
    const replies = order.map((member) => this.#ask(member, command));
    return inProtocol(await agreed(replies, need, options.level, false), command);
  }

  /** Runs a write here, where this node is a replica, and at all others. Throws QuorumFailure. */
  async write(command: ReplicaCommand): Promise<Uint8Array> {
    this.require(command);
    const { found, args, set, options } = command;
    const { port } = this.#context;
    const { self } = port.topology;
    const need = this.#requireReach(command);
    const runsHere = set.local.includes(self) && (!port.isFenced || isBlind(found.name, args));
    const ours = set.local.filter((member) => member !== self && !this.#isOfC(member));
    if (runsHere && !isBlind(found.name, args)) await this.#readAmong(ours, command);
    const own = runsHere ? this.#run(command) : undefined;
    const asked = set.local
      .filter((member) => this.#isOfC(member))
      .map((member) => this.#send(member, command, false));
    if (own !== undefined)
      asked.unshift(Promise.resolve(own.result), ...this.#give(ours, own, command));
    this.#spread(command, own);
    if (options.level === "DC_ONE" && own !== undefined) {
      for (const one of asked) one.catch(() => {});
      return inProtocol(own.result, command);
    }
    return inProtocol(await agreed(asked, need, options.level, true), command);
  }

  /** Throws QuorumFailure when fewer replicas can be reached than the level needs; returns how many that are. */
  #requireReach({ set, options }: ReplicaCommand): number {
    const { port } = this.#context;
    const { local } = set;
    const need = neededReplicas(options.level, local.length);
    const reached = local.filter((member) => this.#isReached(member));
    if (reached.length >= need) return need;
    throw new QuorumFailure(
      reached.includes(port.topology.self) ? 1 : 0,
      need,
      local.length,
      false,
    );
  }

  async #readOne(command: ReplicaCommand): Promise<Uint8Array> {
    const { self } = this.#context.port.topology;
    const distance = (member: Member): number =>
      member === self ? 0 : member.rack === self.rack ? 1 : 2;
    const order = [...command.set.local].sort((one, other) => distance(one) - distance(other));
    let last: unknown;
    for (const member of order) {
      try {
        return await this.#ask(member, command);
      } catch (error) {
        last = error;
      }
    }
    throw last;
  }

  /** The reply of one replica to a read. Rejects where it has none. */
  async #ask(member: Member, command: ReplicaCommand): Promise<Uint8Array> {
    const { port, runtime } = this.#context;
    const { args, deadline } = command;
    const options = { ...command.options, protocol: 2, level: "DC_ONE" } as const;
    if (this.#isOfC(member)) return this.#send(member, command, false);
    if (member === port.topology.self) {
      if (port.isFenced)
        throw new RingletError("NOT_HERE", "this node has not got its data back yet");
      return this.#context.embedded.read({ ...command, options });
    }
    const left = Math.max(0, deadline - runtime.monotonic());
    return port.request(
      member,
      REQUEST_KIND.execute,
      encodeExecute({ kind: "read", options, args }),
      left,
    );
  }

  #send(member: Member, { args, deadline }: ReplicaCommand, isForwarded: boolean) {
    return this.#context.port.sendVersion1(member, args, isForwarded, deadline);
  }

  /**
   * Gives what a command has changed to other replicas of ours: each resolves to the command's reply when that has it. Where one
   * holds something newer, a blind write is run once more, so that all get it with a newer stamp.
   */
  #give(members: readonly Member[], own: Run<Uint8Array>, command: ReplicaCommand) {
    const { found, args } = command;
    let again: Run<Uint8Array> | undefined;
    const give = async (member: Member): Promise<Uint8Array> => {
      let outcome = await this.#giveTo(member, own, command);
      if (outcome === "stale" && isBlind(found.name, args)) {
        if (again === undefined) {
          again = this.#run(command);
          for (const other of members) {
            if (other !== member) void this.#giveTo(other, again, command);
          }
        }
        outcome = await this.#giveTo(member, again, command);
      }
      if (outcome === "ok") return own.result;
      throw new RingletError("LINK_LOST", "a replica has not acknowledged the write");
    };
    return members.map(give);
  }

  async #giveTo(
    member: Member,
    { effects }: Run<Uint8Array>,
    { deadline }: ReplicaCommand,
  ): Promise<"ok" | "stale" | "failed"> {
    const frames = effects.length === 0 ? [] : framesOf(effects, false);
    const outcomes = await Promise.all(
      frames.map((frame) => this.#context.port.send([member], frame, 1, { deadline })),
    );
    if (outcomes.every(({ ok }) => ok)) return "ok";
    return outcomes.some(({ stale }) => stale) ? "stale" : "failed";
  }

  /** Has the newest that other replicas of ours hold in this node's table. */
  async #readAmong(members: readonly Member[], { keys, deadline }: ReplicaCommand): Promise<void> {
    const { port, store } = this.#context;
    const among = members.filter((member) => port.isUp(member));
    if (among.length === 0) return;
    await Promise.all(
      keys.map((key) => port.readAround(0, store.place(key), among.length, { deadline, among })),
    );
  }

  #run(command: ReplicaCommand): Run<Uint8Array> {
    return this.#context.embedded.write({
      ...command,
      options: { ...command.options, protocol: 2 },
    });
  }

  /** Sends a write to one node of each other datacenter, which gives it to the other racks there; nobody waits for that. */
  #spread(command: ReplicaCommand, own: Run<Uint8Array> | undefined): void {
    const { port } = this.#context;
    for (const replicas of command.set.remote) {
      const reached = replicas.filter((member) => this.#isReached(member));
      // One of the C engine gives it to all racks; one of ours only to those that are ours.
      const ofC = reached.find((member) => this.#isOfC(member));
      if (ofC !== undefined) this.#send(ofC, command, true).catch(() => {});
      else if (reached[0] !== undefined && own !== undefined && own.effects.length > 0) {
        for (const frame of framesOf(own.effects, true)) void port.send([reached[0]], frame, 0);
      }
    }
  }

  /** Gives a command to the nodes of the C engine among replicas, whatever they answer. */
  give({ local }: ReplicaSet, args: readonly Uint8Array[], deadline: number): void {
    const { port } = this.#context;
    for (const member of local) {
      if (this.#isOfC(member)) port.sendVersion1(member, args, false, deadline).catch(() => {});
    }
  }

  #isOfC(member: Member): boolean {
    return this.#context.port.version1(member) !== undefined;
  }

  #isReached(member: Member): boolean {
    const { port } = this.#context;
    return port.isUp(member) || port.version1(member) === "up";
  }
}

/**
 * The first reply that so many replicas give. Where all have answered and no so many agree: at DC_QUORUM the first that came, if enough
 * did answer; where there are only errors, the first of them. Throws QuorumFailure.
 */
function agreed(
  asked: readonly Promise<Uint8Array>[],
  need: number,
  level: ConsistencyLevel,
  hasWritten: boolean,
): Promise<Uint8Array> {
  return new Promise((resolve, reject) => {
    const good: Uint8Array[] = [];
    const errors: Uint8Array[] = [];
    let left = asked.length;
    const settle = (): void => {
      if (--left > 0) return;
      const [first] = good;
      const [error] = errors;
      if (good.length >= need && level === "DC_QUORUM" && first !== undefined) resolve(first);
      else if (first === undefined && error !== undefined) resolve(error);
      else reject(new QuorumFailure(good.length, need, asked.length, hasWritten));
    };
    const answered = (reply: Uint8Array): void => {
      if (isError(reply)) errors.push(reply);
      else {
        good.push(reply);
        if (good.filter((one) => isSame(one, reply)).length >= need) resolve(reply);
      }
      settle();
    };
    for (const one of asked) one.then(answered, settle);
  });
}

function isSame(one: Uint8Array, other: Uint8Array): boolean {
  return one.length === other.length && one.every((byte, i) => byte === other[i]);
}

const NULL = new TextEncoder().encode("$-1\r\n");
const NULL_3 = new TextEncoder().encode("_\r\n");

/** A reply of RESP 2 in the client's protocol, as far as the commands of the C engine need it. */
function inProtocol(reply: Uint8Array, { found, options }: ReplicaCommand): Uint8Array {
  if (options.protocol === 2) return reply;
  if (isSame(reply, NULL)) return NULL_3;
  if (found.name !== "hgetall" || isError(reply)) return reply;
  const end = reply.indexOf(13);
  const count = Number(new TextDecoder().decode(reply.subarray(1, end))) / 2;
  const head = new TextEncoder().encode(`%${count}`);
  const map = new Uint8Array(head.length + reply.length - end);
  map.set(head);
  map.set(reply.subarray(end), head.length);
  return map;
}
