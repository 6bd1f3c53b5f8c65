/**
 * Checks registers against what stamps and quorums promise.
 *
 * A ring keyspace is not linearizable, so a search for a linear order (Wing and Gong) would refuse correct histories: a value
 * that only a minority holds is seen by one quorum read and missed by the next, and a write whose outcome is unknown may take
 * effect at any later time. What does hold: the writes of a register have one total order, that of their stamps, and
 *
 * 1. a value is *settled* in a datacenter when a write of it was acknowledged by a quorum there, or a read at a safe level, which
 *    writes back, has returned it there;
 * 2. a write that a quorum of a datacenter acknowledged, and that began when `a` was settled there, is newer than `a` (a replica
 *    that holds something newer never acknowledges);
 * 3. a quorum read that began when `a` was settled there returns `a` or something newer (R + W > N).
 *
 * The order that 2 and 3 imply must have no cycle. It is known in parts only, so what is reported is surely wrong; stale reads,
 * lost and overtaken writes, deletions that come undone, and reads that disagree about which of two writes won all show as cycles.
 * Beside it, no read returns what nobody has written, what was refused, or what was written only later.
 */
import { type ConsistencyLevel, LEVELS } from "../../ring/levels.ts";
import type { Operation } from "../history.ts";
import type { RegisterEvent, RegisterRead, RegisterWrite } from "../workload/register-events.ts";
import { registerEvents } from "../workload/register-events.ts";
import { PartialOrder } from "./partial-order.ts";
import type { Problem } from "./problem.ts";

const CHECKER = "registers";

export interface RegisterFacts {
  readonly datacenters: readonly string[];
  /** What the replicas held when everything had healed, by register: it counts as read by all of them. What is not in it is empty. */
  readonly final?: ReadonlyMap<string, string> | undefined;
  /** When a datacenter had lost a majority of the replicas' memory: what it acknowledged until then is not promised any more. */
  readonly losses?: readonly { readonly datacenter: string; readonly atMs: number }[];
}

export function checkRegisters(operations: readonly Operation[], facts: RegisterFacts): Problem[] {
  const problems: Problem[] = [];
  const events = registerEvents(operations);
  for (const register of new Set([...events.keys(), ...(facts.final?.keys() ?? [])])) {
    const check = new RegisterCheck(register, events.get(register) ?? [], facts);
    if (facts.final !== undefined) check.addFinal(facts.final.get(register) ?? null);
    problems.push(...check.run());
  }
  return problems;
}

/** A write, or what was there before the first. */
interface Write {
  readonly number: number;
  readonly value: string | null;
  readonly operation: Operation | undefined;
  readonly beginMs: number;
  /** When it was settled, by datacenter. */
  readonly settledMs: Map<string, number>;
}

interface Read {
  /** The values that it may have returned. */
  candidates: Write[];
  readonly operation: Operation | undefined;
  readonly beginMs: number;
  readonly endMs: number;
  /** Datacenters of which a quorum was heard. */
  readonly quorums: readonly string[];
  /** Datacenters of which a quorum holds what was returned, when it had ended. */
  readonly settles: readonly string[];
  readonly value: string | null | undefined;
  readonly said: string;
}

class RegisterCheck {
  readonly #register: string;
  readonly #facts: RegisterFacts;
  readonly #writes: Write[] = [];
  readonly #reads: Read[] = [];
  /** Values of writes that were answered as not done. */
  readonly #refused = new Map<string, Operation>();
  readonly #problems: Problem[] = [];

  constructor(register: string, events: readonly RegisterEvent[], facts: RegisterFacts) {
    this.#register = register;
    this.#facts = facts;
    const before = Number.NEGATIVE_INFINITY;
    const settledMs = new Map(facts.datacenters.map((datacenter) => [datacenter, before]));
    this.#writes.push({ number: 0, value: null, operation: undefined, beginMs: before, settledMs });
    for (const event of events) if (event.kind === "write") this.#addWrite(event);
    for (const event of events) if (event.kind === "read") this.#addRead(event);
  }

  addFinal(value: string | null): void {
    const end = Number.POSITIVE_INFINITY;
    this.#reads.push({
      candidates: this.#candidates(value, end),
      operation: undefined,
      beginMs: end,
      endMs: end,
      quorums: this.#facts.datacenters,
      settles: [],
      value,
      said: `the replicas hold ${shown(value)} at the end`,
    });
  }

  run(): Problem[] {
    const reads = this.#reads.filter((read) => this.#hasCandidates(read));
    if (this.#problems.length !== 0) return this.#problems;
    for (const read of reads) this.#settleBy(read);
    const order = new PartialOrder(this.#writes.length);
    this.#orderWrites(order);
    if (this.#reportCycle(order, undefined)) return this.#problems;
    let open = reads.filter((read) => read.quorums.length !== 0);
    // What is known of some reads rules candidates of others out, so it takes a few rounds.
    for (let round = 0; round < MAX_ROUNDS && open.length !== 0; round++) {
      const later: Read[] = [];
      for (const read of open) {
        const settled = this.#settledBefore(read);
        read.candidates = read.candidates.filter(
          (value) => !settled.some((write) => order.isBefore(value.number, write.number)),
        );
        if (read.candidates.length === 0) {
          this.#reportStale(read, settled);
          return this.#problems;
        }
        if (read.candidates.length > 1) {
          later.push(read);
          continue;
        }
        const [value] = read.candidates;
        for (const write of settled) order.add(write.number, value!.number);
        if (this.#reportCycle(order, read)) return this.#problems;
      }
      if (later.length === open.length) break;
      open = later;
    }
    return this.#problems;
  }

  #addWrite({ value, operation }: RegisterWrite): void {
    if (operation.outcome === "fail") {
      if (value !== null) this.#refused.set(value, operation);
      return;
    }
    const settledMs = new Map<string, number>();
    if (operation.outcome === "ok") {
      for (const datacenter of this.#quorumsOf(operation.write, operation)) {
        this.#settle(settledMs, datacenter, operation.endedMs!);
      }
    }
    const number = this.#writes.length;
    this.#writes.push({ number, value, operation, beginMs: operation.invokedMs, settledMs });
  }

  #addRead({ value, operation }: RegisterRead): void {
    const quorums = this.#quorumsOf(operation.read, operation);
    const isSafe = operation.read === "DC_SAFE_QUORUM" || operation.read === "DC_EACH_SAFE_QUORUM";
    this.#reads.push({
      candidates: this.#candidates(value, operation.endedMs!),
      operation,
      beginMs: operation.invokedMs,
      endMs: operation.endedMs!,
      quorums,
      settles: isSafe ? quorums : [],
      value,
      said: `${operation.command.join(" ")} by ${operation.client} (${operation.read}) at ${operation.node} returned ${shown(value)} after ${operation.endedMs!.toFixed(1)} ms`,
    });
  }

  /** Datacenters of which a quorum takes part at a level. */
  #quorumsOf(level: ConsistencyLevel, operation: Operation): readonly string[] {
    switch (level) {
      case "DC_ONE":
        return [];
      case "DC_QUORUM":
      case "DC_SAFE_QUORUM":
        return [operation.datacenter];
      case "DC_EACH_SAFE_QUORUM":
        return this.#facts.datacenters;
      default:
        throw new Error(`${level satisfies never} is none of ${LEVELS.join()}`);
    }
  }

  #settle(settledMs: Map<string, number>, datacenter: string, atMs: number): void {
    const isLost = this.#facts.losses?.some(
      (loss) => loss.datacenter === datacenter && atMs <= loss.atMs,
    );
    if (isLost) return;
    const before = settledMs.get(datacenter) ?? Number.POSITIVE_INFINITY;
    settledMs.set(datacenter, Math.min(before, atMs));
  }

  /** The writes that may have left what a read has returned by `endMs`. */
  #candidates(value: string | null | undefined, endMs: number): Write[] {
    return this.#writes.filter((write) => {
      if (write.beginMs > endMs) return false;
      return value === undefined ? write.value !== null : write.value === value;
    });
  }

  #hasCandidates(read: Read): boolean {
    if (read.candidates.length !== 0) return true;
    const refused = this.#refused.get(read.value ?? "");
    const ids = [read.operation, refused].flatMap((each) => each?.id ?? []);
    const why =
      refused === undefined
        ? "which nobody had written by then"
        : "the write of which was answered as not done";
    this.#report(`${read.said}, ${why}`, ids);
    return false;
  }

  /** A read at a safe level has written back what it returned. */
  #settleBy(read: Read): void {
    const [value] = read.candidates;
    if (read.candidates.length !== 1) return;
    for (const datacenter of read.settles) {
      this.#settle(value!.settledMs, datacenter, read.endMs);
    }
  }

  /** Rule 2. */
  #orderWrites(order: PartialOrder): void {
    for (const write of this.#writes) {
      if (write.operation?.outcome !== "ok") continue;
      const quorums = this.#quorumsOf(write.operation.write, write.operation);
      for (const before of this.#writes) {
        if (before === write) continue;
        const isBefore = quorums.some(
          (datacenter) => (before.settledMs.get(datacenter) ?? NEVER) < write.beginMs,
        );
        if (isBefore) order.add(before.number, write.number);
      }
    }
  }

  /** What rule 3 says that a read must not be older than. */
  #settledBefore(read: Read): Write[] {
    return this.#writes.filter((write) =>
      read.quorums.some((datacenter) => (write.settledMs.get(datacenter) ?? NEVER) < read.beginMs),
    );
  }

  #reportStale(read: Read, settled: readonly Write[]): void {
    const newest = settled.reduce((one, other) => (one.beginMs > other.beginMs ? one : other));
    const ids = [newest.operation, read.operation].flatMap((each) => each?.id ?? []);
    this.#report(`${read.said}, although ${told(newest)} before it began`, ids);
  }

  #reportCycle(order: PartialOrder, read: Read | undefined): boolean {
    const cycle = order.cycle();
    if (cycle === undefined) return false;
    const writes = cycle.map((number) => this.#writes[number]!);
    const ids = [...writes.map((write) => write.operation), read?.operation];
    this.#report(
      `${read === undefined ? "acknowledged writes" : read.said} cannot be put in order: ${writes.map(told).join("; then ")}; then the first again`,
      ids.flatMap((each) => each?.id ?? []),
    );
    return true;
  }

  #report(text: string, operations: readonly number[]): void {
    this.#problems.push({ checker: CHECKER, text: `${this.#register}: ${text}`, operations });
  }
}

const NEVER = Number.POSITIVE_INFINITY;
const MAX_ROUNDS = 5;

function shown(value: string | null | undefined): string {
  if (value === null) return "nothing";
  return value === undefined ? "something" : JSON.stringify(value);
}

function told({ operation, value }: Write): string {
  if (operation === undefined) return "it had been empty at first";
  const how =
    operation.outcome === "ok" ? `acknowledged at ${operation.write}` : "not acknowledged";
  const end = operation.endedMs === undefined ? "…" : operation.endedMs.toFixed(1);
  const span = `${operation.invokedMs.toFixed(1)}–${end} ms`;
  return `${shown(value)} was written by ${operation.client} at ${operation.node} (#${operation.id}, ${span}, ${how})`;
}
