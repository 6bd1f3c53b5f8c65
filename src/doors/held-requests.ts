// What a client has sent and was not passed on yet: a command that came in part, or whole ones that wait. A long command is not read
// again from its beginning with each chunk that comes.

import { concat, joined } from "../codec/concat.ts";
import type { CommandRest } from "../codec/resp-relay.ts";

/** What there is to go on with. */
export type Held =
  | { readonly status: "incomplete" }
  /** What is held is no command, up to `end`. */
  | { readonly status: "error"; readonly end: number }
  /** One command up to `end`, which is whole and long; what is behind it has not been looked at. */
  | { readonly status: "long"; readonly end: number }
  /** All that is held. */
  | { readonly status: "bytes"; readonly bytes: Uint8Array };

/** Commands and missing parts above this are read on where reading had stopped. */
const LONG_BYTES = 64 * 1024;

export class HeldRequests {
  readonly #rest: (bytes: Uint8Array, left: number) => CommandRest;
  readonly #count: (bytes: number) => void;
  #parts: Uint8Array[] = [];
  bytes = 0;
  /** How many bytes there must be before it is worth looking. */
  needed = 0;
  /** Of a long command: where it is to be read on, the arguments that it lacks, and whether one of them ends at `needed`. */
  #resumeAt = 0;
  #left = 0;
  #inArgument = false;
  /** Where the long command ends, when that is known; else 0. */
  #end = 0;

  /** `rest` reads on in a long command; `count` hears how many bytes more are held, or fewer. */
  constructor(
    rest: (bytes: Uint8Array, left: number) => CommandRest,
    count: (bytes: number) => void,
  ) {
    this.#rest = rest;
    this.#count = count;
  }

  /** Adds a copy of `bytes`. */
  push(bytes: Uint8Array): void {
    this.#parts.push(bytes.slice());
    this.bytes += bytes.length;
    this.#count(bytes.length);
  }

  clear(): void {
    this.#count(-this.bytes);
    this.#parts = [];
    this.bytes = 0;
    this.#forget();
  }

  /** Says what the command that begins here lacks. */
  expect(wanted: number, resumeAt: number, left: number): void {
    this.needed = this.bytes + wanted;
    if (wanted <= LONG_BYTES && this.bytes <= LONG_BYTES) return;
    this.#resumeAt = resumeAt;
    this.#left = left;
    this.#inArgument = wanted > 1;
  }

  look(): Held {
    if (this.#end !== 0) return { status: "long", end: this.#end };
    if (this.bytes < this.needed) return { status: "incomplete" };
    if (this.#left !== 0) return this.#readOn();
    return {
      status: "bytes",
      bytes: joined(this.#parts),
    };
  }

  #readOn(): Held {
    if (this.#inArgument) {
      if (this.#at(this.needed - 2) !== CR || this.#at(this.needed - 1) !== LF) {
        return { status: "error", end: this.needed };
      }
      this.#resumeAt = this.needed;
      this.#left--;
      this.#inArgument = false;
      if (this.#left === 0) return this.#whole(this.#resumeAt);
    }
    const from = this.#resumeAt;
    const rest = this.#rest(concat(this.#slices(from, this.bytes)), this.#left);
    if (rest.status === "error") return { status: "error", end: this.bytes };
    if (rest.status === "end") return this.#whole(from + rest.end);
    this.#resumeAt = from + rest.end;
    this.#left = rest.left;
    this.needed = this.bytes + rest.wanted;
    this.#inArgument = rest.wanted > 1;
    return { status: "incomplete" };
  }

  #whole(end: number): Held {
    this.#end = end;
    return { status: "long", end };
  }

  /** The first bytes, as many as are wanted or less. */
  head(length: number): Uint8Array {
    return concat(this.#slices(0, Math.min(length, this.bytes)));
  }

  /** The bytes up to `end`, in parts. */
  peek(end: number): Uint8Array[] {
    return this.#slices(0, end);
  }

  /** Forgets the bytes up to `end`. */
  drop(end: number): void {
    this.#parts = this.#slices(end, this.bytes);
    this.bytes -= end;
    this.#count(-end);
    this.#forget();
  }

  #forget(): void {
    this.needed = 0;
    this.#left = 0;
    this.#inArgument = false;
    this.#end = 0;
  }

  #at(index: number): number {
    let start = 0;
    for (const part of this.#parts) {
      if (index < start + part.length) return part[index - start]!;
      start += part.length;
    }
    return -1;
  }

  #slices(from: number, to: number): Uint8Array[] {
    const slices: Uint8Array[] = [];
    let start = 0;
    for (const part of this.#parts) {
      const first = Math.max(0, from - start);
      const last = Math.min(part.length, to - start);
      if (first < last) slices.push(part.subarray(first, last));
      start += part.length;
      if (start >= to) break;
    }
    return slices;
  }
}

const CR = 13;
const LF = 10;
