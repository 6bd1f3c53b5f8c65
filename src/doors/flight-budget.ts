import type { Logger } from "../base/logger.ts";

/** What the budget looks at in a connection. */
export interface InFlight {
  readonly pendingInputBytes: number;
  readonly pendingOutputBytes: number;
  readonly lastInputAt: number;
  /** When it last took some of the replies that wait for it. */
  readonly takenAt: number;
  readonly session: {
    readonly facts: { readonly id: number; readonly remoteAddress: string };
    /** CLIENT NO-EVICT: it may be paused, but is not cut off. */
    readonly noEvict: boolean;
  };
  setPaused(paused: boolean): void;
  kill(afterReplies: boolean): void;
}

/** Connections that hold less than this, and less than their share of the budget, are never paused. */
export const LIGHT_CONNECTION_BYTES = 1024 * 1024;

/**
 * Keeps the bytes of all connections together (commands in part, replies not taken) near a budget. Over it, the node stops
 * reading from every connection that holds much, but for the one whose command is the longest: that one can finish, so there
 * is always progress. A connection that only holds is cut off.
 */
export class FlightBudget {
  readonly #connections: Iterable<InFlight>;
  readonly #limits: { readonly inFlightBudgetBytes: number; readonly stalledRequestMs: number };
  readonly #log: Logger;
  #overSince = 0;
  #paused = false;

  constructor(
    connections: Iterable<InFlight>,
    limits: { readonly inFlightBudgetBytes: number; readonly stalledRequestMs: number },
    log: Logger,
  ) {
    this.#connections = connections;
    this.#limits = limits;
    this.#log = log;
  }

  /** Looks at all connections; `now` in ms since the epoch. */
  enforce(now: number): void {
    const budget = this.#limits.inFlightBudgetBytes;
    let total = 0;
    let count = 0;
    let longest: InFlight | undefined;
    for (const connection of this.#connections) {
      total += heldBy(connection);
      count++;
      if (connection.pendingInputBytes > (longest?.pendingInputBytes ?? 0)) longest = connection;
    }
    if (total <= budget) {
      this.#overSince = 0;
      if (this.#paused) for (const connection of this.#connections) connection.setPaused(false);
      this.#paused = false;
      return;
    }
    if (this.#overSince === 0) this.#overSince = now;
    this.#paused = true;
    const light = Math.min(LIGHT_CONNECTION_BYTES, budget / count);
    for (const connection of this.#connections) {
      connection.setPaused(connection !== longest && heldBy(connection) > light);
    }
    const stalled = this.#limits.stalledRequestMs;
    if (now - this.#overSince < stalled) return;
    this.#overSince = now;
    const victim = this.#heaviest((connection) => {
      if (connection.session.noEvict || heldBy(connection) <= light) return false;
      const progressAt = connection === longest ? connection.lastInputAt : connection.takenAt;
      return now - progressAt >= stalled;
    });
    if (victim === undefined) return;
    const { id, remoteAddress } = victim.session.facts;
    this.#log.warn(
      `client ${id} at ${remoteAddress} was cut off: it held ${heldBy(victim)} bytes while all clients held more than ${budget}`,
    );
    victim.kill(false);
  }

  #heaviest(mayBe: (connection: InFlight) => boolean): InFlight | undefined {
    let heaviest: InFlight | undefined;
    for (const connection of this.#connections) {
      if (heaviest !== undefined && heldBy(connection) <= heldBy(heaviest)) continue;
      if (mayBe(connection)) heaviest = connection;
    }
    return heaviest;
  }
}

function heldBy(connection: InFlight): number {
  return connection.pendingInputBytes + connection.pendingOutputBytes;
}
