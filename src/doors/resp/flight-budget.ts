import type { Logger } from "../../base/logger.ts";

/** What the budget looks at in a connection. */
export interface InFlight {
  readonly pendingInputBytes: number;
  readonly pendingOutputBytes: number;
  readonly lastInputAt: number;
  readonly session: {
    readonly facts: { readonly id: number; readonly remoteAddress: string };
    /** CLIENT NO-EVICT: it may be paused, but is not cut off. */
    readonly noEvict: boolean;
  };
  setPaused(paused: boolean): void;
  kill(afterReplies: boolean): void;
}

/** Connections that hold less than this are never paused. */
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
    let total = 0;
    let longest: InFlight | undefined;
    let heaviest: InFlight | undefined;
    for (const connection of this.#connections) {
      const held = connection.pendingInputBytes + connection.pendingOutputBytes;
      total += held;
      const mayGo = !connection.session.noEvict;
      if (mayGo && held > (heaviest === undefined ? 0 : heldBy(heaviest))) heaviest = connection;
      if (connection.pendingInputBytes > (longest?.pendingInputBytes ?? 0)) longest = connection;
    }
    if (total <= this.#limits.inFlightBudgetBytes) {
      this.#overSince = 0;
      if (this.#paused) for (const connection of this.#connections) connection.setPaused(false);
      this.#paused = false;
      return;
    }
    if (this.#overSince === 0) this.#overSince = now;
    this.#paused = true;
    for (const connection of this.#connections) {
      connection.setPaused(connection !== longest && heldBy(connection) > LIGHT_CONNECTION_BYTES);
    }
    const stalled = this.#limits.stalledRequestMs;
    if (heaviest === undefined || now - this.#overSince < stalled) return;
    const progressing = heaviest === longest && now - heaviest.lastInputAt < stalled;
    const victim = progressing ? this.#heaviestBut(longest) : heaviest;
    this.#overSince = now;
    if (victim === undefined) return;
    const { id, remoteAddress } = victim.session.facts;
    this.#log.warn(
      `client ${id} at ${remoteAddress} was cut off: it held ${heldBy(victim)} bytes while all clients held more than ${this.#limits.inFlightBudgetBytes}`,
    );
    victim.kill(false);
  }

  #heaviestBut(spared: InFlight | undefined): InFlight | undefined {
    let heaviest: InFlight | undefined;
    for (const connection of this.#connections) {
      if (connection === spared || connection.session.noEvict) continue;
      if (heldBy(connection) <= LIGHT_CONNECTION_BYTES) continue;
      if (heaviest === undefined || heldBy(connection) > heldBy(heaviest)) heaviest = connection;
    }
    return heaviest;
  }
}

function heldBy(connection: InFlight): number {
  return connection.pendingInputBytes + connection.pendingOutputBytes;
}
