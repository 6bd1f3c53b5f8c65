/**
 * Checks registers against what stamps and quorums promise.
 *
 * A ring keyspace is not linearizable, so a search for a linear order (Wing and Gong) would refuse correct histories: a value
 * that only a minority holds is seen by one quorum read and missed by the next, and a write whose outcome is unknown may take
 * effect at any later time. What does hold: the writes of a register have one total order, that of their stamps, and
 *
 * 1. a value is *settled* in a datacenter when a write of it was acknowledged by a quorum there, or a read at a safe level, which
 *    writes back, has returned it there. But a write at a level of another datacenter may get a new stamp there until it is
 *    answered, whoever holds it here: a read settles it only from then on;
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
import type { Problem } from "./problem.ts";
import { earliestSettled, findCycle, isBefore, type Settling } from "./stamp-order.ts";

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
interface Write extends Settling {
  readonly value: string | null;
  readonly operation: Operation | undefined;
  readonly beginMs: number;
  readonly settledMs: number[];
  readonly seenMs: number[];
  /** By datacenter: the read that has seen it last, or has settled it first; undefined: its own acknowledgement did. */
  readonly seenBy: (Read | undefined)[];
  readonly settledBy: (Read | undefined)[];
}

interface Read {
  readonly operation: Operation | undefined;
  readonly beginMs: number;
  readonly endMs: number;
  readonly value: string | null | undefined;
  /** Datacenters of which a quorum was heard, by their place in the facts. */
  readonly quorums: readonly number[];
  /** Whether a quorum of these holds what was returned, when it had ended. */
  readonly isSafe: boolean;
}

class RegisterCheck {
  readonly #register: string;
  readonly #facts: RegisterFacts;
  readonly #writes: Write[] = [];
  readonly #byValue = new Map<string, Write>();
  readonly #empty: Write[] = [];
  readonly #reads: Read[] = [];
  /** Values of writes that were answered as not done. */
  readonly #refused = new Map<string, Operation>();
  readonly #problems: Problem[] = [];

  constructor(register: string, events: readonly RegisterEvent[], facts: RegisterFacts) {
    this.#register = register;
    this.#facts = facts;
    const first = this.#newWrite(null, undefined, Number.NEGATIVE_INFINITY);
    first.settledMs.fill(Number.NEGATIVE_INFINITY);
    for (const event of events) if (event.kind === "write") this.#addWrite(event);
    for (const event of events) if (event.kind === "read") this.#addRead(event);
  }

  addFinal(value: string | null): void {
    const end = Number.POSITIVE_INFINITY;
    const quorums = this.#facts.datacenters.map((_, at) => at);
    this.#reads.push({
      ...{ operation: undefined, value, quorums, beginMs: end, endMs: end },
      isSafe: false,
    });
  }

  run(): Problem[] {
    const open: Read[] = [];
    for (const read of this.#reads) {
      const candidates = this.#candidates(read);
      if (candidates.length === 0) this.#reportUnwritten(read);
      else if (candidates.length === 1) this.#returned(read, candidates[0]!);
      else if (read.quorums.length !== 0) open.push(read);
    }
    if (this.#problems.length === 0 && !this.#reportCycle()) this.#placeReads(open);
    return this.#problems;
  }

  /** Finds for reads that may have returned what several writes left which of them it can have been. */
  #placeReads(reads: readonly Read[]): void {
    let open = reads;
    for (let round = 0; round < MAX_ROUNDS && open.length !== 0; round++) {
      const earliest = earliestSettled(this.#writes);
      const later: Read[] = [];
      for (const read of open) {
        const newest = this.#newestSeenBefore(read);
        const possible = this.#candidates(read).filter((write) =>
          newest.every(([first, second], at) => {
            const other = first === write ? second : first;
            return other === undefined || earliest.get(write)![at]! >= other.seenMs[at]!;
          }),
        );
        if (possible.length === 0) {
          this.#reportStale(read);
          return;
        }
        if (possible.length === 1) this.#returned(read, possible[0]!);
        else later.push(read);
      }
      if (this.#reportCycle() || later.length === open.length) return;
      open = later;
    }
  }

  #newWrite(value: string | null, operation: Operation | undefined, beginMs: number): Write {
    const all = <T>(each: T): T[] => this.#facts.datacenters.map(() => each);
    const write: Write = {
      ...{ value, operation, beginMs },
      settledMs: all(Number.POSITIVE_INFINITY),
      seenMs: all(Number.NEGATIVE_INFINITY),
      seenBy: all<Read | undefined>(undefined),
      settledBy: all<Read | undefined>(undefined),
    };
    this.#writes.push(write);
    if (value === null) this.#empty.push(write);
    else this.#byValue.set(value, write);
    return write;
  }

  #addWrite({ value, operation }: RegisterWrite): void {
    if (operation.outcome === "fail") {
      if (value !== null) this.#refused.set(value, operation);
      return;
    }
    const write = this.#newWrite(value, operation, operation.invokedMs);
    if (operation.outcome !== "ok") return;
    for (const at of this.#quorumsOf(operation.write, operation)) {
      this.#settle(write, at, operation.endedMs!, undefined);
      // Rule 2.
      write.seenMs[at] = write.beginMs;
    }
  }

  #addRead({ value, operation }: RegisterRead): void {
    this.#reads.push({
      operation,
      value,
      beginMs: operation.invokedMs,
      endMs: operation.endedMs!,
      quorums: this.#quorumsOf(operation.read, operation),
      isSafe: operation.read === "DC_SAFE_QUORUM" || operation.read === "DC_EACH_SAFE_QUORUM",
    });
  }

  /** Datacenters of which a quorum takes part at a level. */
  #quorumsOf(level: ConsistencyLevel, operation: Operation): readonly number[] {
    const { datacenters } = this.#facts;
    switch (level) {
      case "DC_ONE":
        return [];
      case "DC_QUORUM":
      case "DC_SAFE_QUORUM":
        return [datacenters.indexOf(operation.datacenter)];
      case "DC_EACH_SAFE_QUORUM":
        return datacenters.map((_, at) => at);
      default:
        throw new Error(`${level satisfies never} is none of ${LEVELS.join()}`);
    }
  }

  #settle(write: Write, at: number, atMs: number, by: Read | undefined): void {
    const datacenter = this.#facts.datacenters[at];
    const isLost = this.#facts.losses?.some(
      (loss) => loss.datacenter === datacenter && atMs <= loss.atMs,
    );
    if (isLost || atMs >= write.settledMs[at]!) return;
    write.settledMs[at] = atMs;
    write.settledBy[at] = by;
  }

  /** Rules 1 and 3, for a read of which it is known what it returned. */
  #returned(read: Read, write: Write): void {
    for (const at of read.quorums) {
      if (read.isSafe)
        this.#settle(write, at, Math.max(read.endMs, this.#stampedBy(write, at)), read);
      if (read.beginMs <= write.seenMs[at]!) continue;
      write.seenMs[at] = read.beginMs;
      write.seenBy[at] = read;
    }
  }

  /** From when on a write gets no new stamp that a quorum of a datacenter could not keep it from. */
  #stampedBy({ operation }: Write, at: number): number {
    if (operation === undefined || operation.write === "DC_EACH_SAFE_QUORUM") return 0;
    if (operation.datacenter === this.#facts.datacenters[at]) return 0;
    return operation.outcome === "ok" ? operation.endedMs! : Number.POSITIVE_INFINITY;
  }

  /** The writes that may have left what a read has returned. */
  #candidates({ value, endMs }: Read): Write[] {
    const writes =
      value === undefined
        ? this.#writes.filter((write) => write.value !== null)
        : value === null
          ? this.#empty
          : [this.#byValue.get(value)].filter((write) => write !== undefined);
    return writes.filter((write) => write.beginMs <= endMs);
  }

  /** What rule 3 says that a read must not be older than. */
  #settledBefore(read: Read): Write[] {
    return this.#writes.filter((write) =>
      read.quorums.some((at) => write.settledMs[at]! < read.beginMs),
    );
  }

  /** By datacenter, of the writes that a read must not be older than, the two that were seen last. */
  #newestSeenBefore(read: Read): (readonly [Write | undefined, Write | undefined])[] {
    const settled = this.#settledBefore(read);
    return this.#facts.datacenters.map((_, at) => {
      let first: Write | undefined;
      let second: Write | undefined;
      for (const write of settled) {
        if (first === undefined || write.seenMs[at]! > first.seenMs[at]!) {
          second = first;
          first = write;
        } else if (second === undefined || write.seenMs[at]! > second.seenMs[at]!) second = write;
      }
      return [first, second] as const;
    });
  }

  #reportUnwritten(read: Read): void {
    const refused = this.#refused.get(read.value ?? "");
    const why =
      refused === undefined
        ? "which nobody had written by then"
        : "the write of which was answered as not done";
    this.#report(`${told(read)}, ${why}`, [read.operation, refused]);
  }

  #reportStale(read: Read): void {
    const settled = this.#settledBefore(read);
    const newest = settled.reduce((one, other) => (one.beginMs > other.beginMs ? one : other));
    const text = `${told(read)}, although ${toldWrite(newest)} before it began`;
    this.#report(text, [newest.operation, read.operation]);
  }

  #reportCycle(): boolean {
    const cycle = findCycle(this.#writes);
    if (cycle === undefined) return false;
    const reasons = cycle.map((write, i) => because(write, cycle[(i + 1) % cycle.length]!));
    const operations = cycle.flatMap((write) => [
      write.operation,
      ...[...write.settledBy, ...write.seenBy].map((read) => read?.operation),
    ]);
    this.#report(reasons.join("; but "), operations);
    return true;
  }

  #report(text: string, operations: readonly (Operation | undefined)[]): void {
    this.#problems.push({
      checker: CHECKER,
      text: `${this.#register}: ${text}`,
      operations: operations.flatMap((operation) => operation?.id ?? []),
    });
  }
}

const MAX_ROUNDS = 5;

function shown(value: string | null | undefined): string {
  if (value === null) return "nothing";
  return value === undefined ? "something" : JSON.stringify(value);
}

/** Why `newer` is newer than `older`. */
function because(older: Write, newer: Write): string {
  const at = isBefore(older, newer);
  const seen = newer.seenBy[at];
  const settled = older.settledBy[at];
  const first = settled === undefined ? toldWrite(older) : `${told(settled)} at a safe level`;
  const then = seen === undefined ? toldWrite(newer) : told(seen);
  return `${first}, and after that ${then}`;
}

function told({ operation, value }: Read): string {
  if (operation === undefined) return `the replicas hold ${shown(value)} at the end`;
  const { command, client, node, read, id, invokedMs, endedMs } = operation;
  const span = `${invokedMs.toFixed(1)}–${endedMs!.toFixed(1)} ms`;
  const words = command.join(" ").slice(0, MOST_COMMAND_CHARACTERS);
  return `${words} by ${client} at ${node} (#${id}, ${span}, ${read}) returned ${shown(value)}`;
}

function toldWrite({ operation, value }: Write): string {
  if (operation === undefined) return "it had been empty at first";
  const { outcome, write, client, node, id, invokedMs, endedMs } = operation;
  const how = outcome === "ok" ? `acknowledged at ${write}` : "not acknowledged";
  const span = `${invokedMs.toFixed(1)}–${endedMs === undefined ? "…" : endedMs.toFixed(1)} ms`;
  return `${shown(value)} was written by ${client} at ${node} (#${id}, ${span}, ${how})`;
}

const MOST_COMMAND_CHARACTERS = 100;
