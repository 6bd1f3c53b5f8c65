import type { Logger } from "../base/logger.ts";
import type { Runtime, Timer } from "../base/runtime.ts";
import { Settings, type SettingValues } from "../base/settings.ts";
import { EmbeddedStore } from "../store/embedded-store.ts";
import type { KernelExports } from "../store/kernel.ts";

/** What a runtime gives a node. */
export interface NodeParts {
  readonly runtime: Runtime;
  /** A kernel of its own. */
  readonly kernel: KernelExports;
  readonly log: Logger;
  /** The settings that differ from their defaults. */
  readonly settings: Partial<SettingValues>;
}

/** Period of a node's housekeeping (expiry, compaction, limits), in ms. */
export const TICK_MS = 100;

/**
 * One node: its settings, its store and its housekeeping, without any door to the outside. Two nodes in one process share
 * nothing.
 */
export class RingletNode {
  readonly settings: Settings;
  readonly store: EmbeddedStore;
  readonly runtime: Runtime;
  readonly log: Logger;
  readonly #timer: Timer;
  readonly #onTick: (() => void)[] = [];

  /** Throws SettingError where a setting cannot be what it should. */
  constructor(parts: NodeParts) {
    this.settings = new Settings(parts.settings);
    this.runtime = parts.runtime;
    this.log = parts.log;
    this.store = new EmbeddedStore(parts.kernel, parts.runtime.randomBytes(SECRET_BYTES), {
      ceilingBytes: this.settings.get("ceilingBytes"),
    });
    this.letTimePass();
    this.#timer = parts.runtime.every(TICK_MS, () => this.#tick());
  }

  /** Gives the store the time. */
  letTimePass(): void {
    this.store.setNow(this.runtime.now());
  }

  /** Calls `listener` after each round of housekeeping. */
  onTick(listener: () => void): void {
    this.#onTick.push(listener);
  }

  /** Ends the housekeeping; the data is gone with the node. */
  close(): void {
    this.#timer.cancel();
  }

  #tick(): void {
    this.letTimePass();
    this.store.tick(this.settings.get("activeExpiry"));
    for (const listener of this.#onTick) listener();
  }
}

/** Bytes of the secret that the hash of the table works with. */
const SECRET_BYTES = 16;
