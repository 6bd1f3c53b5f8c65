// Has another node run a command: the nearest replica that answers for a read, the executor of its keys for a write.

import { RingletError } from "../base/errors.ts";
import type { Timer } from "../base/runtime.ts";
import { type ExecuteRequest, encodeExecute, type RequestId } from "./execute-request.ts";
import { neededReplicas } from "./levels.ts";
import { memberName } from "./member.ts";
import { REQUEST_KIND } from "./port.ts";
import { mayBeRead, QuorumFailure } from "./quorum.ts";
import type { RingContext } from "./ring-context.ts";
import { noAnswer, outcomeUnknown } from "./ring-error.ts";
import type { Member, ReplicaSet } from "./topology.ts";

/** A request that changes nothing. */
type ReadRequest = Extract<ExecuteRequest, { readonly kind: "read" | "versions" }>;
/** A request that changes something, before it has its name. */
type WriteRequest = Extract<ExecuteRequest, { readonly id: RequestId }>;
export type UnnamedWrite = WriteRequest extends infer Each
  ? Each extends WriteRequest
    ? Omit<Each, "id">
    : never
  : never;

/** Part of a request's time after which the next replica is asked beside those that have not answered a read. */
export const PATIENCE_SHARE = 1 / 16;
/** How long to wait before looking again whether a link is back, in ms. */
const LINK_PAUSE_MS = 50;

export class Forwarding {
  readonly #context: RingContext;
  #writes = 0n;

  constructor(context: RingContext) {
    this.#context = context;
  }

  /**
   * Asks the replicas, those that are known to answer reads and those of this node's rack first, until one has answered; one that
   * keeps a read waiting may be stopped, so the next one is asked too. Throws QuorumFailure when none can, NO_ANSWER at the
   * deadline, and what the replica throws.
   */
  read(request: ReadRequest, set: ReplicaSet): Promise<Uint8Array> {
    const { runtime, requestTimeoutMs } = this.#context;
    const body = encodeExecute(request);
    const deadline = this.#deadline();
    const patienceMs = requestTimeoutMs() * PATIENCE_SHARE;
    const left = this.#byNearness(set);
    return new Promise((resolve, reject) => {
      let waiting = 0;
      let next: Timer | undefined;
      let isOver = false;
      const end = (): void => {
        isOver = true;
        next?.cancel();
      };
      const askNext = (): void => {
        next?.cancel();
        const member = isOver ? undefined : left.shift();
        if (member === undefined) {
          if (waiting === 0) reject(nobodyAnswers(request, set));
          return;
        }
        waiting++;
        next = runtime.after(patienceMs, askNext);
        this.#ask(member, body, deadline).then(
          (reply) => {
            end();
            resolve(reply);
          },
          (error: unknown) => {
            waiting--;
            if (isSilent(error)) return askNext();
            end();
            reject(error);
          },
        );
      };
      askNext();
    });
  }

  /** Asks one replica to read. Throws NO_ANSWER at the deadline, and what request() and the replica throw. */
  async #ask(member: Member, body: Uint8Array, deadline: number): Promise<Uint8Array> {
    const { port, runtime, requestTimeoutMs } = this.#context;
    const leftMs = deadline - runtime.monotonic();
    try {
      if (leftMs <= 0) throw noAnswer(requestTimeoutMs());
      return await port.request(member, REQUEST_KIND.execute, body, leftMs);
    } catch (error) {
      throw codeOf(error) === "DEADLINE" ? noAnswer(requestTimeoutMs()) : error;
    }
  }

  /**
   * Has the executor run a write, once: `here` when that is this node. Throws QuorumFailure when no replica is available,
   * OUTCOME_UNKNOWN when it was sent and it cannot be found out whether it was run, and what the executor throws.
   */
  async write(
    request: UnnamedWrite,
    set: ReplicaSet,
    here: () => Promise<Uint8Array>,
  ): Promise<Uint8Array> {
    const { port } = this.#context;
    const counter = ++this.#writes;
    const deadline = this.#deadline();
    const refused = new Set<Member>();
    for (;;) {
      const executor = this.#executorOf(set, refused);
      if (executor === undefined) throw nobodyAnswers(request, set);
      if (executor === port.topology.self) {
        try {
          return await here();
        } catch (error) {
          if (codeOf(error) !== "NOT_HERE") throw error;
          refused.add(executor);
          continue;
        }
      }
      const id: RequestId = {
        counter,
        epoch: port.epoch,
        executorEpoch: port.epochOf(executor) ?? "",
        isRetry: false,
      };
      try {
        return await this.#send(executor, { ...request, id }, deadline);
      } catch (error) {
        if (!WAS_NOT_RUN.has(codeOf(error))) throw error;
        refused.add(executor);
      }
    }
  }

  /**
   * The replica that runs what depends on what is there: the first of the fixed order that answers reads, as far as this node knows;
   * where it knows of none, the first that may. Undefined: all that can be reached are among `refused`.
   */
  #executorOf({ local }: ReplicaSet, refused: ReadonlySet<Member>): Member | undefined {
    const { port } = this.#context;
    const left = local.filter((member) => !refused.has(member) && mayBeRead(port, member));
    return left.find((member) => port.isReadable(member)) ?? left[0];
  }

  /** Sends a write to its executor, and again to the same run of it when the link is lost in between. */
  async #send(executor: Member, request: WriteRequest, deadline: number): Promise<Uint8Array> {
    const { port, runtime, requestTimeoutMs } = this.#context;
    let { id } = request;
    for (;;) {
      const left = deadline - runtime.monotonic();
      const body = encodeExecute({ ...request, id });
      try {
        return await port.request(executor, REQUEST_KIND.execute, body, Math.max(left, 0));
      } catch (error) {
        const code = codeOf(error);
        if (code === "DEADLINE") {
          throw outcomeUnknown(`the executor has not answered within ${requestTimeoutMs()} ms`);
        }
        if (id.isRetry && code === "LINK_BUSY") {
          throw outcomeUnknown(`the executor, ${memberName(executor)}, is sent nothing more now`);
        }
        const mayHaveArrived = id.isRetry && code === "LINK_DOWN";
        if (code !== "LINK_LOST" && !mayHaveArrived) throw error;
      }
      id = { ...id, isRetry: true };
      await this.#linkBack(executor, id.executorEpoch, deadline);
    }
  }

  /** Resolves when there is a link to the same run of a member again; throws OUTCOME_UNKNOWN when there will not be in time. */
  async #linkBack(member: Member, epoch: string, deadline: number): Promise<void> {
    const { port, runtime } = this.#context;
    for (;;) {
      const now = port.epochOf(member);
      if (now === epoch) return;
      if (now !== undefined || runtime.monotonic() + LINK_PAUSE_MS > deadline) {
        throw outcomeUnknown(`the connection to the executor, ${memberName(member)}, was lost`);
      }
      await new Promise<void>((resolve) => {
        runtime.after(LINK_PAUSE_MS, resolve);
      });
    }
  }

  /** The other replicas, in the order in which they are asked to read. */
  #byNearness({ local }: ReplicaSet): Member[] {
    const { port } = this.#context;
    const { self } = port.topology;
    const distance = (member: Member): number =>
      (port.isReadable(member) ? 0 : 2) + (member.rack === self.rack ? 0 : 1);
    return local
      .filter((member) => member !== self)
      .sort((one, other) => distance(one) - distance(other));
  }

  #deadline(): number {
    return this.#context.runtime.monotonic() + this.#context.requestTimeoutMs();
  }
}

/** Codes of errors that say that nothing was run. */
const WAS_NOT_RUN: ReadonlySet<string> = new Set(["LINK_DOWN", "NOT_HERE"]);

/** Of a read: codes of errors that say that this replica cannot answer now. */
const MAY_BE_ASKED_ELSEWHERE: ReadonlySet<string> = new Set(["LINK_LOST", "LINK_BUSY"]);

/** Whether a replica that was asked to read cannot answer now: nothing is changed by asking the next one. */
function isSilent(error: unknown): boolean {
  if (!(error instanceof RingletError)) return false;
  return WAS_NOT_RUN.has(error.code) || MAY_BE_ASKED_ELSEWHERE.has(error.code);
}

function codeOf(error: unknown): string {
  if (error instanceof RingletError) return error.code;
  throw error;
}

function nobodyAnswers(
  { options }: Pick<ExecuteRequest, "options">,
  set: ReplicaSet,
): QuorumFailure {
  const n = set.local.length;
  return new QuorumFailure(0, neededReplicas(options.level, n), n, false);
}
