/**
 * Checks that a cluster in which nothing is wrong any more answers everything. At DC_EACH_SAFE_QUORUM a request may fail when others
 * meet it at the same key: one that is overtaken in one datacenter and held in another gets no new stamp, and says that its
 * outcome is unknown. The other one may have been answered before, in another datacenter whose clock is ahead, as long as it is
 * on its way. Where clients have more under way than a node lets wait, it refuses some.
 */
import { isError } from "../client/replies.ts";
import type { Operation } from "../history.ts";
import type { Problem } from "./problem.ts";

const CHECKER = "liveness";
/** Part of what a node says that has as many requests waiting as it may. */
const TOO_MANY = "too many requests wait";

/** How long a write may be on its way to other datacenters when nothing is wrong, in ms: more than twice the longest latency. */
const ON_ITS_WAY_MS = 100;

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

/** Whether a request at DC_EACH_SAFE_QUORUM was met by another client's at one of its keys, or may have met it elsewhere. */
function isContended(operation: Operation, operations: readonly Operation[]): boolean {
  const { read, write, command, invokedMs, endedMs = Number.POSITIVE_INFINITY } = operation;
  if (read !== "DC_EACH_SAFE_QUORUM" && write !== "DC_EACH_SAFE_QUORUM") return false;
  const words = new Set(command.slice(1));
  return operations.some((other) => {
    const onItsWayMs = other.datacenter === operation.datacenter ? 0 : ON_ITS_WAY_MS;
    return (
      other.client !== operation.client &&
      other.invokedMs < endedMs &&
      (other.endedMs ?? Number.POSITIVE_INFINITY) + onItsWayMs > invokedMs &&
      other.command.slice(1).some((word) => words.has(word))
    );
  });
}
