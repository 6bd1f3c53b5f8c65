// The timeout factor of the C engine: so many times the configured time are commands allowed to wait for other members.

import { SETTINGS } from "../../base/setting-table.ts";
import type { Settings } from "../../base/settings.ts";

/** Largest factor, as in the C engine. */
export const MAX_TIMEOUT_FACTOR = 10;

export class TimeoutFactor {
  readonly #settings: Settings;
  #factor = 1;
  /** `requestTimeoutMs` as it was set by others, in ms. */
  #configuredMs: number;
  #isOwnChange = false;

  constructor(settings: Settings) {
    this.#settings = settings;
    this.#configuredMs = settings.get("requestTimeoutMs");
    settings.onChange("requestTimeoutMs", (timeoutMs) => {
      if (this.#isOwnChange) return;
      this.#configuredMs = timeoutMs;
      this.#factor = 1;
    });
  }

  get value(): number {
    return this.#factor;
  }

  /** Changes the setting `requestTimeoutMs` to its configured value times the factor, which is brought within 1 and MAX_TIMEOUT_FACTOR. */
  set(factor: number): void {
    const within = Math.min(Math.max(1, factor), MAX_TIMEOUT_FACTOR);
    const timeoutMs = Math.min(this.#configuredMs * within, SETTINGS.requestTimeoutMs.max);
    this.#isOwnChange = true;
    try {
      this.#settings.set("requestTimeoutMs", timeoutMs);
    } finally {
      this.#isOwnChange = false;
    }
    this.#factor = within;
  }
}
