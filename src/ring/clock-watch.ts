/** Compares the wall clock with those of the other members: whether it is believed after a jump, and whether this node may mint stamps. */
import type { Logger } from "../base/logger.ts";
import type { Settings } from "../base/settings.ts";
import type { GuardedClock } from "./guarded-clock.ts";
import type { Peers } from "./peers.ts";

export interface ClockWatchParts {
  readonly clock: GuardedClock;
  readonly settings: Settings;
  readonly log: Logger;
  readonly peers: Peers;
}

export class ClockWatch {
  readonly #parts: ClockWatchParts;
  #reason: string | undefined;

  constructor(parts: ClockWatchParts) {
    this.#parts = parts;
  }

  /** Why this node may not coordinate with the clock that it has. */
  get reason(): string | undefined {
    return this.#reason;
  }

  /** Looks at the clocks; whether `reason` has changed. */
  consider(): boolean {
    const { clock, settings, log, peers } = this.#parts;
    const mostMs = settings.get("maxStampAheadMs");
    let near = 0;
    let far = 0;
    for (const session of peers.sessions) {
      if (session.rttMs === undefined) continue;
      if (Math.abs(session.clockOffsetMs) > mostMs) far++;
      else near++;
    }
    if (clock.isInDoubt && (near > far || peers.all.length === 0)) {
      log.warn("The clock of this node has jumped; others confirm where it is now.");
      clock.believe();
    }
    return this.#refuse(this.#reasonNow(far > near, mostMs));
  }

  #reasonNow(isFar: boolean, mostMs: number): string | undefined {
    if (isFar) {
      return `the clock of this node is more than ${mostMs} ms away from that of most others; set it right`;
    }
    if (!this.#parts.clock.isInDoubt) return undefined;
    return "the clock of this node has jumped, and no other node has confirmed where it is now";
  }

  #refuse(reason: string | undefined): boolean {
    if (reason === this.#reason) return false;
    this.#reason = reason;
    if (reason !== undefined) {
      this.#parts.log.error("This node coordinates nothing, because of its clock.", { reason });
    }
    return true;
  }
}
