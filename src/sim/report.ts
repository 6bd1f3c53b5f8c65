/** A run's outcome for people. */
import { describeFault } from "./faults/fault.ts";
import type { Operation } from "./history.ts";
import type { RunReport } from "./run.ts";

/** Problems and operations that a report tells at most. */
const MOST_PROBLEMS = 10;
const MOST_OPERATIONS = 12;

/** What a run was, what it found, and the faults that it had. */
export function describeRun(report: RunReport): string {
  const { problems, faults, plan, operations } = report;
  const answered = operations.filter(({ outcome }) => outcome === "ok").length;
  return [
    `seed ${report.seed}: ${problems.length} problems, hash ${report.hash}, ${report.events} events, ${(report.virtualMs / 1000).toFixed(1)} s, ${answered} of ${operations.length} requests answered`,
    `nodes: ${plan.places.map(({ host, datacenter, rack }) => `${host} ${datacenter}/${rack}`).join(", ")}`,
    `settings: ${JSON.stringify(plan.settings)} ${JSON.stringify({ ...plan.cluster, secret: undefined })}`,
    ...problems.slice(0, MOST_PROBLEMS).map(({ checker, text }) => `  ${checker}: ${short(text)}`),
    ...problems.slice(0, 1).flatMap((problem) => tellOperations(problem.operations, operations)),
    ...(problems.length > MOST_PROBLEMS ? [`  and ${problems.length - MOST_PROBLEMS} more`] : []),
    `faults:${faults.length === 0 ? " none" : ""}`,
    ...faults.map((fault) => `  ${describeFault(fault)}`),
    ...[...report.errors].map(([text, times]) => `error to clients, ${times} times: ${text}`),
  ].join("\n");
}

/** A text without the padding of values. */
function short(text: string): string {
  return text.replaceAll(/_x+/g, "_");
}

function tellOperations(ids: readonly number[], operations: readonly Operation[]): string[] {
  return [...new Set(ids)].slice(0, MOST_OPERATIONS).map((id) => {
    const { command, client, node, invokedMs, endedMs, reply, outcome } = operations[id]!;
    const span = `${invokedMs.toFixed(3)}–${endedMs?.toFixed(3) ?? "…"} ms`;
    const said = short(JSON.stringify(reply ?? null)).slice(0, 120);
    return `    #${id} ${short(command.join(" ")).slice(0, 120)} by ${client} at ${node}, ${span}: ${outcome} ${said}`;
  });
}
