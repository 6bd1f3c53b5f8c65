/** A log of what repeats at every retry: a line only where it is another one than the last about the same thing. */
import type { Logger } from "../base/logger.ts";

/** Things that are remembered; the one heard of longest ago is forgotten first. */
const MAX_TOPICS = 1024;

export class RepeatedLog {
  readonly #log: Logger;
  readonly #last = new Map<string, string>();

  constructor(log: Logger) {
    this.#log = log;
  }

  /** Says `message` about `topic`, unless `reason` is that of the last one. Numbers in a reason do not make it another. */
  say(topic: string, reason: string, message: string): void {
    const kind = reason.replace(/\d+/g, "#");
    const isNews = this.#last.get(topic) !== kind;
    this.#last.delete(topic);
    this.#last.set(topic, kind);
    if (this.#last.size > MAX_TOPICS) {
      for (const oldest of this.#last.keys()) {
        this.#last.delete(oldest);
        break;
      }
    }
    if (isNews) this.#log.warn(message);
  }

  /** It is over: when it happens again, it is said again. */
  forget(topic: string): void {
    this.#last.delete(topic);
  }
}
