// Commands over all owners: DBSIZE, KEYS, SCAN, RANDOMKEY ask one replica of each range, FLUSHALL and FLUSHDB tell all members.

import { RingletError } from "../base/errors.ts";
import { RespWriter } from "../codec/resp-writer.ts";
import type { Effect } from "../store/effect.ts";
import type { RequestOptions } from "./execute-request.ts";
import { FieldReader } from "./fields.ts";
import {
  decodeScan,
  encodeGather,
  type GatherRequest,
  type GatherServer,
  type ScanStep,
} from "./gather-server.ts";
import { GatherView } from "./gather-view.ts";
import { type ConsistencyLevel, neededReplicas } from "./levels.ts";
import { memberName } from "./member.ts";
import { REQUEST_KIND } from "./port.ts";
import { groupsOf, mayBeRead, QuorumFailure, requireReach } from "./quorum.ts";
import { framesOf } from "./replication-frames.ts";
import type { RingContext } from "./ring-context.ts";
import { decodeCursor, encodeCursor, SCAN_START } from "./scan-cursor.ts";
import type { Member } from "./topology.ts";

/** What SCAN asks for beside its cursor. */
export interface ScanWishes {
  readonly count: number;
  readonly pattern: Uint8Array | undefined;
  readonly type: string | undefined;
}

/** Whom a command asks, and until when, in ms of Runtime.monotonic(): of all its steps together. */
interface Look {
  readonly view: GatherView;
  readonly tellers: readonly Member[];
  readonly deadline: number;
}

/** Keys that KEYS asks a member for at a time. */
const KEYS_AT_ONCE = 10_000;
/** Keys that SCAN asks for at most, whatever its COUNT. */
const MAX_SCAN_COUNT = 100_000;

export class Gather {
  readonly #context: RingContext;
  readonly #server: GatherServer;

  constructor(context: RingContext, server: GatherServer) {
    this.#context = context;
    this.#server = server;
  }

  /** DBSIZE. Throws RANGE_UNREACHABLE, as all that ask do. */
  async size({ database, protocol }: RequestOptions): Promise<Uint8Array> {
    const sizes = await this.#sizes(database, this.#look());
    return written(protocol, (reply) => reply.integer(sizes.reduce((sum, size) => sum + size, 0)));
  }

  /** KEYS pattern. */
  async keys({ database, protocol }: RequestOptions, pattern: Uint8Array): Promise<Uint8Array> {
    const look = this.#look();
    const wishes = { count: KEYS_AT_ONCE, pattern, type: undefined };
    const found = await Promise.all(
      look.tellers.map(async (teller) => {
        const keys: Uint8Array[] = [];
        let cursor = 0;
        do {
          const step = await this.#scan(teller, look, { database, cursor, ...wishes });
          keys.push(...step.keys);
          cursor = step.next;
        } while (cursor !== 0);
        return keys;
      }),
    );
    const keys = found.flat();
    return written(protocol, (reply) => {
      reply.array(keys.length);
      for (const key of keys) reply.bulk(key);
    });
  }

  /**
   * SCAN: one member after the other. Where another view of who answers has come up since the walk began, it begins anew: keys
   * may then be told again, and none that is there all the time is missed.
   */
  async scan(
    { database, protocol }: RequestOptions,
    cursor: bigint,
    wishes: ScanWishes,
  ): Promise<Uint8Array> {
    const look = this.#look();
    const { view, tellers } = look;
    const { mark } = view;
    const given = cursor === SCAN_START ? { local: 0, position: 0, mark } : decodeCursor(cursor);
    const isSameWalk = given.mark === mark && given.position < tellers.length;
    const { local, position } = isSameWalk ? given : { local: 0, position: 0 };
    const count = Math.min(wishes.count, MAX_SCAN_COUNT);
    const step = await this.#scan(tellers[position]!, look, {
      ...{ database, cursor: local, count },
      ...{ pattern: wishes.pattern, type: wishes.type },
    });
    const isDone = step.next === 0 && position === tellers.length - 1;
    const place = {
      local: step.next,
      position: step.next === 0 ? position + 1 : position,
      mark,
    };
    const next = isDone ? SCAN_START : encodeCursor(place);
    return written(protocol, (reply) => {
      reply.array(2);
      reply.latin1(String(next));
      reply.array(step.keys.length);
      for (const key of step.keys) reply.bulk(key);
    });
  }

  /** RANDOMKEY: a member by how many keys it tells about, then one of them. */
  async random({ database, protocol }: RequestOptions): Promise<Uint8Array> {
    const look = this.#look();
    const sizes = await this.#sizes(database, look);
    const order = this.#drawOrder(look.tellers, sizes);
    for (const teller of order) {
      const body = await this.#ask(teller, look, { kind: "random", database });
      const [key] = new FieldReader(body).list();
      if (key !== undefined) return written(protocol, (reply) => reply.bulk(key));
    }
    return written(protocol, (reply) => reply.null());
  }

  /**
   * Runs FLUSHALL or FLUSHDB: here, then at every member, whose tables drop everything at or below its stamp. Throws
   * QuorumFailure where a range has too few replicas that did.
   */
  async flush(level: ConsistencyLevel, run: () => Uint8Array): Promise<Uint8Array> {
    const { port } = this.#context;
    for (const set of port.sets)
      requireReach(set, level, port.topology.self, (member) => port.isUp(member));
    const { result, effects } = this.#context.embedded.runOnce(run);
    if (effects.length === 0) return result;
    const { done, told } = this.#tellAll(effects);
    const missing = () => port.sets.flatMap((set) => missingIn(groupsOf(set, level), level, done));
    // Who is slow is not waited for when the others are enough.
    for (let left = told.size; left > 0 && missing().length !== 0; left--) {
      told.delete(await Promise.race(told.values()));
    }
    const [failure] = missing();
    if (failure !== undefined) throw failure;
    return result;
  }

  /** Sends effects to every member: who has acknowledged all of them, growing as the promises of `told` resolve. */
  #tellAll(effects: readonly Effect[]): {
    readonly done: ReadonlySet<Member>;
    readonly told: Map<Member, Promise<Member>>;
  } {
    const { port } = this.#context;
    const { members, self } = port.topology;
    const frames = framesOf(effects, false);
    const done = new Set<Member>([self]);
    const tell = async (member: Member): Promise<Member> => {
      const outcomes = await Promise.all(frames.map((frame) => port.send([member], frame, 1)));
      // A member that has something newer has nothing older to drop.
      if (outcomes.every(({ ok, stale }) => ok || stale)) done.add(member);
      return member;
    };
    const others = members.filter((member) => member !== self && port.isUp(member));
    return { done, told: new Map(others.map((member) => [member, tell(member)])) };
  }

  #look(): Look {
    const { port, runtime, requestTimeoutMs } = this.#context;
    const known = GatherView.now(port.topology, (member) => port.isReadable(member));
    // Who is not known to answer may do so: it is asked where nobody else can tell.
    const view = port.sets.every((set) => known.tellerOf(set) !== undefined)
      ? known
      : GatherView.now(port.topology, (member) => mayBeRead(port, member));
    const deadline = runtime.monotonic() + requestTimeoutMs();
    return { view, tellers: view.tellers(port.sets), deadline };
  }

  #sizes(database: number, look: Look): Promise<number[]> {
    return Promise.all(
      look.tellers.map(async (teller) => {
        const body = await this.#ask(teller, look, { kind: "count", database });
        return Number(new FieldReader(body).u64());
      }),
    );
  }

  async #scan(
    teller: Member,
    look: Look,
    request: Omit<GatherRequest & { readonly kind: "scan" }, "kind">,
  ): Promise<ScanStep> {
    return decodeScan(await this.#ask(teller, look, { kind: "scan", ...request }));
  }

  async #ask(
    member: Member,
    { view, deadline }: Look,
    request: GatherRequest,
  ): Promise<Uint8Array> {
    const { port, runtime } = this.#context;
    const body = encodeGather(request, view);
    try {
      const left = deadline - runtime.monotonic();
      if (left <= 0) throw new RingletError("DEADLINE", "the time of the command is over");
      if (member === port.topology.self) return this.#server.serve(body);
      return await port.request(member, REQUEST_KIND.gather, body, left);
    } catch (error) {
      if (!(error instanceof RingletError)) throw error;
      throw new RingletError(
        "RANGE_UNREACHABLE",
        `Dynomite: ${memberName(member)}, which tells about a part of the keys, has not answered (${error.code}), so the answer would not be whole: try again`,
        { cause: error },
      );
    }
  }

  /** All tellers, first one that is drawn by the numbers of keys. */
  #drawOrder(tellers: readonly Member[], sizes: readonly number[]): Member[] {
    const total = sizes.reduce((sum, size) => sum + size, 0);
    if (total === 0) return [];
    let left = this.#context.store.randomBelow(Math.min(total, 0xffffffff));
    let drawn = 0;
    while (left >= sizes[drawn]!) left -= sizes[drawn++]!;
    const withKeys = tellers.filter((_, i) => sizes[i] !== 0 && i !== drawn);
    return [tellers[drawn]!, ...withKeys];
  }
}

/** The datacenters of a set where too few are done. */
function missingIn(
  groups: readonly (readonly Member[])[],
  level: ConsistencyLevel,
  done: ReadonlySet<Member>,
): QuorumFailure[] {
  return groups.flatMap((replicas) => {
    const need = neededReplicas(level, replicas.length);
    const got = replicas.filter((member) => done.has(member)).length;
    return got < need ? [new QuorumFailure(got, need, replicas.length, true)] : [];
  });
}

function written(protocol: 2 | 3, write: (reply: RespWriter) => void): Uint8Array {
  const reply = new RespWriter();
  reply.protocol = protocol;
  write(reply);
  return reply.view();
}
