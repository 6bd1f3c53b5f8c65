// What an executor remembers of the writes that other nodes had it run: a write that is sent again is answered, not run again.

import { outcomeUnknown } from "./ring-error.ts";

/** Bytes of replies that are remembered, however few writes they are of. */
export const MAX_REMEMBERED_BYTES = 16 * 1024 * 1024;

interface Remembered {
  readonly asker: string;
  readonly counter: bigint;
  readonly result: Promise<Uint8Array>;
  bytes: number;
}

export class RememberedWrites {
  readonly #most: () => number;
  readonly #byId = new Map<string, Remembered>();
  /** By asker: the newest write of it that was forgotten. */
  readonly #forgotten = new Map<string, bigint>();
  #bytes = 0;

  /** `most`: how many writes are remembered. */
  constructor(most: () => number) {
    this.#most = most;
  }

  get size(): number {
    return this.#byId.size;
  }

  /**
   * The result of a write: of `run`, or of the time when it was run. `asker`: the node and its run; its writes have ascending
   * counters. Rejects as `run` does, or with OUTCOME_UNKNOWN for a write that was sent again and may have been forgotten.
   */
  once(
    asker: string,
    counter: bigint,
    isRetry: boolean,
    run: () => Promise<Uint8Array>,
  ): Promise<Uint8Array> {
    const id = `${asker}:${counter}`;
    const known = this.#byId.get(id);
    if (known !== undefined) return known.result;
    if (isRetry && counter <= (this.#forgotten.get(asker) ?? -1n)) {
      return Promise.reject(
        outcomeUnknown("the executor no longer knows whether it ran the write before"),
      );
    }
    const result = run();
    const remembered: Remembered = { asker, counter, result, bytes: 0 };
    this.#byId.set(id, remembered);
    result.then(
      (reply) => this.#weigh(id, remembered, reply.length),
      () => {},
    );
    this.#trim();
    return result;
  }

  #weigh(id: string, remembered: Remembered, bytes: number): void {
    if (this.#byId.get(id) !== remembered) return;
    remembered.bytes = bytes;
    this.#bytes += bytes;
    this.#trim();
  }

  /** Forgets the oldest while there are too many. */
  #trim(): void {
    for (const [id, { asker, counter, bytes }] of this.#byId) {
      if (this.#byId.size <= this.#most() && this.#bytes <= MAX_REMEMBERED_BYTES) return;
      this.#byId.delete(id);
      this.#bytes -= bytes;
      if (counter > (this.#forgotten.get(asker) ?? -1n)) this.#forgotten.set(asker, counter);
    }
  }
}
