/**
 * Checks that every request ends: an answer or an error by its deadline, and none that is forgotten. The clock of a request
 * starts when the one before it on its connection was answered: commands of one connection that the host runs go one by one.
 */
import type { Operation } from "../history.ts";
import type { Problem } from "./problem.ts";

const CHECKER = "deadlines";

/** A time in which a node did not run, or nothing passed between it and its clients, in ms of the world. */
export interface Pause {
  readonly node: string;
  readonly fromMs: number;
  readonly toMs: number;
}

export interface DeadlineFacts {
  /** How long a request may take, as configured. */
  readonly requestTimeoutMs: number;
  /** How much longer it may take: housekeeping that looks for deadlines, latency to the client. */
  readonly slackMs: number;
  readonly pauses: readonly Pause[];
  /** When the run ended. */
  readonly endMs: number;
}

export function checkDeadlines(operations: readonly Operation[], facts: DeadlineFacts): Problem[] {
  const problems: Problem[] = [];
  const answered = new Map<string, number>();
  for (const operation of operations) {
    const connection = `${operation.client} ${operation.connection}`;
    const startMs = Math.max(operation.invokedMs, answered.get(connection) ?? 0);
    const endMs = operation.endedMs ?? facts.endMs;
    answered.set(connection, endMs);
    // Losing a connection is an end; it says nothing about how long an answer would have taken.
    if (operation.givenUp === "lost") continue;
    const allowedMs =
      facts.requestTimeoutMs + facts.slackMs + pausedMs(facts.pauses, operation, startMs, endMs);
    if (endMs - startMs <= allowedMs) continue;
    const took = (endMs - startMs).toFixed(1);
    const what = operation.endedMs === undefined ? "has had no answer for" : "took";
    problems.push({
      checker: CHECKER,
      text: `${operation.command.join(" ")} by ${operation.client} at ${operation.node}, begun at ${startMs.toFixed(1)} ms, ${what} ${took} ms and may take ${allowedMs.toFixed(1)} ms`,
      operations: [operation.id],
    });
  }
  return problems;
}

/** How long the node of an operation did not run while it waited. */
function pausedMs(
  pauses: readonly Pause[],
  { node }: Operation,
  startMs: number,
  endMs: number,
): number {
  let total = 0;
  for (const pause of pauses) {
    if (pause.node !== node) continue;
    total += Math.max(0, Math.min(pause.toMs, endMs) - Math.max(pause.fromMs, startMs));
  }
  return total;
}
