/** What can go wrong in a run: a list of data, drawn from the seed, so that a failing run can be tried again with fewer of them. */
import type { CutKind } from "../network/connection.ts";

interface FaultBase {
  /** Ms after the clients have begun. */
  readonly atMs: number;
}

/** A fault that is over after a while. */
interface PassingFault extends FaultBase {
  readonly forMs: number;
}

/** Connections between two nodes are cut. */
export interface CutFault extends FaultBase {
  readonly kind: "cut";
  readonly between: readonly [string, string];
  readonly how: CutKind;
}

/** The connection of a client is cut. */
export interface ClientCutFault extends FaultBase {
  readonly kind: "client-cut";
  readonly client: number;
  readonly how: Exclude<CutKind, "silent">;
}

/** What one node sends on its connections to another does not arrive for a while. */
export interface StallFault extends PassingFault {
  readonly kind: "stall";
  readonly from: string;
  readonly to: string;
}

/** Nothing passes in some directions between hosts: `shape` is for people. */
export interface PartitionFault extends PassingFault {
  readonly kind: "partition";
  readonly shape: PartitionShape;
  readonly blocked: readonly (readonly [from: string, to: string])[];
}

export type PartitionShape = "isolate" | "halves" | "one-way" | "bridge" | "ring" | "datacenters";

/** A node does not run for a while (SIGSTOP). */
export interface PauseFault extends PassingFault {
  readonly kind: "pause";
  readonly node: string;
}

/** A node ends at once and is started again after a while, without what it held. */
export interface CrashFault extends PassingFault {
  readonly kind: "crash";
  readonly node: string;
  readonly how: "process" | "power";
}

/** A node's clock jumps, for good or until the run heals. */
export interface ClockJumpFault extends FaultBase {
  readonly kind: "clock-jump";
  readonly node: string;
  readonly byMs: number;
}

/** A node's clock goes at another rate for a while. */
export interface ClockDriftFault extends PassingFault {
  readonly kind: "clock-drift";
  readonly node: string;
  readonly rate: number;
}

/** A node's clock is set right. */
export interface ClockCorrectFault extends FaultBase {
  readonly kind: "clock-correct";
  readonly node: string;
}

/** A node refuses new connections for a while. */
export interface RefuseFault extends PassingFault {
  readonly kind: "refuse";
  readonly node: string;
}

export type Fault =
  | CutFault
  | ClientCutFault
  | StallFault
  | PartitionFault
  | PauseFault
  | CrashFault
  | ClockJumpFault
  | ClockDriftFault
  | ClockCorrectFault
  | RefuseFault;

export type FaultKind = Fault["kind"];

/** A fault in one line. */
export function describeFault(fault: Fault): string {
  const { kind, atMs, ...rest } = fault;
  const facts = Object.entries(rest).map(([name, value]) => `${name} ${shown(value)}`);
  return `${atMs.toFixed(1)} ms: ${kind} ${facts.join(", ")}`;
}

function shown(value: unknown): string {
  if (typeof value === "number") return String(Math.round(value * 1000) / 1000);
  if (!Array.isArray(value)) return String(value);
  return value.map((each) => (Array.isArray(each) ? each.join(">") : String(each))).join(" ");
}
