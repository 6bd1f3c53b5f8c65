// Quorum operations of the host: a slot of the kernel each, whose decision comes back as an event with the slot's tag.

import type { EmbeddedStore } from "../store/embedded-store.ts";
import { EVENT, EVENT_KIND } from "../store/kernel-ring.ts";
import type { QuorumOutcome } from "./port.ts";

/** A command of a client that the kernel began and the host must run again. */
export interface Retry {
  /** Number of the slot that waits for the reply. */
  readonly slot: number;
  /** Address of the client's connection in the kernel; 0 when it has gone. */
  readonly connection: number;
  /** Database that the command is for. */
  readonly database: number;
  /** The command as it came: a RESP array or an inline command. */
  readonly request: Uint8Array;
}

export class HostQuorums {
  readonly #store: EmbeddedStore;
  readonly #waiting = new Map<number, (outcome: QuorumOutcome) => void>();
  #nextTag = 1;

  constructor(store: EmbeddedStore) {
    this.#store = store;
  }

  /** A tag for a slot, and the promise of what becomes of it. */
  open(): { readonly tag: number; readonly outcome: Promise<QuorumOutcome> } {
    const tag = this.#nextTag;
    this.#nextTag = this.#nextTag === MAX_TAG ? 1 : this.#nextTag + 1;
    const outcome = new Promise<QuorumOutcome>((resolve) => this.#waiting.set(tag, resolve));
    return { tag, outcome };
  }

  /** Takes a tag back: nothing was sent under it. */
  drop(tag: number): void {
    this.#waiting.delete(tag);
  }

  /** Handles the events that the kernel has; returns the commands to run again. */
  takeEvents(): Retry[] {
    const { kernel, memory } = this.#store;
    const retries: Retry[] = [];
    for (;;) {
      const at = kernel.nextEvent() >>> 2;
      if (at === 0) return retries;
      const field = (index: number): number => memory.words[at + index]!;
      const kind = field(EVENT.kind);
      if (kind === EVENT_KIND.retry) {
        const start = field(EVENT.bytes);
        retries.push({
          slot: field(EVENT.slot),
          connection: field(EVENT.connection),
          database: field(EVENT.tag),
          request: memory.bytes.slice(start, start + field(EVENT.length)),
        });
        continue;
      }
      const tag = field(EVENT.tag);
      const resolve = this.#waiting.get(tag);
      this.#waiting.delete(tag);
      resolve?.({
        ok: kind === EVENT_KIND.decided,
        got: field(EVENT.got),
        need: field(EVENT.need),
        stale: field(EVENT.stale) !== 0,
      });
    }
  }

  /** How many operations wait. */
  get size(): number {
    return this.#waiting.size;
  }
}

const MAX_TAG = 0x7fffffff;
