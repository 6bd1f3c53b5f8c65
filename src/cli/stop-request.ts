// The wish to stop, from a signal or from within. The first one is granted gently; another signal ends the process at once.

const SIGNALS = ["SIGINT", "SIGTERM"] as const;

/**
 * A signal so soon after the first is the same wish: Ctrl-C and process managers signal a whole group of processes, and npm
 * passes on to us what we have received too.
 */
const SAME_WISH_MS = 1000;

/** Exit code of a process that was told twice. */
const CUT_SHORT = 1;

export class StopRequest {
  /** Resolves to what asked first. */
  readonly requested: Promise<string>;
  #resolve!: (reason: string) => void;
  #since: number | undefined;

  /** Listens for SIGINT and SIGTERM from now on. */
  constructor() {
    this.requested = new Promise((resolve) => {
      this.#resolve = resolve;
    });
    for (const signal of SIGNALS) {
      process.on(signal, () => {
        if (this.#since !== undefined && performance.now() - this.#since > SAME_WISH_MS) {
          process.exit(CUT_SHORT);
        }
        this.request(signal);
      });
    }
  }

  get isRequested(): boolean {
    return this.#since !== undefined;
  }

  /** Asks to stop; only the first time counts. */
  request(reason: string): void {
    this.#since ??= performance.now();
    this.#resolve(reason);
  }
}
