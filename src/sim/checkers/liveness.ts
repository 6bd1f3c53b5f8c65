/**
 * Checks that a cluster in which nothing is wrong any more answers everything. At DC_EACH_SAFE_QUORUM a request may fail when others
 * meet it at the same key: one that is overtaken in one datacenter and held in another gets no new stamp, and says that its
 * outcome is unknown. Where clients have more under way than a node lets wait, it refuses some.
 */
import { isError } from "../client/replies.ts";
import type { Operation } from "../history.ts";
import type { Problem } from "./problem.ts";

const CHECKER = "liveness";
/** Part of what a node says that has as many requests waiting as it may. */
const TOO_MANY = "too many requests wait";

/** `healedMs`: from when on every request must succeed; `mayRefuse`: nodes may have too many that wait. */
export function checkLiveness(
  operations: readonly Operation[],
  { healedMs, mayRefuse = false }: { readonly healedMs: number; readonly mayRefuse?: boolean },
): Problem[] {
  const failed = operations
    .filter(
      ({ invokedMs, outcome, reply, givenUp }) =>
        invokedMs >= healedMs && givenUp !== "lost" && (outcome !== "ok" || isError(reply)),
    )
    .filter((operation) => !isContended(operation, operations))
    .filter(({ reply }) => !(mayRefuse && isError(reply) && reply.error.includes(TOO_MANY)));
  const [first] = failed;
  if (first === undefined) return [];
  const { command, client, node, reply } = first;
  const answer = reply === undefined ? "not answered" : `answered with ${JSON.stringify(reply)}`;
  return [
    {
      checker: CHECKER,
      text: `${failed.length} requests failed although the cluster had healed: the first, ${command.join(" ").slice(0, 200)} by ${client} at ${node}, was ${answer}`,
      operations: failed.map(({ id }) => id),
    },
  ];
}

/** Whether a request at DC_EACH_SAFE_QUORUM was met by another client's at one of its keys. */
function isContended(operation: Operation, operations: readonly Operation[]): boolean {
  const { read, write, command, invokedMs, endedMs = Number.POSITIVE_INFINITY } = operation;
  if (read !== "DC_EACH_SAFE_QUORUM" && write !== "DC_EACH_SAFE_QUORUM") return false;
  const words = new Set(command.slice(1));
  return operations.some(
    (other) =>
      other.client !== operation.client &&
      other.invokedMs < endedMs &&
      (other.endedMs ?? Number.POSITIVE_INFINITY) > invokedMs &&
      other.command.slice(1).some((word) => words.has(word)),
  );
}
