// The kernel against the readable coordinator: the same request, the same answers in the same random order, the same replies at
// the same moments, and the same records in the end.
import { describe, expect, it } from "vitest";
import {
  type CoordinatedRequest,
  Coordination,
  type Decision,
  type Replica,
} from "../../../src/ring/coordinator.ts";
import { LEVELS } from "../../../src/ring/levels.ts";
import { LINK_FLAG, NOT_TOLD, SELF_FLAG } from "../../../src/store/kernel-ring.ts";
import { compareStamps, OLDEST, type Stamp, stampFrom, timeOf } from "../../../src/store/stamp.ts";
import { noQuorum, WiredKernels, type WiredNode } from "../ring-kernel/wired-kernels.ts";
import type { Decoded } from "../store/decode-reply.ts";
import { RandomSource } from "../store/random-source.ts";

const COORDINATOR = 0;
const TIMEOUT_MS = 100;

type Kind = CoordinatedRequest["kind"];

interface Scenario {
  readonly seed: number;
  readonly kind: Kind;
  readonly level: number;
  readonly replicas: number;
  /** Whether the coordinator is one of the replicas. */
  readonly isReplica: boolean;
}

/** A record as the model has it. */
interface Held {
  readonly stamp: Stamp;
  readonly value: string | null;
}

const NOTHING: Held = { stamp: OLDEST, value: null };

/** Both of them with one request. */
class Trial {
  readonly #random: RandomSource;
  readonly #scenario: Scenario;
  readonly #key: string;
  readonly #ring: WiredKernels;
  readonly #client;
  readonly #coordination: Coordination;
  /** What each replica holds by the model. */
  readonly #held = new Map<number, Held>();
  /** Values by stamp. */
  readonly #values = new Map<string, string | null>();
  /** What the model has asked of each node and was not answered. */
  readonly #asked = new Map<number, Decision[]>();
  readonly #cut = new Set<number>();
  /** Who is fenced, whether the coordinator knows or not. */
  readonly #refusing = new Set<number>();
  /** Who has lost its memory, and has not been told what it may have acknowledged. */
  readonly #forgetful = new Set<number>();
  #expected: Decoded | undefined;
  #replied: Decoded | "rerun" | undefined;
  /** Of a read: the stamp of what it is answered with. */
  #least: Stamp | undefined;
  #log: string[] = [];
  /** The kernel has handed the request to the host. */
  #isHosts = false;

  constructor(ring: WiredKernels, scenario: Scenario) {
    this.#scenario = scenario;
    this.#random = new RandomSource(scenario.seed);
    this.#key = `key:${scenario.seed}`;
    const KEY = this.#key;
    const { isReplica } = scenario;
    const set = replicasOf(scenario);
    this.#ring = ring;
    for (const a of ring.nodes)
      for (const b of ring.nodes) if (a.index < b.index) relink(ring, a, b);
    for (const node of ring.nodes) {
      node.setState(SELF_FLAG.coordinating);
      node.store.kernel.ringSetForgotten(0n);
    }
    const fenced = this.#prepare(set);
    const node = this.#ring.node(COORDINATOR);
    this.#client = node.client(scenario.level);
    const before = this.#held.get(COORDINATOR) ?? NOTHING;
    const command = {
      read: ["get", KEY],
      blind: ["set", KEY, "new"],
      effect: ["append", KEY, "+"],
    };
    this.#client.call(...command[scenario.kind]);
    const stamp = scenario.kind === "read" ? before.stamp : this.#mint(before);
    this.#coordination = new Coordination({
      kind: scenario.kind,
      level: LEVELS[scenario.level]!,
      datacenters: [set.map((id) => this.#replica(id, fenced.has(id)))],
      self: isReplica ? COORDINATOR : undefined,
      hasForgotten: this.#forgetful.has(COORDINATOR),
      stamp,
    });
    if (scenario.kind !== "read" && isReplica) this.#note(stamp, before);
    this.#obey(this.#coordination.start());
    node.endTurn();
    this.#compare("start");
  }

  /** Random events until nothing is left to happen. */
  run(): void {
    for (let step = 0; step < 60 && !this.#isHosts; step++) {
      const others = this.#others().filter((id) => !this.#cut.has(id));
      const waiting = others.filter((id) => this.#isWaiting(id));
      if (this.#random.chance(0.05) && others.length !== 0) this.#lose(this.#random.pick(others));
      else if (this.#random.chance(0.02)) this.#expire();
      else if (waiting.length !== 0) this.#deliver(this.#random.pick(waiting));
      else break;
    }
    if (this.#isHosts) return;
    this.#expire();
    if (this.#replied === undefined) throw new Error(`no reply: ${this.#log.join(" · ")}`);
    for (const id of this.#others()) {
      if (this.#cut.has(id)) continue;
      while (this.#isWaiting(id)) this.#deliver(id);
      // Elsewhere the kernel has nothing to repair with when its slot is gone; the next read does it.
      if (this.#scenario.kind === "read" && !this.#scenario.isReplica) continue;
      expect(this.#kernelHolds(id), `node ${id} at the end: ${this.#log.join(" · ")}`).toBe(
        this.#held.get(id)!.value,
      );
    }
  }

  /** What the nodes hold and how they are before the request; who is fenced as far as the coordinator knows. */
  #prepare(set: readonly number[]): ReadonlySet<number> {
    const random = this.#random;
    for (const id of set) {
      this.#held.set(id, NOTHING);
      this.#asked.set(id, []);
    }
    for (let round = 0; round < 3; round++) {
      const value = `v${round}`;
      const first = random.pick(set);
      const frame = this.#ring.node(first);
      if (random.chance(0.3)) continue;
      frame.outsider().call("set", this.#key, value);
      const held = { stamp: stampOf(frame, this.#key), value };
      this.#remember(first, held);
      // Some of the others have heard of it.
      for (const id of set) if (id !== first && random.chance(0.4)) this.#tell(first, id, held);
      this.#ring.pass(1);
    }
    const fenced = new Set<number>();
    for (const id of set) {
      if (random.chance(0.15)) {
        this.#forgetful.add(id);
        this.#ring.node(id).store.kernel.ringSetForgotten(NOT_TOLD);
      }
      if (id === COORDINATOR) continue;
      if (random.chance(0.15)) this.#lose(id);
      else if (random.chance(0.1)) {
        fenced.add(id);
        this.#ring.node(COORDINATOR).linkUp(id, LINK_FLAG.up | LINK_FLAG.fenced);
      }
      if (random.chance(fenced.has(id) ? 0.5 : 0.05)) {
        this.#refusing.add(id);
        this.#ring.node(id).setState(SELF_FLAG.coordinating | SELF_FLAG.fenced);
      }
    }
    return fenced;
  }

  /** Copies the record of one node to another, past all links. */
  #tell(from: number, to: number, held: Held): void {
    const key = new TextEncoder().encode(this.#key);
    const value = new TextEncoder().encode(held.value!);
    const { kernel, memory } = this.#ring.node(to).store;
    const { pointer } = this.#ring.node(to).store.place(new Uint8Array(key.length + value.length));
    memory.bytes.set(key, pointer);
    memory.bytes.set(value, pointer + key.length);
    const at = [pointer, key.length, pointer + key.length, value.length] as const;
    kernel.hostApply(0, ...at, timeOf(held.stamp), BigInt(from), 0);
    this.#remember(to, held);
  }

  #remember(id: number, held: Held): void {
    this.#values.set(nameOf(held.stamp), held.value);
    if (compareStamps(held.stamp, this.#held.get(id)!.stamp) > 0) this.#held.set(id, held);
  }

  #replica(id: number, isFenced: boolean): Replica {
    const isUp = !this.#cut.has(id);
    return { id, isUp, isReadable: isUp && !isFenced };
  }

  #others(): number[] {
    return [...this.#held.keys()].filter((id) => id !== COORDINATOR);
  }

  /** The stamp that the kernel has minted for a write, or one like it where it has refused the write. */
  #mint(before: Held): Stamp {
    const { kernel } = this.#ring.node(COORDINATOR).store;
    const last = stampFrom(BigInt.asUintN(64, kernel.lastStampSeen()), COORDINATOR);
    if (compareStamps(last, before.stamp) > 0) return last;
    return stampFrom(timeOf(before.stamp) + 1n, COORDINATOR);
  }

  /** The value that a write gives the coordinator's own record. */
  #note(stamp: Stamp, before: Held): void {
    const value = this.#scenario.kind === "blind" ? "new" : `${before.value ?? ""}+`;
    this.#values.set(nameOf(stamp), value);
    this.#held.set(COORDINATOR, { stamp, value });
  }

  #obey(decisions: readonly Decision[]): void {
    for (const decision of decisions) {
      this.#log.push(show(decision));
      switch (decision.do) {
        case "read":
          this.#asked.get(decision.from)!.push(decision);
          break;
        case "write":
          if (!this.#values.has(nameOf(decision.stamp)))
            this.#values.set(nameOf(decision.stamp), "new");
          this.#asked.get(decision.to)!.push(decision);
          break;
        case "adopt":
          this.#remember(COORDINATOR, this.#record(decision.stamp));
          break;
        case "restamp": {
          const stamp = stampFrom(timeOf(decision.after) + 1n, COORDINATOR);
          this.#values.set(nameOf(stamp), "new");
          if (this.#scenario.isReplica) this.#held.set(COORDINATOR, { stamp, value: "new" });
          this.#obey(this.#coordination.restamped(stamp));
          break;
        }
        case "reply": {
          this.#least = decision.stamp;
          const value = this.#values.get(nameOf(decision.stamp)) ?? null;
          this.#expected = { read: value, blind: "OK", effect: value?.length ?? 0 }[
            this.#scenario.kind
          ];
          break;
        }
        case "fail":
          this.#expected = noQuorum(decision.need, decision.of, decision.got, decision.unknown);
      }
    }
  }

  #record(stamp: Stamp): Held {
    return { stamp, value: this.#values.get(nameOf(stamp)) ?? null };
  }

  /** Whether a node has something to answer, by the model or by the kernel. */
  #isWaiting(id: number): boolean {
    return this.#asked.get(id)!.length !== 0 || this.#ring.inFlight(COORDINATOR, id) !== 0;
  }

  /** All that is on its way to a node arrives, and its answers come back. */
  #deliver(id: number): void {
    const asked = this.#asked.get(id)!.splice(0);
    this.#log.push(`deliver ${id}`);
    for (const decision of asked) this.#obey(this.#answer(id, decision));
    this.#ring.deliver(COORDINATOR, id);
    this.#ring.node(id).endTurn();
    this.#ring.deliver(id, COORDINATOR);
    this.#ring.node(COORDINATOR).endTurn();
    this.#compare(`deliver ${id}`);
  }

  /** What the model's replica says, and what the coordinator decides then. */
  #answer(id: number, decision: Decision): Decision[] {
    const { stamp: held } = this.#held.get(id)!;
    if (decision.do === "read" && this.#refusing.has(id)) {
      return this.#coordination.answered(id, { to: "read", says: "failed" });
    }
    if (decision.do === "read") {
      const order = compareStamps(held, decision.stamp);
      const says = order === 0 ? "equal" : order < 0 ? "older" : "newer";
      const answer = { to: "read", says, ...(says === "newer" ? { stamp: held } : {}) };
      return this.#coordination.answered(id, answer as never);
    }
    if (decision.do !== "write") throw new Error("no request");
    const { stamp } = decision;
    if (compareStamps(held, stamp) > 0) {
      return this.#coordination.answered(id, { to: "write", says: "stale", stamp, held });
    }
    this.#remember(id, this.#record(stamp));
    if (this.#forgetful.has(id)) {
      return this.#coordination.answered(id, { to: "write", says: "failed", stamp });
    }
    return this.#coordination.answered(id, { to: "write", says: "acknowledged", stamp });
  }

  #lose(id: number): void {
    if (this.#cut.has(id)) return;
    this.#cut.add(id);
    this.#log.push(`lose ${id}`);
    this.#ring.cut(COORDINATOR, id);
    this.#asked.set(id, []);
    if (this.#coordination === undefined) return;
    this.#obey(this.#coordination.lost(id));
    this.#ring.node(COORDINATOR).endTurn();
    this.#compare(`lose ${id}`);
  }

  #expire(): void {
    this.#log.push("deadline");
    this.#ring.pass(TIMEOUT_MS + 1);
    this.#obey(this.#coordination.deadlinePassed());
    this.#ring.node(COORDINATOR).expire();
    this.#ring.node(COORDINATOR).endTurn();
    this.#compare("deadline");
  }

  #compare(when: string): void {
    const node = this.#ring.node(COORDINATOR);
    const replies: (Decoded | "rerun")[] = [...this.#client.replies()];
    if (node.retries.splice(0).length !== 0) replies.push("rerun");
    if (replies.length !== 0) this.#replied = replies[0];
    const { kind, level, replicas, isReplica } = this.#scenario;
    // A read of one replica whose link is lost is asked of the next one by the host.
    if (this.#replied === "rerun" && kind === "read" && level === 0 && !isReplica) {
      this.#isHosts = true;
      return;
    }
    const about = `${kind} at ${LEVELS[level]} of ${replicas}${isReplica ? "" : " elsewhere"}, ${when}: ${this.#log.join(" · ")}`;
    // Each replica that tells of something newer has the kernel write back anew: it may answer later, or not in time, but never
    // before the coordinator would, and never less.
    if (kind === "read" && level === 2 && this.#expected !== undefined) {
      const replied = JSON.stringify(this.#replied);
      expect(this.#mayBeAnswered(), `${about}: ${replied}`).toContainEqual(this.#replied);
      return;
    }
    expect(this.#replied, about).toEqual(this.#expected);
  }

  /** What a read that the coordinator has answered may be answered with later. */
  #mayBeAnswered(): (Decoded | "rerun" | undefined)[] {
    const least = this.#least;
    const newer = [...this.#held.values()].filter(
      ({ stamp }) => least !== undefined && compareStamps(stamp, least) >= 0,
    );
    const { replicas } = this.#scenario;
    const need = (replicas + 1) / 2;
    const failures = Array.from({ length: replicas + 1 }, (_, got) =>
      noQuorum(need, replicas, got),
    );
    return [undefined, this.#expected, ...newer.map(({ value }) => value), ...failures];
  }

  #kernelHolds(id: number): string | null {
    return this.#ring.node(id).value(this.#key) ?? null;
  }
}

const nameOf = ({ ms, tail }: Stamp): string => `${ms}.${tail}`;

function stampOf(node: WiredNode, key: string): Stamp {
  const [time, minter] = node.stamp(key).split("/");
  return stampFrom(BigInt(time!), Number(minter));
}

function show(decision: Decision): string {
  const { do: what, ...rest } = decision;
  const text = Object.values(rest).map((value) =>
    typeof value === "object" ? nameOf(value).slice(-12) : String(value),
  );
  return `${what} ${text.join(" ")}`;
}

/** The members that hold the key, in its fixed order. */
function replicasOf({ replicas, isReplica }: Omit<Scenario, "seed" | "level" | "kind">): number[] {
  return Array.from({ length: replicas }, (_, i) => (isReplica ? i : i + 1));
}

/** Opens a link anew: nothing is on its way. */
function relink(ring: WiredKernels, a: WiredNode, b: WiredNode): void {
  ring.cut(a.index, b.index);
  ring.link(a.index, b.index);
}

const RUNS = 200;

describe("the kernel and the coordinator decide the same", () => {
  const CASES = [
    ...(["read", "blind"] as const).flatMap((kind) =>
      [0, 1, 2].flatMap((level) => [true, false].map((isReplica) => ({ kind, level, isReplica }))),
    ),
    // At the other levels the host reads the newest first.
    { kind: "effect", level: 0, isReplica: true } as const,
  ]
    // Such reads are the host's.
    .filter(({ kind, level, isReplica }) => !(kind === "read" && level === 2 && !isReplica));

  it.each(CASES)("$kind at level $level, a replica: $isReplica", ({ kind, level, isReplica }) => {
    for (const replicas of [3, 5]) {
      const set = replicasOf({ replicas, isReplica });
      const nodes = isReplica ? replicas : replicas + 1;
      const ring = new WiredKernels({ nodes, sets: [set], requestTimeoutMs: TIMEOUT_MS });
      for (let seed = 1; seed <= RUNS; seed++) {
        new Trial(ring, { seed, kind, level, replicas, isReplica }).run();
      }
    }
  });
});
