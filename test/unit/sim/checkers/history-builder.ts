/** Histories written by hand, for the tests of the checkers. */
import type { Reply } from "../../../../src/sim/client/replies.ts";
import { isError } from "../../../../src/sim/client/replies.ts";
import { type Operation, outcomeOfError } from "../../../../src/sim/history.ts";

type Options = Partial<Omit<Operation, "id" | "command" | "invokedMs" | "reply">>;

export class HistoryBuilder {
  readonly operations: Operation[] = [];

  /** An operation from one time to another; without a reply, it was given up. DC_QUORUM in dc1 where not said otherwise. */
  add(
    command: string,
    [invokedMs, endedMs]: readonly [number, number],
    reply?: Reply,
    options: Options = {},
  ): this {
    const outcome =
      reply === undefined ? "unknown" : isError(reply) ? outcomeOfError(reply.error) : "ok";
    this.operations.push({
      id: this.operations.length,
      client: "c1",
      connection: 1,
      node: "n1",
      datacenter: "dc1",
      read: "DC_QUORUM",
      write: "DC_QUORUM",
      command: command.split(" "),
      invokedMs,
      endedMs,
      outcome,
      reply,
      givenUp: reply === undefined ? "lost" : undefined,
      ...options,
    });
    return this;
  }
}
