/** What clients have asked and been told, as they saw it. */
import type { ConsistencyLevel } from "../ring/levels.ts";
import { isError, type Reply } from "./client/replies.ts";

/**
 * How an operation ended: "ok": it was answered; "fail": the answer says that nothing was done; "unknown": it may have been done,
 * now or later.
 */
export type Outcome = "ok" | "fail" | "unknown";

export interface Operation {
  readonly id: number;
  /** Who asked, on which connection of its, and which node. */
  readonly client: string;
  readonly connection: number;
  readonly node: string;
  readonly datacenter: string;
  /** Levels of the connection. */
  readonly read: ConsistencyLevel;
  readonly write: ConsistencyLevel;
  readonly command: readonly string[];
  /** World time, ms. */
  readonly invokedMs: number;
  /** When the answer came, or when the client gave up; undefined: neither has happened. */
  readonly endedMs: number | undefined;
  readonly outcome: Outcome;
  readonly reply: Reply | undefined;
  /** Why it was given up: the connection was lost, or the client waited no longer. */
  readonly givenUp: "lost" | "waited" | undefined;
}

/** An operation whose end is to be told. */
export interface OpenOperation {
  readonly operation: Operation;
  answer(reply: Reply): void;
  giveUp(why: "lost" | "waited"): void;
}

/** Every operation of a run, in the order of their beginnings. */
export class History {
  readonly operations: Operation[] = [];
  readonly #now: () => number;

  /** `now`: world time in ms. */
  constructor(now: () => number) {
    this.#now = now;
  }

  begin(
    facts: Pick<Operation, "client" | "connection" | "node" | "datacenter" | "read" | "write">,
    command: readonly string[],
  ): OpenOperation {
    const operation: { -readonly [F in keyof Operation]: Operation[F] } = {
      ...facts,
      id: this.operations.length,
      command,
      invokedMs: this.#now(),
      endedMs: undefined,
      outcome: "unknown",
      reply: undefined,
      givenUp: undefined,
    };
    this.operations.push(operation);
    return {
      operation,
      answer: (reply) => {
        operation.endedMs = this.#now();
        operation.reply = reply;
        operation.outcome = isError(reply) ? outcomeOfError(reply.error) : "ok";
      },
      giveUp: (why) => {
        operation.endedMs = this.#now();
        operation.givenUp = why;
      },
    };
  }
}

/** What an error reply says of the operation. Only a text that rules it out makes it a failure. */
export function outcomeOfError(text: string): Outcome {
  if (PARTLY.some((part) => text.includes(part))) return "unknown";
  return SURE_FAILURES.some((part) => text.includes(part)) ? "fail" : "unknown";
}

/** Parts of the errors of what was done, or may have been, in part or as a whole. */
const PARTLY = ["unknown", "have been written"];
/** Parts of the errors of what surely was not done. */
const SURE_FAILURES = ["Failed to achieve Quorum", "WRONGTYPE", "not an integer", "nothing was"];
