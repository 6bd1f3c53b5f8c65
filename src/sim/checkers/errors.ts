/** Checks that nothing failed for a reason of the engine's own: no process threw, no node logged an error, no reply says so. */
import { isError } from "../client/replies.ts";
import type { LogLine } from "../cluster.ts";
import type { Operation } from "../history.ts";
import type { ProcessFailure } from "../world.ts";
import type { Problem } from "./problem.ts";

const CHECKER = "errors";

export interface ErrorFacts {
  readonly failures: readonly ProcessFailure[];
  readonly log: readonly LogLine[];
  /** Whether data was lost on purpose, which nodes must say as an error. */
  readonly lossExpected: boolean;
  /** Whether clocks were set wrong on purpose, which nodes must say as an error. */
  readonly clocksAreOff: boolean;
}

export function checkErrors(operations: readonly Operation[], facts: ErrorFacts): Problem[] {
  const problems: Problem[] = [];
  const report = (text: string, ids: readonly number[] = []) =>
    problems.push({ checker: CHECKER, text, operations: ids });
  for (const { process, error } of facts.failures) report(`${process} threw ${detail(error)}`);
  for (const line of facts.log) {
    if (line.level !== "error") continue;
    if (facts.lossExpected && line.message.startsWith("Data was lost")) continue;
    if (facts.clocksAreOff && line.message.includes("coordinates nothing")) continue;
    report(`${line.node} said at ${line.atMs.toFixed(1)} ms: ${line.message}`);
  }
  for (const { id, reply, command, node } of operations) {
    if (!isError(reply) || !reply.error.includes("internal error")) continue;
    report(`${command.join(" ").slice(0, 200)} at ${node} was answered with ${reply.error}`, [id]);
  }
  return problems;
}

function detail(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}
