// CLIENT PAUSE: commands of clients wait until a time, all of them or only those that write.

import type { Runtime, Timer } from "../../base/runtime.ts";
import type { ClientHandle, ClientRegistry } from "./clients.ts";

export type PauseMode = "all" | "write";

export class Pause {
  readonly #runtime: Runtime;
  readonly #clients: ClientRegistry;
  readonly #holdExpiry: (held: boolean) => void;
  #mode: PauseMode | undefined;
  #until = 0;
  #timer: Timer | undefined;
  #over: Promise<void> = Promise.resolve();
  #release: () => void = () => {};

  /** `holdExpiry`: nothing expires during a pause; what no write may change, time does not either. */
  constructor(runtime: Runtime, clients: ClientRegistry, holdExpiry: (held: boolean) => void) {
    this.#runtime = runtime;
    this.#clients = clients;
    this.#holdExpiry = holdExpiry;
    clients.onAdd((handle) => {
      if (this.#mode !== undefined) holdBack(handle, true);
    });
  }

  /** What waits; undefined: nothing. */
  get mode(): PauseMode | undefined {
    return this.#mode;
  }

  /** Resolves when the pause that is on now is over. */
  get over(): Promise<void> {
    return this.#over;
  }

  /** Begins a pause of `durationMs`, or makes the one that is on longer and stricter, never shorter or looser. */
  begin(durationMs: number, mode: PauseMode): void {
    const until = this.#runtime.monotonic() + durationMs;
    if (this.#mode === undefined) {
      this.#mode = mode;
      this.#until = until;
      this.#over = new Promise((resolve) => {
        this.#release = resolve;
      });
      for (const handle of this.#clients) holdBack(handle, true);
      this.#holdExpiry(true);
    } else {
      if (mode === "all") this.#mode = mode;
      this.#until = Math.max(this.#until, until);
    }
    this.#timer?.cancel();
    this.#wait();
  }

  end(): void {
    if (this.#mode === undefined) return;
    this.#mode = undefined;
    this.#timer?.cancel();
    this.#timer = undefined;
    for (const handle of this.#clients) holdBack(handle, false);
    this.#holdExpiry(false);
    this.#release();
  }

  #wait(): void {
    const left = this.#until - this.#runtime.monotonic();
    if (left <= 0) {
      this.end();
      return;
    }
    this.#timer = this.#runtime.after(Math.min(left, LONGEST_TIMER_MS), () => this.#wait());
  }
}

/** Timers of the web and of Node.js take no more than 31 bits. */
const LONGEST_TIMER_MS = 2_147_483_647;

function holdBack({ session }: ClientHandle, held: boolean): void {
  session.setHostOnly("paused", held);
}
