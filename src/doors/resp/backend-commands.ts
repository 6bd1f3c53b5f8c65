// The commands that cannot go to the server behind a node over a connection that clients share, and what becomes of each.

/**
 * What becomes of a command. All that is not named here is passed on as it came, whatever it is, over a shared connection.
 *
 * - local: the node answers, because it is about the client's connection to the node, or about the node.
 * - multi, watch, end, unwatch, select: change what the server knows of a connection; the client has one of its own while that
 *   differs from the beginning.
 * - blocking: may take as long as it likes; on a connection of the client's own until it is answered.
 * - read: blocking where it says BLOCK.
 * - wait: as blocking; what it asks is about the writes of the connection, so something is sent on it first.
 * - stream: the server sends what nobody asked for from then on. The client has a connection of its own, to the end.
 * - kill: where it says KILL it must get through while another command keeps the connection; as blocking. DEBUG is refused.
 * - client: CLIENT; local but for REPLY, TRACKING and CACHING.
 * - info: INFO; local where only sections are asked for that the server does not have.
 * - refused: it would take the server from the other clients, or is between servers.
 */
export type CommandWay =
  | "local"
  | "multi"
  | "watch"
  | "end"
  | "unwatch"
  | "select"
  | "blocking"
  | "read"
  | "wait"
  | "stream"
  | "kill"
  | "client"
  | "info"
  | "refused";

const NAMES_BY_WAY: Readonly<Record<CommandWay, readonly string[]>> = {
  local: ["auth", "hello", "quit", "reset", "shutdown", "dyno_config", "ringlet"],
  multi: ["multi"],
  watch: ["watch"],
  end: ["exec", "discard"],
  unwatch: ["unwatch"],
  select: ["select"],
  blocking: [
    ...["blpop", "brpop", "brpoplpush", "blmove", "blmpop", "bzpopmin", "bzpopmax", "bzmpop"],
  ],
  read: ["xread", "xreadgroup"],
  wait: ["wait", "waitaof"],
  stream: [
    ...["subscribe", "psubscribe", "ssubscribe", "unsubscribe", "punsubscribe", "sunsubscribe"],
    "monitor",
  ],
  kill: ["script", "function"],
  client: ["client"],
  info: ["info"],
  refused: ["sync", "psync", "replconf", "replicaof", "slaveof", "failover", "debug"],
};

/** The names, and the way of each; the number that the relay knows a name by is its position, counted from 1. */
export const NAMED_COMMANDS: readonly (readonly [name: string, way: CommandWay])[] = Object.entries(
  NAMES_BY_WAY,
).flatMap(([way, names]) => names.map((name) => [name, way as CommandWay] as const));

/** Why a command is refused. */
export function refusalOf(name: string): string {
  return `ERR ${name.toUpperCase()} is not passed on: it would take the server behind this node from its other clients. Send it to the server itself`;
}

/** Subcommands of CLIENT that are about the connection to the server, once that is the client's own. */
export const CLIENT_OF_SERVER: ReadonlySet<string> = new Set(["reply", "tracking", "caching"]);

/** Sections of INFO that only the node has. */
export const SECTIONS_OF_NODE: ReadonlySet<string> = new Set(["backend", "ringlet", "ring"]);
