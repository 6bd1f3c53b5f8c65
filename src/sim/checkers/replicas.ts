/** Checks that all replicas of a key hold the same: value, stamp, expiry, and the tombstone where it was deleted. */
import type { Problem } from "./problem.ts";

const CHECKER = "replicas";
/** Differing keys that a report names. */
const MOST_NAMED = 5;

/** What a replica holds of each key of a database ("database/key"): text that is equal where it is the same, stamp and all. */
export type ReplicaState = ReadonlyMap<string, string>;

export interface ReplicaFacts {
  /** By node. */
  readonly states: ReadonlyMap<string, ReplicaState>;
  /** The nodes that hold a key. */
  readonly ownersOf: (key: string) => readonly string[];
}

export function checkReplicas({ states, ownersOf }: ReplicaFacts): Problem[] {
  const keys = new Set([...states.values()].flatMap((state) => [...state.keys()]));
  const differing: string[] = [];
  const misplaced: string[] = [];
  for (const key of [...keys].sort()) {
    const owners = ownersOf(key);
    const held = owners.map((node) => states.get(node)?.get(key) ?? "nothing");
    if (new Set(held).size > 1) {
      differing.push(`${key}: ${owners.map((node, i) => `${node} ${held[i]}`).join(", ")}`);
    }
    for (const [node, state] of states) {
      if (state.has(key) && !owners.includes(node)) misplaced.push(`${key} at ${node}`);
    }
  }
  return [
    ...report("replicas differ in", differing),
    ...report("nodes hold what is not theirs:", misplaced),
  ];
}

function report(what: string, found: readonly string[]): Problem[] {
  if (found.length === 0) return [];
  const named = found.slice(0, MOST_NAMED).join("; ");
  const text = `${what} ${found.length} keys: ${named}`;
  return [{ checker: CHECKER, text, operations: [] }];
}
