import { hashBytes, hashText, mix } from "./random.ts";

/**
 * What happened in a run, as a running hash: two runs with the same hash did the same in the same order. With a recorder, also
 * as lines of text.
 */
export class Trace {
  #low = 0x6a09e667;
  #high = 0x3c6ef372;
  #events = 0;
  readonly #record: ((line: string) => void) | undefined;

  /** `record` gets a line for each event. */
  constructor(record?: (line: string) => void) {
    this.#record = record;
  }

  /** Events so far. */
  get events(): number {
    return this.#events;
  }

  /** The hash so far: 16 hexadecimal digits. */
  get hash(): string {
    return hex(this.#high) + hex(this.#low);
  }

  /** An event happens: to whom (or ""), and what. `time` in microseconds. */
  event(time: number, who: string, what: string): void {
    this.#events++;
    this.#stir(time >>> 0);
    this.#stir(hashText(who, time / 0x1_0000_0000));
    this.#stir(hashText(what, 1));
    this.#record?.(`${(time / 1000).toFixed(3)} ${who || "-"} ${what}`);
  }

  /** Bytes are delivered in the event of the moment. */
  bytes(what: string, bytes: Uint8Array): void {
    this.#stir(hashBytes(bytes, 2));
    this.#record?.(`    ${what} ${bytes.length} bytes ${hex(hashBytes(bytes, 2))}`);
  }

  /** More about the event of the moment. */
  note(text: string): void {
    this.#stir(hashText(text, 3));
    this.#record?.(`    ${text}`);
  }

  #stir(value: number): void {
    this.#low = mix(this.#low, value);
    this.#high = mix(this.#high ^ this.#low, value);
  }
}

function hex(word: number): string {
  return (word >>> 0).toString(16).padStart(8, "0");
}
