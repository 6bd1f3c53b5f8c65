/**
 * Checks that replies come in the order of the requests: each ECHO is answered with its own token, each reply has the kind that its
 * command gives, and no reply says something about another key than the one that was asked for (values name theirs).
 */
import { isError, type Reply } from "../client/replies.ts";
import type { Operation } from "../history.ts";
import type { Problem } from "./problem.ts";

const CHECKER = "reply order";

export function checkReplyOrder(operations: readonly Operation[]): Problem[] {
  const problems: Problem[] = [];
  for (const operation of operations) {
    const { reply, command } = operation;
    if (reply === undefined || isError(reply)) continue;
    const [name = "", ...args] = command;
    const isRight = EXPECTED[name]?.(reply, args) ?? true;
    if (isRight) continue;
    problems.push({
      checker: CHECKER,
      text: `${command.join(" ")} by ${operation.client} at ${operation.node} was answered with ${JSON.stringify(reply)}`,
      operations: [operation.id],
    });
  }
  return problems;
}

type Expectation = (reply: Reply, args: readonly string[]) => boolean;

const isText: Expectation = (reply) => typeof reply === "string" || reply === null;
const isCount: Expectation = (reply) => typeof reply === "number";
const isListOf =
  (length: (args: readonly string[]) => number): Expectation =>
  (reply, args) =>
    Array.isArray(reply) && reply.length === length(args);

/** What a reply to each command looks like. */
const EXPECTED: Readonly<Record<string, Expectation>> = {
  ECHO: (reply, [token]) => reply === token,
  PING: (reply) => reply === "PONG",
  SET: (reply) => reply === "OK" || reply === null,
  MSET: (reply) => reply === "OK",
  GET: isText,
  GETSET: isText,
  HGET: isText,
  MGET: isListOf((args) => args.length),
  HMGET: isListOf((args) => args.length - 1),
  HGETALL: (reply) => Array.isArray(reply) && reply.length % 2 === 0,
  DEL: isCount,
  UNLINK: isCount,
  EXISTS: (reply, args) => typeof reply === "number" && reply <= args.length,
  HSET: isCount,
  HDEL: isCount,
  INCR: isCount,
  INCRBY: isCount,
  TTL: isCount,
  PTTL: isCount,
  EXPIRE: isCount,
  PEXPIRE: isCount,
  PERSIST: isCount,
  APPEND: isCount,
};
