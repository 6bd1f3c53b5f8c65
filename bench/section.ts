// What a benchmark hands back: tables, what a reader must know about them, and how its goals stand.

import type { BenchTable } from "./table.ts";

export interface BenchSection {
  readonly tables: readonly BenchTable[];
  /** One sentence or more each: how it was measured, and what the figures do not say. */
  readonly notes: readonly string[];
  readonly goals: readonly Goal[];
}

/** A figure that the project has promised. */
export interface Goal {
  readonly what: string;
  /** The figure with its unit, and the limit. */
  readonly value: string;
  readonly limit: string;
  readonly met: boolean;
}

/** A limit as a table shows it beside the figure. */
export function goalCell(goal: Goal | undefined): string {
  if (goal === undefined) return "-";
  return goal.met ? goal.limit : `${goal.limit} missed`;
}
