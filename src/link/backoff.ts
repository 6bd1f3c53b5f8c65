/** How long to wait before the next dial of a peer: exponential, with full jitter. */
import type { LinkLimits } from "./limits.ts";

export class Backoff {
  readonly #limits: Pick<LinkLimits, "reconnectMinMs" | "reconnectMaxMs">;
  #failures = 0;

  constructor(limits: Pick<LinkLimits, "reconnectMinMs" | "reconnectMaxMs">) {
    this.#limits = limits;
  }

  /** The next wait in ms; `random`: from 0 up to, not including, 1. */
  next(random: number): number {
    const { reconnectMinMs, reconnectMaxMs } = this.#limits;
    const most = Math.min(reconnectMaxMs, reconnectMinMs * 2 ** this.#failures);
    if (most < reconnectMaxMs) this.#failures++;
    return Math.floor(random * (most + 1));
  }

  /** A session has lived: the waits begin anew. */
  reset(): void {
    this.#failures = 0;
  }
}
