/** Checks that a cluster in which nothing is wrong any more answers everything. */
import { isError } from "../client/replies.ts";
import type { Operation } from "../history.ts";
import type { Problem } from "./problem.ts";

const CHECKER = "liveness";

/** `healedMs`: from when on every request must succeed. */
export function checkLiveness(operations: readonly Operation[], healedMs: number): Problem[] {
  const failed = operations.filter(
    ({ invokedMs, outcome, reply, givenUp }) =>
      invokedMs >= healedMs && givenUp !== "lost" && (outcome !== "ok" || isError(reply)),
  );
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
